//! What is kept of people's health.

pub mod deadlines;
pub(crate) mod rules;
pub mod schools;
pub mod signs;
