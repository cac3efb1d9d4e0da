//! Permission to resume teaching: self-check, joint inspection, a day, watching (rules 4.1 to 4.10).

pub mod checklist;
pub mod guards;
pub mod inspection;
pub mod order;
pub mod state;

#[cfg(test)]
mod state_tests;
