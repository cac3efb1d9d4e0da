//! The two statements of the feed that only PostgreSQL can be told, done step by step with the same effect.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::types::Value as Stored;
use rusqlite::{Connection, params, params_from_iter};
use sea_orm::Value;

use super::Plant;
use super::rows::{Answer, stored};
use super::state::{Number, Refused};

/// Where changes wait.
pub(super) const TABLE: &str = "outbox";

/// The table as the migration makes it on PostgreSQL.
pub(super) const CREATE: &str = "CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    xid BIGINT NOT NULL,
    feed TEXT NOT NULL,
    kind TEXT NOT NULL,
    entity TEXT NOT NULL,
    version BIGINT NOT NULL,
    removed BOOLEAN NOT NULL,
    latest BOOLEAN NOT NULL,
    org_path TEXT NOT NULL,
    payload BLOB NOT NULL,
    cause TEXT NOT NULL DEFAULT '',
    announced_at BIGINT NOT NULL)";

fn failed(err: rusqlite::Error) -> Refused {
    Refused::Unknown(format!("the outbox: {err}"))
}

/// Adds changes, each with the next number, in the name of a transaction.
pub(super) fn announce(
    sqlite: &Connection,
    number: Number,
    next: &mut i64,
    columns: &[Value],
) -> Result<Answer, Refused> {
    let unknown = || Refused::Unknown(format!("changes {columns:?}"));
    let (cause, columns) = columns.split_last().ok_or_else(unknown)?;
    let mut lists = Vec::new();
    for column in columns {
        let Value::Array(_, Some(list)) = column else {
            return Err(unknown());
        };
        lists.push(list);
    }
    let rows = lists.first().map_or(0, |list| list.len());
    for row in 0..rows {
        // Like a sequence of PostgreSQL: a number that is not used after all is not given again.
        *next += 1;
        let mut values = vec![Stored::Integer(*next), Stored::Integer(number)];
        for list in &lists {
            values.push(stored(&list[row])?);
        }
        values.push(stored(cause)?);
        sqlite
            .execute(
                "INSERT INTO outbox (id, xid, feed, kind, entity, version, removed, latest, org_path, \
                 payload, cause, announced_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
                 now_millis())",
                params_from_iter(values),
            )
            .map_err(failed)?;
    }
    Ok(Answer {
        rows: Vec::new(),
        changed: u64::try_from(rows).unwrap_or_default(),
    })
}

/// Gives changes of whole transactions their places in the log, and tells of how many.
pub(super) fn advance(
    sqlite: &Connection,
    plant: Plant,
    feed: &Value,
    (most, head): (i64, i64),
) -> Result<Answer, Refused> {
    let feed = stored(feed)?;
    let mut seq = head;
    let chosen = chosen(sqlite, plant, &feed, most)?;
    for (id, _, kind, entity, removed, latest) in &chosen {
        seq += 1;
        sqlite
            .execute(
                "INSERT INTO feed_log (feed, seq, kind, entity, version, removed, org_path, payload, cause, \
                 announced_at, appended_at) SELECT feed, ?2, kind, entity, version, removed, org_path, \
                 payload, cause, announced_at, now_millis() FROM outbox WHERE id = ?1",
                params![id, seq],
            )
            .map_err(failed)?;
        if *latest && *removed {
            sqlite
                .execute(
                    "DELETE FROM feed_latest WHERE feed = ?1 AND kind = ?2 AND entity = ?3",
                    params![feed, kind, entity],
                )
                .map_err(failed)?;
        } else if *latest {
            sqlite
                .execute(
                    "INSERT INTO feed_latest (feed, kind, entity, version, org_path, payload) \
                     SELECT feed, kind, entity, version, org_path, payload FROM outbox WHERE id = ?1 \
                     ON CONFLICT (feed, kind, entity) DO UPDATE SET version = excluded.version, \
                     org_path = excluded.org_path, payload = excluded.payload",
                    params![id],
                )
                .map_err(failed)?;
        }
        sqlite
            .execute("DELETE FROM outbox WHERE id = ?1", params![id])
            .map_err(failed)?;
    }
    let count = Value::BigInt(Some(i64::try_from(chosen.len()).unwrap_or(i64::MAX)));
    Ok(Answer {
        rows: vec![BTreeMap::from([("000".to_owned(), count)])],
        changed: 0,
    })
}

/// A change that waits: its number, transaction, kind and entity, whether it is removed, and whether the
/// latest is kept.
type Waiting = (i64, i64, String, String, bool, bool);

/// The changes of the transactions that come first by their largest number, whole transactions in this order.
fn chosen(
    sqlite: &Connection,
    plant: Plant,
    feed: &Stored,
    most: i64,
) -> Result<Vec<Waiting>, Refused> {
    let mut select = sqlite
        .prepare(
            "SELECT id, xid, kind, entity, removed, latest FROM outbox WHERE feed = ?1 ORDER BY id",
        )
        .map_err(failed)?;
    let rows = select.query_map([feed], |row| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
            row.get(5)?,
        ))
    });
    let mut waiting: Vec<Waiting> = rows
        .map_err(failed)?
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    let mut last = BTreeMap::new();
    for (id, xid, ..) in &waiting {
        last.insert(*xid, *id);
    }
    let mut first: Vec<i64> = last.values().copied().collect();
    first.sort_unstable();
    first.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    let first: BTreeSet<i64> = first.into_iter().collect();
    waiting.retain(|(_, xid, ..)| last.get(xid).is_some_and(|id| first.contains(id)));
    match plant {
        Plant::NoTransactions => {}
        Plant::NewestFirst => {
            waiting.sort_by_key(|(id, xid, ..)| (std::cmp::Reverse(last[xid]), *id))
        }
        _ => waiting.sort_by_key(|(id, xid, ..)| (last[xid], *id)),
    }
    Ok(waiting)
}
