//! Checklists, inspections and their plans as bureaus and schools see them, on both databases.

mod campaigns;
mod checklists;
#[path = "../city/mod.rs"]
mod city;
mod inspections;
mod moves;
mod offline;
mod photos;
mod places;
mod plans;
mod scene;
mod scope;
mod versions;
