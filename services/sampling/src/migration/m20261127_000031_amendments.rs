//! What was decided of a suspension is amended, and every amendment is kept.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261127_000031_amendments"
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
    "ALTER TABLE suspensions ADD COLUMN amendments INTEGER NOT NULL DEFAULT 0",
    // Times are milliseconds; days are numbers of domain::day.
    "CREATE TABLE suspension_amendments (
        suspension PLACE NOT NULL,
        sequence INTEGER NOT NULL,
        time BIGINT NOT NULL,
        amended_by TEXT NOT NULL,
        amender TEXT NOT NULL,
        reason TEXT NOT NULL,
        from_scope SMALLINT NOT NULL,
        to_scope SMALLINT NOT NULL,
        from_return INTEGER NOT NULL,
        to_return INTEGER NOT NULL,
        PRIMARY KEY (suspension, sequence))",
];
