//! The health of people as its clients see it, on both databases.

mod coverage;
mod coverage_site;
mod signals;
#[path = "../town/mod.rs"]
mod town;
