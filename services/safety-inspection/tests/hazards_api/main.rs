//! Hazards as schools, bureaus and owners see them, on both databases.

#[path = "../city/mod.rs"]
mod city;
mod deadlines;
mod guards;
mod ledger;
mod moves;
mod scope;
mod store;
mod told;
