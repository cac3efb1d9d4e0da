//! Incidents: reports, receipts, history, reviews.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000015_incidents"
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
    // Instants and spans are milliseconds, 0 for none; enums are numbers of the contract, 0 for none.
    // `district` is the second id of the place, or the first of the city's own.
    "CREATE TABLE incidents (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        district PLACE NOT NULL,
        category SMALLINT NOT NULL,
        hazard_category SMALLINT NOT NULL,
        confidential SMALLINT NOT NULL,
        confidential_since BIGINT NOT NULL,
        place TEXT NOT NULL,
        summary TEXT NOT NULL,
        occurred BIGINT NOT NULL,
        detected BIGINT NOT NULL,
        detector TEXT NOT NULL,
        over_level_reason TEXT NOT NULL,
        state SMALLINT NOT NULL,
        level SMALLINT NOT NULL,
        deaths INTEGER NOT NULL,
        missing INTEGER NOT NULL,
        serious INTEGER NOT NULL,
        minor INTEGER NOT NULL,
        loss_yuan BIGINT NOT NULL,
        policy_version TEXT NOT NULL,
        level_table SMALLINT NOT NULL,
        phone_sla BIGINT NOT NULL,
        written_sla BIGINT NOT NULL,
        hop_sla BIGINT NOT NULL,
        follow_up BIGINT NOT NULL,
        begins SMALLINT NOT NULL,
        has_district BOOLEAN NOT NULL,
        first_reported BIGINT NOT NULL,
        follow_due BIGINT NOT NULL,
        government_since BIGINT NOT NULL,
        reports INTEGER NOT NULL,
        events INTEGER NOT NULL,
        late BOOLEAN NOT NULL,
        next_due BIGINT NOT NULL,
        ended BIGINT NOT NULL)",
    "CREATE INDEX incidents_org_path ON incidents (org_path, id)",
    "CREATE INDEX incidents_due ON incidents (org_path, next_due) WHERE next_due <> 0",
    "CREATE INDEX incidents_counts ON incidents (org_path, district, category, level, state)",
    "CREATE TABLE incident_reports (
        incident A_UUID NOT NULL,
        sequence INTEGER NOT NULL,
        kind SMALLINT NOT NULL,
        situation TEXT NOT NULL,
        measures TEXT NOT NULL,
        deaths INTEGER NOT NULL,
        missing INTEGER NOT NULL,
        serious INTEGER NOT NULL,
        minor INTEGER NOT NULL,
        loss_yuan BIGINT NOT NULL,
        cause TEXT NOT NULL,
        lessons TEXT NOT NULL,
        contact_post TEXT NOT NULL,
        time BIGINT NOT NULL,
        due BIGINT NOT NULL,
        late BOOLEAN NOT NULL,
        author TEXT NOT NULL,
        level SMALLINT NOT NULL,
        PRIMARY KEY (incident, sequence))",
    "CREATE TABLE incident_steps (
        incident A_UUID NOT NULL,
        kind SMALLINT NOT NULL,
        receiver SMALLINT NOT NULL,
        medium SMALLINT NOT NULL,
        time BIGINT NOT NULL,
        actor TEXT NOT NULL,
        reference TEXT NOT NULL,
        PRIMARY KEY (incident, kind, receiver, medium))",
    "CREATE TABLE incident_events (
        incident A_UUID NOT NULL,
        sequence INTEGER NOT NULL,
        verb SMALLINT NOT NULL,
        from_state SMALLINT NOT NULL,
        to_state SMALLINT NOT NULL,
        from_level SMALLINT NOT NULL,
        to_level SMALLINT NOT NULL,
        time BIGINT NOT NULL,
        actor TEXT NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (incident, sequence))",
    "CREATE TABLE incident_causes (
        incident A_UUID NOT NULL,
        sequence INTEGER NOT NULL,
        description TEXT NOT NULL,
        category SMALLINT NOT NULL,
        place TEXT NOT NULL,
        hazard TEXT NOT NULL,
        PRIMARY KEY (incident, sequence))",
    "CREATE TABLE incident_accountability (
        incident A_UUID NOT NULL,
        sequence INTEGER NOT NULL,
        post TEXT NOT NULL,
        staff_member TEXT NOT NULL,
        measure SMALLINT NOT NULL,
        basis TEXT NOT NULL,
        PRIMARY KEY (incident, sequence))",
];
