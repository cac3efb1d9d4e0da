//! Drills, and the histories of whatever moves from state to state.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000012_drills"
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
    // Instants are milliseconds since 1970; 0 where there is none. `body` is JSON.
    "CREATE TABLE drills (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        drill_type SMALLINT NOT NULL,
        state SMALLINT NOT NULL,
        plan_at BIGINT NOT NULL,
        signal_at BIGINT NOT NULL,
        body TEXT NOT NULL)",
    "CREATE INDEX drills_org_path ON drills (org_path, id)",
    "CREATE INDEX drills_state ON drills (state, org_path)",
    // What counts: by the place and by the organisation.
    "CREATE INDEX drills_archived ON drills (org_path, signal_at) WHERE state = 10",
    "CREATE INDEX drills_counted ON drills (organization, drill_type, signal_at) WHERE state = 10",
    "CREATE TABLE state_moves (
        resource TEXT NOT NULL,
        seq INTEGER NOT NULL,
        from_state TEXT NOT NULL,
        to_state TEXT NOT NULL,
        step TEXT NOT NULL,
        actor TEXT NOT NULL,
        moved_at BIGINT NOT NULL,
        note TEXT NOT NULL,
        PRIMARY KEY (resource, seq))",
];
