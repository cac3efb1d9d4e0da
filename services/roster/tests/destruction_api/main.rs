//! Emergencies and the destruction of what was gathered for them, as clients see it, on both databases.

#[path = "../desk/mod.rs"]
mod desk;

mod certificate;
mod emergencies;
mod jobs;
mod people;
