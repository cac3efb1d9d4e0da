//! What is true in the register: types and pure functions.

pub mod calendar;
pub mod code;
pub mod division;
pub mod import;
pub mod policy;
