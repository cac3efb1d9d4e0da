//! A suspension may be for several class groups that a human names, and what the roster was told of
//! each is kept.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261127_000034_suspension_classes"
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
    "ALTER TABLE suspensions ADD COLUMN classes INTEGER NOT NULL DEFAULT 0",
    // `told` is how the roster last heard that the class group is taught: 0 unknown, 1 suspended, 2 in
    // person.
    "CREATE TABLE suspension_classes (
        suspension PLACE NOT NULL,
        group_path PLACE NOT NULL,
        grade INTEGER NOT NULL,
        away BOOLEAN NOT NULL,
        round INTEGER NOT NULL,
        told SMALLINT NOT NULL,
        PRIMARY KEY (suspension, group_path))",
    // Paths of class groups, one a line; empty for a grade or the school.
    "ALTER TABLE suspension_amendments ADD COLUMN from_classes TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE suspension_amendments ADD COLUMN to_classes TEXT NOT NULL DEFAULT ''",
];
