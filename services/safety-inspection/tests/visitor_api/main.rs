//! Visits as hosts, guards and bureaus see them, on both databases.

mod book;
#[path = "../city/mod.rs"]
mod city;
mod destruction;
mod emergencies;
mod flow;
mod keeping;
mod moves;
mod privacy;
mod scope;
mod store;
mod verification;
