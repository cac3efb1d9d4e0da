//! Approvals of access to what is kept of minors (rule 6.8).

mod approval;
mod event;
#[cfg(test)]
mod tests;

pub use approval::{Approval, Refused, State};
pub use event::{Event, MinorData, Step, Terms, Wanted};

/// How long an approval lasts at most, in days.
pub const LONGEST_DAYS: i64 = 30;
