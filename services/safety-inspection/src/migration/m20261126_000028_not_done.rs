//! People are told of other things than hazards, too, that were not done in time.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000028_not_done"
    }
}

const TABLES: &[&str] = &[
    "ALTER TABLE accountability_records ADD COLUMN resource TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX accountability_records_resource ON accountability_records (resource, told_at) \
     WHERE resource <> ''",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), sea_orm::DbErr> {
        kit::migration::create(manager, TABLES).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
