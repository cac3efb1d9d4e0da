//! The database: rows in and out. The only user of sea-orm.

// Plans and draws.
pub mod bulk;
pub mod clearance;
pub mod coverage;
pub mod draws;
pub mod people;
pub mod plans;
pub mod policy;
pub mod rolls;
pub mod rotation;

// Tubes, results, holds, clearance, environment.
pub mod holds;
pub mod tubes;
