//! By when a directive is passed on and a report on it judged, and what of both is told. What waits already
//! has the shipped time from when it began to wait.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261127_000042_directive_deadlines"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), sea_orm::DbErr> {
        kit::migration::create(manager, COLUMNS).await?;
        let updated = match manager.get_connection().get_database_backend() {
            DbBackend::Postgres => "CAST(EXTRACT(EPOCH FROM update_time) * 1000 AS BIGINT)",
            _ => "CAST(strftime('%s', update_time) AS INTEGER) * 1000",
        };
        // States of recipients: 4 is ACKED, 7 is REPORTED. Urgencies: 1 is ordinary, 3 most urgent.
        let waiting = [
            format!(
                "UPDATE directive_recipients SET relay_due_at = acknowledged_at + {} \
                 WHERE open = TRUE AND state = 4 AND below > 0 AND acknowledged_at IS NOT NULL",
                by_urgency([86_400_000, 7_200_000, 1_800_000])
            ),
            format!(
                "UPDATE directive_recipients SET judge_due_at = {updated} + {} \
                 WHERE open = TRUE AND state = 7",
                by_urgency([259_200_000, 86_400_000, 86_400_000])
            ),
        ];
        let waiting: Vec<&str> = waiting.iter().map(String::as_str).collect();
        kit::migration::create(manager, &waiting).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// So many milliseconds by the urgency of the directive: ordinary, urgent, most urgent.
fn by_urgency([routine, urgent, extra_urgent]: [i64; 3]) -> String {
    format!(
        "(SELECT CASE d.urgency WHEN 1 THEN {routine} WHEN 2 THEN {urgent} ELSE {extra_urgent} END \
         FROM directives d WHERE d.id = directive_recipients.directive)"
    )
}

const COLUMNS: &[&str] = &[
    // Instants are milliseconds since 1970; of what is told, the deadline that had passed.
    "ALTER TABLE directive_recipients ADD COLUMN relay_due_at BIGINT",
    "ALTER TABLE directive_recipients ADD COLUMN judge_due_at BIGINT",
    "ALTER TABLE directive_recipients ADD COLUMN relay_told BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE directive_recipients ADD COLUMN judge_told BIGINT NOT NULL DEFAULT 0",
];
