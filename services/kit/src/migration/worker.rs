//! The one connection that migrates: its own session, with a time at which everything on it ends.

use std::time::{Duration, Instant};

use sea_orm::sqlx::postgres::PgPoolOptions;
use sea_orm::sqlx::sqlite::SqlitePoolOptions;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, RuntimeErr,
    SqliteTransactionMode, SqlxPostgresConnector, SqlxSqliteConnector, Statement,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use super::{Limits, Schema};
use crate::clock::{Clock as _, SystemClock};
use crate::db::{Backend, Database};

/// The advisory lock of PostgreSQL that a process holds while it migrates: in each database, so that
/// services which share a server do not wait for each other.
pub const MIGRATING: i64 = 0x6361_6d70_7573;

/// How long one attempt to get SQLite's write lock waits.
const WRITE_LOCK: Duration = Duration::from_secs(1);
/// After how many steps of its machine SQLite looks whether the time is over.
const SQLITE_STEPS: i32 = 10_000;
/// How soon a server of PostgreSQL notices that the process on the other side is gone.
const NOTICE: &str = "SELECT set_config(name, '5s', false) FROM pg_settings \
    WHERE name = 'client_connection_check_interval'";

/// A session that migrates. Where it ends, however it ends, the lock ends with it.
#[derive(Debug)]
pub(super) struct Worker {
    connection: DatabaseConnection,
    backend: Backend,
    deadline: Instant,
    lock: Duration,
}

/// What one attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    /// It is applied now.
    Applied,
    /// Somebody else had applied it meanwhile.
    Found,
    /// Somebody else is migrating.
    Theirs,
}

impl Worker {
    pub(super) async fn open(db: &Database, limits: Limits) -> Result<Self, DbErr> {
        let deadline = Instant::now() + limits.within;
        let backend = db.backend();
        let connection = match db.postgres() {
            Some(pool) => {
                let options = pool.connect_options().as_ref().clone();
                let own = PgPoolOptions::new()
                    .max_connections(1)
                    .idle_timeout(None)
                    .max_lifetime(None)
                    .acquire_timeout(limits.within)
                    .connect_with(options)
                    .await
                    .map_err(refused)?;
                SqlxPostgresConnector::from_sqlx_postgres_pool(own)
            }
            None => {
                let options = db.sqlite_options()?.busy_timeout(WRITE_LOCK);
                let own = SqlitePoolOptions::new()
                    .max_connections(1)
                    .idle_timeout(None)
                    .max_lifetime(None)
                    .acquire_timeout(limits.within)
                    .after_connect(move |connection, _| {
                        Box::pin(async move {
                            let mut handle = connection.lock_handle().await?;
                            handle.set_progress_handler(SQLITE_STEPS, move || {
                                Instant::now() < deadline
                            });
                            Ok(())
                        })
                    })
                    .connect_with(options)
                    .await
                    .map_err(refused)?;
                SqlxSqliteConnector::from_sqlx_sqlite_pool(own)
            }
        };
        if backend == Backend::Postgres {
            connection.execute_unprepared(NOTICE).await?;
        }
        Ok(Self {
            connection,
            backend,
            deadline,
            lock: limits.lock,
        })
    }

    /// What is left of the time.
    pub(super) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    pub(super) fn backend(&self) -> Backend {
        self.backend
    }

    /// Gives the session up, and the lock with it.
    pub(super) async fn close(self) {
        // A session that does not end in order ends with this process at the latest.
        let _ = tokio::time::timeout(WRITE_LOCK, self.connection.close()).await;
    }

    /// Makes the table that tells what is applied.
    pub(super) async fn install(&self, schema: &Schema) -> Result<Attempt, DbErr> {
        let Some(tx) = self.turn().await? else {
            return Ok(Attempt::Theirs);
        };
        let sql = format!(
            "CREATE TABLE {} (version VARCHAR NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)",
            schema.table
        );
        let made = async {
            if SchemaManager::new(&tx).has_table(&schema.table).await? {
                return Ok(Attempt::Found);
            }
            tx.execute_unprepared(&sql).await?;
            Ok(Attempt::Applied)
        };
        let made = made.await;
        end(tx, made).await
    }

