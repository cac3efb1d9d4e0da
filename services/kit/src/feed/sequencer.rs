//! Moves announced changes from the outbox into the log (PostgreSQL), and forgets what is old.
//!
//! `seq` is given out under the lock of the feed's head row and becomes visible with it, so what a
//! reader sees is a prefix without gaps. Of two transactions on one entity the second gets its
//! outbox id after the first committed, so ordering whole transactions by their largest id keeps
//! every entity's order.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr};

use super::figures::tell_outbox;
use crate::db::{Backend, Database, Tx, statement};
use crate::drain::Drain;

/// How many transactions are moved at once.
const TRANSACTIONS: i64 = 500;
/// How long to wait for a wake-up before looking anyway: another replica may have announced.
const POLL: Duration = Duration::from_millis(100);
/// How long a change stays in the log, and a request id is remembered.
const RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);
const HOUSEKEEPING: Duration = Duration::from_secs(600);
const REMOVED_AT_ONCE: i64 = 10_000;

/// Runs the sequencer and the housekeeping of one database until the drain.
pub fn spawn_sequencer(db: Database, drain: Drain) {
    if db.backend() == Backend::Postgres {
        tokio::spawn(sequence(db.clone(), drain.clone()));
        tokio::spawn(tell_outbox(db.clone(), drain.clone()));
    }
    tokio::spawn(keep_house(db, drain));
}

async fn sequence(db: Database, drain: Drain) {
    while !drain.is_draining() {
        let woken = db.announced().notified();
        match sequence_all(&db).await {
            Ok(0) => {
                tokio::select! {
                    () = woken => {}
                    () = tokio::time::sleep(POLL) => {}
                    () = drain.draining() => {}
                }
            }
            Ok(_) => {}
            Err(err) => {
                tracing::warn!(error = %err, "cannot sequence the outbox, trying again");
                drain.sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Moves everything that is committed now; returns how many changes were moved.
///
/// # Errors
/// When the database fails; what was moved before stays.
pub async fn sequence_all(db: &Database) -> Result<u64, DbErr> {
    let feeds = statement(db.read(), "SELECT DISTINCT feed FROM outbox", []);
    let mut moved = 0;
    for row in db.read().query_all_raw(feeds).await? {
        let feed: String = row.try_get_by_index(0)?;
        moved += sequence_feed(db, &feed).await?;
    }
    if moved > 0 {
        db.appended().notify_waiters();
    }
    Ok(moved)
}

async fn sequence_feed(db: &Database, feed: &str) -> Result<u64, DbErr> {
    let tx = db.begin().await?;
    ensure_head(&tx, feed).await?;
    // The lock is a statement of its own: the next one then sees all that was committed before it.
    let lock = statement(
        &tx,
        "SELECT seq FROM feed_head WHERE feed = $1 FOR UPDATE SKIP LOCKED",
        [feed.into()],
    );
    let Some(row) = tx.query_one_raw(lock).await? else {
        return Ok(0);
    };
    let head: i64 = row.try_get_by_index(0)?;
    let values = [feed.into(), TRANSACTIONS.into(), head.into()];
    let moved: i64 = match tx.query_one_raw(statement(&tx, MOVE, values)).await? {
        Some(row) => row.try_get_by_index(0)?,
        None => 0,
    };
    let advance = statement(
        &tx,
        "UPDATE feed_head SET seq = $2 WHERE feed = $1",
        [feed.into(), (head + moved).into()],
    );
    tx.execute_raw(advance).await?;
    tx.commit().await?;
    Ok(moved.unsigned_abs())
}

const MOVE: &str = "
    WITH t AS (
        SELECT xid, max(id) AS last_id FROM outbox WHERE feed = $1
        GROUP BY xid ORDER BY last_id LIMIT $2),
    d AS (
        DELETE FROM outbox o USING t WHERE o.xid = t.xid AND o.feed = $1
        RETURNING o.*, t.last_id),
    n AS (
        SELECT d.*, $3 + row_number() OVER (ORDER BY d.last_id, d.id) AS seq FROM d),
    logged AS (
        INSERT INTO feed_log
            (feed, seq, kind, entity, version, removed, org_path, payload, cause, announced_at,
            appended_at)
        SELECT feed, seq, kind, entity, version, removed, org_path, payload, cause, announced_at,
            (extract(epoch FROM clock_timestamp()) * 1000)::bigint FROM n
        RETURNING 1),
    l AS (
        SELECT DISTINCT ON (kind, entity) * FROM n WHERE latest ORDER BY kind, entity, seq DESC),
    kept AS (
        INSERT INTO feed_latest (feed, kind, entity, version, org_path, payload)
        SELECT feed, kind, entity, version, org_path, payload FROM l WHERE NOT removed
        ON CONFLICT (feed, kind, entity) DO UPDATE SET version = excluded.version,
            org_path = excluded.org_path, payload = excluded.payload),
    gone AS (
        DELETE FROM feed_latest f USING l
        WHERE l.removed AND f.feed = l.feed AND f.kind = l.kind AND f.entity = l.entity)
    SELECT count(*) FROM logged";

pub(super) async fn ensure_head(tx: &Tx, feed: &str) -> Result<(), DbErr> {
    let insert = statement(
        tx,
        "INSERT INTO feed_head (feed, epoch) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        [feed.into(), uuid::Uuid::new_v4().to_string().into()],
    );
    tx.execute_raw(insert).await?;
    Ok(())
}

async fn keep_house(db: Database, drain: Drain) {
    while drain.sleep(HOUSEKEEPING).await {
        if let Err(err) = forget_old(&db).await {
            tracing::warn!(error = %err, "housekeeping failed, trying again later");
        }
    }
}

/// Forgets changes and request ids that are older than the retention. The floor of a feed rises
/// in the transaction that removes its changes, so no reader can miss one silently.
async fn forget_old(db: &Database) -> Result<(), DbErr> {
    let age = i64::try_from(RETENTION.as_millis()).unwrap_or(i64::MAX);
    let now = match db.backend() {
        Backend::Postgres => "(extract(epoch FROM now()) * 1000)::bigint",
        Backend::Sqlite => "unixepoch() * 1000",
    };
    let forget = format!("DELETE FROM requests WHERE created_at < {now} - $1");
    let tx = db.begin().await?;
    tx.execute_raw(statement(&tx, &forget, [age.into()]))
        .await?;
    tx.commit().await?;
    let old = format!(
        "SELECT feed, max(seq) FROM (SELECT feed, seq FROM feed_log \
         WHERE appended_at < {now} - $1 ORDER BY seq LIMIT $2) AS old GROUP BY feed"
    );
    loop {
        let tx = db.begin().await?;
        let values = [age.into(), REMOVED_AT_ONCE.into()];
        let rows = tx.query_all_raw(statement(&tx, &old, values)).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            let (feed, seq): (String, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            for sql in [
                "UPDATE feed_head SET floor = $2 WHERE feed = $1 AND floor < $2",
                "DELETE FROM feed_log WHERE feed = $1 AND seq <= $2",
            ] {
                let values = [feed.clone().into(), seq.into()];
                tx.execute_raw(statement(&tx, sql, values)).await?;
            }
        }
        tx.commit().await?;
    }
}
