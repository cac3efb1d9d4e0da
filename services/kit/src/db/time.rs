//! What time it is by the clock of the database, and how far that of the machine is from it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DbErr};

use super::{Backend, Database, statement};
use crate::clock::{Clock, SystemClock};
use crate::drain::Drain;
use crate::telemetry::figures::{self, Name};

const AHEAD: Name = Name::seconds(
    "campus.clock.apart",
    "By how much the machine's clock is ahead of the database's",
);
const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
/// An answer that took longer says too little about the machine's clock.
const QUICK: Duration = Duration::from_millis(500);
/// From here on the machine's clock is said to be wrong, in milliseconds.
const WRONG: u64 = 1_000;

impl Database {
    /// Has `clock` go by the clock of this database, if it listens, from now on until the drain, and tells operators
    /// how far the machine's is from it. On SQLite the two are one.
    ///
    /// # Errors
    /// When the database does not say what time it is.
    pub async fn keep_time(&self, clock: Arc<dyn Clock>, drain: Drain) -> Result<(), DbErr> {
        if self.backend == Backend::Sqlite {
            return Ok(());
        }
        self.hear_time(&*clock).await?;
        let (db, ahead) = (self.clone(), AHEAD.kept([("service", self.service())]));
        tokio::spawn(async move {
            let look = || async {
                if let Some(millis) = db.hear_time(&*clock).await? {
                    ahead.set(millis as f64 / 1000.0);
                }
                Ok::<_, DbErr>(())
            };
            figures::keep(drain, look).await;
        });
        Ok(())
    }

    /// The present instant by the clock of the database, as far as it is known.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let ahead = self.ahead.load(Ordering::Relaxed);
        SystemClock.now() - TimeDelta::milliseconds(ahead)
    }

    /// Asks what time it is, and tells `clock`. Gives by how many milliseconds the machine's clock is ahead; nothing
    /// when the answer took too long to say so.
    async fn hear_time(&self, clock: &dyn Clock) -> Result<Option<i64>, DbErr> {
        let asked = Instant::now();
        let row = self
            .read
            .query_one_raw(statement(&self.read, NOW, []))
            .await?;
        let (at, machine) = (Instant::now(), SystemClock.now());
        let nothing = || DbErr::Custom("the server does not say what time it is".to_owned());
        let millis: i64 = row.ok_or_else(nothing)?.try_get_by_index(0)?;
        let time = DateTime::from_timestamp_millis(millis).ok_or_else(nothing)?;
        let took = at.saturating_duration_since(asked);
        clock.hear(time, at, took);
        if took > QUICK {
            return Ok(None);
        }
        let ahead = (machine - time).num_milliseconds();
        let before = self.ahead.swap(ahead, Ordering::Relaxed);
        match (before.unsigned_abs() > WRONG, ahead.unsigned_abs() > WRONG) {
            (false, true) => tracing::warn!(
                ahead,
                "the machine's clock is not that of the database, which is gone by"
            ),
            (true, false) => tracing::info!("the machine's clock is that of the database again"),
            _ => {}
        }
        Ok(Some(ahead))
    }
}
