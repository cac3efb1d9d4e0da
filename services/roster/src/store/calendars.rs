//! Calendar years.

use kit::db::{Backend, Tx, statement};
use prost::Message;
use proto::roster::CalendarYear;
use sea_orm::{ConnectionTrait, DbErr, QueryResult};

use super::unreadable;

const COLUMNS: &str = "year, body, version, update_time";

/// The calendar of one year.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The civil year.
    pub year: i32,
    /// Days and terms, as the contract carries them.
    pub body: CalendarYear,
    /// Grows with each change.
    pub version: i64,
    /// The instant of the last change, in milliseconds since 1970.
    pub update_time: i64,
}

fn read(row: &QueryResult) -> Result<Stored, DbErr> {
    let body: Vec<u8> = row.try_get_by_index(1)?;
    Ok(Stored {
        year: row.try_get_by_index(0)?,
        body: CalendarYear::decode(&*body).map_err(|_| unreadable("a calendar"))?,
        version: row.try_get_by_index(2)?,
        update_time: row.try_get_by_index(3)?,
    })
}

/// The calendar of one year.
///
/// # Errors
/// When the database fails.
pub async fn get(db: &impl ConnectionTrait, year: i32) -> Result<Option<Stored>, DbErr> {
    find(db, year, "").await
}

/// The calendar of one year, locked until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &Tx, year: i32) -> Result<Option<Stored>, DbErr> {
    let lock = match tx.backend() {
        Backend::Postgres => "FOR UPDATE",
        Backend::Sqlite => "",
    };
    find(tx, year, lock).await
}

async fn find(db: &impl ConnectionTrait, year: i32, lock: &str) -> Result<Option<Stored>, DbErr> {
    let sql = format!("SELECT {COLUMNS} FROM calendar_years WHERE year = $1 {lock}");
    let row = db.query_one_raw(statement(db, &sql, [year.into()])).await?;
    row.as_ref().map(read).transpose()
}

/// The calendars from the year after `after` on, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &impl ConnectionTrait, after: i32, limit: u64) -> Result<Vec<Stored>, DbErr> {
    let sql =
        format!("SELECT {COLUMNS} FROM calendar_years WHERE year > $1 ORDER BY year LIMIT $2");
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [after.into(), limit.into()];
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    rows.iter().map(read).collect()
}

/// Adds a calendar unless there is one of its year; tells whether it was added.
///
/// # Errors
/// When the database fails.
pub async fn add(tx: &Tx, stored: &Stored) -> Result<bool, DbErr> {
    let sql = format!(
        "INSERT INTO calendar_years ({COLUMNS}) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
    );
    let added = tx.execute_raw(statement(tx, &sql, values(stored))).await?;
    Ok(added.rows_affected() == 1)
}

/// Stores a calendar in place of the one before, and returns its version: 1 for the first.
///
/// # Errors
/// When the database fails.
pub async fn set(tx: &Tx, stored: &Stored) -> Result<i64, DbErr> {
    let sql = format!(
        "INSERT INTO calendar_years ({COLUMNS}) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (year) DO UPDATE SET body = excluded.body, \
         version = calendar_years.version + 1, update_time = excluded.update_time \
         RETURNING version"
    );
    let row = tx
        .query_one_raw(statement(tx, &sql, values(stored)))
        .await?;
    row.ok_or_else(|| unreadable("the version of a calendar"))?
        .try_get_by_index(0)
}

fn values(stored: &Stored) -> [sea_orm::Value; 4] {
    [
        stored.year.into(),
        stored.body.encode_to_vec().into(),
        stored.version.into(),
        stored.update_time.into(),
    ]
}
