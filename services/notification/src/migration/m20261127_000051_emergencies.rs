//! Emergencies, the keys under which is sealed what was gathered for them, and their destruction.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261127_000051_emergencies"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), sea_orm::DbErr> {
        kit::migration::create(manager, &kit::destruction::TABLES).await?;
        kit::migration::create(manager, HEARD).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// An emergency and an order that a version before passed over are told again from the beginning.
const HEARD: &[&str] =
    &["UPDATE projections SET page_token = '', resume_token = '' WHERE consumer = 'roster'"];
