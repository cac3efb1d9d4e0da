//! What is true of the safety of a campus: types and pure functions.

pub mod checklist;
pub mod drill;
pub mod duty;
pub mod figures;
pub mod gate;
pub mod hazard;
pub mod history;
pub mod incident;
pub mod inspection;
pub mod neighbours;
pub(crate) mod numbered;
pub mod opaque_code;
pub mod organization;
pub mod person;
pub mod photo;
pub mod protection;
pub mod responsibility;
pub mod resumption;
pub mod shelter;
pub mod supply;
pub mod visitor;
pub mod weather;
