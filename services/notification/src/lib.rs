//! What must reach people: directives down the tree with receipts and reports, and alerts with
//! owners and deadlines.

mod app;
mod config;
pub mod domain;
mod error;
mod facts;
mod feeds;
mod grpc;
mod migration;
mod start;
pub mod store;

pub use config::{AlertConfig, Config, DirectiveConfig};
pub use error::Error;
pub use feeds::{RosterProjection, SamplingProjection};
pub use migration::Migrator;
pub use start::{StartError, start};
