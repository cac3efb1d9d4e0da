//! What must have happened by when: one row for each thing that somebody waits for.

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr};

use kit::rows::{Row, row};

row! {
    /// Something is due.
    DeadlineRow in "deadlines" by ["kind", "entity"] {
        /// What is to happen then.
        kind: i16,
        /// Of what.
        entity: String,
        /// Milliseconds since 1970.
        due: i64,
    }
}

/// What is due at `now`, the longest overdue first; at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn due<C: ConnectionTrait + Sync>(
    connection: &C,
    now: i64,
    limit: u64,
) -> Result<Vec<DeadlineRow>, DbErr> {
    let sql = format!(
        "SELECT kind, entity, due FROM deadlines WHERE due <= $1 ORDER BY due, kind, entity LIMIT {limit}"
    );
    let rows = connection
        .query_all_raw(statement(connection, &sql, [now.into()]))
        .await?;
    rows.iter().map(DeadlineRow::read).collect()
}

/// Takes one away; whether it was there, and still due at that time.
///
/// # Errors
/// When the database fails.
pub async fn take(tx: &Tx, row: &DeadlineRow) -> Result<bool, DbErr> {
    let sql = "DELETE FROM deadlines WHERE kind = $1 AND entity = $2 AND due = $3";
    let values = [row.kind.into(), row.entity.clone().into(), row.due.into()];
    Ok(tx
        .execute_raw(statement(tx, sql, values))
        .await?
        .rows_affected()
        == 1)
}

/// Nobody waits for it any more; whether somebody did.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &Tx, kind: i16, entity: &str) -> Result<bool, DbErr> {
    let sql = "DELETE FROM deadlines WHERE kind = $1 AND entity = $2";
    let done = tx.execute_raw(statement(tx, sql, [kind.into(), entity.into()]));
    Ok(done.await?.rows_affected() > 0)
}
