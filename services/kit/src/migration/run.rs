//! Applies what is to be applied, within a time.

use std::time::{Duration, Instant};

use sea_orm::{DatabaseTransaction, DbErr, RuntimeErr};
use sea_orm_migration::MigrationTrait;

use super::worker::{Attempt, Worker, end};
use super::{Schema, plan};
use crate::db::{Backend, Database};

/// The first pause before a second attempt; each is twice the one before, up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(2);
/// How much longer than its statements a server may take to say that the time is over.
const GRACE: Duration = Duration::from_secs(5);
/// A statement that is cut with no more than this left was cut because the time is over.
const NEARLY: Duration = Duration::from_millis(250);

/// How long migrating may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// All of it, with waiting for others.
    pub within: Duration,
    /// How long a statement may wait for a table that others use, while they queue behind it. Then
    /// the migration is rolled back, lets them through, and is tried again.
    pub lock: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            within: Duration::from_secs(600),
            lock: Duration::from_secs(2),
        }
    }
}

/// The schema is not up to date. What was applied stays applied.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database cannot be reached or read.
    #[error("the database cannot be used")]
    Unavailable(#[source] DbErr),
    /// Somebody else migrates this database.
    #[error("another process migrates this database, after {} s still", .within.as_secs_f32())]
    Busy {
        /// How long it was waited for.
        within: Duration,
    },
    /// The time was over.
    #[error("{migration}: not applied within {} s", .within.as_secs_f32())]
    Late {
        /// What was to be applied.
        migration: String,
        /// The time that there was.
        within: Duration,
        /// What the database said last.
        #[source]
        cause: Option<DbErr>,
    },
    /// A migration failed and left nothing of itself, unless it is an online one, which goes on where
    /// it was when it is tried again.
    #[error("{migration}: failed")]
    Failed {
        /// Which.
        migration: String,
        /// Why.
        #[source]
        cause: DbErr,
    },
}

impl MigrateError {
    /// What happened, with what the database said of it.
    pub fn told(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(err) = cause {
            let said = err.to_string();
            // An error of the database repeats the one below it.
            if !text.contains(&said) {
                text.push_str(": ");
                text.push_str(&said);
            }
            cause = err.source();
        }
        text
    }
}

impl From<MigrateError> for DbErr {
    fn from(err: MigrateError) -> Self {
        Self::Migration(err.told())
    }
}

/// Brings the database up to `schema`. One process at a time does so; others wait for their turn and
/// find it done. `told` hears each migration that was applied here, and how long it took.
///
/// # Errors
/// When the database cannot be used, another process migrates it, the time is over, or a migration
/// fails; those before it stay applied.
pub async fn apply(
    db: &Database,
    schema: &Schema,
    limits: Limits,
    told: &mut (dyn FnMut(&str, Duration) + Send),
) -> Result<(), MigrateError> {
    let plan = plan(db, schema).await.map_err(MigrateError::Unavailable)?;
    if plan.pending.is_empty() {
        return Ok(());
    }
    let worker = Worker::open(db, limits).await;
    let worker = worker.map_err(MigrateError::Unavailable)?;
    let pending: Vec<_> = plan.pending.into_iter().map(|step| step.name).collect();
    let applied = apply_pending(&worker, schema, &pending, limits, told).await;
    worker.close().await;
    applied
}

async fn apply_pending(
    worker: &Worker,
    schema: &Schema,
    pending: &[String],
    limits: Limits,
    told: &mut (dyn FnMut(&str, Duration) + Send),
) -> Result<(), MigrateError> {
    retried(worker, schema, None, limits).await?;
    let is_pending = |name: &str| pending.iter().any(|one| one == name);
    let mut migrations = schema.migrations();
    migrations.retain(|migration| is_pending(migration.name()));
    for migration in migrations {
        let began = Instant::now();
        if retried(worker, schema, Some(&*migration), limits).await? == Attempt::Applied {
            told(migration.name(), began.elapsed());
        }
    }
    Ok(())
}

