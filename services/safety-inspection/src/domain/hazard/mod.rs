//! Hazards: graded, put under control, removed, reviewed and closed (rules 5.3 to 5.9).

pub mod accountability;
pub mod clock;
pub mod course;
pub mod entry;
mod extending;
pub mod major;
pub mod moves;
pub mod report;
pub mod state;
mod supervising;
pub mod terms;
pub mod verb;

#[cfg(test)]
mod clock_tests;
#[cfg(test)]
mod moves_tests;
#[cfg(test)]
mod samples;
