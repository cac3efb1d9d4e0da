//! The data keys that seal identity and phone numbers, wrapped by the master key.

use chrono::{DateTime, Utc};
use kit::db::{Database, statement};
use sea_orm::{ConnectionTrait, DbErr};

use super::unreadable;
use crate::config::Suite;
use crate::vault::{Vault, WrappedKey};

/// Takes every stored data key up, and makes one when there is none for `suite` to write with.
/// Replicas that start together agree on one.
///
/// # Errors
/// When the database fails, or another master key wrapped a key.
pub async fn unlock(
    db: &Database,
    vault: &mut Vault,
    suite: Suite,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let stored = all(db).await?;
    if stored.last().is_none_or(|key| key.suite != suite) {
        let id = stored.last().map_or(1, |key| key.id + 1);
        let key = vault.make_key(id, suite);
        let insert = statement(
            db.read(),
            "INSERT INTO data_keys (id, suite, wrapped, create_time) VALUES ($1, $2, $3, $4) \
             ON CONFLICT DO NOTHING",
            [
                i32::try_from(key.id).unwrap_or(i32::MAX).into(),
                code(suite).into(),
                key.wrapped.into(),
                now.timestamp_millis().into(),
            ],
        );
        let tx = db.begin().await?;
        tx.execute_raw(insert).await?;
        tx.commit().await?;
    }
    for key in all(db).await? {
        vault
            .take_up(&key)
            .map_err(|_| DbErr::Custom("another master key wrapped the data keys".to_owned()))?;
    }
    Ok(())
}

async fn all(db: &Database) -> Result<Vec<WrappedKey>, DbErr> {
    let select = statement(
        db.read(),
        "SELECT id, suite, wrapped FROM data_keys ORDER BY id",
        [],
    );
    let rows = db.read().query_all_raw(select).await?;
    rows.iter()
        .map(|row| {
            let id: i32 = row.try_get_by_index(0)?;
            let suite = match row.try_get_by_index::<i16>(1)? {
                1 => Suite::International,
                2 => Suite::Sm,
                _ => return Err(unreadable("a cipher suite")),
            };
            Ok(WrappedKey {
                id: id.unsigned_abs(),
                suite,
                wrapped: row.try_get_by_index(2)?,
            })
        })
        .collect()
}

fn code(suite: Suite) -> i16 {
    match suite {
        Suite::International => 1,
        Suite::Sm => 2,
    }
}
