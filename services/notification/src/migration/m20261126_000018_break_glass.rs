//! How far the audit logs were read for broken glasses.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000018_break_glass"
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

const STATEMENTS: &[&str] = &["CREATE TABLE break_glass_read (
        service TEXT PRIMARY KEY,
        sequence BIGINT NOT NULL)"];
