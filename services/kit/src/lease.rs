//! Work that one replica does at a time: a lease in the database, by the database's clock.

mod held;

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr};

pub use held::Held;

use crate::db::{Backend, Database, Tx, statement};

/// A lease that this process holds. Its fence grows with each change of hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    name: String,
    holder: String,
    fence: i64,
}

/// Takes the lease `name` for `ttl` if it is free, over, or already held by `holder`. One that ends later than any of
/// its length could is from before the database's clock was put back, and over too: its holder, if there is one yet, sees
/// by its fence that it was taken.
///
/// # Errors
/// When the database fails.
pub async fn take(
    db: &Database,
    name: &str,
    holder: &str,
    ttl: Duration,
) -> Result<Option<Lease>, DbErr> {
    let now = now(db.backend());
    let sql = format!(
        "INSERT INTO leases AS l (name, holder, fence, expires_at) VALUES ($1, $2, 1, {now} + $3) \
         ON CONFLICT (name) DO UPDATE SET \
         fence = CASE WHEN l.holder = excluded.holder THEN l.fence ELSE l.fence + 1 END, \
         holder = excluded.holder, expires_at = excluded.expires_at \
         WHERE l.expires_at < {now} OR l.expires_at > {now} + 2 * $3 OR l.holder = excluded.holder \
         RETURNING fence"
    );
    let tx = db.begin().await?;
    let values = [name.into(), holder.into(), millis(ttl).into()];
    let row = tx.query_one_raw(statement(&tx, &sql, values)).await?;
    let fence: Option<i64> = row.map(|row| row.try_get_by_index(0)).transpose()?;
    tx.commit().await?;
    Ok(fence.map(|fence| Lease {
        name: name.to_owned(),
        holder: holder.to_owned(),
        fence,
    }))
}

impl Lease {
    /// The number that tells this holding from earlier ones.
    pub fn fence(&self) -> i64 {
        self.fence
    }

    /// Checks inside the transaction of an effect that the lease is still held, and keeps others
    /// from taking it until the commit.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holds(&self, tx: &Tx) -> Result<bool, DbErr> {
        let share = match tx.backend() {
            Backend::Postgres => " FOR SHARE",
            Backend::Sqlite => "",
        };
        let sql =
            format!("SELECT 1 FROM leases WHERE name = $1 AND fence = $2 AND holder = $3{share}");
        let values = [
            self.name.clone().into(),
            self.fence.into(),
            self.holder.clone().into(),
        ];
        Ok(tx
            .query_one_raw(statement(tx, &sql, values))
            .await?
            .is_some())
    }

    /// Gives the lease back, so that another may take it at once.
    ///
    /// # Errors
    /// When the database fails; the lease runs out by itself then.
    pub async fn release(self, db: &Database) -> Result<(), DbErr> {
        let tx = db.begin().await?;
        let sql = "UPDATE leases SET expires_at = 0 WHERE name = $1 AND fence = $2 AND holder = $3";
        let values = [self.name.into(), self.fence.into(), self.holder.into()];
        tx.execute_raw(statement(&tx, sql, values)).await?;
        tx.commit().await
    }
}

fn now(backend: Backend) -> &'static str {
    match backend {
        Backend::Postgres => "(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
        Backend::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    }
}

fn millis(ttl: Duration) -> i64 {
    i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX / 2)
}
