//! Imports in the database: jobs, staged rows, and the statements that compare whole tables.

mod apply;
pub mod checks;
pub mod compare;
pub mod effects;
pub mod jobs;
pub mod known;
pub mod shape;
pub mod sheet;
pub mod verdicts;
