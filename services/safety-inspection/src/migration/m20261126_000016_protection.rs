//! How campuses are protected, what they declared before, and their devices.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000016_protection"
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
    // Days are counted from the year 1, so that the end of time is one of them. An answer is 0 for
    // nothing said, 1 for yes, 2 for no; its day is the last for which a yes is proven.
    "CREATE TABLE protections (
        organization TEXT PRIMARY KEY,
        org_path PLACE NOT NULL,
        version INTEGER NOT NULL,
        state SMALLINT NOT NULL,
        declarer TEXT NOT NULL,
        declaration TEXT NOT NULL,
        due INTEGER NOT NULL,
        guards_answer SMALLINT NOT NULL,
        guards_due INTEGER NOT NULL,
        closed_answer SMALLINT NOT NULL,
        closed_due INTEGER NOT NULL,
        alarm_answer SMALLINT NOT NULL,
        alarm_due INTEGER NOT NULL)",
    "CREATE INDEX protections_org_path ON protections (org_path)",
    "CREATE INDEX protections_due ON protections (due, org_path)",
    "CREATE TABLE protection_versions (
        organization TEXT NOT NULL,
        version INTEGER NOT NULL,
        state SMALLINT NOT NULL,
        declaration TEXT NOT NULL,
        PRIMARY KEY (organization, version))",
    "CREATE TABLE protection_devices (
        organization TEXT NOT NULL,
        code PLACE NOT NULL,
        org_path PLACE NOT NULL,
        kind SMALLINT NOT NULL,
        place TEXT NOT NULL,
        online BOOLEAN NOT NULL,
        reported_at BIGINT NOT NULL,
        since BIGINT NOT NULL,
        PRIMARY KEY (organization, code))",
];
