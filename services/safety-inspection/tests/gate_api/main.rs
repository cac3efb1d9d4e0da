//! Gates as guards and schools see them, on both databases.

mod checks;
#[path = "../city/mod.rs"]
mod city;
mod durable;
mod records;
mod scope;
mod store;
