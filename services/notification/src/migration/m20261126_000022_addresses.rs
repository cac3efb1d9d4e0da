//! Which contact points have the same address.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000022_addresses"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), sea_orm::DbErr> {
        let sqlite = manager.get_connection().get_database_backend() == DbBackend::Sqlite;
        let none = if sqlite { "X''" } else { "''" };
        let hash = format!(
            "ALTER TABLE contact_points ADD COLUMN address_hash BLOB NOT NULL DEFAULT {none}"
        );
        kit::migration::create(manager, &[&hash]).await?;
        kit::migration::create(manager, STATEMENTS).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// The hash is that of the address which was set at `hashed_at`, -1 for none: an address that a version
/// without hashes set later has none.
const STATEMENTS: &[&str] = &[
    "ALTER TABLE contact_points ADD COLUMN hashed_at BIGINT NOT NULL DEFAULT -1",
    "CREATE INDEX contact_points_address ON contact_points (channel, address_hash)
        WHERE hashed_at >= 0",
];
