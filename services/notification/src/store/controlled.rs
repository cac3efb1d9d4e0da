//! Which pupils are under control: not why, and not by what.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use kit::db::{Backend, Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::Store;
use super::concern_rows::instant;

/// A pupil who is free is remembered for as long as the feed could tell of them again, twice over.
const REMEMBERED: Duration = Duration::days(14);

row! {
    /// A pupil of whom the clearance feed told.
    ControlledRow in "controlled" by ["student"] {
        /// The pupil.
        student: Uuid,
        /// They are under control.
        under: bool,
        /// Since when, in milliseconds since 1970.
        since_at: i64,
        /// The civil day for which care was planned last; empty before.
        planned: String,
        /// Grows with each change.
        version: i64,
        /// The snapshot that mentioned it last.
        generation: i64,
        /// When they were heard to be free; 0 while they are not.
        free_at: i64,
    }
}

/// Whether a pupil is under control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Since then.
    Since(DateTime<Utc>),
    /// Not, or not any more.
    Free,
}

/// What was told of a pupil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controlled {
    /// The pupil.
    pub student: Uuid,
    /// Grows with each change.
    pub version: i64,
    /// Whether they are under control.
    pub control: Control,
}

/// A pupil for whom care is to be planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unplanned {
    /// The pupil.
    pub student: Uuid,
    /// Since when they are under control.
    pub since: DateTime<Utc>,
    /// The place of the class group.
    pub org_path: String,
    /// The school.
    pub organization: String,
}

impl Store {
    /// Writes what is newer than what is stored, or seen first in a generation. Whoever is free
    /// again has nothing to be done for them any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_controlled(
        tx: &Tx,
        told: Vec<Controlled>,
        generation: i64,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let mut latest: BTreeMap<Uuid, Controlled> = BTreeMap::new();
        for told in told {
            let known = latest.get(&told.student);
            if known.is_none_or(|known| known.version < told.version) {
                latest.insert(told.student, told);
            }
        }
        let keys: Vec<Value> = latest.keys().map(|student| (*student).into()).collect();
        let known = ControlledRow::find(tx, "student", keys, Lock::Yes).await?;
        let mut known: BTreeMap<Uuid, ControlledRow> =
            known.into_iter().map(|row| (row.student, row)).collect();
        let (mut rows, mut freed) = (Vec::new(), Vec::new());
        for told in latest.into_values() {
            let before = known.remove(&told.student);
            let stale = before.as_ref().is_some_and(|before| {
                told.version <= before.version && generation <= before.generation
            });
            if stale {
                continue;
            }
            let was_under = before.as_ref().is_some_and(|before| before.under);
            let row = ControlledRow {
                student: told.student,
                version: told.version,
                generation,
                ..before.unwrap_or_default()
            };
            rows.push(match told.control {
                Control::Since(_) if was_under => row,
                Control::Since(since) => ControlledRow {
                    under: true,
                    since_at: since.timestamp_millis(),
                    free_at: 0,
                    ..row
                },
                Control::Free => {
                    freed.extend(was_under.then_some(told.student));
                    ControlledRow {
                        under: false,
                        free_at: now.timestamp_millis(),
                        ..row
                    }
                }
            });
        }
        ControlledRow::save(tx, &rows).await?;
        let sql = "DELETE FROM controlled WHERE under = FALSE AND free_at < $1";
        let long_ago = (now - REMEMBERED).timestamp_millis();
        tx.execute_raw(statement(tx, sql, [long_ago.into()]))
            .await?;
        Self::drop_tasks(tx, freed, now).await
    }

    /// Frees whom a snapshot did not mention.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_controlled(
        tx: &Tx,
        generation: i64,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let sql = "DELETE FROM controlled WHERE generation < $1 RETURNING student, under";
        let swept = statement(tx, sql, [generation.into()]);
        let mut freed = Vec::new();
        for row in tx.query_all_raw(swept).await? {
            if row.try_get_by_index(1)? {
                freed.push(row.try_get_by_index(0)?);
            }
        }
        Self::drop_tasks(tx, freed, now).await
    }

    /// Pupils under control for whom nothing is planned for `day` yet and whose class group is
    /// known, at most `limit`. Others leave them alone until the end of the transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unplanned(tx: &Tx, day: NaiveDate, limit: u64) -> Result<Vec<Unplanned>, DbErr> {
        let lock = match tx.backend() {
            Backend::Postgres => " FOR UPDATE OF c",
            Backend::Sqlite => "",
        };
        let sql = format!("{UNPLANNED} ORDER BY c.student LIMIT {limit}{lock}");
        let rows = tx
            .query_all_raw(statement(tx, &sql, [day.to_string().into()]))
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Unplanned {
                    student: row.try_get_by_index(0)?,
                    since: instant(row.try_get_by_index(1)?)?,
                    org_path: row.try_get_by_index(2)?,
                    organization: row.try_get_by_index(3)?,
                })
            })
            .collect()
    }

    /// Whether care is to be planned for anybody.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_unplanned(db: &impl ConnectionTrait, day: NaiveDate) -> Result<bool, DbErr> {
        let sql = format!("{UNPLANNED} LIMIT 1");
        let select = statement(db, &sql, [day.to_string().into()]);
        Ok(db.query_one_raw(select).await?.is_some())
    }

    /// Notes that care is planned for a civil day.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_planned(tx: &Tx, students: Vec<Uuid>, day: NaiveDate) -> Result<(), DbErr> {
        let sql = "UPDATE controlled SET planned = $1 WHERE student";
        let keys = students.into_iter().map(Value::from).collect();
        kit::rows::execute_in(tx, sql, &[day.to_string().into()], keys).await
    }
}

const UNPLANNED: &str = "SELECT c.student, c.since_at, p.place, p.organization FROM controlled c \
    JOIN people p ON p.kind = 1 AND p.person = c.student \
    WHERE c.under = TRUE AND c.planned < $1";
