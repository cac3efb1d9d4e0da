//! Cases of support in their lane: where each stands, why it was ended, when the guardian was told, when
//! the person was referred. What is known of those that are stored says where they stand.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000019_support"
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

/// So far 1 was every case that is not ended; from here on it is one that nobody has assessed, as those are
/// that a replica of the version before opens.
const STATEMENTS: &[&str] = &[
    "ALTER TABLE support_cases ADD COLUMN close_reason SMALLINT NOT NULL DEFAULT 0",
    "ALTER TABLE support_cases ADD COLUMN closed_at BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE support_cases ADD COLUMN informed_at BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE support_cases ADD COLUMN referred_at BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE support_cases ADD COLUMN reopenings INTEGER NOT NULL DEFAULT 0",
    "UPDATE support_cases SET referred_at = COALESCE((SELECT MAX(e.time_at) FROM support_entries e
        WHERE e.support_case = support_cases.id AND e.event = 4), 0)",
    "UPDATE support_cases SET closed_at = COALESCE((SELECT MAX(e.time_at) FROM support_entries e
        WHERE e.support_case = support_cases.id AND e.event = 5), 0) WHERE state = 2",
    // Referred; else somebody was in contact, which was support; else it was assessed.
    "UPDATE support_cases SET state = 6 WHERE state = 1 AND referred_at <> 0",
    "UPDATE support_cases SET state = 4 WHERE state = 1 AND EXISTS
        (SELECT 1 FROM support_entries e WHERE e.support_case = support_cases.id AND e.event = 3)",
    "UPDATE support_cases SET state = 3 WHERE state = 1 AND EXISTS
        (SELECT 1 FROM support_entries e WHERE e.support_case = support_cases.id AND e.event = 2)",
    "DROP INDEX support_cases_remind",
    "CREATE INDEX support_cases_remind ON support_cases (remind_at) WHERE state <> 2",
];
