//! Who reported an absence, how long an illness goes on, and by whom reports were received.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000001_receipts"
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
    // What a source, a check or who recorded it, says of an absence; days are numbers of domain::day.
    "CREATE TABLE absence_reports (
        source PLACE NOT NULL,
        person BLOB NOT NULL,
        absence PLACE NOT NULL,
        reason SMALLINT NOT NULL,
        day INTEGER NOT NULL,
        PRIMARY KEY (source, person))",
    "CREATE INDEX absence_reports_absence ON absence_reports (absence)",
    // Which checks reported an absence was not kept: what is open stands by itself.
    "INSERT INTO absence_reports (source, person, absence, reason, day)
        SELECT 'absences/' || id, person, id, reported, start_day FROM absences WHERE state <> 5",
    "ALTER TABLE absences ADD COLUMN withdraw_time BIGINT NOT NULL DEFAULT 0",
    "DROP INDEX absences_open",
    "CREATE UNIQUE INDEX absences_open ON absences (person) WHERE state NOT IN (5, 6)",
    // The last day of an illness that goes on beyond the day of which it is said; 0 when it does not.
    "ALTER TABLE signs ADD COLUMN until INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE clusters ADD COLUMN report_time BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE cases ADD COLUMN hospitalised INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE cases ADD COLUMN dead INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE report_steps ADD COLUMN outside_reference TEXT NOT NULL DEFAULT ''",
];
