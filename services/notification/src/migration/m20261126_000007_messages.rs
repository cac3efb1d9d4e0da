//! Messages and their ledger: one row for each message, recipient and channel.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000007_messages"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), sea_orm::DbErr> {
        kit::migration::create(manager, STATEMENTS).await?;
        // SQLite keeps the rows in the order of their key: without a second tree they are half as large.
        let sqlite = manager.get_connection().get_database_backend() == DbBackend::Sqlite;
        let table = if sqlite {
            format!("{DELIVERIES} WITHOUT ROWID")
        } else {
            DELIVERIES.to_owned()
        };
        kit::migration::create(manager, &[&table]).await?;
        kit::migration::create(manager, INDEXES).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const STATEMENTS: &[&str] = &[
    // Instants are milliseconds since 1970; 0 where there is none.
    "CREATE TABLE messages (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        state SMALLINT NOT NULL,
        category SMALLINT NOT NULL,
        urgency SMALLINT NOT NULL,
        template TEXT NOT NULL,
        template_version INTEGER NOT NULL,
        body TEXT NOT NULL,
        exercise BOOLEAN NOT NULL,
        author TEXT NOT NULL,
        basis TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        expanded_at BIGINT NOT NULL,
        ends_at BIGINT NOT NULL,
        swept BOOLEAN NOT NULL,
        phase SMALLINT NOT NULL,
        after A_UUID NOT NULL,
        parts INTEGER NOT NULL)",
    "CREATE INDEX messages_organization ON messages (organization, id)",
    "CREATE INDEX messages_expanding ON messages (urgency, id) WHERE state = 1",
    "CREATE INDEX messages_ending ON messages (ends_at) WHERE swept = FALSE",
    // Kept beside the messages: whoever counts does not wait for whoever expands.
    "CREATE TABLE message_counts (
        message A_UUID PRIMARY KEY,
        recipients BIGINT NOT NULL,
        queued BIGINT NOT NULL,
        sent BIGINT NOT NULL,
        delivered BIGINT NOT NULL,
        read BIGINT NOT NULL,
        failed BIGINT NOT NULL,
        expired BIGINT NOT NULL)",
    // Whom a message is expanded to, until it is: parties (1 to 3, as in the ledger), organisations of
    // the audience (4) and places of class groups (5).
    "CREATE TABLE message_targets (
        message A_UUID NOT NULL,
        kind SMALLINT NOT NULL,
        target TEXT NOT NULL,
        recipient BLOB NOT NULL,
        PRIMARY KEY (message, kind, target))",
    // The transactions that wrote rows, in the order of their commits: where inboxes are read on from.
    "CREATE TABLE message_parts (
        message A_UUID NOT NULL,
        part INTEGER NOT NULL,
        revision BIGINT NOT NULL,
        PRIMARY KEY (message, part))",
    "CREATE UNIQUE INDEX message_parts_revision ON message_parts (revision)",
    // One row, locked by whoever ends such a transaction.
    "CREATE TABLE messages_revision (id SMALLINT PRIMARY KEY, value BIGINT NOT NULL)",
    "INSERT INTO messages_revision (id, value) VALUES (1, 0)",
    "CREATE INDEX rolls_organization ON rolls (organization, kind)",
];

/// The recipient is the 16 bytes of a person's id, or an organisation id in ASCII.
const DELIVERIES: &str = "CREATE TABLE deliveries (
        message A_UUID NOT NULL,
        recipient BLOB NOT NULL,
        channel PLACE NOT NULL,
        kind SMALLINT NOT NULL,
        state SMALLINT NOT NULL,
        attempts SMALLINT NOT NULL,
        failure SMALLINT NOT NULL,
        part INTEGER NOT NULL,
        next_attempt BIGINT,
        sent_at BIGINT,
        delivered_at BIGINT,
        read_at BIGINT,
        PRIMARY KEY (message, kind, recipient, channel))";

const INDEXES: &[&str] = &[
    "CREATE INDEX deliveries_due ON deliveries (channel, next_attempt) WHERE state = 1",
    "CREATE INDEX deliveries_queued ON deliveries (message) WHERE state = 1",
    "CREATE INDEX deliveries_dead ON deliveries (channel, message, kind, recipient) WHERE state = 5",
    "CREATE INDEX deliveries_unread ON deliveries (kind, recipient, message)
        WHERE channel = 'inbox' AND state IN (2, 3)",
];
