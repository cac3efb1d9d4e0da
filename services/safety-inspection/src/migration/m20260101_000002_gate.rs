//! Gate decisions, their overrides, and cards.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20260101_000002_gate"
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
    // `id` grows with time, so the key also lists a school's decisions in their order.
    "CREATE TABLE gate_decisions (
        school TEXT NOT NULL,
        id A_UUID NOT NULL,
        org_path TEXT NOT NULL,
        person TEXT,
        outcome SMALLINT NOT NULL,
        findings BLOB NOT NULL,
        temperature SMALLINT,
        colour SMALLINT NOT NULL,
        travel_shown TEXT,
        travel_starred BOOLEAN NOT NULL,
        device TEXT NOT NULL,
        guard TEXT NOT NULL,
        policy_version TEXT NOT NULL,
        decide_time INSTANT NOT NULL,
        record_time INSTANT NOT NULL,
        facts_time INSTANT,
        stale BOOLEAN NOT NULL,
        offline BOOLEAN NOT NULL,
        recheck_of A_UUID,
        identification SMALLINT NOT NULL,
        emergency SMALLINT,
        client_id A_UUID NOT NULL,
        fingerprint BIGINT NOT NULL,
        PRIMARY KEY (school, id))",
    "CREATE UNIQUE INDEX gate_decisions_client ON gate_decisions (school, client_id)",
    "CREATE TABLE gate_overrides (
        school TEXT NOT NULL,
        id A_UUID NOT NULL,
        outcome SMALLINT NOT NULL,
        reason TEXT NOT NULL,
        responsible TEXT NOT NULL,
        override_time INSTANT NOT NULL,
        PRIMARY KEY (school, id))",
    "CREATE TABLE cards (
        card_hash BLOB PRIMARY KEY,
        person TEXT NOT NULL,
        bind_time INSTANT NOT NULL)",
];
