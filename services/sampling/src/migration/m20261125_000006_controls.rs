//! By which rule and until when something bears on a person's control axis.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261125_000006_controls"
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
    "ALTER TABLE control_states ADD COLUMN rule TEXT NOT NULL DEFAULT '2.19'",
    // Milliseconds, 0 for no end of its own.
    "ALTER TABLE control_states ADD COLUMN until BIGINT NOT NULL DEFAULT 0",
];
