//! The database: rows in and out. The only user of sea-orm.

pub mod clearance;
pub mod controls;
pub mod coverage;
pub mod destruction;
pub mod draws;
pub mod health;
pub mod held;
pub mod holds;
pub mod measures;
pub mod people;
pub mod plans;
pub mod points;
pub mod policy;
pub mod results;
pub mod retention;
pub mod rolls;
pub mod rotation;
pub mod swabs;
pub mod tube_days;
pub mod tubes;
