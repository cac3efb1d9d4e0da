//! Alerts and the holds that raised them.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20260101_000002_alerts"
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
    // Which version of a hold was seen last: an older one that comes again raises nothing.
    "CREATE TABLE holds (
        name TEXT PRIMARY KEY,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL,
        active BOOLEAN NOT NULL)",
    "CREATE TABLE alerts (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        state SMALLINT NOT NULL,
        escalated BOOLEAN NOT NULL,
        basis TEXT NOT NULL,
        episode INTEGER NOT NULL,
        stands BOOLEAN NOT NULL,
        subjects TEXT NOT NULL,
        people INTEGER NOT NULL,
        owner TEXT NOT NULL,
        occur_time INSTANT NOT NULL,
        raise_time INSTANT NOT NULL,
        due_time INSTANT NOT NULL,
        due_at BIGINT NOT NULL,
        acknowledged TEXT,
        taken TEXT,
        resolved TEXT,
        sequence BIGINT NOT NULL,
        revision BIGINT NOT NULL)",
    "CREATE UNIQUE INDEX alerts_basis ON alerts (basis, episode)",
    "CREATE INDEX alerts_organization ON alerts (organization)",
    "CREATE INDEX alerts_org_path ON alerts (org_path)",
    "CREATE UNIQUE INDEX alerts_sequence ON alerts (sequence)",
    "CREATE INDEX alerts_by_revision ON alerts (revision)",
    "CREATE INDEX alerts_due ON alerts (due_at) WHERE state = 1 AND escalated = FALSE",
    // One row, locked by whoever writes alerts: revisions are committed in their order.
    "CREATE TABLE alerts_revision (id SMALLINT PRIMARY KEY, value BIGINT NOT NULL)",
    "INSERT INTO alerts_revision (id, value) VALUES (1, 0)",
];
