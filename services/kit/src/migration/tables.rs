//! The tables that every service has: request ids, the feed, projections, leases and the audit log.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use super::statements::create;

/// The migrations to put first in each service's `Migrator`.
pub fn tables() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(CreateKitTables),
        Box::new(CreateAuditTables),
        Box::new(crate::feed::AddOrigins),
    ]
}

struct CreateKitTables;

impl MigrationName for CreateKitTables {
    fn name(&self) -> &str {
        "m20220401_000000_create_kit_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateKitTables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, TABLES).await?;
        let connection = manager.get_connection();
        if connection.get_database_backend() == DbBackend::Postgres {
            connection.execute_unprepared(OUTBOX).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

struct CreateAuditTables;

impl MigrationName for CreateAuditTables {
    fn name(&self) -> &str {
        "m20261126_000000_create_audit_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateAuditTables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let (id, vacuum) = match connection.get_database_backend() {
            DbBackend::Postgres => ("BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", VACUUM),
            _ => ("INTEGER PRIMARY KEY AUTOINCREMENT", ""),
        };
        let genesis = match connection.get_database_backend() {
            DbBackend::Postgres => "decode(repeat('00', 32), 'hex')",
            _ => "zeroblob(32)",
        };
        let head = format!("INSERT INTO audit_head VALUES (1, 0, {genesis})");
        let pending = format!("CREATE TABLE audit_pending (id {id}, {AUDITED}){vacuum}");
        let records = format!(
            "CREATE TABLE audit_records (sequence BIGINT PRIMARY KEY, {AUDITED}, \
             previous_hash BLOB NOT NULL, hash BLOB NOT NULL)"
        );
        create(manager, &[&pending, &records]).await?;
        create(manager, AUDIT_TABLES).await?;
        create(manager, &[&head]).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const TABLES: &[&str] = &[
    "CREATE TABLE requests (
        principal TEXT NOT NULL,
        request_id TEXT NOT NULL,
        method TEXT NOT NULL,
        request_hash BLOB NOT NULL,
        response BLOB,
        created_at BIGINT NOT NULL,
        PRIMARY KEY (principal, request_id))",
    "CREATE INDEX requests_created_at ON requests (created_at)",
    "CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL)",
    "CREATE TABLE feed_head (
        feed TEXT PRIMARY KEY,
        epoch TEXT NOT NULL,
        seq BIGINT NOT NULL DEFAULT 0,
        floor BIGINT NOT NULL DEFAULT 0)",
    "CREATE TABLE feed_log (
        feed TEXT NOT NULL,
        seq BIGINT NOT NULL,
        kind TEXT NOT NULL,
        entity TEXT NOT NULL,
        version BIGINT NOT NULL,
        removed BOOLEAN NOT NULL,
        org_path TEXT NOT NULL,
        payload BLOB NOT NULL,
        appended_at BIGINT NOT NULL,
        PRIMARY KEY (feed, seq))",
    "CREATE TABLE feed_latest (
        feed TEXT NOT NULL,
        kind TEXT NOT NULL,
        entity TEXT NOT NULL,
        version BIGINT NOT NULL,
        org_path TEXT NOT NULL,
        payload BLOB NOT NULL,
        PRIMARY KEY (feed, kind, entity))",
    "CREATE TABLE projections (
        consumer TEXT PRIMARY KEY,
        page_token TEXT NOT NULL,
        resume_token TEXT NOT NULL,
        generation BIGINT NOT NULL)",
    "CREATE TABLE leases (
        name TEXT PRIMARY KEY,
        holder TEXT NOT NULL,
        fence BIGINT NOT NULL,
        expires_at BIGINT NOT NULL)",
];

// Rows wait here, tagged with their transaction, until the sequencer gives them their place in the
// log. The table is emptied all the time, so it is vacuumed by count instead of by share.
const OUTBOX: &str = "CREATE TABLE outbox (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        xid XID8 NOT NULL DEFAULT pg_current_xact_id(),
        feed TEXT NOT NULL,
        kind TEXT NOT NULL,
        entity TEXT NOT NULL,
        version BIGINT NOT NULL,
        removed BOOLEAN NOT NULL,
        latest BOOLEAN NOT NULL,
        org_path TEXT NOT NULL,
        payload BYTEA NOT NULL)
    WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0)";

// What a record says before it is chained.
const AUDITED: &str = "
        time BIGINT NOT NULL,
        subject TEXT NOT NULL,
        roles TEXT NOT NULL,
        scope TEXT NOT NULL,
        partner TEXT NOT NULL,
        purpose TEXT NOT NULL,
        method TEXT NOT NULL,
        kind INTEGER NOT NULL,
        resources TEXT NOT NULL,
        resource_count BIGINT NOT NULL,
        place PLACE NOT NULL,
        code INTEGER NOT NULL,
        error_reason TEXT NOT NULL,
        request_id TEXT NOT NULL,
        trace_id TEXT NOT NULL,
        reason TEXT NOT NULL,
        call_count BIGINT NOT NULL,
        beside BOOLEAN NOT NULL";

// The table of what waits is emptied all the time, so it is vacuumed by count instead of by share.
const VACUUM: &str = " WITH (autovacuum_vacuum_scale_factor = 0, \
     autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0)";

const AUDIT_TABLES: &[&str] = &[
    "CREATE INDEX audit_records_time ON audit_records (time)",
    "CREATE INDEX audit_records_subject ON audit_records (subject, sequence)",
    "CREATE INDEX audit_records_place ON audit_records (place, sequence)",
    "CREATE INDEX audit_records_method ON audit_records (method, sequence)",
    "CREATE INDEX audit_records_rare ON audit_records (kind, sequence) WHERE kind > 2",
    "CREATE TABLE audit_names (
        name TEXT NOT NULL,
        sequence BIGINT NOT NULL,
        PRIMARY KEY (name, sequence))",
    "CREATE INDEX audit_names_sequence ON audit_names (sequence)",
    "CREATE TABLE audit_head (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        sequence BIGINT NOT NULL,
        hash BLOB NOT NULL)",
    "CREATE TABLE audit_checkpoints (
        sequence BIGINT NOT NULL,
        kind INTEGER NOT NULL,
        hash BLOB NOT NULL,
        time BIGINT NOT NULL,
        kept_count BIGINT NOT NULL,
        kept_digest BLOB NOT NULL,
        public_key BLOB NOT NULL,
        signature BLOB NOT NULL,
        PRIMARY KEY (sequence, kind))",
];
