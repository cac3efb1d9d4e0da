//! Whom facts name to hear of alerts, by when alerts must be seen, what of directives is overdue and
//! told, and when counsellors are reminded.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000017_hearers"
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
    "ALTER TABLE alerts ADD COLUMN named TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE told ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0",
    "UPDATE told SET due_at = COALESCE(
        (SELECT a.due_at FROM alerts a WHERE a.id = told.alert), 0) WHERE done = FALSE",
    // Whoever did not sign in time is told once, and whoever has a demand overdue once for each day on
    // which one was due. Both indexes hold only what is not told yet.
    "ALTER TABLE directive_recipients ADD COLUMN overdue_told BOOLEAN NOT NULL DEFAULT FALSE",
    "ALTER TABLE directive_recipients ADD COLUMN items_told INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX directive_recipients_unsigned ON directive_recipients
        (due_at, directive, upper_organization)
        WHERE open = TRUE AND acknowledged_at IS NULL AND overdue_told = FALSE
        AND due_at IS NOT NULL",
    "CREATE INDEX directive_recipients_unfinished ON directive_recipients
        (items_due, directive, upper_organization)
        WHERE open = TRUE AND items_due > items_told AND due_at IS NOT NULL",
    // What a template of the notice is filled with, as JSON.
    "ALTER TABLE notices ADD COLUMN details TEXT NOT NULL DEFAULT '{}'",
    // Which member of staff the counsellor is, and when a case is looked at next; the greatest number
    // for never. Those that are open are looked at when their next contact is due.
    "ALTER TABLE support_cases ADD COLUMN counsellor_person TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE support_cases ADD COLUMN remind_at BIGINT NOT NULL DEFAULT 9223372036854775807",
    "UPDATE support_cases SET remind_at = contact_due_at WHERE state = 1",
    "CREATE INDEX support_cases_remind ON support_cases (remind_at) WHERE state = 1",
];
