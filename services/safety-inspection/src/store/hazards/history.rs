//! What was done to hazards, and how far their removal came: added, never changed.

use chrono::{DateTime, Utc};
use kit::db::Tx;
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::rows::instant;
use crate::domain::hazard::state::State;
use crate::store::{Store, unreadable};

row! {
    /// An act on a hazard.
    ChangeRow in "hazard_changes" by ["hazard", "sequence"] {
        /// The hazard.
        hazard: Uuid,
        /// From 1.
        sequence: i32,
        /// What was done.
        act: String,
        /// The number of the state before, or 0.
        from_state: i16,
        /// The number of the state after.
        to_state: i16,
        /// Who, or empty.
        actor: String,
        /// Milliseconds since 1970.
        changed_at: i64,
        /// What was said.
        note: String,
    }
}

row! {
    /// A report of progress on a hazard.
    ProgressReportRow in "hazard_progress_reports" by ["hazard", "sequence"] {
        /// The hazard.
        hazard: Uuid,
        /// From 1.
        sequence: i32,
        /// In words.
        description: String,
        /// 0 to 100.
        percent: i32,
        /// Who.
        reporter: String,
        /// Milliseconds since 1970.
        reported_at: i64,
        /// After it was due.
        late: bool,
    }
}

/// An act on a hazard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// From 1.
    pub sequence: i32,
    /// What was done.
    pub act: String,
    /// The state before; none of the first.
    pub from: Option<State>,
    /// The state after.
    pub to: State,
    /// Who; empty when time did it.
    pub actor: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What was said.
    pub note: String,
}

/// How far the removal of a hazard came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgressReport {
    /// From 1.
    pub sequence: i32,
    /// In words.
    pub description: String,
    /// 0 to 100.
    pub percent: i32,
    /// Who reported it.
    pub reporter: String,
    /// When.
    pub at: DateTime<Utc>,
    /// After it was due.
    pub late: bool,
}

fn present(millis: i64) -> Result<DateTime<Utc>, DbErr> {
    instant(millis)?.ok_or_else(|| unreadable("instant"))
}

fn after(hazard: Uuid, sequence: i32) -> (&'static str, Vec<Value>) {
    let values = vec![hazard.into(), sequence.into()];
    ("hazard = $1 AND sequence > $2", values)
}

impl Store {
    /// Writes down what was done to a hazard.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_hazard_change(tx: &Tx, hazard: Uuid, change: &Change) -> Result<(), DbErr> {
        let row = ChangeRow {
            hazard,
            sequence: change.sequence,
            act: change.act.clone(),
            from_state: change.from.map_or(0, |state| state as i16),
            to_state: change.to as i16,
            actor: change.actor.clone(),
            changed_at: change.at.timestamp_millis(),
            note: change.note.clone(),
        };
        ChangeRow::add(tx, &[row]).await
    }

    /// What was done to a hazard after the one with number `sequence`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hazard_changes(
        db: &impl ConnectionTrait,
        hazard: Uuid,
        sequence: i32,
        limit: u64,
    ) -> Result<Vec<Change>, DbErr> {
        let (wheres, values) = after(hazard, sequence);
        let rows = ChangeRow::page(db, wheres, values, limit).await?;
        rows.into_iter()
            .map(|row| {
                Ok(Change {
                    sequence: row.sequence,
                    act: row.act,
                    from: State::from_number(row.from_state.into()),
                    to: State::from_number(row.to_state.into())
                        .ok_or_else(|| unreadable("state"))?,
                    actor: row.actor,
                    at: present(row.changed_at)?,
                    note: row.note,
                })
            })
            .collect()
    }

    /// Writes down how far the removal of a hazard came.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_progress_report(
        tx: &Tx,
        hazard: Uuid,
        report: &ProgressReport,
    ) -> Result<(), DbErr> {
        let row = ProgressReportRow {
            hazard,
            sequence: report.sequence,
            description: report.description.clone(),
            percent: report.percent,
            reporter: report.reporter.clone(),
            reported_at: report.at.timestamp_millis(),
            late: report.late,
        };
        ProgressReportRow::add(tx, &[row]).await
    }

    /// Reports of progress on a hazard after the one with number `sequence`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn progress_reports(
        db: &impl ConnectionTrait,
        hazard: Uuid,
        sequence: i32,
        limit: u64,
    ) -> Result<Vec<ProgressReport>, DbErr> {
        let (wheres, values) = after(hazard, sequence);
        let rows = ProgressReportRow::page(db, wheres, values, limit).await?;
        rows.into_iter()
            .map(|row| {
                Ok(ProgressReport {
                    sequence: row.sequence,
                    description: row.description,
                    percent: row.percent,
                    reporter: row.reporter,
                    at: present(row.reported_at)?,
                    late: row.late,
                })
            })
            .collect()
    }
}
