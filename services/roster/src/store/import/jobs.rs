//! Import jobs.

use std::collections::BTreeMap;

use kit::db::{Backend, Database, Tx, statement};
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, RuntimeErr, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::shape::Fingerprint;
use super::sheet::Sheet;
use crate::domain::import::{Kind, State};
use crate::store::{unreadable, within};

/// A job as it is stored.
#[derive(Clone, Debug)]
pub struct Job {
    /// The number within the database; 0 before it is stored.
    pub number: i64,
    /// The identifier in its name.
    pub id: Uuid,
    /// The id of the organisation that the rows are about.
    pub organization: String,
    /// Its place.
    pub org_path: String,
    /// The system that the rows come from.
    pub source: String,
    /// Everything, so that whoever is missing has left; changes only otherwise.
    pub bulk: bool,
    /// The share of people that may vanish.
    pub vanish_threshold: f64,
    /// The place in the life cycle.
    pub state: State,
    /// The number of the last durable row.
    pub durable_row: i64,
    /// Too many people would vanish.
    pub blocked: bool,
    /// What was found of each kind of row.
    pub counts: BTreeMap<Kind, Counts>,
    /// The register when the first rows came, and when the plan was made.
    pub fingerprint: Option<Fingerprint>,
    /// When it was opened, in milliseconds since 1970.
    pub create_time: i64,
    /// When it last changed, in milliseconds since 1970.
    pub update_time: i64,
}

/// What was found of one kind of row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Rows that came.
    pub received: i64,
    /// Rows that were refused when they came.
    pub refused: i64,
    /// Rows that the plan refused.
    pub refused_by_plan: i64,
    /// Rows taken with a remark.
    pub remarked: i64,
    /// Rows that stand in the register to the letter, so that they were not staged.
    pub same: i64,
    /// What the plan found new.
    pub created: i64,
    /// What the plan found different.
    pub changed: i64,
    /// What the plan found the same, staged or not.
    pub unchanged: i64,
    /// What the plan found missing or to be removed.
    pub vanished: i64,
    /// What the commit wrote of it.
    pub written: i64,
}

const COLUMNS: &str = "number, id, organization, org_path, source, mode, vanish_threshold, state, \
    durable_row, blocked, counts, fingerprint, create_time, update_time";

fn read(row: &QueryResult) -> Result<Job, DbErr> {
    let bad = || unreadable("an import job");
    let state: String = row.try_get_by_index(7)?;
    let counts: String = row.try_get_by_index(10)?;
    let fingerprint: String = row.try_get_by_index(11)?;
    let counts: Vec<(i16, Counts)> = serde_json::from_str(&counts).map_err(|_| bad())?;
    let counts = counts
        .into_iter()
        .map(|(kind, counts)| Some((Kind::from_code(kind)?, counts)));
    Ok(Job {
        number: row.try_get_by_index(0)?,
        id: row.try_get_by_index(1)?,
        organization: row.try_get_by_index(2)?,
        org_path: row.try_get_by_index(3)?,
        source: row.try_get_by_index(4)?,
        bulk: row.try_get_by_index::<i16>(5)? == 1,
        vanish_threshold: row.try_get_by_index(6)?,
        state: state.parse().map_err(|()| bad())?,
        durable_row: row.try_get_by_index(8)?,
        blocked: row.try_get_by_index(9)?,
        counts: counts.collect::<Option<_>>().ok_or_else(bad)?,
        fingerprint: serde_json::from_str(&fingerprint).map_err(|_| bad())?,
        create_time: row.try_get_by_index(12)?,
        update_time: row.try_get_by_index(13)?,
    })
}

fn pack_counts(counts: &BTreeMap<Kind, Counts>) -> String {
    let counts: Vec<(i16, Counts)> = counts.iter().map(|(k, c)| (k.code(), *c)).collect();
    serde_json::to_string(&counts).unwrap_or_default()
}

fn pack_fingerprint(fingerprint: &Option<Fingerprint>) -> String {
    serde_json::to_string(fingerprint).unwrap_or_default()
}

/// Stores a new job and gives it its number.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, job: &mut Job) -> Result<(), DbErr> {
    let sql = "INSERT INTO import_jobs (id, organization, org_path, source, mode, \
        vanish_threshold, state, durable_row, blocked, counts, fingerprint, staged, create_time, \
        update_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
        RETURNING number";
    let values: [Value; 14] = [
        job.id.into(),
        job.organization.as_str().into(),
        job.org_path.as_str().into(),
        job.source.as_str().into(),
        if job.bulk { 1_i16 } else { 2 }.into(),
        job.vanish_threshold.into(),
        job.state.as_str().into(),
        job.durable_row.into(),
        job.blocked.into(),
        pack_counts(&job.counts).into(),
        pack_fingerprint(&job.fingerprint).into(),
        true.into(),
        job.create_time.into(),
        job.update_time.into(),
    ];
    let row = tx.query_one_raw(statement(tx, sql, values)).await?;
    let row = row.ok_or_else(|| unreadable("the number of a job"))?;
    job.number = row.try_get_by_index(0)?;
    Ok(())
}

/// One job.
///
/// # Errors
/// When the database fails.
pub async fn get(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Job>, DbErr> {
    find(db, id, "").await
}

/// One job, locked until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &Tx, id: Uuid) -> Result<Option<Job>, DbErr> {
    let lock = match tx.backend() {
        Backend::Postgres => "FOR UPDATE",
        Backend::Sqlite => "",
    };
    find(tx, id, lock).await
}

