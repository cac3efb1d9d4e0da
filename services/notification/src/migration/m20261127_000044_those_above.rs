//! When those above hear that a deadline of a concern or of care passed and what was due is still not done.
//! Of a concern that is late already they hear after as long again as there was since it came in; of care that
//! is late already they do not.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261127_000044_those_above"
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
    // Milliseconds since 1970; the greatest number for never.
    "ALTER TABLE concerns ADD COLUMN above_at BIGINT NOT NULL DEFAULT 9223372036854775807",
    "ALTER TABLE care_tasks ADD COLUMN above_at BIGINT NOT NULL DEFAULT 9223372036854775807",
    // Not answered in time: nothing else happens to it by itself.
    "UPDATE concerns SET above_at = CASE
        WHEN urgent = TRUE THEN urgent_answer_due_at + (urgent_answer_due_at - create_at)
        ELSE answer_due_at + (answer_due_at - create_at) END
        WHERE state IN (1, 2, 3, 6) AND late = TRUE AND wait_at = 9223372036854775807",
    // Not sorted out in time, and the time for an answer is not over.
    "UPDATE concerns SET above_at = acknowledge_due_at + (acknowledge_due_at - create_at)
        WHERE state IN (1, 6) AND late = TRUE AND wait_at < 9223372036854775807
        AND wait_at > acknowledge_due_at",
];
