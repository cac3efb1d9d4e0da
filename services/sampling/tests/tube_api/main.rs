//! Tubes, results, holds and environment as their clients see them, on both databases.

mod environment;
mod holds;
mod result_batches;
mod results;
mod site;
mod steps;
mod swabs;
#[path = "../town/mod.rs"]
mod town;
