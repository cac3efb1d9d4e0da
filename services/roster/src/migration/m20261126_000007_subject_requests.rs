//! Requests of people about what is held of them.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000007_subject_requests"
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
    "CREATE TABLE subject_requests (
        id PLACE PRIMARY KEY,
        organization PLACE NOT NULL,
        org_path PLACE NOT NULL,
        person A_UUID NOT NULL,
        kind SMALLINT NOT NULL,
        asker SMALLINT NOT NULL,
        identity_check TEXT NOT NULL,
        fields TEXT NOT NULL,
        filed_by TEXT NOT NULL,
        file_time BIGINT NOT NULL,
        file_day INTEGER NOT NULL,
        state SMALLINT NOT NULL,
        close_text TEXT,
        holdings TEXT,
        closed_by TEXT,
        close_time BIGINT,
        close_day INTEGER)",
    "CREATE INDEX subject_requests_place ON subject_requests (org_path, id)",
    "CREATE INDEX subject_requests_person ON subject_requests (person)",
    // Whoever asks is told who saw what of them.
    "CREATE INDEX disclosures_subject ON disclosures (subject)",
    "CREATE INDEX access_uses_person ON access_uses (person)",
];
