//! Cuts off what was kept long enough (rules 6.3, 6.9).
//!
//! Only the beginning of the log is cut. An anchor that is signed in the same transaction says where, and
//! which records of partners and laboratories stand on before it.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr};
use sha2::{Digest, Sha256};

use super::chain::lock_head;
use super::checkpoint::{Checkpoint, CheckpointKind};
use super::log::Shelf;
use super::notary::keep_elsewhere;
use crate::db::{Database, Tx, statement};
use crate::drain::Drain;
use crate::rows::Row;

/// How often is looked for what was kept long enough.
const OFTEN: Duration = Duration::from_secs(3600);
/// How many records one transaction cuts off.
const TOGETHER: i64 = 10_000;
/// How many hashes of what is kept are read at once.
const PAGE: usize = 10_000;
const DAY: i64 = 24 * 3600 * 1000;

/// How long records are kept, in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Terms {
    usual: i64,
    partners: i64,
}

/// Cuts until the drain.
pub(super) async fn run(shelf: Shelf, drain: Drain) {
    while drain.sleep(OFTEN).await {
        match cut(&shelf).await {
            Ok(0) => {}
            Ok(records) => tracing::info!(records, "the audit log was cut"),
            Err(err) => tracing::error!(error = %err, "the audit log cannot be cut, trying later"),
        }
    }
}

/// Cuts off everything that was kept long enough; returns how many records went.
pub(super) async fn cut(shelf: &Shelf) -> Result<u64, DbErr> {
    let (usual, of_partners) = shelf.kept_days().await?;
    let terms = Terms {
        usual: i64::from(usual) * DAY,
        partners: i64::from(of_partners) * DAY,
    };
    let mut gone = 0;
    loop {
        match cut_some(shelf, terms).await? {
            Some(records) => gone += records,
            None => return Ok(gone),
        }
    }
}

/// Cuts off some; none where there is nothing to cut.
async fn cut_some(shelf: &Shelf, terms: Terms) -> Result<Option<u64>, DbErr> {
    let now = shelf.clock.now().timestamp_millis();
    if !overdue(&shelf.db, terms, now).await? {
        return Ok(None);
    }
    let tx = shelf.db.begin().await?;
    let Some(head) = lock_head(&tx).await? else {
        return Ok(None);
    };
    let before = anchor(&tx).await?;
    // The last of the oldest that are all old enough; the head itself stays.
    let young = "SELECT min(sequence) FROM audit_records WHERE sequence > $1 AND time >= $2";
    let values = [before.into(), (now - terms.usual).into()];
    let young: Option<i64> = one(&tx, young, values).await?;
    let end = young.unwrap_or(head.sequence).min(head.sequence) - 1;
    let end = end.min(before + TOGETHER).max(before);
    let mut gone = 0;
    for (sql, values) in [
        (
            "DELETE FROM audit_records WHERE sequence > $1 AND sequence <= $2 AND partner = ''",
            vec![before.into(), end.into()],
        ),
        (
            "DELETE FROM audit_records WHERE sequence <= $1 AND partner <> '' AND time < $2",
            vec![end.into(), (now - terms.partners).into()],
        ),
    ] {
        let deleted = tx.execute_raw(statement(&tx, sql, values)).await?;
        gone += deleted.rows_affected();
    }
    if gone == 0 {
        return Ok(None);
    }
    let names = "DELETE FROM audit_names WHERE sequence <= $1 AND NOT EXISTS \
                 (SELECT 1 FROM audit_records r WHERE r.sequence = audit_names.sequence)";
    tx.execute_raw(statement(&tx, names, [end.into()])).await?;
    sign(&tx, shelf, end, now).await?;
    tx.commit().await?;
    Ok(Some(gone))
}

/// Whether the oldest record of either kind was kept long enough.
async fn overdue(db: &Database, terms: Terms, now: i64) -> Result<bool, DbErr> {
    let sql = "SELECT 1 FROM audit_records WHERE time < $1 AND (partner = '' OR time < $2) \
               ORDER BY time LIMIT 1";
    let values = [(now - terms.usual).into(), (now - terms.partners).into()];
    let row = db.read().query_one_raw(statement(db.read(), sql, values));
    Ok(row.await?.is_some())
}

/// The last record before which the log was cut; 0 when it never was.
async fn anchor(tx: &Tx) -> Result<i64, DbErr> {
    let sql = "SELECT max(sequence) FROM audit_checkpoints WHERE kind = $1";
    let kind = CheckpointKind::Anchor as i32;
    Ok(one(tx, sql, [kind.into()]).await?.unwrap_or_default())
}

async fn one<I>(tx: &Tx, sql: &str, values: I) -> Result<Option<i64>, DbErr>
where
    I: IntoIterator<Item = sea_orm::Value>,
{
    match tx.query_one_raw(statement(tx, sql, values)).await? {
        Some(row) => row.try_get_by_index(0),
        None => Ok(None),
    }
}

/// Signs the anchor at `end` and forgets the checkpoints that it replaces.
async fn sign(tx: &Tx, shelf: &Shelf, end: i64, now: i64) -> Result<(), DbErr> {
    // The hash of the last record that goes stands in the one that follows it; the head never goes.
    let sql = "SELECT previous_hash FROM audit_records WHERE sequence = $1";
    let next = tx.query_one_raw(statement(tx, sql, [(end + 1).into()]));
    let missing = || DbErr::Custom("the audit log lacks a record".to_owned());
    let hash: Vec<u8> = next.await?.ok_or_else(missing)?.try_get_by_index(0)?;
    let (kept_count, kept_digest) = kept(tx, end).await?;
    let anchor = Checkpoint {
        sequence: end,
        kind: CheckpointKind::Anchor as i32,
        hash,
        time: now,
        kept_count,
        kept_digest,
        ..Checkpoint::default()
    };
    let anchor = anchor.sign(shelf.service, &shelf.key);
    let sql = "DELETE FROM audit_checkpoints WHERE sequence <= $1";
    tx.execute_raw(statement(tx, sql, [end.into()])).await?;
    Checkpoint::save(tx, std::slice::from_ref(&anchor)).await?;
    let kept = keep_elsewhere(shelf, &anchor).await;
    kept.map_err(|err| DbErr::Custom(format!("audit.checkpoint_file: {err}")))
}

/// How many records up to `end` are kept, and the digest of their hashes.
async fn kept(tx: &Tx, end: i64) -> Result<(i64, Vec<u8>), DbErr> {
    let sql = format!(
        "SELECT sequence, hash FROM audit_records WHERE sequence > $1 AND sequence <= $2 \
         ORDER BY sequence LIMIT {PAGE}"
    );
    let (mut count, mut after, mut digest) = (0, 0_i64, Sha256::new());
    loop {
        let values = [after.into(), end.into()];
        let rows = tx.query_all_raw(statement(tx, &sql, values)).await?;
        for row in &rows {
            after = row.try_get_by_index(0)?;
            let hash: Vec<u8> = row.try_get_by_index(1)?;
            digest.update(&hash);
            count += 1;
        }
        if rows.len() < PAGE {
            return Ok((count, digest.finalize().to_vec()));
        }
    }
}
