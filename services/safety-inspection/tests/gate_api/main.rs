//! Gates as guards and schools see them, on both databases.

mod approvals;
mod arrival;
mod batches;
mod checks;
#[path = "../city/mod.rs"]
mod city;
mod courses;
mod durable;
mod emergencies;
mod lookups;
mod offline;
mod outage;
mod process;
mod records;
mod retention;
mod scope;
mod store;
mod subjects;
