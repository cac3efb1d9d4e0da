//! The health of people: what is seen of them, what follows from it, and what is reported.

pub mod cluster;
pub mod cluster_rule;
pub mod cluster_state;
pub mod cluster_table;
pub mod cluster_words;
pub mod disease;
pub mod illness;
pub mod reconcile;
pub mod replay;
pub mod rules;
pub mod sign;
pub mod suspension;
pub mod symptom;

#[cfg(test)]
mod cluster_tests;
