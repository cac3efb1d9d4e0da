//! Psychological support with who saw it, and care tasks with the pupils they are for.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000012_support"
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
    // Whom a case is about stands within its sealed words. An ended one has the greatest number as
    // the time of its next contact.
    "CREATE TABLE support_cases (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        state SMALLINT NOT NULL,
        grade SMALLINT NOT NULL,
        concern A_UUID NOT NULL,
        create_at BIGINT NOT NULL,
        contact_due_at BIGINT NOT NULL,
        late BOOLEAN NOT NULL,
        counsellor TEXT NOT NULL,
        entry_count INTEGER NOT NULL,
        words BLOB NOT NULL)",
    "CREATE INDEX support_cases_place ON support_cases (org_path, contact_due_at, id)",
    "CREATE TABLE support_entries (
        support_case A_UUID NOT NULL,
        sequence INTEGER NOT NULL,
        event SMALLINT NOT NULL,
        time_at BIGINT NOT NULL,
        subject TEXT NOT NULL,
        words BLOB NOT NULL,
        PRIMARY KEY (support_case, sequence))",
    // Rows are added and never changed.
    "CREATE TABLE support_accesses (
        id A_UUID PRIMARY KEY,
        support_case A_UUID NOT NULL,
        subject TEXT NOT NULL,
        time_at BIGINT NOT NULL,
        method TEXT NOT NULL)",
    "CREATE INDEX support_accesses_case ON support_accesses (support_case, id)",
    // Pupils of whom the clearance feed told. Who is free again stays for a while, so that an older
    // word is not believed.
    "CREATE TABLE controlled (
        student A_UUID PRIMARY KEY,
        under BOOLEAN NOT NULL,
        since_at BIGINT NOT NULL,
        planned TEXT NOT NULL,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL,
        free_at BIGINT NOT NULL)",
    "CREATE INDEX controlled_planned ON controlled (planned, student) WHERE under = TRUE",
    "CREATE TABLE care_tasks (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        class_group TEXT NOT NULL,
        org_path PLACE NOT NULL,
        student A_UUID NOT NULL,
        kind SMALLINT NOT NULL,
        state SMALLINT NOT NULL,
        day TEXT NOT NULL,
        due_at BIGINT NOT NULL,
        complete_at BIGINT NOT NULL,
        completer TEXT NOT NULL,
        late BOOLEAN NOT NULL)",
    "CREATE UNIQUE INDEX care_tasks_once ON care_tasks (student, day, kind)",
    "CREATE INDEX care_tasks_place ON care_tasks (org_path, due_at, id)",
    "CREATE INDEX care_tasks_due ON care_tasks (due_at) WHERE state = 1",
];
