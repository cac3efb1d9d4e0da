//! What of a schema is applied and what is to come, found without changing anything.

use std::collections::BTreeSet;
use std::fmt;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use super::{Contract, Schema};
use crate::db::Database;

/// A migration that is to be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Whether writers go on while it runs, outside of a transaction.
    pub online: bool,
    /// What it takes away from versions before.
    pub contract: Option<Contract>,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.online {
            "online, writers go on"
        } else {
            "in a transaction"
        })?;
        match self.contract {
            Some(contract) => write!(f, "; {contract}"),
            None => Ok(()),
        }
    }
}

/// How a database stands to a schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is to be applied, in its order.
    pub pending: Vec<Step>,
    /// How many migrations of this version are applied.
    pub applied: usize,
    /// What a newer version applied. This one runs on it: migrations fit the version before.
    pub newer: Vec<String>,
}

/// Compares the database with `schema`. Reads only, and takes no lock.
///
/// # Errors
/// When the database cannot be read.
pub async fn plan(db: &Database, schema: &Schema) -> Result<Plan, DbErr> {
    let mut recorded = recorded(db.read().inner(), schema).await?;
    let mut plan = Plan::default();
    for migration in schema.migrations() {
        if recorded.remove(migration.name()) {
            plan.applied += 1;
        } else {
            plan.pending.push(step(schema, &*migration));
        }
    }
    plan.newer = recorded.into_iter().collect();
    Ok(plan)
}

fn step(schema: &Schema, migration: &dyn MigrationTrait) -> Step {
    let mut contracts = schema.contracts().iter();
    Step {
        name: migration.name().to_owned(),
        online: migration.use_transaction() == Some(false),
        contract: contracts
            .find(|contract| contract.migration == migration.name())
            .copied(),
    }
}

/// The names of the migrations that the database says it has.
async fn recorded(
    connection: &DatabaseConnection,
    schema: &Schema,
) -> Result<BTreeSet<String>, DbErr> {
    let manager = SchemaManager::new(connection);
    if !manager.has_table(&schema.table).await? {
        return Ok(BTreeSet::new());
    }
    let sql = format!("SELECT version FROM {}", schema.table);
    let backend = connection.get_database_backend();
    let rows = connection
        .query_all_raw(Statement::from_string(backend, sql))
        .await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}
