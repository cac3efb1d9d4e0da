//! Inspections: who looks at what how often, and what became of it.

pub mod answer;
pub mod campaign;
pub mod coverage;
pub mod place;
pub mod premises;
pub mod schedule;
pub mod state;
