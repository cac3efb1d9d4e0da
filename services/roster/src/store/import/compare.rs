//! What a plan needs to know: how staged rows compare with the register, counted over whole tables.

use kit::db::{Backend, Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};
use serde::{Deserialize, Serialize};

use super::jobs::Job;
use super::shape::{SHAPES, Shape};

/// What a job compares with, in numbers that any change raises: rows and the sum of their versions,
/// for each kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(Vec<(i64, i64)>);

/// What a kind's rows are compared with the register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Staged and not refused.
    pub staged: i64,
    /// Of these, in the register, in use or not: whoever comes back is the same person.
    pub present: i64,
    /// Of those, in use.
    pub active: i64,
    /// Of the ones in use, with other contents.
    pub changed: i64,
}

/// Makes the fingerprint of what `job` compares with.
///
/// # Errors
/// When the database fails.
pub async fn fingerprint(db: &impl ConnectionTrait, job: &Job) -> Result<Fingerprint, DbErr> {
    let mut numbers = Vec::with_capacity(SHAPES.len());
    for shape in SHAPES {
        let (condition, values) = shape.concern(job);
        let sql = format!(
            "SELECT count(*), CAST(coalesce(sum(t.version), 0) AS BIGINT) FROM {} t \
             WHERE {condition}",
            shape.table
        );
        let row = db.query_one_raw(statement(db, &sql, values)).await?;
        let row = row.ok_or_else(|| DbErr::RecordNotFound("a count".to_owned()))?;
        numbers.push((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
    }
    Ok(Fingerprint(numbers))
}

/// The planner knows nothing yet of tables that were just filled.
///
/// # Errors
/// When the database fails.
pub async fn prepare(tx: &Tx) -> Result<(), DbErr> {
    if tx.backend() == Backend::Postgres {
        tx.execute_unprepared("SET LOCAL work_mem = '64MB'").await?;
        for shape in SHAPES {
            tx.execute_unprepared(&format!("ANALYZE {}", shape.staged))
                .await?;
        }
    }
    Ok(())
}

/// A plan may be made again: what the last one found goes, what rows asked for stays.
///
/// # Errors
/// When the database fails.
pub async fn forget_last_plan(tx: &Tx, job: &Job) -> Result<(), DbErr> {
    let verdicts = "DELETE FROM import_verdicts WHERE job = $1 AND planned";
    tx.execute_raw(statement(tx, verdicts, [job.number.into()]))
        .await?;
    let vanished = "DELETE FROM import_vanished WHERE job = $1 AND planned";
    tx.execute_raw(statement(tx, vanished, [job.number.into()]))
        .await?;
    Ok(())
}

pub(super) async fn count(tx: &Tx, sql: &str, values: Vec<Value>) -> Result<i64, DbErr> {
    let row = tx.query_one_raw(statement(tx, sql, values)).await?;
    row.map_or(Ok(0), |row| row.try_get_by_index(0))
}

impl Shape {
    /// Compares the staged rows with the register.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn compare(&self, tx: &Tx, job: i64, refused: bool) -> Result<Comparison, DbErr> {
        let Self {
            table,
            staged,
            key,
            active,
            ..
        } = self;
        let taken = Self::taken(refused);
        let active = format!("t.{key} IS NOT NULL AND {active}");
        let sql = format!(
            "SELECT count(*), count(t.{key}), count(CASE WHEN {active} THEN 1 END), \
             count(CASE WHEN {active} AND (t.content_hash IS NULL \
             OR t.content_hash <> s.content_hash) THEN 1 END) \
             FROM {staged} s LEFT JOIN {table} t ON t.{key} = s.{key} WHERE {taken}"
        );
        let row = tx.query_one_raw(statement(tx, &sql, [job.into()])).await?;
        let row = row.ok_or_else(|| DbErr::RecordNotFound("a comparison".to_owned()))?;
        Ok(Comparison {
            staged: row.try_get_by_index(0)?,
            present: row.try_get_by_index(1)?,
            active: row.try_get_by_index(2)?,
            changed: row.try_get_by_index(3)?,
        })
    }

    /// How many are known from the job's source and place.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_known(&self, tx: &Tx, job: &Job) -> Result<i64, DbErr> {
        let (condition, values) = self.known(job, 1);
        let sql = format!("SELECT count(*) FROM {} t WHERE {condition}", self.table);
        count(tx, &sql, values).await
    }

    /// Of how many a row asks for the removal.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_asked(&self, tx: &Tx, job: &Job) -> Result<i64, DbErr> {
        let sql = "SELECT count(*) FROM import_vanished WHERE job = $1 AND kind = $2 \
            AND NOT planned";
        count(tx, sql, vec![job.number.into(), self.kind.code().into()]).await
    }
}
