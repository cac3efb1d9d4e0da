//! Alerts of every kind of fact, where there were those of holds.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261125_000004_facts"
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

/// A replica of the version before cannot apply holds from here on; it answers calls, and the new
/// one follows the feed.
const STATEMENTS: &[&str] = &[
    // Which version of an entity was seen last: an older one that comes again raises nothing.
    "CREATE TABLE facts (
        name TEXT PRIMARY KEY,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL,
        gone_at BIGINT)",
    "CREATE INDEX facts_gone ON facts (gone_at) WHERE gone_at IS NOT NULL",
    "INSERT INTO facts (name, version, generation)
        SELECT name, version, generation FROM holds WHERE active = TRUE",
    "DROP TABLE holds",
    "ALTER TABLE alerts ADD COLUMN kind SMALLINT NOT NULL DEFAULT 1",
    "ALTER TABLE alerts ADD COLUMN grave BOOLEAN NOT NULL DEFAULT FALSE",
    "ALTER TABLE alerts ADD COLUMN amount INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE alerts ADD COLUMN total INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE alerts ADD COLUMN word SMALLINT NOT NULL DEFAULT 0",
    "DROP INDEX alerts_basis",
    "CREATE UNIQUE INDEX alerts_basis ON alerts (basis, kind, episode)",
];
