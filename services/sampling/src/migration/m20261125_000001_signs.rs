//! What is said of people's health, the lock of each school's health, and deadlines.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261125_000001_signs"
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
    // Days are numbers of domain::day, 0 for none; the other numbers are those of the contract.
    "CREATE TABLE signs (
        source PLACE NOT NULL,
        person BLOB NOT NULL,
        kind SMALLINT NOT NULL,
        school PLACE NOT NULL,
        group_path PLACE NOT NULL,
        dormitory TEXT NOT NULL,
        day INTEGER NOT NULL,
        symptoms INTEGER NOT NULL,
        temperature SMALLINT NOT NULL,
        disease SMALLINT NOT NULL,
        certainty SMALLINT NOT NULL,
        severity SMALLINT NOT NULL,
        onset INTEGER NOT NULL,
        time BIGINT NOT NULL,
        PRIMARY KEY (source, person))",
    "CREATE INDEX signs_school ON signs (school, day)",
    "CREATE INDEX signs_person ON signs (person)",
    "CREATE TABLE health_schools (school PLACE PRIMARY KEY)",
    "CREATE TABLE deadlines (
        kind SMALLINT NOT NULL,
        entity PLACE NOT NULL,
        due BIGINT NOT NULL,
        PRIMARY KEY (kind, entity))",
    "CREATE INDEX deadlines_due ON deadlines (due)",
];
