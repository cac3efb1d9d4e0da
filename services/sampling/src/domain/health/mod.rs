//! The health of people: what is seen of them, what follows from it, and what is reported.

pub mod absence;
pub mod absence_tally;
pub mod assay;
pub mod case;
pub mod check;
mod check_packing;
pub mod cluster;
pub mod cluster_rule;
pub mod cluster_state;
pub mod cluster_table;
pub mod cluster_words;
pub mod contact;
pub mod coverage;
pub mod disease;
pub mod dormitory;
pub mod illness;
pub mod legal_class;
pub mod medical;
pub mod person;
pub mod reconcile;
pub mod regularity;
pub mod relation;
pub mod replay;
pub mod report;
pub mod return_rule;
pub mod rules;
pub mod screening;
pub mod shared;
pub mod sign;
pub mod signal;
pub mod staffing;
pub mod suspension;
pub mod symptom;
pub mod tally;
pub mod veil;

#[cfg(test)]
mod cluster_tests;
#[cfg(test)]
pub(crate) mod derbyshire;
