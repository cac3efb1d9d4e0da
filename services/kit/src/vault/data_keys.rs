//! Rows of data keys.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr};

use super::{WrappedKey, code, suite_of};
use crate::db::{Database, statement};

/// The table in which data keys stand: each service that seals has it in its migrations.
pub const TABLE: &str = "CREATE TABLE data_keys (
        id INTEGER PRIMARY KEY,
        suite SMALLINT NOT NULL,
        wrapped BLOB NOT NULL,
        create_time BIGINT NOT NULL)";

/// All of them, by number.
pub(super) async fn all(connection: &impl ConnectionTrait) -> Result<Vec<WrappedKey>, DbErr> {
    let select = statement(
        connection,
        "SELECT id, suite, wrapped FROM data_keys ORDER BY id",
        [],
    );
    let rows = connection.query_all_raw(select).await?;
    rows.iter()
        .map(|row| {
            let id: i32 = row.try_get_by_index(0)?;
            Ok(WrappedKey {
                id: id.unsigned_abs(),
                suite: suite_of(row.try_get_by_index(1)?)?,
                wrapped: row.try_get_by_index(2)?,
            })
        })
        .collect()
}

/// Adds keys together, but for those whose number another replica was faster to take.
pub(super) async fn add(
    db: &Database,
    keys: &[WrappedKey],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    for key in keys {
        let insert = statement(
            &tx,
            "INSERT INTO data_keys (id, suite, wrapped, create_time) VALUES ($1, $2, $3, $4) \
             ON CONFLICT DO NOTHING",
            [
                number(key).into(),
                i16::from(code(key.suite)).into(),
                key.wrapped.clone().into(),
                now.timestamp_millis().into(),
            ],
        );
        tx.execute_raw(insert).await?;
    }
    tx.commit().await
}

/// Puts a key that is wrapped anew in the place of what it was.
pub(super) async fn replace(
    connection: &impl ConnectionTrait,
    key: &WrappedKey,
) -> Result<(), DbErr> {
    let update = statement(
        connection,
        "UPDATE data_keys SET wrapped = $2 WHERE id = $1",
        [number(key).into(), key.wrapped.clone().into()],
    );
    connection.execute_raw(update).await?;
    Ok(())
}

fn number(key: &WrappedKey) -> i32 {
    i32::try_from(key.id).unwrap_or(i32::MAX)
}
