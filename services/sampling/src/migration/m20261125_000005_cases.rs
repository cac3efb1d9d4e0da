//! Cases with their contacts, reports, receipts and exports.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261125_000005_cases"
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
    // Times are milliseconds since 1970, days numbers of domain::day; 0 for none. The other numbers
    // are those of the contract. `follow_up` is the span between two follow-up reports.
    "CREATE TABLE cases (
        id PLACE PRIMARY KEY,
        subject SMALLINT NOT NULL,
        person BLOB NOT NULL,
        kind SMALLINT NOT NULL,
        org_path PLACE NOT NULL,
        school PLACE NOT NULL,
        dormitory TEXT NOT NULL,
        disease SMALLINT NOT NULL,
        certainty SMALLINT NOT NULL,
        severity SMALLINT NOT NULL,
        onset INTEGER NOT NULL,
        detection SMALLINT NOT NULL,
        basis TEXT NOT NULL,
        event_kind SMALLINT NOT NULL,
        people INTEGER NOT NULL,
        detect_time BIGINT NOT NULL,
        open_time BIGINT NOT NULL,
        confirm_time BIGINT NOT NULL,
        death_time BIGINT NOT NULL,
        close_time BIGINT NOT NULL,
        outcome SMALLINT NOT NULL,
        urgent BOOLEAN NOT NULL,
        first_due BIGINT NOT NULL,
        first_time BIGINT NOT NULL,
        follow_up BIGINT NOT NULL,
        follow_due BIGINT NOT NULL,
        last_report SMALLINT NOT NULL,
        reports INTEGER NOT NULL,
        events INTEGER NOT NULL,
        late BOOLEAN NOT NULL,
        policy_version TEXT NOT NULL,
        version BIGINT NOT NULL)",
    "CREATE INDEX cases_org_path ON cases (org_path)",
    "CREATE INDEX cases_person ON cases (person)",
    "CREATE TABLE case_events (
        case_id PLACE NOT NULL,
        sequence INTEGER NOT NULL,
        time BIGINT NOT NULL,
        kind SMALLINT NOT NULL,
        actor TEXT NOT NULL,
        severity SMALLINT NOT NULL,
        note TEXT NOT NULL,
        PRIMARY KEY (case_id, sequence))",
    // Which swab speaks of whom, and the case that it led to.
    "CREATE TABLE case_findings (
        source PLACE NOT NULL,
        person BLOB NOT NULL,
        case_id PLACE NOT NULL,
        evidence BIGINT NOT NULL,
        PRIMARY KEY (source, person))",
    "CREATE INDEX case_findings_case ON case_findings (case_id)",
    "CREATE TABLE case_contacts (
        case_id PLACE NOT NULL,
        person BLOB NOT NULL,
        kind SMALLINT NOT NULL,
        org_path PLACE NOT NULL,
        relation SMALLINT NOT NULL,
        degree SMALLINT NOT NULL,
        last_day INTEGER NOT NULL,
        via TEXT NOT NULL,
        control SMALLINT NOT NULL,
        until BIGINT NOT NULL,
        add_time BIGINT NOT NULL,
        added_by TEXT NOT NULL,
        remove_time BIGINT NOT NULL,
        removed_by TEXT NOT NULL,
        remove_reason TEXT NOT NULL,
        PRIMARY KEY (case_id, person))",
    // The statutory chain as it stood when the case was opened.
    "CREATE TABLE case_hops (
        case_id PLACE NOT NULL,
        from_level SMALLINT NOT NULL,
        to_level SMALLINT NOT NULL,
        sla BIGINT NOT NULL,
        PRIMARY KEY (case_id, from_level))",
    "CREATE TABLE case_reports (
        case_id PLACE NOT NULL,
        sequence INTEGER NOT NULL,
        kind SMALLINT NOT NULL,
        time BIGINT NOT NULL,
        due BIGINT NOT NULL,
        late BOOLEAN NOT NULL,
        author TEXT NOT NULL,
        occur_time BIGINT NOT NULL,
        place TEXT NOT NULL,
        suspected INTEGER NOT NULL,
        confirmed INTEGER NOT NULL,
        hospitalised INTEGER NOT NULL,
        dead INTEGER NOT NULL,
        measures TEXT NOT NULL,
        cause TEXT NOT NULL,
        contact_post TEXT NOT NULL,
        PRIMARY KEY (case_id, sequence))",
    "CREATE TABLE report_steps (
        case_id PLACE NOT NULL,
        sequence INTEGER NOT NULL,
        kind SMALLINT NOT NULL,
        level SMALLINT NOT NULL,
        to_level SMALLINT NOT NULL,
        time BIGINT NOT NULL,
        actor TEXT NOT NULL,
        PRIMARY KEY (case_id, sequence))",
    "CREATE TABLE case_exports (
        case_id PLACE NOT NULL,
        sequence INTEGER NOT NULL,
        time BIGINT NOT NULL,
        actor TEXT NOT NULL,
        purpose TEXT NOT NULL,
        format SMALLINT NOT NULL,
        sha256 TEXT NOT NULL,
        PRIMARY KEY (case_id, sequence))",
    // What a tube is tested for, and whether a positive result holds its people: until now every
    // tube was tested for COVID-19 and held them.
    "ALTER TABLE tubes ADD COLUMN disease SMALLINT NOT NULL DEFAULT 16",
    "ALTER TABLE tubes ADD COLUMN holds BOOLEAN NOT NULL DEFAULT TRUE",
];
