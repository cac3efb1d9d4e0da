//! Evidence in pictures.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000004_photos"
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
    // Instants are milliseconds since 1970; angles are millionths of a degree, both the least
    // number when the device does not tell where it is.
    "CREATE TABLE photos (
        origin TEXT NOT NULL,
        sha256 BLOB NOT NULL,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        uri TEXT NOT NULL,
        taken_at BIGINT NOT NULL,
        latitude INTEGER NOT NULL,
        longitude INTEGER NOT NULL,
        shown_at BIGINT NOT NULL,
        PRIMARY KEY (origin, sha256))",
    "CREATE INDEX photos_sha256 ON photos (sha256, shown_at)",
];
