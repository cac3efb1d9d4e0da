//! Several readings of one recheck, and whether there were symptoms (rule 3.3).

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000022_rechecks"
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
    // Tenths of a degree with spaces between them; 0 for symptoms that nobody asked about.
    "ALTER TABLE gate_decisions ADD COLUMN further_readings TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE gate_decisions ADD COLUMN symptoms SMALLINT NOT NULL DEFAULT 0",
    "CREATE INDEX gate_decisions_recheck ON gate_decisions (school, recheck_of) \
     WHERE recheck_of IS NOT NULL",
];
