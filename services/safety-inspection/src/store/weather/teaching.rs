//! What the register is to be told of how an organisation teaches.

use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};

use super::NEVER;
use super::query::Where;
use crate::domain::weather::suspension::Teaching;
use crate::store::Store;

row! {
    /// What the register is to be told, and was told last.
    TeachingRow in "weather_teaching" by ["organization"] {
        /// The id of the organisation.
        organization: String,
        /// The number of its kind.
        kind: i16,
        /// The number of the teaching that was decided.
        wanted: i16,
        /// The number of the teaching that the register has.
        told: i16,
        /// A call that keeps pupils away was begun.
        begun: bool,
        /// Counts the decisions.
        round: i32,
        /// How often the register could not be told.
        attempts: i32,
        /// When it is told, or told again.
        due_at: i64,
        /// The resource that led to it.
        cause: String,
    }
}

impl Store {
    /// What the register is to be told of some organisations.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_teaching(
        db: &impl ConnectionTrait,
        organizations: &[String],
        lock: Lock,
    ) -> Result<Vec<TeachingRow>, DbErr> {
        let keys = organizations.iter().map(|id| id.as_str().into()).collect();
        TeachingRow::find(db, "organization", keys, lock).await
    }

    /// Saves what the register is to be told of an organisation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_weather_teaching(tx: &Tx, row: &TeachingRow) -> Result<(), DbErr> {
        TeachingRow::save(tx, std::slice::from_ref(row)).await
    }

    /// The pupils of an organisation are taught at school again; the register is told from `now` on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resume_weather_teaching(
        tx: &Tx,
        organization: &str,
        cause: &str,
        now: i64,
    ) -> Result<(), DbErr> {
        let in_person = Teaching::InPerson as i16;
        let row = TeachingRow::get(tx, organization, Lock::Yes).await?;
        let Some(mut row) = row.filter(|row| row.wanted != in_person) else {
            return Ok(());
        };
        row.wanted = in_person;
        row.round += 1;
        row.attempts = 0;
        row.due_at = now;
        cause.clone_into(&mut row.cause);
        Self::save_weather_teaching(tx, &row).await
    }

    /// The organisations of which the register is to be told at `now` or before, the first first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_teaching_due(
        db: &impl ConnectionTrait,
        now: i64,
        limit: u64,
    ) -> Result<Vec<TeachingRow>, DbErr> {
        let mut wheres = Where::default();
        let now = wheres.value(now);
        wheres.and(format!("due_at <= {now} AND due_at < {NEVER}"));
        let sql = format!(
            "SELECT {} FROM weather_teaching WHERE {} ORDER BY due_at, organization LIMIT {limit}",
            TeachingRow::COLUMNS.join(", "),
            wheres.sql(),
        );
        let rows = db.query_all_raw(statement(db, &sql, wheres.values)).await?;
        rows.iter().map(TeachingRow::read).collect()
    }
}
