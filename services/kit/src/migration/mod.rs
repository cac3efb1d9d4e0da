//! The schema of a service: how its tables are written down, what is still to be applied, how it is
//! brought up to date by one process at a time and within a time, how an index is built while others
//! write, and what a migration takes away from the version before.

mod command;
mod contract;
mod index;
mod plan;
mod run;
pub mod shape;
mod statements;
mod tables;
mod worker;

pub use command::{Ending, Order, carry_out, time};
pub use contract::Contract;
pub use index::{Index, OnlineIndexes, build_index};
pub use plan::{Plan, Step, plan};
pub(crate) use run::alone;
pub use run::{Limits, MigrateError, apply};
pub use statements::create;
pub use tables::tables;
pub use worker::MIGRATING;

use std::fmt;

use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// The migrations of one service in their order, and the table that tells which are applied.
#[derive(Clone)]
pub struct Schema {
    migrations: fn() -> Vec<Box<dyn MigrationTrait>>,
    table: String,
    contracts: &'static [Contract],
}

impl Schema {
    /// What `M` applies.
    pub fn of<M: MigratorTrait>() -> Self {
        Self {
            migrations: M::migrations,
            table: M::migration_table_name().to_string(),
            contracts: &[],
        }
    }

    /// With what its migrations take away.
    #[must_use]
    pub fn with(self, contracts: &'static [Contract]) -> Self {
        Self { contracts, ..self }
    }

    /// What its migrations take away.
    pub fn contracts(&self) -> &'static [Contract] {
        self.contracts
    }

    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        (self.migrations)()
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema")
            .field("table", &self.table)
            .field("contracts", &self.contracts)
            .finish_non_exhaustive()
    }
}
