//! Hazards.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000005_hazards"
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

const STATEMENTS: &[&str] = &["CREATE TABLE hazards (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        place TEXT NOT NULL,
        category SMALLINT NOT NULL,
        source SMALLINT NOT NULL,
        origin TEXT NOT NULL,
        description TEXT NOT NULL,
        major_rules TEXT NOT NULL,
        finder TEXT NOT NULL,
        found_at BIGINT NOT NULL)"];
