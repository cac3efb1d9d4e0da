//! Incidents: reported at once, level by level, responded to, reviewed and closed (rules 5.32 to 5.37).

pub mod category;
pub mod clock;
pub mod detection;
pub mod file;
pub mod harm;
pub mod moves;
mod receipts;
pub mod state;
pub mod step;
pub mod terms;

#[cfg(test)]
mod clock_tests;
#[cfg(test)]
mod move_tests;
#[cfg(test)]
mod test_files;
