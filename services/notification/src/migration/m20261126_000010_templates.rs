//! Templates: each version is a row that never changes.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000010_templates"
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

const STATEMENTS: &[&str] = &["CREATE TABLE templates (
        id PLACE NOT NULL,
        version INTEGER NOT NULL,
        description TEXT NOT NULL,
        variables TEXT NOT NULL,
        texts TEXT NOT NULL,
        author TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        PRIMARY KEY (id, version))"];
