//! What is counted of tubes as they go their way, and which checks were corrected.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261127_000043_counts"
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
    // One row a school and day on which it opened any tube. Times are milliseconds, 0 for none; days are
    // numbers of domain::day.
    "CREATE TABLE tube_days (
        day INTEGER NOT NULL,
        school PLACE NOT NULL,
        opened INTEGER NOT NULL,
        sealed INTEGER NOT NULL,
        received INTEGER NOT NULL,
        late_arrivals INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        results INTEGER NOT NULL,
        late_results INTEGER NOT NULL,
        positive INTEGER NOT NULL,
        corrected INTEGER NOT NULL,
        last_correct BIGINT NOT NULL,
        PRIMARY KEY (day, school))",
    // One row a school, day and check of the day of which anything was corrected.
    "CREATE TABLE check_corrections (
        day INTEGER NOT NULL,
        school PLACE NOT NULL,
        slot SMALLINT NOT NULL,
        corrected INTEGER NOT NULL,
        last_correct BIGINT NOT NULL,
        PRIMARY KEY (day, school, slot))",
];
