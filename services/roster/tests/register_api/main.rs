//! The register of organizations, class groups, people and their moves, on both databases.

mod class_groups;
#[path = "../desk/mod.rs"]
mod desk;
mod divisions;
mod guardians;
mod moves;
mod organizations;
#[path = "../people/mod.rs"]
mod people;
mod private;
mod promotion;
mod rewrapping;
mod staff;
mod staff_moves;
mod students;
mod teaching_summary;
