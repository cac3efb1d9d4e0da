//! What is true of a register: types and pure functions.

pub mod code;
pub mod division;
pub mod import;
pub mod organization;
pub mod private;
pub mod responsibility;
pub mod staff;
