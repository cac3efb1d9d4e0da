//! Facts of more than one feed.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000016_sources"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), sea_orm::DbErr> {
        kit::migration::create(manager, STATEMENTS).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Each feed counts its generations for itself, so a snapshot of one resolves nothing of another.
const STATEMENTS: &[&str] =
    &["ALTER TABLE facts ADD COLUMN source TEXT NOT NULL DEFAULT 'sampling'"];
