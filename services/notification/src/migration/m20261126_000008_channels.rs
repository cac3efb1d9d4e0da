//! How channels are doing, where people can be reached and when they want to be.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000008_channels"
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
    kit::vault::TABLE,
    // One row for each channel of the settings, locked by whoever takes of its budget. Instants are
    // milliseconds since 1970, 0 for none.
    "CREATE TABLE channels (
        id TEXT PRIMARY KEY,
        paused BOOLEAN NOT NULL,
        spent_until BIGINT NOT NULL,
        failures_in_row INTEGER NOT NULL,
        rest_until BIGINT NOT NULL)",
    // The party as the ledger has recipients: a pupil's family (1) or a member of staff (2) by the 16
    // bytes of the id, an organisation (3) by its id in ASCII.
    "CREATE TABLE contact_points (
        channel TEXT NOT NULL,
        party_kind SMALLINT NOT NULL,
        party BLOB NOT NULL,
        sealed BLOB NOT NULL,
        unreachable BOOLEAN NOT NULL,
        spent_until BIGINT NOT NULL,
        update_time BIGINT NOT NULL,
        PRIMARY KEY (party_kind, party, channel))",
    "CREATE TABLE preferences (
        party_kind SMALLINT NOT NULL,
        party BLOB NOT NULL,
        language SMALLINT NOT NULL,
        plain_speech BOOLEAN NOT NULL,
        quiet_start INTEGER NOT NULL,
        quiet_end INTEGER NOT NULL,
        inbox_only INTEGER NOT NULL,
        digest_minute INTEGER NOT NULL,
        update_time BIGINT NOT NULL,
        PRIMARY KEY (party_kind, party))",
];
