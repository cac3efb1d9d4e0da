//! What is true of the safety of a campus: types and pure functions.

pub mod gate;
pub mod hazard;
mod numbered;
pub mod organization;
pub mod person;
pub mod photo;
pub mod protection;
pub mod responsibility;
pub mod shelter;
pub mod supply;
