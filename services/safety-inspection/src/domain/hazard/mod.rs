//! Hazards: graded, put under control, removed, reviewed and closed (rules 5.3 to 5.9).

pub mod report;
