//! The history of every resource of the weather.

use kit::db::{Tx, statement};
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbErr};

use super::Turn;
use crate::store::Store;

row! {
    /// One entry of a history.
    ChangeRow in "weather_changes" by ["subject", "number"] {
        /// The resource.
        subject: String,
        /// Counts up from 1.
        number: i32,
        /// When, in milliseconds since 1970.
        changed_at: i64,
        /// The number of the state before; 0 at the beginning.
        from_state: i16,
        /// The number of the state after.
        to_state: i16,
        /// The number of the level after; 0 for none.
        level: i16,
        /// Who.
        actor: String,
        /// What led to it.
        cause: String,
    }
}

/// How much of a history is told.
const LATEST: i64 = 100;
/// How many changes of level are looked at for one day.
const OF_A_DAY: i64 = 1000;

impl Store {
    /// Adds one entry: the `number`th of `subject`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_changed(
        tx: &Tx,
        (subject, number): (&str, i32),
        (from, to): (i16, i16),
        level: i16,
        turn: &Turn,
    ) -> Result<(), DbErr> {
        let row = ChangeRow {
            subject: subject.to_owned(),
            number,
            changed_at: turn.now,
            from_state: from,
            to_state: to,
            level,
            actor: turn.actor.clone(),
            cause: turn.cause.clone(),
        };
        ChangeRow::save(tx, &[row]).await
    }

    /// The latest entries of a history, the last first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_history(
        db: &impl ConnectionTrait,
        subject: &str,
    ) -> Result<Vec<ChangeRow>, DbErr> {
        let sql = format!(
            "SELECT {} FROM weather_changes WHERE subject = $1 ORDER BY number DESC LIMIT $2",
            ChangeRow::COLUMNS.join(", ")
        );
        changes(db, &sql, [subject.into(), LATEST.into()].into()).await
    }

    /// The entries of a history that tell what held from `begin` on and before `end`, in
    /// milliseconds since 1970, the first first: those within and the last before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_history_of(
        db: &impl ConnectionTrait,
        subject: &str,
        (begin, end): (i64, i64),
    ) -> Result<Vec<ChangeRow>, DbErr> {
        let sql = format!(
            "SELECT {} FROM weather_changes WHERE subject = $1 AND changed_at < $3 \
             AND number >= COALESCE((SELECT MAX(number) FROM weather_changes \
             WHERE subject = $1 AND changed_at <= $2), 0) ORDER BY number LIMIT $4",
            ChangeRow::COLUMNS.join(", ")
        );
        let values = [subject.into(), begin.into(), end.into(), OF_A_DAY.into()];
        changes(db, &sql, values.into()).await
    }
}

async fn changes(
    db: &impl ConnectionTrait,
    sql: &str,
    values: Vec<sea_orm::Value>,
) -> Result<Vec<ChangeRow>, DbErr> {
    let rows = db.query_all_raw(statement(db, sql, values)).await?;
    rows.iter().map(ChangeRow::read).collect()
}
