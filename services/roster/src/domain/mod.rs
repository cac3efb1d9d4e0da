//! What is true of a register: types and pure functions.

pub mod calendar;
pub mod code;
pub mod division;
pub mod import;
pub mod organization;
pub mod policy;
pub mod private;
pub mod responsibility;
pub mod staff;
