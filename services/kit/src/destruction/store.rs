//! Emergencies that were heard of, and how far their destruction is.

use std::collections::BTreeSet;

use chrono::DateTime;
use proto::roster as pb;
use proto::roster::roster_event::State;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Order;
use crate::db::{Database, Tx, statement};

/// The tables: each service that destroys has them in its migrations.
pub const TABLES: [&str; 3] = [
    "CREATE TABLE heard_emergencies (
        emergency PLACE PRIMARY KEY,
        start_at BIGINT NOT NULL,
        end_at BIGINT)",
    "CREATE TABLE emergency_keys (
        emergency PLACE PRIMARY KEY,
        suite SMALLINT NOT NULL,
        wrapped BLOB NOT NULL,
        fingerprint TEXT NOT NULL)",
    // `progress` is JSON; `phase` counts from 1.
    "CREATE TABLE destructions (
        job PLACE PRIMARY KEY,
        emergency PLACE NOT NULL,
        start_at BIGINT NOT NULL,
        end_at BIGINT NOT NULL,
        kept TEXT NOT NULL,
        phase SMALLINT NOT NULL,
        progress TEXT NOT NULL)",
];

/// How far a destruction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Records are destroyed.
    Records = 1,
    /// The row of the key is deleted; replicas forget it, its secret is shredded, records are counted.
    Key = 2,
    /// Everything is done, the roster does not know yet.
    Done = 3,
    /// The roster knows.
    Told = 4,
}

/// The counts of one category.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Count {
    pub(super) destroyed: i64,
    pub(super) resealed: i64,
    pub(super) exposed: i64,
    pub(super) remaining: i64,
}

/// What a destruction remembers between transactions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// The place of the present category among those of the service.
    pub(super) category: usize,
    /// The place within it.
    pub(super) cursor: String,
    /// The counts, in the order of the categories.
    pub(super) counts: Vec<Count>,
    /// Sealed values to be tried: owner and value, both in hexadecimal.
    pub(super) samples: Vec<(String, String)>,
    /// How many samples opened.
    pub(super) opened: i64,
    /// The fingerprint of the key's secret; empty when there was none.
    pub(super) fingerprint: String,
    /// When the key was deleted, in milliseconds since 1970.
    pub(super) key_destroyed: Option<i64>,
    /// When everything was done, in milliseconds since 1970.
    pub(super) finished: i64,
}

/// A destruction that is not over.
#[derive(Clone, Debug)]
pub(super) struct Underway {
    pub(super) order: Order,
    pub(super) phase: Phase,
    pub(super) progress: Progress,
}

/// Hears of emergencies and of what has to be destroyed, in the transaction that moves the place in
/// the roster's feed.
///
/// # Errors
/// When the database fails.
pub async fn hear(tx: &Tx, service: &str, events: &[pb::RosterEvent]) -> Result<(), DbErr> {
    for event in events {
        match &event.state {
            Some(State::Emergency(emergency)) => heard(tx, emergency).await?,
            Some(State::DestructionOrder(order)) => ordered(tx, service, order).await?,
            _ => {}
        }
    }
    Ok(())
}

fn id_of(emergency: &pb::Emergency) -> Option<Uuid> {
    emergency.name.strip_prefix("emergencies/")?.parse().ok()
}

fn millis(at: Option<prost_types::Timestamp>) -> Option<i64> {
    at.and_then(crate::field::from_timestamp)
        .map(|at| at.timestamp_millis())
}

async fn heard(tx: &Tx, emergency: &pb::Emergency) -> Result<(), DbErr> {
    let (Some(id), Some(start)) = (id_of(emergency), millis(emergency.start_time)) else {
        return Ok(());
    };
    // What was heard of an end stays, in whatever order a snapshot and changes come.
    let upsert = statement(
        tx,
        "INSERT INTO heard_emergencies (emergency, start_at, end_at) VALUES ($1, $2, $3) \
         ON CONFLICT (emergency) DO UPDATE SET \
         end_at = COALESCE(excluded.end_at, heard_emergencies.end_at)",
        [
            id.hyphenated().to_string().into(),
            start.into(),
            millis(emergency.end_time).into(),
        ],
    );
    tx.execute_raw(upsert).await?;
    Ok(())
}

