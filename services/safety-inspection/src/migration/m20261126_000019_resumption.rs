//! Batches of resumption, the way of each school back to teaching, and what the register is told.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000019_resumption"
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
    // `grades` are numbers joined by commas; days are counted from the year 1.
    "CREATE TABLE resumption_batches (
        organization TEXT NOT NULL,
        position SMALLINT NOT NULL,
        org_path PLACE NOT NULL,
        grades TEXT NOT NULL,
        kindergarten BOOLEAN NOT NULL,
        planned_on INTEGER NOT NULL,
        policy_version TEXT NOT NULL,
        planned_at BIGINT NOT NULL,
        PRIMARY KEY (organization, position))",
    // `body` is an object of JSON. What follows `check_at` is kept for those who look at many
    // schools: a score of -1 is that of a silent one, and sets are bits.
    "CREATE TABLE resumptions (
        organization TEXT NOT NULL,
        position SMALLINT NOT NULL,
        org_path PLACE NOT NULL,
        batch TEXT NOT NULL,
        state SMALLINT NOT NULL,
        body TEXT NOT NULL,
        changes INTEGER NOT NULL,
        updated_at BIGINT NOT NULL,
        acts_at BIGINT NOT NULL,
        check_at BIGINT NOT NULL,
        score SMALLINT NOT NULL,
        items INTEGER NOT NULL,
        met INTEGER NOT NULL,
        open_items INTEGER NOT NULL,
        open_categories INTEGER NOT NULL,
        guards INTEGER NOT NULL,
        checked_at BIGINT NOT NULL,
        PRIMARY KEY (organization, position))",
    "CREATE INDEX resumptions_org_path ON resumptions (org_path, position)",
    "CREATE INDEX resumptions_batch ON resumptions (batch, position, state)",
    "CREATE INDEX resumptions_acts ON resumptions (acts_at)",
    "CREATE INDEX resumptions_check ON resumptions (check_at)",
    "CREATE INDEX resumptions_score ON resumptions (score, org_path, position)",
    // `photos` are hashes in hexadecimal joined by commas; the pictures stand with all others.
    "CREATE TABLE resumption_answers (
        organization TEXT NOT NULL,
        position SMALLINT NOT NULL,
        item PLACE NOT NULL,
        value_kind SMALLINT NOT NULL,
        number BIGINT NOT NULL,
        words TEXT NOT NULL,
        note TEXT NOT NULL,
        photos TEXT NOT NULL,
        actor TEXT NOT NULL,
        answered_at BIGINT NOT NULL,
        PRIMARY KEY (organization, position, item))",
    // The last number of a call to the register for a school.
    "CREATE TABLE resumption_numbers (
        organization TEXT PRIMARY KEY,
        last INTEGER NOT NULL)",
    // What the register is still to be told of a school, in the order of the numbers. `resumption` is
    // the position of the one that waits for it, or 0.
    "CREATE TABLE resumption_calls (
        organization TEXT NOT NULL,
        number INTEGER NOT NULL,
        target TEXT NOT NULL,
        grades TEXT NOT NULL,
        teaching SMALLINT NOT NULL,
        reason TEXT NOT NULL,
        resumption SMALLINT NOT NULL,
        attempts INTEGER NOT NULL,
        due_at BIGINT NOT NULL,
        PRIMARY KEY (organization, number))",
    "CREATE INDEX resumption_calls_due ON resumption_calls (due_at)",
];
