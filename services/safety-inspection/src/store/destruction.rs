//! What was gathered of people while an emergency was open.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::rows::Row;
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use uuid::Uuid;

use super::Store;
use super::gate::retention::first_id_at;
use super::visits::{KeptVisit, VisitRow};

/// The time of an emergency, without its last instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// When it began.
    pub start: DateTime<Utc>,
    /// When it ended.
    pub end: DateTime<Utc>,
}

impl Span {
    /// Whether something of this instant was gathered for it.
    pub fn holds(&self, instant: DateTime<Utc>) -> bool {
        self.start <= instant && instant < self.end
    }
}

impl Store {
    /// Visits that were asked for since the emergency began and after `after`, at most `limit`.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn visits_since(
        tx: &Tx,
        span: &Span,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<KeptVisit>, DbErr> {
        // Ids sort by when a visit was asked for.
        let (first, after) = (first_id_at(span.start), after.unwrap_or_default());
        let values = vec![first.into(), after.into()];
        let rows = VisitRow::page(tx, "id >= $1 AND id > $2", values, limit).await?;
        rows.into_iter().map(VisitRow::kept).collect()
    }

    /// Stores what is sealed of a visit and changes nothing else.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reseal_visit(
        tx: &Tx,
        id: Uuid,
        card: Vec<u8>,
        checked: Vec<u8>,
    ) -> Result<(), DbErr> {
        let sql = "UPDATE visits SET card = $1, checked = $2 WHERE id = $3";
        let values = [card.into(), checked.into(), id.into()];
        tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(())
    }

    /// How many visits were asked for while an emergency was open.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn visits_during(db: &impl ConnectionTrait, span: &Span) -> Result<i64, DbErr> {
        let sql = "SELECT COUNT(*) FROM visits WHERE created_at >= $1 AND created_at < $2";
        let values = [
            span.start.timestamp_millis().into(),
            span.end.timestamp_millis().into(),
        ];
        count(db.query_one_raw(statement(db, sql, values)).await?)
    }

    /// The first school after `school` with decisions at its gates since an emergency began.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn school_with_decisions(tx: &Tx, school: &str) -> Result<Option<String>, DbErr> {
        let sql = "SELECT school FROM gate_decisions WHERE school > $1 ORDER BY school LIMIT 1";
        let row = tx
            .query_one_raw(statement(tx, sql, [school.into()]))
            .await?;
        row.map(|row| row.try_get_by_index(0)).transpose()
    }

    /// Destroys decisions of one school that were made while an emergency was open, with their
    /// overrides, at most `limit`; how many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_decisions_during(
        tx: &Tx,
        school: &str,
        span: &Span,
        limit: u64,
    ) -> Result<u64, DbErr> {
        let mut gone = 0;
        // Overrides first: what stands alone afterwards is never an override. Decisions that were
        // made without a network have later ids, never earlier ones.
        for table in ["gate_overrides", "gate_decisions"] {
            let sql = format!(
                "DELETE FROM {table} WHERE school = $1 AND id IN (SELECT id FROM gate_decisions \
                 WHERE school = $1 AND id >= $2 AND decide_time >= $3 AND decide_time < $4 \
                 ORDER BY id LIMIT $5)"
            );
            let values = [
                school.into(),
                first_id_at(span.start).into(),
                span.start.into(),
                span.end.into(),
                i64::try_from(limit).unwrap_or(i64::MAX).into(),
            ];
            let done = tx.execute_raw(statement(tx, &sql, values)).await?;
            gone = done.rows_affected();
        }
        Ok(gone)
    }

    /// How many decisions were made while an emergency was open.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decisions_during(db: &impl ConnectionTrait, span: &Span) -> Result<i64, DbErr> {
        let sql =
            "SELECT COUNT(*) FROM gate_decisions WHERE decide_time >= $1 AND decide_time < $2";
        let values = [span.start.into(), span.end.into()];
        count(db.query_one_raw(statement(db, sql, values)).await?)
    }
}

fn count(row: Option<QueryResult>) -> Result<i64, DbErr> {
    row.map_or(Ok(0), |row| row.try_get_by_index(0))
}
