//! Permission to resume teaching: self-check, joint inspection, a day, watching (rules 4.1 to 4.10).

pub mod away;
pub mod checklist;
pub mod figures;
pub mod guards;
pub mod inspection;
pub mod late;
pub mod order;
pub mod own_plan;
pub mod state;

#[cfg(test)]
mod state_tests;
