//! The case that alone excludes somebody, and the names of schools.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000011_case_exclusions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        kit::migration::create(manager, TABLES).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const TABLES: &[&str] = &[
    "ALTER TABLE medical_states ADD COLUMN case_id TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE organizations ADD COLUMN display_name TEXT NOT NULL DEFAULT ''",
];
