//! Alerts with rules, histories, escalation step by step, silences, and the queue of what is to be
//! told.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000006_alerts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        kit::migration::create(manager, TABLES).await?;
        let connection = manager.get_connection();
        let millis = match connection.get_database_backend() {
            DbBackend::Postgres => {
                |time: &str| format!("CAST(ROUND(EXTRACT(EPOCH FROM {time}) * 1000) AS BIGINT)")
            }
            _ => |time: &str| format!("CAST(ROUND(unixepoch({time}, 'subsec') * 1000) AS INTEGER)"),
        };
        let copy = COPY
            .replace("OCCUR_AT", &millis("occur_time"))
            .replace("RAISE_AT", &millis("raise_time"));
        connection.execute_unprepared(&copy).await?;
        kit::migration::create(manager, AFTERWARDS).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// A replica of the version before cannot read alerts from here on; the new one answers.
const TABLES: &[&str] = &[
    "ALTER TABLE alerts RENAME TO alerts_before",
    // Instants are milliseconds since 1970, steps JSON; what there is not is empty or 0.
    "CREATE TABLE alerts (
        id A_UUID PRIMARY KEY,
        kind SMALLINT NOT NULL,
        grave BOOLEAN NOT NULL,
        severity SMALLINT NOT NULL,
        above BOOLEAN NOT NULL,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        state SMALLINT NOT NULL,
        level INTEGER NOT NULL,
        told_level INTEGER NOT NULL,
        basis TEXT NOT NULL,
        episode INTEGER NOT NULL,
        stands BOOLEAN NOT NULL,
        subjects TEXT NOT NULL,
        people INTEGER NOT NULL,
        amount INTEGER NOT NULL,
        total INTEGER NOT NULL,
        word SMALLINT NOT NULL,
        owner TEXT NOT NULL,
        occur_at BIGINT NOT NULL,
        raise_at BIGINT NOT NULL,
        due_at BIGINT NOT NULL,
        next_at BIGINT NOT NULL,
        acknowledged TEXT NOT NULL,
        taken TEXT NOT NULL,
        resolved TEXT NOT NULL,
        inhibited_by TEXT NOT NULL,
        silenced_by TEXT NOT NULL,
        rule_version BIGINT NOT NULL,
        entries INTEGER NOT NULL,
        sequence BIGINT NOT NULL,
        revision BIGINT NOT NULL)",
    // What happened to each alert; never changed.
    "CREATE TABLE alert_entries (
        alert A_UUID NOT NULL,
        number INTEGER NOT NULL,
        event SMALLINT NOT NULL,
        at BIGINT NOT NULL,
        subject TEXT NOT NULL,
        comment TEXT NOT NULL,
        owner TEXT NOT NULL,
        PRIMARY KEY (alert, number))",
    // Every change of a rule; the shipped rules are version 0 and not here.
    "CREATE TABLE alert_rules (
        kind SMALLINT NOT NULL,
        version BIGINT NOT NULL,
        body TEXT NOT NULL,
        author TEXT NOT NULL,
        create_at BIGINT NOT NULL,
        PRIMARY KEY (kind, version))",
    // `settled` once the alerts that it kept from being told were looked at again.
    "CREATE TABLE silences (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        kinds TEXT NOT NULL,
        reason TEXT NOT NULL,
        author TEXT NOT NULL,
        create_at BIGINT NOT NULL,
        expire_at BIGINT NOT NULL,
        ender TEXT NOT NULL,
        until_at BIGINT NOT NULL,
        settled BOOLEAN NOT NULL)",
    "CREATE INDEX silences_place ON silences (org_path, create_at)",
    "CREATE INDEX silences_until ON silences (until_at) WHERE settled = FALSE",
    // Who is to be told of which alert, from `tell_at` on; rows of one group at one time are one
    // message.
    "CREATE TABLE told (
        id A_UUID PRIMARY KEY,
        alert A_UUID NOT NULL,
        basis TEXT NOT NULL,
        kind SMALLINT NOT NULL,
        party TEXT NOT NULL,
        severity SMALLINT NOT NULL,
        title TEXT NOT NULL,
        title_en TEXT NOT NULL,
        template TEXT NOT NULL,
        people INTEGER NOT NULL,
        amount INTEGER NOT NULL,
        total INTEGER NOT NULL,
        word SMALLINT NOT NULL,
        together TEXT NOT NULL,
        tell_at BIGINT NOT NULL,
        done BOOLEAN NOT NULL)",
    "CREATE INDEX told_due ON told (tell_at, together) WHERE done = FALSE",
    "CREATE INDEX told_together ON told (together, tell_at) WHERE done = FALSE",
    "CREATE INDEX told_waiting ON told (alert) WHERE done = FALSE",
    "CREATE INDEX told_done ON told (tell_at) WHERE done = TRUE",
];

/// An alert that was escalated had gone one step up; whoever was to know of it has been told. What was
/// critical, and what the organisation above had to see to, stood in the code.
const COPY: &str = "INSERT INTO alerts
    SELECT id, kind, grave,
        CASE WHEN kind = 1 OR (grave AND kind IN (2, 8, 9)) THEN 3 WHEN kind = 5 THEN 1 ELSE 2 END,
        kind IN (3, 8), organization, org_path, state,
        CASE WHEN escalated THEN 1 ELSE 0 END, CASE WHEN escalated THEN 1 ELSE 0 END,
        basis, episode, stands, subjects, people, amount, total, word, owner,
        OCCUR_AT, RAISE_AT, due_at,
        CASE WHEN state = 1 AND org_path LIKE '%/%' THEN due_at ELSE 0 END,
        COALESCE(acknowledged, ''), COALESCE(taken, ''), COALESCE(resolved, ''),
        '', '', 0, 1, sequence, revision
    FROM alerts_before";

const AFTERWARDS: &[&str] = &[
    "DROP TABLE alerts_before",
    "INSERT INTO alert_entries (alert, number, event, at, subject, comment, owner)
        SELECT id, 1, 1, raise_at, 'fact', '', owner FROM alerts",
    "CREATE UNIQUE INDEX alerts_basis ON alerts (basis, kind, episode)",
    "CREATE INDEX alerts_organization ON alerts (organization)",
    "CREATE INDEX alerts_org_path ON alerts (org_path)",
    "CREATE INDEX alerts_standing ON alerts (org_path) WHERE state <> 4",
    "CREATE INDEX alerts_above ON alerts (org_path) WHERE state <> 4 AND level > 0",
    "CREATE UNIQUE INDEX alerts_sequence ON alerts (sequence)",
    "CREATE INDEX alerts_by_revision ON alerts (revision)",
    "CREATE INDEX alerts_next ON alerts (next_at) WHERE next_at > 0",
    "CREATE INDEX alerts_inhibited ON alerts (inhibited_by) WHERE inhibited_by <> ''",
    "CREATE INDEX alerts_silenced ON alerts (silenced_by) WHERE silenced_by <> ''",
];
