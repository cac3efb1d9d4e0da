//! Emergencies.

use kit::db::{Tx, statement};
use kit::rows::Lock;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

use super::locked;
use crate::domain::emergency::{Emergency, End};

const COLUMNS: &str = "id, display_name, legal_basis, start_time, declared_by, end_time, ended_by, \
    end_reason";

fn read(row: &QueryResult) -> Result<Emergency, DbErr> {
    let end: Option<i64> = row.try_get_by_index(5)?;
    let ended_by: Option<String> = row.try_get_by_index(6)?;
    let reason: Option<String> = row.try_get_by_index(7)?;
    Ok(Emergency {
        id: row.try_get_by_index(0)?,
        display_name: row.try_get_by_index(1)?,
        legal_basis: row.try_get_by_index(2)?,
        start: row.try_get_by_index(3)?,
        declared_by: row.try_get_by_index(4)?,
        end: end.map(|time| End {
            time,
            ended_by: ended_by.unwrap_or_default(),
            reason: reason.unwrap_or_default(),
        }),
    })
}

/// One emergency.
///
/// # Errors
/// When the database fails.
pub async fn get(
    db: &impl ConnectionTrait,
    id: &str,
    lock: Lock,
) -> Result<Option<Emergency>, DbErr> {
    let sql = format!(
        "SELECT {COLUMNS} FROM emergencies WHERE id = $1{}",
        locked(db, lock)
    );
    let row = db.query_one_raw(statement(db, &sql, [id.into()])).await?;
    row.as_ref().map(read).transpose()
}

/// The one that is open.
///
/// # Errors
/// When the database fails.
pub async fn open(db: &impl ConnectionTrait) -> Result<Option<Emergency>, DbErr> {
    let sql = format!("SELECT {COLUMNS} FROM emergencies WHERE is_open = 1");
    let row = db.query_one_raw(statement(db, &sql, [])).await?;
    row.as_ref().map(read).transpose()
}

/// At most `limit` emergencies before the one called `before`, the latest first; from the latest on
/// when it is empty.
///
/// # Errors
/// When the database fails.
pub async fn list(
    db: &impl ConnectionTrait,
    before: &str,
    limit: u64,
) -> Result<Vec<Emergency>, DbErr> {
    let sql = format!(
        "SELECT {COLUMNS} FROM emergencies WHERE ($1 = '' OR id < $1) ORDER BY id DESC LIMIT $2"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = db
        .query_all_raw(statement(db, &sql, [before.into(), limit.into()]))
        .await?;
    rows.iter().map(read).collect()
}

/// Adds an open emergency unless one is open; tells whether it was added.
///
/// # Errors
/// When the database fails.
pub async fn add(tx: &Tx, emergency: &Emergency) -> Result<bool, DbErr> {
    let insert = statement(
        tx,
        "INSERT INTO emergencies (id, display_name, legal_basis, start_time, declared_by, is_open) \
         VALUES ($1, $2, $3, $4, $5, 1) ON CONFLICT DO NOTHING",
        [
            emergency.id.as_str().into(),
            emergency.display_name.as_str().into(),
            emergency.legal_basis.as_str().into(),
            emergency.start.into(),
            emergency.declared_by.as_str().into(),
        ],
    );
    Ok(tx.execute_raw(insert).await?.rows_affected() == 1)
}

/// Keeps how an emergency ended.
///
/// # Errors
/// When the database fails.
pub async fn end(tx: &Tx, id: &str, end: &End) -> Result<(), DbErr> {
    let values: [Value; 4] = [
        end.time.into(),
        end.ended_by.as_str().into(),
        end.reason.as_str().into(),
        id.into(),
    ];
    let update = statement(
        tx,
        "UPDATE emergencies SET is_open = NULL, end_time = $1, ended_by = $2, end_reason = $3 \
         WHERE id = $4",
        values,
    );
    tx.execute_raw(update).await?;
    Ok(())
}
