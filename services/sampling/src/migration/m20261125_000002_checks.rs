//! Checks of people's health, who is expected to submit them, and counts of each school and day.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261125_000002_checks"
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
    // How many of a group are expected in person.
    "ALTER TABLE class_rolls ADD COLUMN expected INTEGER NOT NULL DEFAULT 0",
    // Who is missing is found without reading rolls.
    "CREATE INDEX class_rolls_expected ON class_rolls (path, kind, expected) WHERE expected > 0",
    // Who lives in a room, as the roll of one class group says it, packed.
    "CREATE TABLE dormitories (
        place PLACE NOT NULL,
        group_path PLACE NOT NULL,
        school PLACE NOT NULL,
        room TEXT NOT NULL,
        expected INTEGER NOT NULL,
        members BLOB NOT NULL,
        PRIMARY KEY (place, group_path))",
    "CREATE INDEX dormitories_group ON dormitories (group_path)",
    "CREATE INDEX dormitories_school ON dormitories (school)",
    // What is expected of a school now.
    "CREATE TABLE health_expectations (
        school PLACE PRIMARY KEY,
        class_groups INTEGER NOT NULL,
        staff_groups INTEGER NOT NULL,
        rooms INTEGER NOT NULL,
        students INTEGER NOT NULL,
        boarders INTEGER NOT NULL,
        staff INTEGER NOT NULL)",
    // Days are numbers of domain::day; instants are milliseconds since 1970; the other numbers are
    // those of the contract.
    "CREATE TABLE checks (
        day INTEGER NOT NULL,
        slot SMALLINT NOT NULL,
        place PLACE NOT NULL,
        unit SMALLINT NOT NULL,
        expected BOOLEAN NOT NULL,
        roll_count INTEGER NOT NULL,
        present_count INTEGER NOT NULL,
        absent_count INTEGER NOT NULL,
        ill_absent_count INTEGER NOT NULL,
        finding_count INTEGER NOT NULL,
        content BLOB NOT NULL,
        capture_time BIGINT NOT NULL,
        submit_time BIGINT NOT NULL,
        first_submit_time BIGINT NOT NULL,
        due_time BIGINT NOT NULL,
        reporter TEXT NOT NULL,
        client BLOB NOT NULL,
        identity BLOB NOT NULL,
        digest BLOB NOT NULL,
        correction BOOLEAN NOT NULL,
        correction_reason TEXT NOT NULL,
        policy_version TEXT NOT NULL,
        version BIGINT NOT NULL,
        submission_count INTEGER NOT NULL,
        conflict_count INTEGER NOT NULL,
        PRIMARY KEY (day, slot, place))",
    // Submissions that another one stands in place of; rows are added and never changed.
    "CREATE TABLE check_submissions (
        day INTEGER NOT NULL,
        slot SMALLINT NOT NULL,
        place PLACE NOT NULL,
        client BLOB NOT NULL,
        identity BLOB NOT NULL,
        digest BLOB NOT NULL,
        finding_count INTEGER NOT NULL,
        content BLOB NOT NULL,
        capture_time BIGINT NOT NULL,
        submit_time BIGINT NOT NULL,
        reporter TEXT NOT NULL,
        correction BOOLEAN NOT NULL,
        correction_reason TEXT NOT NULL,
        PRIMARY KEY (day, slot, place, client))",
    // Counts of one school and day, packed; changed under the school's lock.
    "CREATE TABLE health_days (
        day INTEGER NOT NULL,
        school PLACE NOT NULL,
        tally BLOB NOT NULL,
        PRIMARY KEY (day, school))",
    "CREATE TABLE reporter_exams (
        place PLACE NOT NULL,
        account PLACE NOT NULL,
        passed INTEGER NOT NULL,
        valid_until INTEGER NOT NULL,
        examiner TEXT NOT NULL,
        record_time BIGINT NOT NULL,
        PRIMARY KEY (place, account))",
    "CREATE INDEX reporter_exams_account ON reporter_exams (account)",
    "CREATE INDEX signs_day ON signs (day, school)",
    // Rolls that are stored do not tell who boards: the roster is read anew.
    "UPDATE class_rolls SET version = 0",
    "UPDATE projections SET page_token = '', resume_token = '' WHERE consumer = 'roster'",
];
