//! How channels are doing: paused, their budget, their failures, and what waits for them.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};

use super::Store;
use crate::domain::attempt::Breaker;

row! {
    /// How one channel is doing.
    ChannelRow in "channels" by ["id"] {
        /// Its id in the settings.
        id: String,
        /// A person has paused it.
        paused: bool,
        /// Up to when its budget is used, in milliseconds since 1970.
        spent_until: i64,
        /// Attempts that failed since the last one that did not.
        failures_in_row: i32,
        /// No attempt is made before, in milliseconds since 1970; 0 while it works.
        rest_until: i64,
    }
}

impl ChannelRow {
    /// How its provider has been doing.
    pub fn breaker(&self) -> Breaker {
        let rests = Some(self.rest_until).filter(|until| *until > 0);
        Breaker {
            failures_in_row: self.failures_in_row.unsigned_abs(),
            rest_until: rests.and_then(DateTime::from_timestamp_millis),
        }
    }

    /// The same channel with another record of its provider.
    #[must_use]
    pub fn with(self, breaker: Breaker) -> Self {
        let rest_until = breaker.rest_until.map_or(0, |at| at.timestamp_millis());
        Self {
            failures_in_row: i32::try_from(breaker.failures_in_row).unwrap_or(i32::MAX),
            rest_until,
            ..self
        }
    }
}

/// What waits for a channel, and what is lost to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many deliveries wait.
    pub queued: i64,
    /// How many are dead letters.
    pub dead: i64,
    /// When the oldest that waits was stored; none when none waits.
    pub oldest: Option<DateTime<Utc>>,
}

impl Store {
    /// Makes a row for each channel that has none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enroll_channels(&self, ids: impl Iterator<Item = &str>) -> Result<(), DbErr> {
        let row = |id: &str| ChannelRow {
            id: id.to_owned(),
            ..ChannelRow::default()
        };
        let rows: Vec<ChannelRow> = ids.map(row).collect();
        let tx = self.db.begin().await?;
        ChannelRow::add(&tx, &rows).await?;
        tx.commit().await
    }

    /// How channels are doing, in the order of their ids; those without a row are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn channels(
        db: &impl ConnectionTrait,
        ids: impl Iterator<Item = &str>,
    ) -> Result<Vec<ChannelRow>, DbErr> {
        ChannelRow::find(db, "id", ids.map(Into::into).collect(), Lock::No).await
    }

    /// How a channel is doing; nobody else takes of its budget until the end of the transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn channel_to_use(tx: &Tx, id: &str) -> Result<Option<ChannelRow>, DbErr> {
        ChannelRow::get(tx, id, Lock::Yes).await
    }

    /// Stores how a channel is doing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_channel(tx: &Tx, row: ChannelRow) -> Result<(), DbErr> {
        ChannelRow::save(tx, &[row]).await
    }

    /// What waits for a channel.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn backlog(db: &impl ConnectionTrait, id: &str) -> Result<Backlog, DbErr> {
        let count = async |state: &str| -> Result<i64, DbErr> {
            let sql =
                format!("SELECT COUNT(*) FROM deliveries WHERE channel = $1 AND state = {state}");
            let row = db.query_one_raw(statement(db, &sql, [id.into()])).await?;
            row.map_or(Ok(0), |row| row.try_get_by_index(0))
        };
        // Few messages are under way at a time, however many deliveries they have.
        let sql = "SELECT MIN(created_at) FROM messages m WHERE swept = FALSE AND EXISTS \
                   (SELECT 1 FROM deliveries WHERE message = m.id AND channel = $1 AND state = 1)";
        let row = db.query_one_raw(statement(db, sql, [id.into()])).await?;
        let oldest: Option<i64> = row.map_or(Ok(None), |row| row.try_get_by_index(0))?;
        Ok(Backlog {
            queued: count("1").await?,
            dead: count("5").await?,
            oldest: oldest.and_then(DateTime::from_timestamp_millis),
        })
    }
}
