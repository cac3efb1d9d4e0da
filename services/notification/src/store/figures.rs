//! What is told of the ledger to operators, from indexes over what waits.

use kit::db::statement;
use sea_orm::{ConnectionTrait, DbErr};

use super::Store;

/// Waiting deliveries beyond this are not counted.
const MOST: i64 = 10_000;

impl Store {
    /// How many deliveries wait for a channel, ten thousand at most.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waiting(db: &impl ConnectionTrait, channel: &str) -> Result<i64, DbErr> {
        let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM deliveries WHERE channel = $1 AND state = 1 \
                   LIMIT $2) AS waiting";
        let values = [channel.into(), MOST.into()];
        let row = db.query_one_raw(statement(db, sql, values)).await?;
        row.map_or(Ok(0), |row| row.try_get_by_index(0))
    }

    /// When the oldest message was stored of which a delivery waits for a channel, in milliseconds since
    /// 1970, by urgency.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn oldest_waiting(
        db: &impl ConnectionTrait,
        channel: &str,
    ) -> Result<Vec<(i16, i64)>, DbErr> {
        // Few messages are under way at a time, however many deliveries they have.
        let sql = "SELECT urgency, MIN(created_at) FROM messages m WHERE swept = FALSE AND EXISTS \
                   (SELECT 1 FROM deliveries WHERE message = m.id AND channel = $1 AND state = 1) \
                   GROUP BY urgency";
        let rows = db
            .query_all_raw(statement(db, sql, [channel.into()]))
            .await?;
        let oldest = rows.iter().map(|row| {
            let urgency = row.try_get_by_index(0)?;
            Ok((urgency, row.try_get_by_index(1)?))
        });
        oldest.collect()
    }

    /// When the oldest message was stored that not everybody has in the inbox yet, in milliseconds since
    /// 1970.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn oldest_expanding(db: &impl ConnectionTrait) -> Result<Option<i64>, DbErr> {
        let sql = "SELECT MIN(created_at) FROM messages WHERE state = 1";
        let row = db.query_one_raw(statement(db, sql, [])).await?;
        row.map_or(Ok(None), |row| row.try_get_by_index(0))
    }
}
