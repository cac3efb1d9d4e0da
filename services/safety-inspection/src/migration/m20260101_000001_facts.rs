//! What is known from roster and sampling, packed by entity.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20260101_000001_facts"
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
    // A removed fact stays as a tombstone, so that copies in memory learn of it.
    "CREATE TABLE facts (
        kind SMALLINT NOT NULL,
        entity TEXT NOT NULL,
        org_path TEXT NOT NULL,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL,
        revision BIGINT NOT NULL,
        removed BOOLEAN NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (kind, entity))",
    "CREATE INDEX facts_by_revision ON facts (revision)",
    // One row, locked by whoever writes facts: revisions are committed in their order.
    "CREATE TABLE facts_revision (id SMALLINT PRIMARY KEY, value BIGINT NOT NULL)",
    "INSERT INTO facts_revision (id, value) VALUES (1, 0)",
    // When a feed was last heard of, in milliseconds since 1970.
    "CREATE TABLE feeds_heard (feed TEXT PRIMARY KEY, heard_at BIGINT NOT NULL)",
];