async fn find(db: &impl ConnectionTrait, id: Uuid, lock: &str) -> Result<Option<Job>, DbErr> {
    let sql = format!("SELECT {COLUMNS} FROM import_jobs WHERE id = $1 {lock}");
    let row = db.query_one_raw(statement(db, &sql, [id.into()])).await?;
    row.as_ref().map(read).transpose()
}

/// The jobs at or below `scope` before the one with number `before`, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    db: &impl ConnectionTrait,
    scope: &OrgPath,
    before: i64,
    limit: u64,
) -> Result<Vec<Job>, DbErr> {
    let (inside, scope) = within("org_path", 1, scope);
    let sql = format!(
        "SELECT {COLUMNS} FROM import_jobs WHERE {inside} AND number < $4 \
         ORDER BY number DESC LIMIT $5"
    );
    let rest: [Value; 2] = [
        before.into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
    ];
    let rows = db
        .query_all_raw(statement(db, &sql, scope.into_iter().chain(rest)))
        .await?;
    rows.iter().map(read).collect()
}

/// Stores what changed of a job.
///
/// # Errors
/// When the database fails.
pub async fn update(tx: &Tx, job: &Job) -> Result<(), DbErr> {
    let sql = "UPDATE import_jobs SET state = $2, durable_row = $3, blocked = $4, counts = $5, \
        fingerprint = $6, update_time = $7 WHERE number = $1";
    let values: [Value; 7] = [
        job.number.into(),
        job.state.as_str().into(),
        job.durable_row.into(),
        job.blocked.into(),
        pack_counts(&job.counts).into(),
        pack_fingerprint(&job.fingerprint).into(),
        job.update_time.into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// A stretch of rows to be made durable together.
#[derive(Debug)]
pub struct Stretch {
    /// The job as it is after these rows.
    pub job: Job,
    /// The last durable row before these.
    pub after: i64,
    /// Everything to be written.
    pub sheets: Vec<Sheet>,
}

const ADVANCE: &str = "UPDATE import_jobs SET durable_row = $2, counts = $3, fingerprint = $4, \
    update_time = $5 WHERE number = $1 AND durable_row = $6 AND state = 'RECEIVING'";

/// Makes a stretch durable in one transaction; false when somebody else moved the job on.
///
/// # Errors
/// When the database fails: nothing of the stretch remains.
pub async fn stage(db: &Database, stretch: Stretch) -> Result<bool, DbErr> {
    let Stretch { job, after, sheets } = stretch;
    let (counts, fingerprint) = (pack_counts(&job.counts), pack_fingerprint(&job.fingerprint));
    let Some(pool) = db.postgres() else {
        let tx = db.begin().await?;
        let values: [Value; 6] = [
            job.number.into(),
            job.durable_row.into(),
            counts.into(),
            fingerprint.into(),
            job.update_time.into(),
            after.into(),
        ];
        if tx
            .execute_raw(statement(&tx, ADVANCE, values))
            .await?
            .rows_affected()
            != 1
        {
            return Ok(false);
        }
        for sheet in sheets {
            sheet.insert(&tx).await?;
        }
        tx.commit().await?;
        return Ok(true);
    };
    let mut tx = pool.begin().await.map_err(sqlx_err)?;
    let advanced = sea_orm::sqlx::query(ADVANCE)
        .bind(job.number)
        .bind(job.durable_row)
        .bind(counts)
        .bind(fingerprint)
        .bind(job.update_time)
        .bind(after)
        .execute(&mut *tx)
        .await
        .map_err(sqlx_err)?;
    if advanced.rows_affected() != 1 {
        return Ok(false);
    }
    for sheet in sheets {
        sheet.unnest(&mut tx).await?;
    }
    tx.commit().await.map_err(sqlx_err)?;
    Ok(true)
}

/// Forgets the staged rows of jobs that need them no more, some at a time; true while there may be
/// more.
///
/// # Errors
/// When the database fails.
pub async fn forget_staged(db: &Database) -> Result<bool, DbErr> {
    const AT_ONCE: i64 = 50_000;
    let tx = db.begin().await?;
    let done = statement(
        &tx,
        "SELECT number, durable_row FROM import_jobs WHERE staged = TRUE \
         AND state IN ('COMMITTED', 'ROLLED_BACK', 'DISCARDED') ORDER BY number LIMIT 1",
        [],
    );
    let Some(row) = tx.query_one_raw(done).await? else {
        return Ok(false);
    };
    let (number, last): (i64, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    let mut removed = 0;
    for table in super::shape::STAGING_TABLES {
        let sql = format!(
            "DELETE FROM {table} WHERE job = $1 AND row < (SELECT coalesce(min(row), 0) + $2 \
             FROM {table} WHERE job = $1) AND row <= $3"
        );
        let values = [number.into(), AT_ONCE.into(), last.into()];
        removed += tx
            .execute_raw(statement(&tx, &sql, values))
            .await?
            .rows_affected();
    }
    if removed == 0 {
        for sql in [
            "DELETE FROM import_vanished WHERE job = $1",
            "UPDATE import_jobs SET staged = FALSE WHERE number = $1",
        ] {
            tx.execute_raw(statement(&tx, sql, [number.into()])).await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

/// An error of the driver in the words of the layer above it.
pub(crate) fn sqlx_err(err: sea_orm::sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(err.into()))
}
