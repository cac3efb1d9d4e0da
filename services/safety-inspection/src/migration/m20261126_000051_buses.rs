//! The place that a task of the weather is about, such as that of a school bus.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000051_buses"
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

const STATEMENTS: &[&str] =
    &["ALTER TABLE weather_tasks ADD COLUMN place TEXT NOT NULL DEFAULT ''"];
