//! What is true at a gate: types and pure functions.

pub mod clearance;
pub mod decision;
pub mod finding;
pub mod index;
pub mod observation;
pub mod person;
pub mod person_code;
pub mod policy;
pub mod snapshot;
