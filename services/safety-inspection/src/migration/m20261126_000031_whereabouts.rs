//! Where places are and where pictures of them were taken.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000031_whereabouts"
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
    "ALTER TABLE photos ADD COLUMN place TEXT NOT NULL DEFAULT ''",
    // Millionths of a degree, or the least number where nobody said.
    "ALTER TABLE inspection_places ADD COLUMN latitude INTEGER NOT NULL DEFAULT -2147483648",
    "ALTER TABLE inspection_places ADD COLUMN longitude INTEGER NOT NULL DEFAULT -2147483648",
    "ALTER TABLE inspections ADD COLUMN misplaced_count INTEGER NOT NULL DEFAULT 0",
];
