//! Illness within three days running, signals about the honesty of checks, and indexes of what is not
//! settled.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261125_000008_reporting"
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
    // People ill on a day or the two before it, packed; changed under the school's lock.
    "CREATE TABLE health_windows (
        day INTEGER NOT NULL,
        school PLACE NOT NULL,
        counts BLOB NOT NULL,
        PRIMARY KEY (day, school))",
    // Days are numbers of domain::day; instants are milliseconds since 1970, 0 for none; the other
    // numbers are those of the contract. An id begins with the day.
    "CREATE TABLE reporting_signals (
        id PLACE PRIMARY KEY,
        school PLACE NOT NULL,
        org_path PLACE NOT NULL,
        kind SMALLINT NOT NULL,
        day INTEGER NOT NULL,
        slot SMALLINT NOT NULL,
        observed INTEGER NOT NULL,
        total INTEGER NOT NULL,
        state SMALLINT NOT NULL,
        show_time BIGINT NOT NULL,
        visible_day INTEGER NOT NULL,
        explanation TEXT NOT NULL,
        explain_time BIGINT NOT NULL,
        explained_by TEXT NOT NULL,
        judge_reason TEXT NOT NULL,
        judge_time BIGINT NOT NULL,
        judged_by TEXT NOT NULL)",
    "CREATE INDEX reporting_signals_school ON reporting_signals (school, day)",
    // Of the checks of a day, those with words for a symptom are few.
    "CREATE INDEX checks_findings ON checks (day, place) WHERE finding_count > 0",
    // What is not settled is little at any time.
    "CREATE INDEX clusters_standing ON clusters (school) WHERE state IN (1, 2)",
    "CREATE INDEX cases_open ON cases (school) WHERE close_time = 0",
];
