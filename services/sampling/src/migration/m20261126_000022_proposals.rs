//! A cluster that grows graver after a suspension was rejected, or has ended, has another one proposed.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000022_proposals"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        kit::migration::create(manager, TABLES).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const TABLES: &[&str] = &[
    "DROP INDEX suspensions_cluster",
    "CREATE INDEX suspensions_cluster ON suspensions (cluster)",
    "ALTER TABLE suspensions ADD COLUMN people INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE suspensions ADD COLUMN conditions INTEGER NOT NULL DEFAULT 0",
];
