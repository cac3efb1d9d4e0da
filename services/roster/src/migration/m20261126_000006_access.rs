//! Approvals of access to data of minors, and their uses.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000006_access"
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
    // `stands` is 1 while the approval can be used, its time apart.
    "CREATE TABLE access_approvals (
        id PLACE PRIMARY KEY,
        organization PLACE NOT NULL,
        org_path PLACE NOT NULL,
        requester TEXT NOT NULL,
        end_time BIGINT NOT NULL,
        stands SMALLINT NOT NULL,
        use_count INTEGER NOT NULL)",
    "CREATE INDEX access_approvals_place ON access_approvals (org_path, id)",
    "CREATE INDEX access_approvals_standing ON access_approvals (requester, stands, end_time)",
    // Only added to: an approval is what its steps made of it.
    "CREATE TABLE access_events (
        approval PLACE NOT NULL,
        number INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (approval, number))",
    // Only added to.
    "CREATE TABLE access_uses (
        approval PLACE NOT NULL,
        number INTEGER NOT NULL,
        use_time BIGINT NOT NULL,
        method TEXT NOT NULL,
        organization PLACE NOT NULL,
        person A_UUID,
        data SMALLINT NOT NULL,
        PRIMARY KEY (approval, number))",
];
