//! Documents of warnings on their way to other systems, and how what is old is found.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000015_documents"
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
    // The document `number` of a message, and the message that carries it.
    "CREATE TABLE warning_carriers (
        carrier A_UUID PRIMARY KEY,
        message A_UUID NOT NULL,
        number INTEGER NOT NULL,
        document BLOB NOT NULL)",
    "CREATE UNIQUE INDEX warning_carriers_number ON warning_carriers (message, number)",
    // What was over long ago.
    "CREATE INDEX messages_ended ON messages (ends_at) WHERE swept = TRUE",
    "CREATE INDEX warnings_came ON warnings (came_at)",
    "CREATE INDEX warning_exports_sent ON warning_exports (sent_at)",
];
