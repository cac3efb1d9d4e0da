//! The lists by which campuses are inspected.

pub mod item;
pub mod shipped;
pub mod template;
