//! Incidents as guards, schools, bureaus and partners see them, on both databases.
#![allow(
    clippy::needless_update,
    reason = "one macro fills requests with and without other fields"
)]

#[path = "../city/mod.rs"]
mod city;
mod clocks;
mod confidential;
mod desk;
mod findings;
mod input;
mod moves;
mod once;
mod reading;
mod scope;
mod store;
mod trail;
mod way;
