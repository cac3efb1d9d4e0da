//! Hazards, what was done to them, who was told, their ledgers and who took these away.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000005_hazards"
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
    // Days are counted from the first of the common era: the last number means none. Instants are
    // milliseconds since 1970, 0 means none. `course` is an object of JSON.
    "CREATE TABLE hazards (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        ledger_year INTEGER NOT NULL,
        ledger_sequence INTEGER NOT NULL,
        place TEXT NOT NULL,
        category SMALLINT NOT NULL,
        source SMALLINT NOT NULL,
        origin TEXT NOT NULL,
        description TEXT NOT NULL,
        major_rules TEXT NOT NULL,
        finder TEXT NOT NULL,
        found_at BIGINT NOT NULL,
        state SMALLINT NOT NULL,
        grade SMALLINT NOT NULL,
        recurrence_of TEXT NOT NULL,
        due_on INTEGER NOT NULL,
        wait_on INTEGER NOT NULL,
        escalation SMALLINT NOT NULL,
        supervision SMALLINT NOT NULL,
        closed_at BIGINT NOT NULL,
        course TEXT NOT NULL)",
    "CREATE UNIQUE INDEX hazards_ledger ON hazards (ledger_year, org_path, ledger_sequence)",
    "CREATE INDEX hazards_org_path ON hazards (org_path, state, grade, due_on)",
    "CREATE INDEX hazards_organization ON hazards (organization, id)",
    "CREATE INDEX hazards_wait_on ON hazards (wait_on)",
    "CREATE INDEX hazards_recurrence ON hazards (organization, category, place, closed_at)",
    // The last number that was given.
    "CREATE TABLE hazard_ledgers (
        organization TEXT NOT NULL,
        year INTEGER NOT NULL,
        last INTEGER NOT NULL,
        PRIMARY KEY (organization, year))",
    "CREATE TABLE hazard_changes (
        hazard A_UUID NOT NULL,
        sequence INTEGER NOT NULL,
        act TEXT NOT NULL,
        from_state SMALLINT NOT NULL,
        to_state SMALLINT NOT NULL,
        actor TEXT NOT NULL,
        changed_at BIGINT NOT NULL,
        note TEXT NOT NULL,
        PRIMARY KEY (hazard, sequence))",
    "CREATE TABLE hazard_progress_reports (
        hazard A_UUID NOT NULL,
        sequence INTEGER NOT NULL,
        description TEXT NOT NULL,
        percent INTEGER NOT NULL,
        reporter TEXT NOT NULL,
        reported_at BIGINT NOT NULL,
        late BOOLEAN NOT NULL,
        PRIMARY KEY (hazard, sequence))",
    "CREATE TABLE accountability_records (
        id A_UUID PRIMARY KEY,
        hazard A_UUID NOT NULL,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        act SMALLINT NOT NULL,
        staff_member TEXT NOT NULL,
        answers_at TEXT NOT NULL,
        told_at BIGINT NOT NULL,
        seen_at BIGINT NOT NULL)",
    "CREATE INDEX accountability_records_hazard ON accountability_records (hazard, id)",
    "CREATE INDEX accountability_records_person ON accountability_records (staff_member, id)",
    "CREATE INDEX accountability_records_org_path ON accountability_records (org_path, id)",
    "CREATE TABLE hazard_ledger_exports (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        year INTEGER NOT NULL,
        exporter TEXT NOT NULL,
        exported_at BIGINT NOT NULL)",
    "CREATE INDEX hazard_ledger_exports_organization ON hazard_ledger_exports (organization, id)",
];
