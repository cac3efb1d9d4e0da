//! What is true of a register: types and pure functions.

pub mod access;
pub mod calendar;
pub mod class_group;
pub mod code;
pub mod destruction;
pub mod division;
pub mod document;
pub mod emergency;
pub mod guardian;
pub mod import;
pub mod organization;
pub mod policy;
pub mod private;
pub mod responsibility;
pub mod staff;
pub mod student;
pub mod subject;
pub mod teaching;
