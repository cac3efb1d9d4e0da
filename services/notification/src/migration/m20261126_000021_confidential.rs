//! Messages of which nobody but the recipients learns.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000021_confidential"
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

const STATEMENTS: &[&str] = &[
    "ALTER TABLE messages ADD COLUMN confidential BOOLEAN NOT NULL DEFAULT FALSE",
    // What was told of concerns, and of contacts in cases of support: these name the organisation alone.
    "UPDATE messages SET confidential = TRUE WHERE author = 'campus'
        AND (category = 6 OR (category = 4 AND basis = 'organizations/' || organization))",
];
