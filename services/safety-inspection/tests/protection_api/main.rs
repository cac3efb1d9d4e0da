//! Protection, supplies, shelters and isolation rooms as schools and bureaus see them, on both
//! databases.

mod buses;
#[path = "../city/mod.rs"]
mod city;
mod desk;
mod figures;
mod ledger;
mod profile;
mod scope;
mod shelters;
mod transfers;
