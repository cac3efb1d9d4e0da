//! The two databases behind one face: SQLite with a single writer, PostgreSQL with a pool.

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sea_orm::sqlx::{AssertSqlSafe, Connection as _, raw_sql};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, SqliteTransactionMode, SqlxPostgresConnector, SqlxSqliteConnector, Statement,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use serde::Deserialize;
use tokio::sync::Notify;

use crate::audit::{self, Call, Kind};

/// What SQLite keeps in memory for its one writer, in kibibytes below zero.
const WRITER_CACHE: &str = "-65536";
/// The same for each of its readers: there are many, and the system's cache serves them all.
const READER_CACHE: &str = "-4096";

/// The lock that a replica holds while it brings the schema up to date; any number does.
const MIGRATING: i64 = 0x6361_6d70_7573;

/// Where a service keeps its data.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite:FILE`, or `postgres://user:password@host:port/database`.
    pub url: String,
    /// How many connections the pool may open; SQLite uses them for reading and one more to write.
    #[serde(default = "default_connections")]
    pub max_connections: u32,
    /// How long a call waits for a free connection before it is answered with OVERLOADED.
    #[serde(default = "default_acquire", with = "humantime_serde")]
    pub acquire_timeout: Duration,
}

fn default_connections() -> u32 {
    16
}

fn default_acquire() -> Duration {
    Duration::from_secs(5)
}

impl DatabaseConfig {
    /// The defaults around `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: default_connections(),
            acquire_timeout: default_acquire(),
        }
    }
}

/// Which of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// SQLite, embedded.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// An open database. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Database {
    backend: Backend,
    read: DatabaseConnection,
    write: DatabaseConnection,
    postgres: Option<sea_orm::sqlx::PgPool>,
    announced: Arc<Notify>,
    appended: Arc<Notify>,
    audited: Arc<Notify>,
}

impl Database {
    /// Opens the database that `config` names; a SQLite file is created when absent.
    ///
    /// # Errors
    /// When the URL is of neither kind, the database cannot be reached, or it is set up so that an
    /// acknowledged write could be lost.
    pub async fn connect(config: &DatabaseConfig) -> Result<Self, DbErr> {
        if config.url.starts_with("sqlite:") {
            Self::open_sqlite(config).await
        } else {
            Self::open_postgres(config).await
        }
    }

    async fn open_sqlite(config: &DatabaseConfig) -> Result<Self, DbErr> {
        let options = SqliteConnectOptions::from_str(&config.url)
            .map_err(conn_err)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10))
            .foreign_keys(true)
            .pragma("cache_size", WRITER_CACHE);
        let pool = |connections: u32| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(config.acquire_timeout.max(Duration::from_secs(30)))
        };
        let write = pool(1)
            .connect_with(options.clone())
            .await
            .map_err(conn_err)?;
        let options = options.pragma("cache_size", READER_CACHE);
        let read = pool(config.max_connections.max(1)).connect_lazy_with(options);
        Ok(Self {
            backend: Backend::Sqlite,
            read: SqlxSqliteConnector::from_sqlx_sqlite_pool(read),
            write: SqlxSqliteConnector::from_sqlx_sqlite_pool(write),
            postgres: None,
            announced: Arc::default(),
            appended: Arc::default(),
            audited: Arc::default(),
        })
    }

    async fn open_postgres(config: &DatabaseConfig) -> Result<Self, DbErr> {
        let options = PgConnectOptions::from_str(&plain_on_loopback(&config.url))
            .map_err(conn_err)?
            .application_name("campus")
            .options([
                ("lock_timeout", "10s"),
                ("idle_in_transaction_session_timeout", "60s"),
            ]);
        let pool = PgPoolOptions::new()
            .max_connections(config.max_connections.max(2))
            .acquire_timeout(config.acquire_timeout)
            .connect_with(options)
            .await
            .map_err(conn_err)?;
        let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
        let database = Self {
            backend: Backend::Postgres,
            read: connection.clone(),
            write: connection,
            postgres: Some(pool),
            announced: Arc::default(),
            appended: Arc::default(),
            audited: Arc::default(),
        };
        database.refuse_without_durability().await?;
        Ok(database)
    }

    /// Acknowledged must mean durable, so a server that may forget a commit is refused.
    async fn refuse_without_durability(&self) -> Result<(), DbErr> {
        for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
            let row = self
                .read
                .query_one_raw(Statement::from_string(
                    DbBackend::Postgres,
                    format!("SHOW {setting}"),
                ))
                .await?;
            let value: String = match row {
                Some(row) => row.try_get_by_index(0)?,
                None => String::new(),
            };
            if value == "off" {
                return Err(DbErr::Custom(format!("the server has {setting} = off")));
            }
        }
        Ok(())
    }

    /// Brings the schema up to date. Replicas that start together take turns.
    ///
    /// # Errors
    /// When a migration fails; those before it stay applied. When another replica is at it for longer
    /// than ten minutes.
    pub async fn migrate<M: MigratorTrait>(&self) -> Result<(), DbErr> {
        let Some(pool) = &self.postgres else {
            return M::up(&self.write, None).await;
        };
        // The turn ends with its connection, however this process ends.
        let mut turn = pool.acquire().await.map_err(conn_err)?.detach();
        let take = format!("SET lock_timeout = '10min'; SELECT pg_advisory_lock({MIGRATING})");
        raw_sql(AssertSqlSafe(take))
            .execute(&mut turn)
            .await
            .map_err(conn_err)?;
        let migrated = M::up(&self.write, None).await;
        // What cannot be closed in order is closed by dropping it.
        let _ = turn.close().await;
        migrated
    }

    /// Which of the two databases this is.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// For reads outside a transaction.
    pub fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// Begins a transaction that may write. On SQLite it holds the only writer from its first
    /// moment, so reading before writing cannot conflict.
    ///
    /// # Errors
    /// When no connection becomes free in time.
    pub async fn begin(&self) -> Result<Tx, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: (self.backend == Backend::Sqlite)
                .then_some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        // A caller that goes away while the driver waits for BEGIN would hand a connection with an
        // open transaction back to the pool. Begun beside the caller, it is rolled back instead.
        let write = self.write.clone();
        let beginning = tokio::spawn(async move { write.begin_with_options(options).await });
        let inner = beginning
            .await
            .map_err(|err| DbErr::Custom(err.to_string()))??;
        Ok(Tx {
            inner,
            backend: self.backend,
            wake: match self.backend {
                Backend::Postgres => self.announced.clone(),
                Backend::Sqlite => self.appended.clone(),
            },
            announced: AtomicBool::new(false),
            audit: self.audited.clone(),
            audited: AtomicBool::new(false),
            acts: Mutex::default(),
        })
    }

    /// The pool beneath, for what only the driver can do; none on SQLite.
    pub fn postgres(&self) -> Option<&sea_orm::sqlx::PgPool> {
        self.postgres.as_ref()
    }

    /// Closes the pools; transactions under way finish first.
    pub async fn close(&self) {
        // A pool that is closed already is as closed as it can be.
        let _ = self.read.clone().close().await;
        let _ = self.write.clone().close().await;
    }

    /// Woken after each commit in this process that put a change into the outbox.
    pub(crate) fn announced(&self) -> &Notify {
        &self.announced
    }

    /// Woken when the log of a feed grew in this process.
    pub(crate) fn appended(&self) -> &Notify {
        &self.appended
    }

    /// Woken after each commit in this process that wrote records of the audit.
    pub(crate) fn audited(&self) -> &Notify {
        &self.audited
    }
}

