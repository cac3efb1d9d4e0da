//! Who is on duty when, so that somebody on two rosters at once is noticed.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000027_duty_busy"
    }
}

/// A row for each person of each shift that was not replaced.
const TABLES: &[&str] = &[
    "CREATE TABLE duty_busy (
        person TEXT NOT NULL,
        shift A_UUID NOT NULL,
        organization TEXT NOT NULL,
        start_at BIGINT NOT NULL,
        end_at BIGINT NOT NULL,
        PRIMARY KEY (shift, person))",
    "CREATE INDEX duty_busy_person ON duty_busy (person, end_at)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), sea_orm::DbErr> {
        kit::migration::create(manager, TABLES).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
