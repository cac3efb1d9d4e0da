//! The health of people as their clients see it, on both databases.

mod absence;
mod clinic;
mod medical;
#[allow(dead_code, reason = "each test uses its part")]
#[path = "../tube_api/site.rs"]
mod site;
#[path = "../town/mod.rs"]
mod town;
