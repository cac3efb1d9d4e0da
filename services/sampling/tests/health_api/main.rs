//! The health of people as clients see it, on both databases.

mod cases;
mod contacts;
mod profiles;
mod reports;
mod screening;
mod screening_rate;
mod screening_refusals;
mod screening_site;
mod screening_store;
#[path = "../tube_api/site.rs"]
mod site;
#[path = "../town/mod.rs"]
mod town;
