//! Imports in the database: jobs, staged rows, and the statements that compare whole tables.

pub mod jobs;
pub mod known;
pub mod shape;
pub mod sheet;
pub mod verdicts;
