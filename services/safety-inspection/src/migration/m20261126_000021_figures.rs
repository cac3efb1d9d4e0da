//! The figures of bureaus: sums, and changes of them.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000021_figures"
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

const STATEMENTS: &[&str] = &[
    // `counts` is JSON.
    "CREATE TABLE figures (
        organization TEXT PRIMARY KEY,
        counts TEXT NOT NULL)",
    // Whoever changes a number adds a row here in their own transaction, and waits for nobody. The
    // rows are added up soon after; whoever reads adds those that are left.
    "CREATE TABLE figure_changes (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        counts TEXT NOT NULL)",
    "CREATE INDEX figure_changes_organization ON figure_changes (organization)",
    // Grows whenever changes were added up.
    "CREATE TABLE figure_revision (id SMALLINT PRIMARY KEY, revision BIGINT NOT NULL)",
    "INSERT INTO figure_revision (id, revision) VALUES (1, 0)",
];
