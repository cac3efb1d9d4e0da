//! What is kept of people's health.

pub mod cases;
pub mod contacts;
pub mod deadlines;
pub mod reports;
pub(crate) mod rules;
pub mod schools;
pub mod signs;
