//! Where changes come from: the trace in which each was caused, and when it was announced. It says nothing of
//! what changed, and a feed is whole without it.

use prost_types::Timestamp;
use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// Where some changes come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// For each change its trace, or an empty text; nothing at all where none has one.
    pub traceparents: Vec<String>,
    /// When the first of them was announced.
    pub announce_time: Option<Timestamp>,
}

/// Gives changes a place for their origin. A version that knows nothing of it leaves the place empty.
pub(crate) struct AddOrigins;

impl MigrationName for AddOrigins {
    fn name(&self) -> &str {
        "m20261127_000000_add_origins_of_changes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddOrigins {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let outbox = connection.get_database_backend() == DbBackend::Postgres;
        let statements = LOG
            .iter()
            .chain(outbox.then_some(OUTBOX).into_iter().flatten());
        for statement in statements {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const LOG: &[&str] = &[
    "ALTER TABLE feed_log ADD COLUMN cause TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE feed_log ADD COLUMN announced_at BIGINT NOT NULL DEFAULT 0",
];

const OUTBOX: &[&str] = &[
    "ALTER TABLE outbox ADD COLUMN cause TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE outbox ADD COLUMN announced_at BIGINT NOT NULL
        DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint",
];
