//! What operators are told of the log: what is not in the chain yet, and for how long nobody has signed what is.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr};

use crate::clock::Clock;
use crate::db::{Database, statement};
use crate::drain::Drain;
use crate::telemetry::figures::{self, Figure, Name};

const UNCHAINED: Name = Name::count(
    "campus.audit.unchained",
    "Records that wait for their place in the chain, ten thousand at most",
);
const WAITING: Name = Name::seconds(
    "campus.audit.unchained.age",
    "How long the record has waited that waits longest for its place in the chain",
);
const UNSIGNED: Name = Name::seconds(
    "campus.audit.unsigned.age",
    "How old the first record of the chain is of which no checkpoint speaks",
);

/// How many wait, when the first of them was made, and when the first that nobody signed was: each from the key
/// of its table, however long the log is.
const SELECT: &str = "SELECT \
    (SELECT COUNT(*) FROM (SELECT 1 FROM audit_pending LIMIT 10000) AS waiting), \
    (SELECT time FROM audit_pending ORDER BY id LIMIT 1), \
    (SELECT time FROM audit_records WHERE sequence > \
    (SELECT COALESCE(MAX(sequence), 0) FROM audit_checkpoints) ORDER BY sequence LIMIT 1)";

/// Looks until the drain.
pub(super) async fn tell(db: Database, service: &'static str, clock: Arc<dyn Clock>, drain: Drain) {
    let labels = [("service", service)];
    let told = [UNCHAINED, WAITING, UNSIGNED].map(|name| name.kept(labels));
    figures::keep(drain, || look(&db, &*clock, &told)).await;
}

async fn look(db: &Database, clock: &dyn Clock, told: &[Figure; 3]) -> Result<(), DbErr> {
    let found = waiting(db, clock.now()).await?;
    for (figure, value) in told.iter().zip(found) {
        figure.set(value);
    }
    Ok(())
}

/// How many records wait for the chain, how long the first of them has at `now`, and how old the first record is
/// that nobody has signed for, in seconds.
pub(super) async fn waiting(db: &Database, now: DateTime<Utc>) -> Result<[f64; 3], DbErr> {
    let read = db.read();
    let Some(row) = read.query_one_raw(statement(read, SELECT, [])).await? else {
        return Ok([0.0; 3]);
    };
    let now = now.timestamp_millis();
    let age = |since: Option<i64>| since.map_or(0.0, |since| (now - since).max(0) as f64 / 1000.0);
    let unchained: i64 = row.try_get_by_index(0)?;
    let (oldest, unsigned) = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
    Ok([unchained as f64, age(oldest), age(unsigned)])
}
