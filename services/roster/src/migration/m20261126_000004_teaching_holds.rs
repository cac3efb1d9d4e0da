//! On which grounds class groups are kept away.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000004_teaching_holds"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        kit::migration::create(manager, STATEMENTS).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const STATEMENTS: &[&str] = &[
    "CREATE TABLE teaching_holds (
        org_path PLACE NOT NULL REFERENCES class_groups (org_path) ON DELETE CASCADE,
        ground SMALLINT NOT NULL,
        teaching_mode SMALLINT NOT NULL,
        PRIMARY KEY (org_path, ground))",
    "INSERT INTO teaching_holds (org_path, ground, teaching_mode)
     SELECT org_path, 1, teaching_mode FROM class_groups WHERE teaching_mode <> 1",
    "ALTER TABLE teaching_changes ADD COLUMN ground SMALLINT NOT NULL DEFAULT 1",
];
