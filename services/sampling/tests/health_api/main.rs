//! The health of people as its clients see it, on both databases.

mod screening;
mod screening_rate;
mod screening_refusals;
mod screening_site;
mod screening_store;
#[path = "../town/mod.rs"]
mod town;
