//! Visits to a school by people who do not belong to it (rules 3.6 and 3.7).

pub mod card;
pub mod checked;
pub mod pass;
pub mod state;
pub mod visit;
