//! What the register is still to be told, school by school in the order of the decisions.

use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::{grades_of, grades_text};
use crate::store::Store;

row! {
    /// The last number of a call for a school.
    NumberRow in "resumption_numbers" by ["organization"] {
        /// The id of the school.
        organization: String,
        /// The number.
        last: i32,
    }
}

row! {
    /// A call to the register.
    CallRow in "resumption_calls" by ["organization", "number"] {
        /// The id of the school.
        organization: String,
        /// Counts the calls of the school.
        number: i32,
        /// The resource that is taught in another way: the school, or one class group.
        target: String,
        /// Only these grades of the school, joined by commas; all when empty.
        grades: String,
        /// The number of the mode of teaching.
        teaching: i16,
        /// Why.
        reason: String,
        /// The position of the resumption that waits for it, or 0.
        resumption: i16,
        /// How often the register could not be told.
        attempts: i32,
        /// When it is told, or told again.
        due_at: i64,
    }
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It was overtaken: somebody else kept what came of it.
    Elsewhere,
    /// The register does not have it, and is told again.
    Again,
    /// The register has it; the resumption of this position waits for nothing more, if it is not 0.
    Done(i16),
}

impl CallRow {
    /// A call that is to be made from `now` on. Its number is given when it is kept.
    pub fn new(organization: &str, target: String, grades: &[i32], now: i64) -> Self {
        Self {
            organization: organization.to_owned(),
            target,
            grades: grades_text(grades),
            due_at: now,
            ..Self::default()
        }
    }

    /// Only these grades; all when empty.
    pub fn grades(&self) -> Vec<i32> {
        grades_of(&self.grades)
    }
}

impl Store {
    /// Keeps calls in their order, after those that are kept of their schools.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_resumption_calls(tx: &Tx, mut calls: Vec<CallRow>) -> Result<(), DbErr> {
        let mut schools: Vec<&str> = calls.iter().map(|call| &*call.organization).collect();
        schools.sort_unstable();
        schools.dedup();
        let new = schools.iter().map(|id| NumberRow {
            organization: (*id).to_owned(),
            last: 0,
        });
        NumberRow::add(tx, &new.collect::<Vec<_>>()).await?;
        let keys = schools.iter().map(|id| (*id).into()).collect();
        let mut numbers = NumberRow::find(tx, "organization", keys, Lock::Yes).await?;
        numbers.sort_by(|one, other| one.organization.cmp(&other.organization));
        for call in &mut calls {
            let found = numbers.binary_search_by(|row| row.organization.cmp(&call.organization));
            if let Some(row) = found.ok().and_then(|place| numbers.get_mut(place)) {
                row.last = row.last.saturating_add(1);
                call.number = row.last;
            }
        }
        NumberRow::save(tx, &numbers).await?;
        CallRow::add(tx, &calls).await
    }

    /// The first call of each school, of those that are due at `now`; each is due again at `again`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_resumption_calls(
        tx: &Tx,
        now: i64,
        again: i64,
        limit: u64,
    ) -> Result<Vec<CallRow>, DbErr> {
        let columns: Vec<String> = CallRow::COLUMNS
            .iter()
            .map(|one| format!("c.{one}"))
            .collect();
        let sql = format!(
            "SELECT {} FROM resumption_calls c WHERE c.due_at <= $1 AND NOT EXISTS \
             (SELECT 1 FROM resumption_calls e \
              WHERE e.organization = c.organization AND e.number < c.number) \
             ORDER BY c.due_at, c.organization LIMIT {limit}",
            columns.join(", ")
        );
        let rows = tx.query_all_raw(statement(tx, &sql, [now.into()])).await?;
        let mut calls = rows
            .iter()
            .map(CallRow::read)
            .collect::<Result<Vec<_>, _>>()?;
        for call in &mut calls {
            call.due_at = again;
        }
        CallRow::save(tx, &calls).await?;
        Ok(calls)
    }

    /// Keeps what came of a call: gone when the register has it, else due again at `again`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resumption_told(
        tx: &Tx,
        call: &CallRow,
        told: bool,
        again: i64,
    ) -> Result<Told, DbErr> {
        let key: [Value; 2] = [call.organization.as_str().into(), call.number.into()];
        if !told {
            let sql = "UPDATE resumption_calls SET attempts = attempts + 1, due_at = $3 \
                       WHERE organization = $1 AND number = $2";
            let values = key.into_iter().chain([again.into()]);
            tx.execute_raw(statement(tx, sql, values)).await?;
            return Ok(Told::Again);
        }
        let sql = "DELETE FROM resumption_calls WHERE organization = $1 AND number = $2";
        let done = tx.execute_raw(statement(tx, sql, key)).await?;
        if done.rows_affected() == 0 {
            return Ok(Told::Elsewhere);
        }
        let sql = "SELECT 1 FROM resumption_calls WHERE organization = $1 AND resumption = $2";
        let values = [call.organization.as_str().into(), call.resumption.into()];
        let more = tx.query_one_raw(statement(tx, sql, values)).await?;
        Ok(Told::Done(if more.is_some() { 0 } else { call.resumption }))
    }
}
