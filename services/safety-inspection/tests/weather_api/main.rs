//! The weather as schools, bureaus and weather services see it, on both databases.

#[path = "../city/mod.rs"]
mod city;
mod decisions;
mod exercise;
mod groups;
mod holding;
mod moves;
mod register;
mod scope;
mod store;
mod storm;
mod warnings;
