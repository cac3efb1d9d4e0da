//! The health of people as clients see it, on both databases.

mod clusters;
#[path = "../town/mod.rs"]
mod town;
