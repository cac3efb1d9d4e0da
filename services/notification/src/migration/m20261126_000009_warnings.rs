//! Warnings: chains of documents of other systems, and the documents that this service writes.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000009_warnings"
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
    // One row for each sender, locked by whoever joins a document of it to a chain.
    "CREATE TABLE warning_senders (sender TEXT PRIMARY KEY)",
    // One row for each chain. Where `joined` is not the chain itself, it became a part of that one.
    "CREATE TABLE warnings (
        id A_UUID PRIMARY KEY,
        joined A_UUID NOT NULL,
        sender TEXT NOT NULL,
        identifier TEXT NOT NULL,
        sent_at BIGINT NOT NULL,
        status SMALLINT NOT NULL,
        cap_version TEXT NOT NULL,
        said_identifier TEXT NOT NULL,
        said_at BIGINT NOT NULL,
        said_bytes INTEGER NOT NULL,
        cancelled BOOLEAN NOT NULL,
        expires_at BIGINT NOT NULL,
        came_at BIGINT NOT NULL)",
    "CREATE INDEX warnings_sent ON warnings (sent_at, id)",
    // What a chain consists of, what has not come included (kind 0).
    "CREATE TABLE warning_documents (
        sender TEXT NOT NULL,
        identifier TEXT NOT NULL,
        sent_at BIGINT NOT NULL,
        warning A_UUID NOT NULL,
        kind SMALLINT NOT NULL,
        refers_to TEXT NOT NULL,
        expires_at BIGINT NOT NULL,
        status SMALLINT NOT NULL,
        cap_version TEXT NOT NULL,
        said_bytes INTEGER NOT NULL,
        PRIMARY KEY (sender, identifier, sent_at))",
    "CREATE INDEX warning_documents_warning ON warning_documents (warning)",
    // The documents as they came.
    "CREATE TABLE warning_texts (
        sender TEXT NOT NULL,
        identifier TEXT NOT NULL,
        sent_at BIGINT NOT NULL,
        document BLOB NOT NULL,
        PRIMARY KEY (sender, identifier, sent_at))",
    // Where the latest word of a chain holds: the parts of division codes that are not zero.
    "CREATE TABLE warning_divisions (
        prefix PLACE NOT NULL,
        warning A_UUID NOT NULL,
        PRIMARY KEY (prefix, warning))",
    "CREATE INDEX warning_divisions_warning ON warning_divisions (warning)",
    // The documents that this service wrote of its own messages, in the order of writing.
    "CREATE TABLE warning_exports (
        message A_UUID NOT NULL,
        number INTEGER NOT NULL,
        kind SMALLINT NOT NULL,
        sent_at BIGINT NOT NULL,
        PRIMARY KEY (message, number))",
];