/// Applies one migration, or without one makes the table that tells what is applied, however often
/// somebody is in the way, until the time is over.
async fn retried(
    worker: &Worker,
    schema: &Schema,
    migration: Option<&dyn MigrationTrait>,
    limits: Limits,
) -> Result<Attempt, MigrateError> {
    let name = migration.map_or(schema.table.as_str(), |migration| migration.name());
    let within = limits.within;
    let late = |cause| MigrateError::Late {
        migration: name.to_owned(),
        within,
        cause,
    };
    let mut pause = FIRST_PAUSE;
    loop {
        let attempt = async {
            match migration {
                Some(migration) => worker.apply(schema, migration).await,
                None => worker.install(schema).await,
            }
        };
        let Ok(attempt) = tokio::time::timeout(worker.left() + GRACE, attempt).await else {
            return Err(late(None));
        };
        let in_the_way = match attempt {
            Ok(Attempt::Theirs) => None,
            Ok(attempt) => return Ok(attempt),
            Err(err) => match obstacle(&err, worker.backend()) {
                Obstacle::Writer => None,
                Obstacle::Lock => Some(err),
                Obstacle::Time if worker.left() <= NEARLY => return Err(late(Some(err))),
                Obstacle::Time | Obstacle::Other => {
                    return Err(MigrateError::Failed {
                        migration: name.to_owned(),
                        cause: err,
                    });
                }
            },
        };
        if worker.left().is_zero() {
            return Err(match in_the_way {
                Some(err) => late(Some(err)),
                None => MigrateError::Busy { within },
            });
        }
        tokio::time::sleep(pause.min(worker.left())).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

/// Does `work`, which is called `what`, in one transaction while nobody migrates this database.
///
/// # Errors
/// When the database cannot be used, another process migrates it for as long as there is time, or
/// the work fails, which leaves nothing of itself.
pub(crate) async fn alone<T>(
    db: &Database,
    what: &str,
    limits: Limits,
    work: impl AsyncFnOnce(&DatabaseTransaction) -> Result<T, DbErr>,
) -> Result<T, MigrateError> {
    let worker = Worker::open(db, limits).await;
    let worker = worker.map_err(MigrateError::Unavailable)?;
    let working = async {
        let tx = turn(&worker, limits).await?;
        let done = work(&tx).await;
        end(tx, done).await.map_err(|cause| MigrateError::Failed {
            migration: what.to_owned(),
            cause,
        })
    };
    let done = working.await;
    worker.close().await;
    done
}

/// A transaction while nobody else migrates, however often somebody is in the way.
async fn turn(worker: &Worker, limits: Limits) -> Result<DatabaseTransaction, MigrateError> {
    let mut pause = FIRST_PAUSE;
    loop {
        match worker.turn().await {
            Ok(Some(tx)) => return Ok(tx),
            Ok(None) => {}
            Err(err) if matches!(obstacle(&err, worker.backend()), Obstacle::Writer) => {}
            Err(err) => return Err(MigrateError::Unavailable(err)),
        }
        if worker.left().is_zero() {
            let within = limits.within;
            return Err(MigrateError::Busy { within });
        }
        tokio::time::sleep(pause.min(worker.left())).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

/// Why a statement failed.
enum Obstacle {
    /// Another process writes to the file of SQLite.
    Writer,
    /// Others use a table.
    Lock,
    /// It took too long.
    Time,
    /// Trying again would not help.
    Other,
}

fn obstacle(err: &DbErr, backend: Backend) -> Obstacle {
    let (DbErr::Conn(RuntimeErr::SqlxError(cause))
    | DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))) = err
    else {
        return Obstacle::Other;
    };
    let code = cause.as_database_error().and_then(|err| err.code());
    match (backend, code.as_deref()) {
        (Backend::Sqlite, Some("5" | "6" | "261" | "517")) => Obstacle::Writer,
        (Backend::Sqlite, Some("9")) => Obstacle::Time,
        (Backend::Postgres, Some("55P03" | "40P01")) => Obstacle::Lock,
        (Backend::Postgres, Some("57014")) => Obstacle::Time,
        _ => Obstacle::Other,
    }
}
