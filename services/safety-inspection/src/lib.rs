//! The safety of the campus: who enters, decided from this service's own database and explained.

mod app;
mod config;
pub mod domain;
mod error;
mod feeds;
mod grpc;
mod heard;
mod migration;
mod providers;
mod register;
mod seal;
mod start;
pub mod store;
mod wings;

pub use app::gate::{
    Basis, Emergency, Entry, Expected, Gatehouse, Identity, LookUp, Offline, Overridable, School,
    Verdict,
};
pub use config::{Config, GateConfig, ProvidersConfig};
pub use error::Error;
pub use feeds::{ClearanceProjection, RosterProjection};
pub use heard::Heard;
pub use migration::{Migrator, schema};
pub use start::{StartError, start};
