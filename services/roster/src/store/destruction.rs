//! Destruction jobs: their steps, which are only added, and certificates.

use std::collections::BTreeMap;

use kit::db::{Tx, statement};
use kit::rows::Lock;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

use super::{locked, unreadable};
use crate::domain::destruction::{Certificate, Event, Job};

/// A job with its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The id of the job.
    pub id: String,
    /// The id of the emergency.
    pub emergency: String,
    /// What its steps made of it.
    pub job: Job,
}

impl Stored {
    /// The resource name of the job.
    pub fn name(&self) -> String {
        format!("destructionJobs/{}", self.id)
    }
}

/// One job.
///
/// # Errors
/// When the database fails.
pub async fn get(db: &impl ConnectionTrait, id: &str, lock: Lock) -> Result<Option<Stored>, DbErr> {
    let sql = format!(
        "SELECT id, emergency FROM destruction_jobs WHERE id = $1{}",
        locked(db, lock)
    );
    let rows = db.query_all_raw(statement(db, &sql, [id.into()])).await?;
    Ok(replayed(db, rows).await?.pop())
}

/// The job for an emergency that was not given up.
///
/// # Errors
/// When the database fails.
pub async fn standing(db: &impl ConnectionTrait, emergency: &str) -> Result<Option<String>, DbErr> {
    let select = statement(
        db,
        "SELECT id FROM destruction_jobs WHERE emergency = $1 AND stands = 1",
        [emergency.into()],
    );
    let row = db.query_one_raw(select).await?;
    row.map(|row| row.try_get_by_index(0)).transpose()
}

/// At most `limit` jobs before the one called `before`, the latest first; from the latest on when it
/// is empty.
///
/// # Errors
/// When the database fails.
pub async fn list(
    db: &impl ConnectionTrait,
    before: &str,
    limit: u64,
) -> Result<Vec<Stored>, DbErr> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let select = statement(
        db,
        "SELECT id, emergency FROM destruction_jobs WHERE ($1 = '' OR id < $1) \
         ORDER BY id DESC LIMIT $2",
        [before.into(), limit.into()],
    );
    let rows = db.query_all_raw(select).await?;
    replayed(db, rows).await
}

/// The jobs of these rows, in their order.
async fn replayed(db: &impl ConnectionTrait, rows: Vec<QueryResult>) -> Result<Vec<Stored>, DbErr> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids: Vec<(String, String)> = Vec::new();
    for row in &rows {
        ids.push((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
    }
    let marks: Vec<String> = (1..=ids.len()).map(|mark| format!("${mark}")).collect();
    let sql = format!(
        "SELECT job, body FROM destruction_events WHERE job IN ({}) ORDER BY job, number",
        marks.join(", ")
    );
    let values = ids.iter().map(|(id, _)| Value::from(id.as_str()));
    let mut histories: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for row in &db.query_all_raw(statement(db, &sql, values)).await? {
        let body: String = row.try_get_by_index(1)?;
        let event = serde_json::from_str(&body).map_err(|_| unreadable("a step of a job"))?;
        histories
            .entry(row.try_get_by_index(0)?)
            .or_default()
            .push(event);
    }
    let jobs = ids.into_iter().map(|(id, emergency)| {
        let history = histories.remove(&id).unwrap_or_default();
        let job = Job::replay(history).ok_or_else(|| unreadable("the history of a job"))?;
        Ok(Stored { id, emergency, job })
    });
    jobs.collect()
}

/// Adds a job unless another one for its emergency stands; tells whether it was added.
///
/// # Errors
/// When the database fails.
pub async fn add(tx: &Tx, stored: &Stored) -> Result<bool, DbErr> {
    let insert = statement(
        tx,
        "INSERT INTO destruction_jobs (id, emergency, stands) VALUES ($1, $2, 1) \
         ON CONFLICT DO NOTHING",
        [stored.id.as_str().into(), stored.emergency.as_str().into()],
    );
    if tx.execute_raw(insert).await?.rows_affected() == 0 {
        return Ok(false);
    }
    save(tx, stored).await?;
    Ok(true)
}

/// Adds the last step of a job that was locked.
///
/// # Errors
/// When the database fails.
pub async fn save(tx: &Tx, stored: &Stored) -> Result<(), DbErr> {
    let Stored {
        id,
        emergency: _,
        job,
    } = stored;
    let (number, last) = (job.events().len(), job.events().last());
    let body = serde_json::to_string(&last).map_err(|_| unreadable("a step of a job"))?;
    let insert = statement(
        tx,
        "INSERT INTO destruction_events (job, number, body) VALUES ($1, $2, $3)",
        [
            id.as_str().into(),
            i32::try_from(number).unwrap_or(i32::MAX).into(),
            body.into(),
        ],
    );
    tx.execute_raw(insert).await?;
    if job.state().given_up() {
        let update = statement(
            tx,
            "UPDATE destruction_jobs SET stands = NULL WHERE id = $1",
            [id.as_str().into()],
        );
        tx.execute_raw(update).await?;
    }
    Ok(())
}

/// Keeps the certificate of a job.
///
/// # Errors
/// When the database fails.
pub async fn keep(tx: &Tx, id: &str, certificate: &Certificate) -> Result<(), DbErr> {
    let Certificate {
        manifest,
        signature,
        public_key,
    } = certificate;
    let insert = statement(
        tx,
        "INSERT INTO destruction_certificates (job, manifest, signature, public_key) \
         VALUES ($1, $2, $3, $4)",
        [
            id.into(),
            manifest.clone().into(),
            signature.to_vec().into(),
            public_key.to_vec().into(),
        ],
    );
    tx.execute_raw(insert).await?;
    Ok(())
}

/// The certificate of a job.
///
/// # Errors
/// When the database fails.
pub async fn certificate(
    db: &impl ConnectionTrait,
    id: &str,
) -> Result<Option<Certificate>, DbErr> {
    let select = statement(
        db,
        "SELECT manifest, signature, public_key FROM destruction_certificates WHERE job = $1",
        [id.into()],
    );
    let row = db.query_one_raw(select).await?;
    row.map(|row| {
        let signature: Vec<u8> = row.try_get_by_index(1)?;
        let public_key: Vec<u8> = row.try_get_by_index(2)?;
        let torn = |_| unreadable("a certificate");
        Ok(Certificate {
            manifest: row.try_get_by_index(0)?,
            signature: signature.try_into().map_err(torn)?,
            public_key: public_key.try_into().map_err(torn)?,
        })
    })
    .transpose()
}
