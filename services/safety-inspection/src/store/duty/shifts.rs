//! Shifts: rows in and out.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use kit::bulk::placeholders;
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use crate::domain::duty::{Shift, ShiftState, Span};
use crate::grpc::announced;
use crate::store::Store;
use crate::store::records::{self, Kept, Record};

row! {
    /// A shift.
    ShiftRow in "duty_shifts" by ["id"] {
        /// Sorts by when it begins.
        id: Uuid,
        /// The id of the organisation.
        organization: String,
        /// Its place in the tree.
        org_path: String,
        /// The number of the state.
        state: i16,
        /// Its begin, in milliseconds since 1970.
        start_at: i64,
        /// Its end.
        end_at: i64,
        /// The leader checks in by then.
        check_in_due_at: i64,
        /// The shift.
        body: String,
    }
}

records::kept!(ShiftRow: Shift);

/// No shift is longer.
const LONGEST: TimeDelta = TimeDelta::hours(24);

impl Store {
    /// Keeps shifts as they are now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_shifts(tx: &Tx, records: &[Record<Shift>]) -> Result<(), DbErr> {
        let rows = records.iter().map(|record| {
            let shift = &record.value;
            Ok(ShiftRow {
                id: record.id,
                organization: record.organization.clone(),
                org_path: record.org_path.clone(),
                state: shift.state as i16,
                start_at: shift.span.start.timestamp_millis(),
                end_at: shift.span.end.timestamp_millis(),
                check_in_due_at: shift.check_in_due.timestamp_millis(),
                body: records::text(shift)?,
            })
        });
        ShiftRow::save(tx, &rows.collect::<Result<Vec<_>, DbErr>>()?).await?;
        Self::save_busy(tx, records).await?;
        // Whether one is over is seen by the clock.
        let tellings = records.iter().map(|record| announced::shift(record, 0));
        Self::tell(tx, tellings.collect()).await?;
        let organizations: BTreeSet<&str> =
            records.iter().map(|record| &*record.organization).collect();
        for organization in organizations {
            Self::retell(tx, organization, "dutyStanding").await?;
        }
        Ok(())
    }

    /// A shift of an organisation; `lock` keeps others from changing it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn shift(
        db: &impl ConnectionTrait,
        organization: &str,
        id: Uuid,
        lock: Lock,
    ) -> Result<Option<Record<Shift>>, DbErr> {
        records::one::<ShiftRow>(db, organization, id, lock).await
    }

    /// Shifts at and below `place`, the latest begin first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn shifts(
        db: &impl ConnectionTrait,
        place: &str,
        state: Option<ShiftState>,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Record<Shift>>, DbErr> {
        let only: Vec<_> = state
            .map(|state| ("state", state as i16))
            .into_iter()
            .collect();
        records::page::<ShiftRow>(db, place, &only, (before, limit)).await
    }

    /// The shifts of these organisations that have a time in common with `span`, by organisation and
    /// begin.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn shifts_within(
        db: &impl ConnectionTrait,
        organizations: &[String],
        span: Span,
    ) -> Result<Vec<Record<Shift>>, DbErr> {
        if organizations.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT {} FROM duty_shifts WHERE start_at >= $1 AND start_at < $2 AND end_at > $3 \
             AND organization IN ({}) ORDER BY organization, start_at, id",
            ShiftRow::COLUMNS.join(", "),
            placeholders(4, organizations.len()),
        );
        let mut values: Vec<Value> = vec![
            (span.start - LONGEST).timestamp_millis().into(),
            span.end.timestamp_millis().into(),
            span.start.timestamp_millis().into(),
        ];
        values.extend(organizations.iter().map(|id| id.as_str().into()));
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        let rows = rows.iter().map(|row| ShiftRow::read(row)?.record());
        rows.collect()
    }

    /// The shift that follows another one: the first that begins after it, at most a day after its
    /// end, and was not replaced.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn following_shift(
        db: &impl ConnectionTrait,
        shift: &Record<Shift>,
    ) -> Result<Option<Record<Shift>>, DbErr> {
        let sql = format!(
            "SELECT {} FROM duty_shifts WHERE organization = $1 AND start_at > $2 \
             AND start_at <= $3 AND state <> $4 ORDER BY start_at LIMIT 1",
            ShiftRow::COLUMNS.join(", "),
        );
        let span = shift.value.span;
        let values = [
            shift.organization.as_str().into(),
            span.start.timestamp_millis().into(),
            (span.end + LONGEST).timestamp_millis().into(),
            (ShiftState::Replaced as i16).into(),
        ];
        let row = db.query_one_raw(statement(db, &sql, values)).await?;
        row.map(|row| ShiftRow::read(&row)?.record()).transpose()
    }

    /// Shifts whose time to check in is over, the longest over first: organisation and id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unattended_shifts(
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<(String, Uuid)>, DbErr> {
        let sql = format!(
            "SELECT organization, id FROM duty_shifts WHERE state = {} AND check_in_due_at < $1 \
             ORDER BY check_in_due_at LIMIT {limit}",
            ShiftState::Scheduled as i16,
        );
        let values = [now.timestamp_millis().into()];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        let found = rows
            .iter()
            .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)));
        found.collect()
    }
}
