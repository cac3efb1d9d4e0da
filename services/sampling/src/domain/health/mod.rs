//! The health of people: what is seen of them, what follows from it, and what is reported.

pub mod assay;
pub mod case;
pub mod contact;
pub mod disease;
pub mod report;
pub mod rules;
pub mod sign;
pub mod symptom;
