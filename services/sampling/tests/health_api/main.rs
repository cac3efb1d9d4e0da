//! The health of people as clients see it, on both databases.

mod cases;
mod contacts;
mod profiles;
mod reports;
#[path = "../tube_api/site.rs"]
mod site;
#[path = "../town/mod.rs"]
mod town;
