//! Absences and the medical axis.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261125_000003_absences"
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
    // Times are milliseconds, days numbers of domain::day, 0 for none; the other numbers are those
    // of the contract.
    "CREATE TABLE absences (
        id PLACE PRIMARY KEY,
        person BLOB NOT NULL,
        kind SMALLINT NOT NULL,
        school PLACE NOT NULL,
        org_path PLACE NOT NULL,
        state SMALLINT NOT NULL,
        reason SMALLINT NOT NULL,
        reported SMALLINT NOT NULL,
        told SMALLINT NOT NULL,
        start_day INTEGER NOT NULL,
        leave_time BIGINT NOT NULL,
        illness_time BIGINT NOT NULL,
        symptoms INTEGER NOT NULL,
        temperature SMALLINT NOT NULL,
        onset INTEGER NOT NULL,
        seen_doctor BOOLEAN NOT NULL,
        disease SMALLINT NOT NULL,
        hospitalised BOOLEAN NOT NULL,
        tracer TEXT NOT NULL,
        escalated BOOLEAN NOT NULL,
        contact_due BIGINT NOT NULL,
        trace_time BIGINT NOT NULL,
        upload_due BIGINT NOT NULL,
        upload_time BIGINT NOT NULL,
        upload_overdue BOOLEAN NOT NULL,
        interview_due BOOLEAN NOT NULL,
        interview_time BIGINT NOT NULL,
        return_time BIGINT NOT NULL,
        reporter TEXT NOT NULL,
        check_name TEXT NOT NULL,
        policy_version TEXT NOT NULL,
        create_time BIGINT NOT NULL,
        version BIGINT NOT NULL)",
    // At most one that has not ended, of each person.
    "CREATE UNIQUE INDEX absences_open ON absences (person) WHERE state <> 5",
    "CREATE INDEX absences_org_path ON absences (org_path, id)",
    "CREATE TABLE absence_traces (
        absence PLACE NOT NULL,
        sequence BIGINT NOT NULL,
        time BIGINT NOT NULL,
        outcome SMALLINT NOT NULL,
        reason SMALLINT NOT NULL,
        note TEXT NOT NULL,
        actor TEXT NOT NULL,
        PRIMARY KEY (absence, sequence))",
    "CREATE TABLE absence_tallies (school PLACE PRIMARY KEY, tally BLOB NOT NULL)",
    // One row a person: nobody is in two states.
    "CREATE TABLE medical_states (
        person BLOB PRIMARY KEY,
        kind SMALLINT NOT NULL,
        org_path PLACE NOT NULL,
        state SMALLINT NOT NULL,
        since BIGINT NOT NULL,
        cleared BIGINT NOT NULL,
        room TEXT NOT NULL,
        observed BIGINT NOT NULL,
        notified BIGINT NOT NULL,
        readings SMALLINT NOT NULL,
        disease SMALLINT NOT NULL,
        onset INTEGER NOT NULL,
        rash INTEGER NOT NULL,
        treatment INTEGER NOT NULL,
        recovery BIGINT NOT NULL,
        complicated BOOLEAN NOT NULL,
        doctor_until BIGINT NOT NULL,
        until BIGINT NOT NULL,
        evidence INTEGER NOT NULL,
        proof TEXT NOT NULL,
        review SMALLINT NOT NULL,
        appealed BOOLEAN NOT NULL,
        principal SMALLINT NOT NULL,
        bureau SMALLINT NOT NULL,
        disease_control SMALLINT NOT NULL,
        certificate TEXT NOT NULL,
        certified BIGINT NOT NULL,
        policy_version TEXT NOT NULL,
        version BIGINT NOT NULL)",
    "CREATE INDEX medical_states_org_path ON medical_states (org_path) WHERE state <> 1",
    "CREATE TABLE health_events (
        person BLOB NOT NULL,
        sequence BIGINT NOT NULL,
        time BIGINT NOT NULL,
        verb TEXT NOT NULL,
        state SMALLINT NOT NULL,
        actor TEXT NOT NULL,
        note TEXT NOT NULL,
        rule TEXT NOT NULL,
        policy_version TEXT NOT NULL,
        PRIMARY KEY (person, sequence))",
];
