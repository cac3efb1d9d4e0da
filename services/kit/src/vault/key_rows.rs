//! Rows of keys of emergencies.

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{Suite, code, suite_of};
use crate::db::{Database, Tx, statement};

/// A row of a key, and the time of its emergency.
pub(super) struct Row {
    pub(super) emergency: Uuid,
    pub(super) suite: Suite,
    pub(super) wrapped: Vec<u8>,
    pub(super) span: (i64, Option<i64>),
}

/// Open emergencies without a key.
pub(super) async fn unkeyed(db: &Database) -> Result<Vec<Uuid>, DbErr> {
    let select = statement(
        db.read(),
        "SELECT emergency FROM heard_emergencies WHERE end_at IS NULL AND emergency NOT IN \
         (SELECT emergency FROM emergency_keys)",
        [],
    );
    let rows = db.read().query_all_raw(select).await?;
    rows.iter()
        .map(|row| parse(&row.try_get_by_index::<String>(0)?))
        .collect()
}

pub(super) async fn rows(db: &Database) -> Result<Vec<Row>, DbErr> {
    let select = statement(
        db.read(),
        "SELECT k.emergency, k.suite, k.wrapped, h.start_at, h.end_at FROM emergency_keys k \
         JOIN heard_emergencies h ON h.emergency = k.emergency",
        [],
    );
    let rows = db.read().query_all_raw(select).await?;
    rows.iter()
        .map(|row| {
            Ok(Row {
                emergency: parse(&row.try_get_by_index::<String>(0)?)?,
                suite: suite_of(row.try_get_by_index(1)?)?,
                wrapped: row.try_get_by_index(2)?,
                span: (row.try_get_by_index(3)?, row.try_get_by_index(4)?),
            })
        })
        .collect()
}

fn parse(id: &str) -> Result<Uuid, DbErr> {
    Uuid::parse_str(id).map_err(|_| DbErr::Type("an emergency with an unreadable id".to_owned()))
}

/// Adds the key of an emergency that is open and has none.
pub(super) async fn add(
    db: &Database,
    emergency: Uuid,
    suite: Suite,
    wrapped: Vec<u8>,
    fingerprint: String,
) -> Result<(), DbErr> {
    let id = emergency.hyphenated().to_string();
    let tx = db.begin().await?;
    let select = statement(
        &tx,
        "SELECT 1 FROM heard_emergencies WHERE emergency = $1 AND end_at IS NULL",
        [id.clone().into()],
    );
    if tx.query_one_raw(select).await?.is_none() {
        // It ended meanwhile: nothing will be sealed under a key of it.
        return Ok(());
    }
    let insert = statement(
        &tx,
        "INSERT INTO emergency_keys (emergency, suite, wrapped, fingerprint) \
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        [
            id.into(),
            i16::from(code(suite)).into(),
            wrapped.into(),
            fingerprint.into(),
        ],
    );
    tx.execute_raw(insert).await?;
    tx.commit().await
}

/// Deletes the key of an emergency and gives the fingerprint of its secret; none when there is none.
pub(super) async fn delete(tx: &Tx, emergency: Uuid) -> Result<Option<String>, DbErr> {
    let delete = statement(
        tx,
        "DELETE FROM emergency_keys WHERE emergency = $1 RETURNING fingerprint",
        [emergency.hyphenated().to_string().into()],
    );
    let row = tx.query_one_raw(delete).await?;
    row.map(|row| row.try_get_by_index(0)).transpose()
}