/// The URL of a server, without encryption where the way to it never leaves the machine and nothing
/// else is asked for. The driver sends an encrypted statement in many small pieces, each of which
/// may wait forty milliseconds for a delayed acknowledgement.
pub(crate) fn plain_on_loopback(url: &str) -> String {
    let place = url.rsplit_once('@').map_or(url, |(_, place)| place);
    let loopback = ["127.", "localhost", "[::1]"];
    let local = loopback.iter().any(|host| place.starts_with(host));
    if !local || place.contains("sslmode=") {
        return url.to_owned();
    }
    let mark = if place.contains('?') { '&' } else { '?' };
    format!("{url}{mark}sslmode=disable")
}

fn conn_err(err: sea_orm::sqlx::Error) -> DbErr {
    DbErr::Conn(sea_orm::RuntimeErr::SqlxError(err.into()))
}

/// A transaction. It is rolled back unless [`Tx::commit`] is called.
#[derive(Debug)]
pub struct Tx {
    inner: DatabaseTransaction,
    backend: Backend,
    wake: Arc<Notify>,
    announced: AtomicBool,
    audit: Arc<Notify>,
    audited: AtomicBool,
    /// The calls whose acts this transaction records.
    acts: Mutex<Vec<Arc<Call>>>,
}

impl Tx {
    /// Which of the two databases this is.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The transaction beneath, for streaming reads.
    pub fn inner(&self) -> &DatabaseTransaction {
        &self.inner
    }

    /// Records the acts, makes everything durable, and wakes the feed when something was announced.
    ///
    /// # Errors
    /// When the commit fails; nothing of the transaction remains, unless the connection broke
    /// while the answer was on its way.
    pub async fn commit(self) -> Result<(), DbErr> {
        let acts = std::mem::take(&mut *self.acts());
        if !acts.is_empty() {
            let records = acts.iter().map(|call| call.record(Kind::Act));
            audit::write(&self, &records.collect::<Vec<_>>()).await?;
            self.mark_audited();
        }
        self.inner.commit().await?;
        acts.iter().for_each(|call| call.set_recorded());
        if self.audited.into_inner() {
            self.audit.notify_one();
        }
        if self.announced.into_inner() {
            self.wake.notify_waiters();
        }
        Ok(())
    }

    /// Gives everything up.
    ///
    /// # Errors
    /// When the connection is broken; the database rolls back by itself then.
    pub async fn rollback(self) -> Result<(), DbErr> {
        self.inner.rollback().await
    }

    /// Records `call` at the commit.
    pub(crate) fn record(&self, call: &Arc<Call>) {
        let mut acts = self.acts();
        if !acts.contains(call) {
            acts.push(call.clone());
        }
    }

    fn acts(&self) -> MutexGuard<'_, Vec<Arc<Call>>> {
        self.acts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn mark_audited(&self) {
        self.audited.store(true, Ordering::Relaxed);
    }

    pub(crate) fn mark_announced(&self) {
        self.announced.store(true, Ordering::Relaxed);
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.inner.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.inner.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.inner.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.inner.query_all_raw(statement).await
    }
}

/// A raw statement with `$1`-style parameters, which both databases take.
pub fn statement<I>(connection: &impl ConnectionTrait, sql: &str, values: I) -> Statement
where
    I: IntoIterator<Item = sea_orm::Value>,
{
    Statement::from_sql_and_values(connection.get_database_backend(), sql, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_way_within_the_machine_is_plain_and_only_unless_asked_otherwise() {
        let plain = "postgres://u:p@127.0.0.1:5432/d?sslmode=disable";
        assert_eq!(plain_on_loopback("postgres://u:p@127.0.0.1:5432/d"), plain);
        for other in [
            "postgres://u@db.example:5432/d",
            "postgres://u@localhost/d?sslmode=require",
            "postgres://127.0.0.1@db.example/d",
        ] {
            assert_eq!(plain_on_loopback(other), other);
        }
    }
}
