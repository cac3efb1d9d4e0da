//! The health of people: what is seen of them, what follows from it, and what is reported.

pub mod coverage;
pub mod disease;
pub mod regularity;
pub mod rules;
pub mod sign;
pub mod signal;
pub mod symptom;
