//! Draws: a row a school and day, a row a class group, a row a replacement.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20260101_000003_draws"
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
    // `record` is what was signed, as it is published; the counts repeat what is in it.
    "CREATE TABLE draws (
        id TEXT PRIMARY KEY,
        plan TEXT NOT NULL,
        day INTEGER NOT NULL,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        cycle INTEGER NOT NULL,
        eligible INTEGER NOT NULL,
        quota INTEGER NOT NULL,
        picks INTEGER NOT NULL,
        replacements INTEGER NOT NULL,
        record BLOB NOT NULL,
        key_id TEXT NOT NULL,
        closing BLOB,
        create_time BIGINT NOT NULL,
        version BIGINT NOT NULL)",
    "CREATE INDEX draws_day ON draws (day, org_path)",
    "CREATE INDEX draws_open ON draws (plan, organization, day) WHERE closing IS NULL",
    // The candidates and picks of one class group, as they are published.
    "CREATE TABLE draw_groups (
        draw TEXT NOT NULL,
        id PLACE NOT NULL,
        record BLOB NOT NULL,
        PRIMARY KEY (draw, id))",
    "CREATE TABLE draw_replacements (
        draw TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        record BLOB NOT NULL,
        PRIMARY KEY (draw, sequence))",
];
