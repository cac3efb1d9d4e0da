//! Incidents: the clock of the final report, that of a level that rose, and receipts for each occasion.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000071_occasions"
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
    // Instants and spans are milliseconds, 0 for none. What was noticed before has no limit for its final report.
    "ALTER TABLE incidents ADD COLUMN final_sla BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE incidents ADD COLUMN reported BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE incidents ADD COLUMN reported_occasion INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE incidents ADD COLUMN final_due BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE incidents ADD COLUMN raised BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE incidents ADD COLUMN raised_phone BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE incidents ADD COLUMN raised_occasion INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE incidents ADD COLUMN occasions INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE incident_steps RENAME TO incident_steps_before",
    "CREATE TABLE incident_steps (
        incident A_UUID NOT NULL,
        occasion INTEGER NOT NULL,
        kind SMALLINT NOT NULL,
        receiver SMALLINT NOT NULL,
        medium SMALLINT NOT NULL,
        time BIGINT NOT NULL,
        actor TEXT NOT NULL,
        reference TEXT NOT NULL,
        PRIMARY KEY (incident, occasion, kind, receiver, medium))",
    "INSERT INTO incident_steps (incident, occasion, kind, receiver, medium, time, actor, reference)
        SELECT incident, 0, kind, receiver, medium, time, actor, reference FROM incident_steps_before",
    "DROP TABLE incident_steps_before",
];
