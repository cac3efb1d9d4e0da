//! Who enters: decided from what is known, and explained (rules 3.1 to 3.9).

pub mod clearance;
pub mod course;
pub mod day;
pub mod decision;
pub mod finding;
pub mod index;
pub mod observation;
pub mod person_code;
pub mod policy;
pub mod snapshot;
