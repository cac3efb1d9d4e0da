//! What of each entity was announced in the feed, and how many recipients of directives are how far.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000014_feed"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), sea_orm::DbErr> {
        kit::migration::create(manager, FEED).await?;
        kit::migration::create(manager, COUNTS).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// `announced` is the version that the feed tells, 0 for none. Where it is not that of the row, the row
/// was written by a version that knew no feed, or has changed without its feed; it is announced soon.
const FEED: &[&str] = &[
    "ALTER TABLE alerts ADD COLUMN announced BIGINT NOT NULL DEFAULT 0",
    "CREATE INDEX alerts_unannounced ON alerts (sequence)
        WHERE announced <> revision AND (state <> 4 OR announced > 0)",
    "ALTER TABLE directives ADD COLUMN announced BIGINT NOT NULL DEFAULT 0",
    "CREATE INDEX directives_unannounced ON directives (id)
        WHERE announced <> version AND (state = 3 OR announced > 0)",
    "ALTER TABLE directive_recipients ADD COLUMN announced BIGINT NOT NULL DEFAULT 0",
    // Recipients of directives that have ended are nobody's interest.
    "UPDATE directive_recipients SET announced = version WHERE state > 1
        AND directive NOT IN (SELECT id FROM directives WHERE state = 3)",
    "CREATE INDEX directive_recipients_unannounced ON directive_recipients (directive, organization)
        WHERE announced <> version AND (state > 1 OR announced > 0)",
    "ALTER TABLE meetings ADD COLUMN announced BIGINT NOT NULL DEFAULT 0",
    "CREATE INDEX meetings_unannounced ON meetings (id)
        WHERE announced <> version AND (state <= 2 OR announced > 0)",
    // Of a warning, `version` counts what was announced of it, and `announced` is the `came_at` of that;
    // it leaves the snapshot at `leaves_at`, 0 when it is not in it.
    "ALTER TABLE warnings ADD COLUMN version BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE warnings ADD COLUMN announced BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE warnings ADD COLUMN leaves_at BIGINT NOT NULL DEFAULT 0",
    "CREATE INDEX warnings_unannounced ON warnings (id) WHERE announced <> came_at AND joined = id",
    "CREATE INDEX warnings_leaving ON warnings (leaves_at) WHERE leaves_at > 0",
];

const COUNTS: &[&str] = &[
    // The counts of those of a level in a district who sign by the same instant, 0 before they are reached,
    // are the sums over their slots; those of one slot mean nothing.
    "CREATE TABLE directive_counts (
        directive A_UUID NOT NULL,
        due_at BIGINT NOT NULL,
        level SMALLINT NOT NULL,
        district TEXT NOT NULL,
        slot SMALLINT NOT NULL,
        recipients INTEGER NOT NULL,
        acknowledged INTEGER NOT NULL,
        accepted INTEGER NOT NULL,
        late INTEGER NOT NULL,
        PRIMARY KEY (directive, due_at, level, district, slot))",
    "INSERT INTO directive_counts (directive, due_at, level, district, slot, recipients,
            acknowledged, accepted, late)
        SELECT directive, COALESCE(due_at, 0), level, district, 0, COUNT(*), COUNT(acknowledged_at),
            COUNT(CASE WHEN state = 8 THEN 1 END),
            COUNT(CASE WHEN acknowledged_at > due_at THEN 1 END)
        FROM directive_recipients GROUP BY directive, COALESCE(due_at, 0), level, district",
    // What is counted is not read from the recipients any more: only when they signed.
    "DROP INDEX directive_recipients_progress",
    "CREATE INDEX directive_recipients_signed ON directive_recipients
        (directive, level, acknowledged_at) WHERE acknowledged_at IS NOT NULL",
];
