//! Requests are about staff as well: which kind of person a request is about.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261128_000009_staff_requests"
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

// 1 is a student, 2 a member of staff.
const STATEMENTS: &[&str] =
    &["ALTER TABLE subject_requests ADD COLUMN person_kind SMALLINT NOT NULL DEFAULT 1"];
