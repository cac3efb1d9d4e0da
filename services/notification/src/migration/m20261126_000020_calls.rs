//! Who was called to a meeting, until it is over, and why it was called off or postponed.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000020_calls"
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
    "ALTER TABLE meetings ADD COLUMN change_reason TEXT NOT NULL DEFAULT ''",
    "CREATE TABLE meeting_calls (
        meeting A_UUID NOT NULL,
        party TEXT NOT NULL,
        PRIMARY KEY (meeting, party))",
];
