//! What gates decide, counted by school and day; and when the deadline of a hazard was moved last.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261127_000081_gate_days"
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
    // Days since 1970-01-01. Instants are milliseconds, 0 for none.
    "CREATE TABLE gate_days (
        day INTEGER NOT NULL,
        school TEXT NOT NULL,
        decisions BIGINT NOT NULL,
        stopped BIGINT NOT NULL,
        offline BIGINT NOT NULL,
        overridden BIGINT NOT NULL,
        last_override BIGINT NOT NULL,
        PRIMARY KEY (day, school))",
    // Whoever decides adds a row here in their own statement, and waits for nobody. The rows are added up soon
    // after; whoever reads adds those that are left.
    "CREATE TABLE gate_day_changes (
        id A_UUID PRIMARY KEY,
        changes TEXT NOT NULL)",
    "CREATE TABLE hazard_moves (
        organization TEXT PRIMARY KEY,
        moved_at BIGINT NOT NULL)",
];
