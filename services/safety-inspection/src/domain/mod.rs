//! What is true of the safety of a campus: types and pure functions.

pub mod gate;
pub mod hazard;
pub mod organization;
pub mod person;
pub mod photo;
pub mod responsibility;
pub mod resumption;
