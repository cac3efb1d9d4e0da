//! Tubes, swabs, custody, results, holds and what follows from them.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20260101_000101_tubes"
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
    // Times are milliseconds, 0 for none. `parent` is the tube whose hold ordered a single one.
    "CREATE TABLE tubes (
        code PLACE PRIMARY KEY,
        laboratory TEXT NOT NULL,
        lot TEXT NOT NULL,
        capacity SMALLINT NOT NULL,
        subject SMALLINT NOT NULL,
        state SMALLINT NOT NULL,
        org_path PLACE NOT NULL,
        class_group TEXT NOT NULL,
        point TEXT NOT NULL,
        draw TEXT NOT NULL,
        day INTEGER NOT NULL,
        swab_count INTEGER NOT NULL,
        parent TEXT NOT NULL,
        seal_time BIGINT NOT NULL,
        sealed_by TEXT NOT NULL,
        courier TEXT NOT NULL,
        receive_time BIGINT NOT NULL,
        late BOOLEAN NOT NULL,
        due_time BIGINT NOT NULL,
        result SMALLINT NOT NULL,
        result_version INTEGER NOT NULL,
        reason TEXT NOT NULL,
        policy_version TEXT NOT NULL,
        positives INTEGER NOT NULL,
        version BIGINT NOT NULL)",
    "CREATE INDEX tubes_org_path ON tubes (org_path)",
    "CREATE INDEX tubes_laboratory ON tubes (laboratory, code)",
    "CREATE INDEX tubes_parent ON tubes (parent) WHERE parent <> ''",
    "CREATE INDEX tubes_point ON tubes (point) WHERE point <> ''",
    "CREATE TABLE swabs (
        tube PLACE NOT NULL,
        person BLOB NOT NULL,
        kind SMALLINT NOT NULL,
        org_path PLACE NOT NULL,
        day INTEGER NOT NULL,
        campaign TEXT NOT NULL,
        scan_time BIGINT NOT NULL,
        counted BOOLEAN NOT NULL,
        PRIMARY KEY (tube, person))",
    // Nobody is in two tubes of one campaign and day.
    "CREATE UNIQUE INDEX swabs_once ON swabs (person, day, campaign) WHERE counted",
    "CREATE TABLE custody (
        tube PLACE NOT NULL,
        sequence BIGINT NOT NULL,
        time BIGINT NOT NULL,
        verb TEXT NOT NULL,
        actor TEXT NOT NULL,
        state SMALLINT NOT NULL,
        note TEXT NOT NULL,
        PRIMARY KEY (tube, sequence))",
    "CREATE TABLE results (
        tube PLACE NOT NULL,
        report TEXT NOT NULL,
        version INTEGER NOT NULL,
        value SMALLINT NOT NULL,
        test_time BIGINT NOT NULL,
        reason TEXT NOT NULL,
        receive_time BIGINT NOT NULL,
        PRIMARY KEY (tube, report, version))",
    "CREATE TABLE make_ups (
        tube PLACE NOT NULL,
        person BLOB NOT NULL,
        kind SMALLINT NOT NULL,
        org_path PLACE NOT NULL,
        cause TEXT NOT NULL,
        create_time BIGINT NOT NULL,
        PRIMARY KEY (tube, person))",
    "CREATE INDEX make_ups_org_path ON make_ups (org_path)",
    "CREATE INDEX make_ups_person ON make_ups (person)",
    // One hold a tube; a correction may begin it again.
    "CREATE TABLE holds (
        tube PLACE PRIMARY KEY,
        org_path PLACE NOT NULL,
        class_group TEXT NOT NULL,
        state SMALLINT NOT NULL,
        released_version INTEGER NOT NULL,
        start_time BIGINT NOT NULL,
        notify_due BIGINT NOT NULL,
        recheck_due BIGINT NOT NULL,
        end_time BIGINT NOT NULL,
        end_reason TEXT NOT NULL,
        positives INTEGER NOT NULL,
        policy_version TEXT NOT NULL,
        version BIGINT NOT NULL)",
    "CREATE INDEX holds_org_path ON holds (org_path)",
    "CREATE TABLE rechecks (
        hold PLACE NOT NULL,
        person BLOB NOT NULL,
        kind SMALLINT NOT NULL,
        due_time BIGINT NOT NULL,
        PRIMARY KEY (hold, person))",
    "CREATE TABLE hold_events (
        hold PLACE NOT NULL,
        sequence BIGINT NOT NULL,
        time BIGINT NOT NULL,
        kind TEXT NOT NULL,
        person TEXT NOT NULL,
        actor TEXT NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (hold, sequence))",
    // Everything that bears on a person's control axis; the strongest counts.
    "CREATE TABLE control_states (
        person BLOB NOT NULL,
        basis TEXT NOT NULL,
        control SMALLINT NOT NULL,
        since BIGINT NOT NULL,
        org_path PLACE NOT NULL,
        policy_version TEXT NOT NULL,
        PRIMARY KEY (person, basis))",
    "CREATE INDEX control_states_basis ON control_states (basis)",
    // The version of a person's clearance, kept when they are clear again.
    "CREATE TABLE control_versions (
        person BLOB PRIMARY KEY,
        version BIGINT NOT NULL)",
];
