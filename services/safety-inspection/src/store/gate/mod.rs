//! Decisions at gates, cards, and the facts that gates decide by.

mod about;
mod append;
pub mod cards;
pub mod clearances;
pub mod conflicts;
pub mod courses;
pub(crate) mod days;
pub mod decisions;
mod entity;
pub mod facts;
mod packing;
pub mod rechecks;
pub mod red_codes;
pub mod retention;
