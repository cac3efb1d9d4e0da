//! Concerns with their clocks, and the calendar by which working days are counted.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000011_concerns"
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
    "CREATE TABLE calendar_years (
        year INTEGER PRIMARY KEY,
        body TEXT NOT NULL,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL)",
    // Instants are milliseconds since 1970; 0 is an answer that was not given, and the greatest
    // number is a wait for nothing.
    "CREATE TABLE concerns (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        handler TEXT NOT NULL,
        handler_path PLACE NOT NULL,
        state SMALLINT NOT NULL,
        submitter SMALLINT NOT NULL,
        anonymous BOOLEAN NOT NULL,
        category SMALLINT NOT NULL,
        urgent BOOLEAN NOT NULL,
        create_at BIGINT NOT NULL,
        acknowledge_due_at BIGINT NOT NULL,
        answer_due_at BIGINT NOT NULL,
        urgent_answer_due_at BIGINT NOT NULL,
        wait_at BIGINT NOT NULL,
        late BOOLEAN NOT NULL,
        assignee TEXT NOT NULL,
        assignee_organization TEXT NOT NULL,
        answer_at BIGINT NOT NULL,
        reopen_count INTEGER NOT NULL,
        satisfaction INTEGER NOT NULL,
        words BLOB NOT NULL,
        author BLOB NOT NULL,
        receipt BLOB NOT NULL)",
    "CREATE INDEX concerns_place ON concerns (org_path, id)",
    "CREATE INDEX concerns_wait ON concerns (wait_at)",
    // Who is to be told of what; rows that have `together` in common are one message.
    "CREATE TABLE notices (
        id A_UUID PRIMARY KEY,
        event SMALLINT NOT NULL,
        basis TEXT NOT NULL,
        party TEXT NOT NULL,
        together TEXT NOT NULL,
        create_at BIGINT NOT NULL,
        done BOOLEAN NOT NULL)",
    "CREATE INDEX notices_waiting ON notices (together, create_at) WHERE done = FALSE",
    "CREATE INDEX notices_told ON notices (create_at) WHERE done = TRUE",
    // The calendar, and what policies say of concerns and support, are told again from the beginning.
    "UPDATE projections SET page_token = '', resume_token = '' WHERE consumer = 'roster'",
];
