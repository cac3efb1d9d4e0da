//! What gates without a network decided otherwise, whom a first check must not let in again, since when a
//! clearance holds, and cards that such gates know.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000041_gate_courses"
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
    // What the service would have decided; only of what a gate decided without a network.
    "ALTER TABLE gate_decisions ADD COLUMN expected SMALLINT",
    // Whoever was simply let in stands in none of these.
    "CREATE INDEX gate_decisions_kept ON gate_decisions (id) \
     WHERE outcome <> 1 OR recheck_of IS NOT NULL OR expected <> 1",
    "CREATE INDEX gate_decisions_kept_person ON gate_decisions (person, id) \
     WHERE outcome <> 1 OR recheck_of IS NOT NULL OR expected <> 1",
    "CREATE INDEX gate_decisions_conflict ON gate_decisions (school, id) \
     WHERE expected <> outcome",
    // The clearance that somebody had until an instant, in milliseconds since 1970; empty when clear.
    "CREATE TABLE clearances_before (
        person TEXT NOT NULL,
        until BIGINT NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (person, until))",
    "CREATE INDEX clearances_before_until ON clearances_before (until)",
    // Missing where a card was bound before; it is known without a network once it is bound again.
    "ALTER TABLE cards ADD COLUMN credential BLOB",
    "CREATE INDEX cards_person ON cards (person)",
];
