//! Emergencies, and the destruction of what was gathered for them.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000005_destruction"
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
    // `is_open` is 1 or nothing, so that one is open at most.
    "CREATE TABLE emergencies (
        id PLACE PRIMARY KEY,
        display_name TEXT NOT NULL,
        legal_basis TEXT NOT NULL,
        start_time BIGINT NOT NULL,
        declared_by TEXT NOT NULL,
        is_open SMALLINT UNIQUE,
        end_time BIGINT,
        ended_by TEXT,
        end_reason TEXT)",
    // `stands` is 1 or nothing, so that an emergency has one job at most that was not given up.
    "CREATE TABLE destruction_jobs (
        id PLACE PRIMARY KEY,
        emergency PLACE NOT NULL,
        stands SMALLINT,
        UNIQUE (emergency, stands))",
    // Only added to: a job is what its steps made of it.
    "CREATE TABLE destruction_events (
        job PLACE NOT NULL,
        number INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (job, number))",
    "CREATE TABLE destruction_certificates (
        job PLACE PRIMARY KEY,
        manifest BLOB NOT NULL,
        signature BLOB NOT NULL,
        public_key BLOB NOT NULL)",
];
