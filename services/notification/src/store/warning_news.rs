//! What the feed tells of warnings.

use cap::NEVER;
use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::feed::announce;
use kit::rows::{Lock, Row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::unannounced::{readable, unless_held};
use super::warning_rows::WarningRow;
use super::{Store, unreadable};
use crate::grpc::announced_warnings::warning_change;

/// How long a warning stays in the snapshot after it expired or was called off, in milliseconds: whoever
/// was away meanwhile must not take it for one that never was.
const STAYS: i64 = 7 * 24 * 3600 * 1000;
/// How many warnings one transaction announces.
const PART: usize = 100;

impl Store {
    /// Announces warnings as they stand now, after they were changed in this transaction. One that became
    /// a part of another, or is long over, leaves the snapshot.
    pub(super) async fn announce_warnings(
        tx: &Tx,
        ids: &[Uuid],
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let ids: Vec<Value> = ids.iter().map(|id| (*id).into()).collect();
        let rows = WarningRow::find(tx, "id", ids, Lock::Yes).await?;
        let place = top(tx).await?;
        let mut changes = Vec::with_capacity(rows.len());
        for row in rows {
            let leaves_at = leaves_at(&row);
            let stays = row.joined == row.id && leaves_at > now.timestamp_millis();
            let warning = if stays {
                readable("warnings", row.id, Self::warning(tx, row.id).await).flatten()
            } else {
                None
            };
            let leaves_at = warning.as_ref().map_or(0, |_| leaves_at);
            let (version, was_in) = mark(tx, row.id, leaves_at).await?;
            if was_in || warning.is_some() {
                let of = (row.id, version, &*place);
                changes.push(warning_change(of, warning, now));
            }
        }
        announce(tx, changes).await
    }

    /// Announces some of the warnings of which the feed must still tell something; says whether there were any.
    pub(super) async fn announce_left_warnings(&self, now: DateTime<Utc>) -> Result<bool, DbErr> {
        let sql = format!(
            "SELECT id FROM warnings WHERE announced <> came_at AND joined = id \
             UNION SELECT id FROM warnings WHERE leaves_at > 0 AND (joined <> id OR leaves_at <= $1) \
             LIMIT {PART}"
        );
        let db = self.db.read();
        let values = [now.timestamp_millis().into()];
        let left = ids(db, &sql, values).await?;
        if left.is_empty() {
            return Ok(false);
        }
        let tx = self.db.begin().await?;
        let marks = kit::bulk::placeholders(1, left.len());
        let held = unless_held(&tx);
        let sql = format!("SELECT id FROM warnings WHERE id IN ({marks}) ORDER BY id{held}");
        let left = ids(&tx, &sql, left.into_iter().map(Value::from)).await?;
        Self::announce_warnings(&tx, &left, now).await?;
        tx.commit().await?;
        Ok(!left.is_empty())
    }
}

/// When a warning leaves the snapshot, in milliseconds.
fn leaves_at(row: &WarningRow) -> i64 {
    let over = match (row.cancelled, row.expires_at) {
        (true, _) => row.came_at,
        (false, NEVER) => return NEVER,
        (false, end) => end.max(row.came_at),
    };
    over.saturating_add(STAYS)
}

/// Notes that a warning is announced; its version, and whether it was in the snapshot before.
async fn mark(tx: &Tx, id: Uuid, leaves_at: i64) -> Result<(i64, bool), DbErr> {
    let sql = "SELECT leaves_at FROM warnings WHERE id = $1";
    let before = tx.query_one_raw(statement(tx, sql, [id.into()])).await?;
    let before: i64 = before
        .ok_or_else(|| unreadable("warning"))?
        .try_get_by_index(0)?;
    let sql = "UPDATE warnings SET version = version + 1, announced = came_at, leaves_at = $2 \
               WHERE id = $1 RETURNING version";
    let values = [id.into(), leaves_at.into()];
    let row = tx.query_one_raw(statement(tx, sql, values)).await?;
    let version = row
        .ok_or_else(|| unreadable("warning"))?
        .try_get_by_index(0)?;
    Ok((version, before > 0))
}

/// The top of the tree; the root as long as nothing is known of it.
async fn top(tx: &Tx) -> Result<String, DbErr> {
    let sql = "SELECT org_path FROM organizations ORDER BY org_path LIMIT 1";
    let row = tx.query_one_raw(statement(tx, sql, [])).await?;
    let first: String = row
        .map(|row| row.try_get_by_index(0))
        .transpose()?
        .unwrap_or_default();
    Ok(first.split('/').next().unwrap_or_default().to_owned())
}

async fn ids(
    db: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<Uuid>, DbErr> {
    let rows = db.query_all_raw(statement(db, sql, values)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}
