//! The feed: what was told of each entity, and what must be told anew.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

use sea_orm::{ConnectionTrait, DbBackend, DbErr};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000020_feed"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        kit::migration::create(manager, TABLES).await?;
        let connection = manager.get_connection();
        let (new, text): (&str, fn(&str) -> String) = match connection.get_database_backend() {
            DbBackend::Postgres => ("gen_random_uuid()", |id| format!("CAST({id} AS TEXT)")),
            _ => ("randomblob(16)", hyphenated),
        };
        for (collection, table, wheres) in ENTITIES {
            let id = text("id");
            let sql = format!(
                "INSERT INTO retellings (id, entity, due_at) SELECT {new}, \
                 'organizations/' || organization || '/{collection}/' || {id}, 0 \
                 FROM {table} WHERE {wheres}"
            );
            connection.execute_unprepared(&sql).await?;
        }
        let id = text("id");
        let sql = format!(
            "INSERT INTO retellings (id, entity, due_at) SELECT {new}, 'weatherSignals/' || {id}, 0 \
             FROM weather_alarms WHERE origin = 1 AND state = 1 AND joined = id"
        );
        connection.execute_unprepared(&sql).await?;
        for (standing, organizations) in STANDINGS {
            let sql = format!(
                "INSERT INTO retellings (id, entity, due_at) SELECT {new}, \
                 'organizations/' || o.organization || '/{standing}', 0 FROM ({organizations}) o"
            );
            connection.execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// A UUID of SQLite as text.
fn hyphenated(id: &str) -> String {
    let parts = [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)];
    let parts = parts.map(|(from, length)| format!("substr(hex({id}), {from}, {length})"));
    format!("lower({})", parts.join(" || '-' || "))
}

const TABLES: &[&str] = &[
    // `state` is the encoded event without its version; empty once the entity has left the feed.
    // `counts` is JSON: what the entity adds to the figures of its organisation.
    "CREATE TABLE told (
        entity TEXT PRIMARY KEY,
        collection TEXT NOT NULL,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        version BIGINT NOT NULL,
        state BLOB NOT NULL,
        counts TEXT NOT NULL,
        wake_at BIGINT NOT NULL)",
    "CREATE INDEX told_organization ON told (organization, collection)",
    // What time alone changes; the last number for never.
    "CREATE INDEX told_wake_at ON told (wake_at) WHERE wake_at < 9223372036854775807",
    // Only added to by whoever changes something, so that nobody waits for anybody.
    "CREATE TABLE retellings (
        id A_UUID PRIMARY KEY,
        entity TEXT NOT NULL,
        due_at BIGINT NOT NULL)",
    "CREATE INDEX retellings_due_at ON retellings (due_at)",
];

/// Collection, table, and which rows stand when the feed begins.
const ENTITIES: &[(&str, &str, &str)] = &[
    ("hazards", "hazards", "state NOT IN (3, 9)"),
    ("visits", "visits", "state IN (5, 8, 9)"),
    ("drills", "drills", "state NOT IN (1, 10, 12)"),
    ("dutyShifts", "duty_shifts", "state = 4"),
    ("incidents", "incidents", "state NOT IN (9, 10)"),
    ("inspectionCampaigns", "inspection_campaigns", "state = 1"),
    (
        "responseLevels",
        "weather_alarms",
        "origin = 2 AND state = 1",
    ),
    ("weatherSuspensions", "weather_suspensions", "state <> 3"),
];

/// What there is of an organisation once, and the organisations of which it is.
const STANDINGS: &[(&str, &str)] = &[
    (
        "drillStanding",
        "SELECT id AS organization FROM organizations",
    ),
    (
        "inspectionStanding",
        "SELECT id AS organization FROM organizations",
    ),
    (
        "dutyStanding",
        "SELECT DISTINCT organization FROM duty_rosters WHERE state = 2",
    ),
    ("weatherState", "SELECT organization FROM weather_states"),
    ("protectionStanding", "SELECT organization FROM protections"),
    (
        "supplyStanding",
        "SELECT DISTINCT organization FROM supply_stocks",
    ),
];
