//! What is true of a register: types and pure functions.

pub mod class_group;
pub mod code;
pub mod division;
pub mod document;
pub mod guardian;
pub mod import;
pub mod organization;
pub mod private;
pub mod student;
