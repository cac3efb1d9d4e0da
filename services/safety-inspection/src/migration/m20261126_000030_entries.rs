//! What gates note since: the cities of travel cards, red codes of visitors, and entries in the book that
//! were not made in time after an emergency.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000030_entries"
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
    // Divisions with spaces between them, each with an asterisk and a day where these are known.
    "ALTER TABLE gate_decisions ADD COLUMN travel_cities TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE gate_decisions ADD COLUMN travel_source SMALLINT NOT NULL DEFAULT 1",
    "ALTER TABLE visits ADD COLUMN after_overdue_at BIGINT NOT NULL DEFAULT 0",
    // The clock tells of each that is overdue, and destroys none before the entry is made.
    "UPDATE visits SET due_at = after_due_at \
     WHERE crew <> 0 AND after_at = 0 AND after_due_at <> 0",
    "CREATE INDEX visits_after_entry ON visits (org_path, id) WHERE crew <> 0 AND after_at = 0",
    "CREATE TABLE visit_red_codes (
        id A_UUID PRIMARY KEY,
        visit A_UUID NOT NULL,
        organization TEXT NOT NULL,
        people INTEGER NOT NULL,
        at BIGINT NOT NULL)",
    "CREATE INDEX visit_red_codes_day ON visit_red_codes (organization, at)",
    "CREATE INDEX visit_red_codes_visit ON visit_red_codes (visit)",
];
