//! What is kept of people's health.

pub mod absences;
pub mod deadlines;
pub mod medical;
pub(crate) mod rules;
pub mod schools;
pub mod signs;
