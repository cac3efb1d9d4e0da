//! The city's register: organisations and their tree, class groups, students, staff, guardians,
//! who answers for what, the school calendar, and the policy in force.

mod app;
mod config;
pub mod domain;
mod error;
mod grpc;
mod migration;
mod start;
pub mod store;
mod vault;

pub use app::seed::shipped_policies;
pub use config::Config;
pub use migration::{Migrator, schema};
pub use start::{StartError, start};
pub use vault::{Vault, VaultError};
