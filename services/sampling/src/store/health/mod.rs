//! What is kept of people's health.

pub mod cases;
pub mod clusters;
pub mod deadlines;
pub(crate) mod rules;
pub mod schools;
pub mod signs;
pub mod suspensions;
