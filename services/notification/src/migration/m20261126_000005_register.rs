//! What is known of organisations, every duty, class groups, and who belongs where.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000005_register"
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

/// A replica of the version before cannot follow the register from here on; it answers calls, and the
/// new one follows the feed from its beginning.
const STATEMENTS: &[&str] = &[
    "ALTER TABLE organizations ADD COLUMN display_name TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE organizations ADD COLUMN kind SMALLINT NOT NULL DEFAULT 0",
    "ALTER TABLE organizations ADD COLUMN stages INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE organizations ADD COLUMN division TEXT NOT NULL DEFAULT ''",
    // The responsibility roll of each organisation, and who answers for each of its subjects.
    "CREATE TABLE duty_rolls (
        organization TEXT PRIMARY KEY,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL)",
    "CREATE TABLE duties (
        organization TEXT NOT NULL,
        subject TEXT NOT NULL,
        place TEXT NOT NULL,
        staff_member TEXT NOT NULL,
        PRIMARY KEY (organization, subject, place))",
    "INSERT INTO duty_rolls (organization, version, generation)
        SELECT organization, version, generation FROM owners",
    "INSERT INTO duties (organization, subject, place, staff_member)
        SELECT organization, 'EPIDEMIC_CONTROL', '', staff_member FROM owners
        WHERE staff_member <> ''",
    "DROP TABLE owners",
    // Class groups (1) and the staff of organisations (2), each with everybody on it.
    "CREATE TABLE rolls (
        name TEXT PRIMARY KEY,
        kind SMALLINT NOT NULL,
        place PLACE NOT NULL,
        organization TEXT NOT NULL,
        display_name TEXT NOT NULL,
        grade INTEGER NOT NULL,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL)",
    "CREATE INDEX rolls_place ON rolls (place, kind)",
    // Pupils (1) and staff (2). The place is the class group's or the organisation's.
    "CREATE TABLE people (
        kind SMALLINT NOT NULL,
        person A_UUID NOT NULL,
        place PLACE NOT NULL,
        organization TEXT NOT NULL,
        posts TEXT NOT NULL,
        PRIMARY KEY (kind, person))",
    "CREATE INDEX people_place ON people (place, kind, person)",
    "UPDATE projections SET page_token = '', resume_token = '' WHERE consumer = 'roster'",
];
