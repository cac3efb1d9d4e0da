//! What leaves in one text leaves in the same one again, and emergencies that were taken before go first.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000031_parcels"
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
    // The key under which a provider knows what was gathered into one text, from when it was gathered
    // until it has left or never will. None of what leaves by itself.
    "ALTER TABLE deliveries ADD COLUMN parcel TEXT",
    "CREATE INDEX deliveries_parcel ON deliveries (parcel) WHERE state = 1 AND parcel IS NOT NULL",
    // An emergency that was taken before: it has lost its head start, and goes before all that waits.
    "ALTER TABLE deliveries ADD COLUMN ahead BOOLEAN NOT NULL DEFAULT FALSE",
    "CREATE INDEX deliveries_ahead ON deliveries (channel, next_attempt)
        WHERE state = 1 AND ahead = TRUE",
];
