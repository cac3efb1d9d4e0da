//! Pupils and their guardians are told apart: what was answered to a pupil is the pupil's, all else that was
//! kept in the name of a pupil is the family's, and each guardian has addresses of their own.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261127_000041_guardians"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), sea_orm::DbErr> {
        let sqlite = manager.get_connection().get_database_backend() == DbBackend::Sqlite;
        let none = if sqlite { "X''" } else { "''" };
        // The id of the concern that a basis names.
        let concern = |basis: &str| {
            let id = if sqlite {
                format!("unhex(replace(substr({basis}, -36), '-', ''))")
            } else {
                format!("CAST(right({basis}, 36) AS UUID)")
            };
            format!("CASE WHEN {basis} LIKE 'organizations/%/concerns/%' THEN {id} END")
        };
        let statements = [
            format!("ALTER TABLE contact_points ADD COLUMN family BLOB NOT NULL DEFAULT {none}"),
            "CREATE INDEX contact_points_family ON contact_points (family, channel)".to_owned(),
            // Submitters: pupils are 1, guardians 2. In the ledger families are 1, pupils 6.
            format!(
                "UPDATE deliveries SET kind = 6 WHERE kind = 1 AND message IN \
                 (SELECT m.id FROM messages m JOIN concerns c ON c.id = {} \
                 WHERE m.confidential = TRUE AND c.submitter = 1)",
                concern("m.basis")
            ),
            format!(
                "UPDATE notices SET party = party || '/guardians/-' WHERE done = FALSE \
                 AND party LIKE 'students/%' AND EXISTS (SELECT 1 FROM concerns c \
                 WHERE c.id = {} AND c.submitter = 2)",
                concern("notices.basis")
            ),
        ];
        let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
        kit::migration::create(manager, &statements).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