async fn ordered(tx: &Tx, service: &str, order: &pb::DestructionOrder) -> Result<(), DbErr> {
    let Some(emergency) = &order.emergency else {
        return Ok(());
    };
    heard(tx, emergency).await?;
    let (start, end) = (millis(emergency.start_time), millis(emergency.end_time));
    let (Some(id), Some(start), Some(end)) = (id_of(emergency), start, end) else {
        return Ok(());
    };
    let ours = order.keeps.iter().filter(|keep| keep.service == service);
    let kept: Vec<&str> = ours.map(|keep| keep.category.as_str()).collect();
    let insert = statement(
        tx,
        "INSERT INTO destructions (job, emergency, start_at, end_at, kept, phase, progress) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        [
            order.destruction_job.as_str().into(),
            id.hyphenated().to_string().into(),
            start.into(),
            end.into(),
            kept.join(" ").into(),
            (Phase::Records as i16).into(),
            json(&Progress::default())?.into(),
        ],
    );
    tx.execute_raw(insert).await?;
    Ok(())
}

/// An emergency that was heard of, and what of it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When it began, in milliseconds since 1970.
    pub start: i64,
    /// When it ended; none while it is open.
    pub end: Option<i64>,
    /// The categories of this service that its destruction keeps; none before it is ordered.
    pub kept: BTreeSet<String>,
}

/// Every emergency that was heard of; one whose destruction is ordered more than once, once for each order.
///
/// # Errors
/// When the database fails.
pub async fn emergencies(connection: &impl ConnectionTrait) -> Result<Vec<Heard>, DbErr> {
    let select = statement(
        connection,
        "SELECT e.start_at, e.end_at, COALESCE(d.kept, '') FROM heard_emergencies e \
         LEFT JOIN destructions d ON d.emergency = e.emergency ORDER BY e.start_at",
        [],
    );
    let rows = connection.query_all_raw(select).await?;
    let heard = rows.iter().map(|row| {
        let kept: String = row.try_get_by_index(2)?;
        Ok(Heard {
            start: row.try_get_by_index(0)?,
            end: row.try_get_by_index(1)?,
            kept: kept.split_whitespace().map(str::to_owned).collect(),
        })
    });
    heard.collect()
}

fn json(progress: &Progress) -> Result<String, DbErr> {
    serde_json::to_string(progress).map_err(|err| DbErr::Json(err.to_string()))
}

/// The first destruction that is not over.
pub(super) async fn next(db: &Database) -> Result<Option<Underway>, DbErr> {
    let select = statement(
        db.read(),
        "SELECT job, emergency, start_at, end_at, kept, phase, progress FROM destructions \
         WHERE phase < $1 ORDER BY job LIMIT 1",
        [(Phase::Told as i16).into()],
    );
    let row = db.read().query_one_raw(select).await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &QueryResult) -> Result<Underway, DbErr> {
    let torn = || DbErr::Type("a destruction that cannot be read".to_owned());
    let instant = |at: i64| DateTime::from_timestamp_millis(at).ok_or_else(torn);
    let kept: String = row.try_get_by_index(4)?;
    let progress: String = row.try_get_by_index(6)?;
    let phase = match row.try_get_by_index::<i16>(5)? {
        1 => Phase::Records,
        2 => Phase::Key,
        3 => Phase::Done,
        4 => Phase::Told,
        _ => return Err(torn()),
    };
    Ok(Underway {
        order: Order {
            job: row.try_get_by_index(0)?,
            emergency: row
                .try_get_by_index::<String>(1)?
                .parse()
                .map_err(|_| torn())?,
            start: instant(row.try_get_by_index(2)?)?,
            end: instant(row.try_get_by_index(3)?)?,
            kept: kept.split_whitespace().map(str::to_owned).collect(),
        },
        phase,
        progress: serde_json::from_str(&progress).map_err(|_| torn())?,
    })
}

/// Remembers how far a destruction is.
pub(super) async fn save(
    tx: &Tx,
    job: &str,
    phase: Phase,
    progress: &Progress,
) -> Result<(), DbErr> {
    let values: [Value; 3] = [(phase as i16).into(), json(progress)?.into(), job.into()];
    let update = statement(
        tx,
        "UPDATE destructions SET phase = $1, progress = $2 WHERE job = $3",
        values,
    );
    tx.execute_raw(update).await?;
    Ok(())
}
