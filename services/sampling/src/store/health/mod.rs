//! What is kept of people's health.

pub mod absences;
pub mod cases;
pub mod checks;
pub mod clusters;
pub mod contacts;
pub mod corrections;
pub mod days;
pub mod deadlines;
pub mod dormitories;
pub mod exams;
pub mod expectations;
pub mod illnesses;
pub mod matters;
pub mod medical;
pub mod reports;
pub(crate) mod rules;
pub mod schools;
pub mod shared_groups;
pub mod signals;
pub mod signs;
pub mod suspensions;
pub mod units;
pub mod windows;
