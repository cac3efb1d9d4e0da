//! Sampling points of objects and environment.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20260101_000102_points"
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
    // What became of its samples is told by their tubes.
    "CREATE TABLE points (
        id PLACE PRIMARY KEY,
        display_name TEXT NOT NULL,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        kind SMALLINT NOT NULL,
        subject SMALLINT NOT NULL,
        every_days SMALLINT NOT NULL,
        state SMALLINT NOT NULL,
        disinfect_time BIGINT NOT NULL,
        created_day INTEGER NOT NULL,
        create_time BIGINT NOT NULL)",
    "CREATE INDEX points_org_path ON points (org_path)",
];
