//! The health of people and places: plans, daily draws, tubes, results, holds and clearance.
//!
//! The crate is one service: [`start`] runs it, [`Migrator`] brings its schema up to date, and
//! [`verify`] checks a published draw with nothing but the file and the public key.

mod app;
mod config;
pub mod domain;
mod error;
mod grpc;
mod migration;
mod projection;
pub mod publication;
mod start;
pub mod store;

pub use config::Config;
pub use migration::{Migrator, schema};
pub use publication::verify::{Report, VerifyError, verify};
pub use start::{StartError, start};