    /// Tries to apply `migration`.
    pub(super) async fn apply(
        &self,
        schema: &Schema,
        migration: &dyn MigrationTrait,
    ) -> Result<Attempt, DbErr> {
        if self.backend == Backend::Postgres && migration.use_transaction() == Some(false) {
            return self.apply_online(schema, migration).await;
        }
        let Some(tx) = self.turn().await? else {
            return Ok(Attempt::Theirs);
        };
        let applied = async {
            if has(&tx, schema, migration.name()).await? {
                return Ok(Attempt::Found);
            }
            migration.up(&SchemaManager::new(&tx)).await?;
            record(&tx, schema, migration.name()).await?;
            Ok(Attempt::Applied)
        };
        let applied = applied.await;
        end(tx, applied).await
    }

    /// The same outside of a transaction: what was done before a cut stays, and is found again.
    async fn apply_online(
        &self,
        schema: &Schema,
        migration: &dyn MigrationTrait,
    ) -> Result<Attempt, DbErr> {
        let connection = &self.connection;
        self.bound(connection, "SET").await?;
        if !locked(connection).await? {
            return Ok(Attempt::Theirs);
        }
        if has(connection, schema, migration.name()).await? {
            return Ok(Attempt::Found);
        }
        migration.up(&SchemaManager::new(connection)).await?;
        record(connection, schema, migration.name()).await?;
        Ok(Attempt::Applied)
    }

    /// Begins a transaction while nobody else migrates; none while somebody does. Who has to wait
    /// waits outside of a transaction: an index that is built online waits for every transaction.
    pub(super) async fn turn(&self) -> Result<Option<DatabaseTransaction>, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: (self.backend == Backend::Sqlite)
                .then_some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let tx = self.connection.begin_with_options(options).await?;
        if self.backend == Backend::Postgres {
            self.bound(&tx, "SET LOCAL").await?;
            if !locked(&tx).await? {
                tx.rollback().await?;
                return Ok(None);
            }
        }
        Ok(Some(tx))
    }

    /// Lets no statement wait for a lock for long, nor take longer than what is left.
    async fn bound(&self, connection: &impl ConnectionTrait, set: &str) -> Result<(), DbErr> {
        // Zero would mean without a limit.
        let left = self.left().as_millis().max(1);
        let lock = self.lock.as_millis().max(1);
        let sql = format!("{set} statement_timeout = {left}; {set} lock_timeout = {lock}");
        connection.execute_unprepared(&sql).await?;
        Ok(())
    }
}

/// Commits what was done; what failed is rolled back and told.
pub(super) async fn end<T>(tx: DatabaseTransaction, done: Result<T, DbErr>) -> Result<T, DbErr> {
    match done {
        Ok(done) => {
            tx.commit().await?;
            Ok(done)
        }
        Err(err) => {
            // Where the session broke, the server rolls back by itself.
            let _ = tx.rollback().await;
            Err(err)
        }
    }
}

/// Takes the lock for this session, which may have it already.
async fn locked(connection: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let sql = format!("SELECT pg_try_advisory_lock({MIGRATING})");
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    match connection.query_one_raw(statement).await? {
        Some(row) => row.try_get_by_index(0),
        None => Ok(false),
    }
}

async fn has(
    connection: &impl ConnectionTrait,
    schema: &Schema,
    name: &str,
) -> Result<bool, DbErr> {
    let sql = format!("SELECT 1 FROM {} WHERE version = $1", schema.table);
    let statement = crate::db::statement(connection, &sql, [name.into()]);
    Ok(connection.query_one_raw(statement).await?.is_some())
}

async fn record(
    connection: &impl ConnectionTrait,
    schema: &Schema,
    name: &str,
) -> Result<(), DbErr> {
    let sql = format!(
        "INSERT INTO {} (version, applied_at) VALUES ($1, $2)",
        schema.table
    );
    let values = [name.into(), SystemClock.now().timestamp().into()];
    let statement = crate::db::statement(connection, &sql, values);
    connection.execute_raw(statement).await?;
    Ok(())
}

fn refused(err: sea_orm::sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(err.into()))
}
