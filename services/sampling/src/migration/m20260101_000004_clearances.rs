//! Who is not clear to enter: written with holds, read by the draw and the clearance feed.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20260101_000004_clearances"
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
    // The numbers are those of the contract's enums. `org_path` is the place of the person's group.
    "CREATE TABLE clearances (
        person BLOB PRIMARY KEY,
        org_path PLACE NOT NULL,
        control SMALLINT NOT NULL,
        medical SMALLINT NOT NULL,
        effective_time BIGINT NOT NULL,
        rule TEXT NOT NULL,
        policy_version TEXT NOT NULL,
        basis TEXT NOT NULL,
        version BIGINT NOT NULL)",
    "CREATE INDEX clearances_org_path ON clearances (org_path)",
];
