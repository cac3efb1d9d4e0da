//! Until which day normal temperatures have left the checks of a region.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261127_000045_reading_marks"
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
    // The place of a region is that of a policy's organisation, empty for the whole city; the first day that is not
    // done is a number of domain::day.
    "CREATE TABLE reading_marks (
        place PLACE PRIMARY KEY,
        day INTEGER NOT NULL)",
];
