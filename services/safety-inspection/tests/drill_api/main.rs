//! Drills and the duty watch as schools and bureaus see them, on both databases.

#[path = "../city/mod.rs"]
mod city;
mod drill_scope;
mod drills;
mod duty_scope;
mod ground;
mod obligations;
mod rosters;
mod shifts;
mod store;
mod swaps;
