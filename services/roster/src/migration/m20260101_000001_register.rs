//! Organisations, class groups, students, guardians, staff, and the keys that protect them.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20260101_000001_register"
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

// Instants are milliseconds since 1970, civil days YYYYMMDD, states and kinds the numbers of the
// contract. Whatever an import wrote last carries its batch; a change by hand takes the batch away
// and the content hash with it, so that the next import sees a difference.
//
// Students, guardians and staff have unique indexes in place of primary keys: a first import builds
// them after its rows.
const TABLES: &[&str] = &[
    "CREATE TABLE organizations (
        id TEXT PRIMARY KEY,
        org_path PLACE NOT NULL UNIQUE,
        kind SMALLINT NOT NULL,
        display_name TEXT NOT NULL,
        parent TEXT NOT NULL,
        division_code TEXT NOT NULL DEFAULT '',
        school_code TEXT UNIQUE,
        uscc TEXT UNIQUE,
        stages INTEGER NOT NULL DEFAULT 0,
        laboratory_code TEXT UNIQUE,
        boarding BOOLEAN NOT NULL DEFAULT FALSE,
        state SMALLINT NOT NULL,
        valid_from INTEGER,
        valid_to INTEGER,
        replaced_by TEXT NOT NULL DEFAULT '',
        source TEXT NOT NULL DEFAULT '',
        external_id TEXT NOT NULL DEFAULT '',
        content_hash BLOB,
        batch BIGINT,
        version BIGINT NOT NULL,
        update_time BIGINT NOT NULL,
        staff_version BIGINT NOT NULL DEFAULT 0,
        duty_version BIGINT NOT NULL DEFAULT 0)",
    "CREATE INDEX organizations_parent ON organizations (parent)",
    "CREATE TABLE class_groups (
        org_path PLACE PRIMARY KEY,
        organization TEXT NOT NULL,
        id TEXT NOT NULL,
        display_name TEXT NOT NULL,
        stage SMALLINT NOT NULL,
        entry_year INTEGER NOT NULL,
        number INTEGER NOT NULL,
        teaching_mode SMALLINT NOT NULL DEFAULT 1,
        head_teacher A_UUID,
        state SMALLINT NOT NULL DEFAULT 1,
        source TEXT NOT NULL DEFAULT '',
        external_id TEXT NOT NULL DEFAULT '',
        content_hash BLOB,
        batch BIGINT,
        version BIGINT NOT NULL,
        roll_version BIGINT NOT NULL,
        school_year INTEGER NOT NULL DEFAULT 0,
        update_time BIGINT NOT NULL,
        UNIQUE (organization, id))",
    "CREATE INDEX class_groups_head_teacher ON class_groups (head_teacher)",
    "CREATE TABLE students (
        id A_UUID NOT NULL,
        org_path PLACE NOT NULL,
        display_name TEXT NOT NULL,
        sex SMALLINT NOT NULL DEFAULT 0,
        birth_month INTEGER NOT NULL DEFAULT 0,
        id_type SMALLINT NOT NULL DEFAULT 0,
        id_hash BLOB,
        sealed BLOB,
        presence SMALLINT NOT NULL DEFAULT 1,
        boarder BOOLEAN NOT NULL DEFAULT FALSE,
        dormitory TEXT NOT NULL DEFAULT '',
        swab_exempt BOOLEAN NOT NULL DEFAULT FALSE,
        start_day INTEGER NOT NULL,
        end_day INTEGER,
        state SMALLINT NOT NULL,
        source TEXT NOT NULL DEFAULT '',
        content_hash BLOB,
        raw_hash BIGINT,
        batch BIGINT,
        version BIGINT NOT NULL,
        update_time BIGINT NOT NULL)",
    "CREATE UNIQUE INDEX students_id ON students (id)",
    "CREATE INDEX students_org_path ON students (org_path, id)",
    "CREATE UNIQUE INDEX students_id_hash ON students (id_hash) WHERE state = 1",
    "CREATE INDEX students_left_id_hash ON students (id_hash) WHERE state <> 1",
    "CREATE TABLE guardians (
        id A_UUID NOT NULL,
        student A_UUID NOT NULL,
        display_name TEXT NOT NULL,
        relation SMALLINT NOT NULL,
        sealed BLOB,
        priority SMALLINT NOT NULL,
        source TEXT NOT NULL DEFAULT '',
        content_hash BLOB,
        raw_hash BIGINT,
        batch BIGINT,
        version BIGINT NOT NULL,
        update_time BIGINT NOT NULL)",
    "CREATE UNIQUE INDEX guardians_id ON guardians (id)",
    "CREATE INDEX guardians_student ON guardians (student)",
    "CREATE TABLE staff (
        id A_UUID NOT NULL,
        org_path PLACE NOT NULL,
        display_name TEXT NOT NULL,
        posts INTEGER NOT NULL DEFAULT 0,
        source_posts INTEGER NOT NULL DEFAULT 0,
        grade SMALLINT NOT NULL DEFAULT 0,
        staff_code TEXT NOT NULL DEFAULT '',
        id_type SMALLINT NOT NULL DEFAULT 0,
        id_hash BLOB,
        sealed BLOB,
        swab_exempt BOOLEAN NOT NULL DEFAULT FALSE,
        start_day INTEGER,
        state SMALLINT NOT NULL,
        source TEXT NOT NULL DEFAULT '',
        content_hash BLOB,
        raw_hash BIGINT,
        batch BIGINT,
        version BIGINT NOT NULL,
        update_time BIGINT NOT NULL)",
    "CREATE UNIQUE INDEX staff_id ON staff (id)",
    "CREATE INDEX staff_org_path ON staff (org_path, id)",
    "CREATE UNIQUE INDEX staff_id_hash ON staff (id_hash) WHERE state <> 3",
    "CREATE UNIQUE INDEX staff_code ON staff (org_path, staff_code) WHERE staff_code <> ''",
    "CREATE TABLE data_keys (
        id INTEGER PRIMARY KEY,
        suite SMALLINT NOT NULL,
        wrapped BLOB NOT NULL,
        create_time BIGINT NOT NULL)",
    // Who saw what of whom, and why: looked up by number, or a phone number revealed.
    "CREATE TABLE disclosures (
        id A_UUID PRIMARY KEY,
        principal TEXT NOT NULL,
        act TEXT NOT NULL,
        subject A_UUID,
        reason TEXT NOT NULL,
        create_time BIGINT NOT NULL)",
    "CREATE INDEX disclosures_create_time ON disclosures (create_time)",
    "CREATE TABLE teaching_changes (
        id A_UUID PRIMARY KEY,
        name TEXT NOT NULL,
        org_path PLACE NOT NULL,
        grades TEXT NOT NULL,
        teaching_mode SMALLINT NOT NULL,
        reason TEXT NOT NULL,
        principal TEXT NOT NULL,
        changed INTEGER NOT NULL,
        create_time BIGINT NOT NULL)",
    "CREATE INDEX teaching_changes_org_path ON teaching_changes (org_path, create_time)",
];
