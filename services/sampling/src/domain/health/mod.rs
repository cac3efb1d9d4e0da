//! The health of people: what is seen of them, what follows from it, and what is reported.

pub mod absence;
pub mod absence_tally;
pub mod check;
pub mod disease;
pub mod dormitory;
pub mod medical;
pub mod person;
pub mod return_rule;
pub mod rules;
pub mod screening;
pub mod sign;
pub mod symptom;
pub mod tally;
