//! Plans and the seeds of their cycles.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20260101_000002_plans"
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
    "CREATE TABLE plans (
        id PLACE PRIMARY KEY,
        display_name TEXT NOT NULL,
        kind SMALLINT NOT NULL,
        org_path PLACE NOT NULL,
        ratio INTEGER NOT NULL,
        cycle_days INTEGER NOT NULL,
        start_day INTEGER NOT NULL,
        end_day INTEGER,
        ended BOOLEAN NOT NULL,
        policy_version TEXT NOT NULL,
        create_time BIGINT NOT NULL,
        update_time BIGINT NOT NULL,
        version BIGINT NOT NULL)",
    "CREATE TABLE cycles (
        plan TEXT NOT NULL,
        first_day INTEGER NOT NULL,
        seed BLOB NOT NULL,
        PRIMARY KEY (plan, first_day))",
    // When each school was last drawn under a plan, packed: two bytes a day.
    "CREATE TABLE drawn_days (
        plan TEXT NOT NULL,
        organization TEXT NOT NULL,
        days BLOB NOT NULL,
        PRIMARY KEY (plan, organization))",
];
