//! The two databases behind one face: SQLite with a single writer, PostgreSQL with a pool.

mod connections;
mod lost;
mod observed;
mod time;
mod tx;

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sea_orm::sqlx::{ConnectOptions as _, Connection as _};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, SqliteTransactionMode, SqlxPostgresConnector,
    SqlxSqliteConnector, Statement, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use serde::Deserialize;
use tokio::sync::Notify;
use tracing::Instrument;

use crate::migration::{self, Limits, Schema};
pub use connections::{Connection, Connections, Way};
use connections::{Writers, pass, word};
pub(crate) use lost::Patience;
use observed::Observed;
pub use observed::Reader;
pub(crate) use observed::TARGET;
pub use tx::Tx;

/// How often a service that waits for the command `migrate` looks whether it is through.
const LOOK: Duration = Duration::from_secs(1);
/// What SQLite keeps in memory for its one writer, in kibibytes below zero.
const WRITER_CACHE: &str = "-65536";
/// The same for each of its readers: there are many, and the system's cache serves them all.
const READER_CACHE: &str = "-4096";

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
    /// Who brings the schema up to date.
    #[serde(default)]
    pub migrate: Migrate,
    /// How long the service waits, when it starts, for the command to bring the schema up to date. Zero:
    /// not at all.
    #[serde(default, with = "humantime_serde")]
    pub await_schema: Duration,
}

/// Who brings the schema up to date.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Migrate {
    /// The service, when it starts.
    #[default]
    AtStart,
    /// The command `migrate`: the service does not start on a schema that is older than it needs, and
    /// waits for the command as long as `await_schema` says.
    ByCommand,
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
            migrate: Migrate::default(),
            await_schema: Duration::ZERO,
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
    migrate: Migrate,
    await_schema: Duration,
    read: Reader,
    write: Writers,
    observed: Observed,
    postgres: Option<sea_orm::sqlx::PgPool>,
    announced: Arc<Notify>,
    appended: Arc<Notify>,
    audited: Arc<Notify>,
    /// By how many milliseconds the machine's clock was ahead of the database's when it was last looked at.
    ahead: Arc<AtomicI64>,
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
            .disable_statement_logging()
            .pragma("cache_size", WRITER_CACHE);
        let pool = |connections: u32| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(config.acquire_timeout.max(Duration::from_secs(30)))
                // A full disk makes SQLite itself roll back, of which the driver knows nothing: it would begin the next
                // transaction inside of one that is never committed.
                .before_acquire(|connection, _| {
                    Box::pin(async move { Ok(!connection.is_in_transaction()) })
                })
        };
        let write = pool(1)
            .connect_with(options.clone())
            .await
            .map_err(conn_err)?;
        let options = options.pragma("cache_size", READER_CACHE);
        let read = pool(config.max_connections.max(1)).connect_lazy_with(options);
        let observed = Observed::default();
        Ok(Self {
            backend: Backend::Sqlite,
            migrate: config.migrate,
            await_schema: config.await_schema,
            read: Reader {
                inner: SqlxSqliteConnector::from_sqlx_sqlite_pool(read),
                way: None,
                observed: observed.clone(),
            },
            write: Writers::Pool(SqlxSqliteConnector::from_sqlx_sqlite_pool(write)),
            observed,
            postgres: None,
            announced: Arc::default(),
            appended: Arc::default(),
            audited: Arc::default(),
            ahead: Arc::default(),
        })
    }

    async fn open_postgres(config: &DatabaseConfig) -> Result<Self, DbErr> {
        // The driver asks whether what it could say is wanted and then says nothing, after which the next span of its
        // thread would be taken for one that nobody wants. Statements have spans of their own.
        let options = PgConnectOptions::from_str(&plain_on_loopback(&config.url))
            .map_err(conn_err)?
            .disable_statement_logging()
            .application_name("campus")
            .options([
                ("client_min_messages", "warning"),
                ("lock_timeout", "10s"),
                // What a frozen replica has locked is free before those who wait for it give up.
                ("idle_in_transaction_session_timeout", "8s"),
            ]);
        let pool = PgPoolOptions::new()
            .max_connections(config.max_connections.max(2))
            .acquire_timeout(config.acquire_timeout)
            .connect_with(options)
            .await
            .map_err(conn_err)?;
        let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
        let observed = Observed::default();
        let database = Self {
            backend: Backend::Postgres,
            migrate: config.migrate,
            await_schema: config.await_schema,
            read: Reader {
                inner: connection.clone(),
                way: None,
                observed: observed.clone(),
            },
            write: Writers::Pool(connection),
            observed,
            postgres: Some(pool),
            announced: Arc::default(),
            appended: Arc::default(),
            audited: Arc::default(),
            ahead: Arc::default(),
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

    /// Brings the schema up to date, unless that is left to the command. Replicas that start together
    /// take turns, and one that finds nothing to do takes no lock.
    ///
    /// # Errors
    /// When a migration fails; those before it stay applied. When another process is at it for longer
    /// than ten minutes. When something is to be applied, the command is to do so, and it has not
    /// within `await_schema`.
    pub async fn migrate<M: MigratorTrait>(&self) -> Result<(), DbErr> {
        let schema = Schema::of::<M>();
        if self.migrate == Migrate::AtStart {
            let mut told = |migration: &str, took: Duration| {
                tracing::info!(migration, ?took, "applied");
            };
            migration::apply(self, &schema, Limits::default(), &mut told).await?;
            return Ok(());
        }
        self.await_command(&schema).await
    }

    /// Waits until the command has brought the schema up to date.
    async fn await_command(&self, schema: &Schema) -> Result<(), DbErr> {
        let began = Instant::now();
        let mut told = false;
        while let Some(first) = migration::plan(self, schema).await?.pending.first() {
            let left = self.await_schema.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Err(DbErr::Migration(format!(
                    "{} is not applied, and database.migrate leaves that to `migrate`",
                    first.name
                )));
            }
            if !std::mem::replace(&mut told, true) {
                tracing::info!(migration = first.name, "waits for `migrate`");
            }
            tokio::time::sleep(LOOK.min(left)).await;
        }
        Ok(())
    }

    /// Which of the two databases this is.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// For reads outside a transaction.
    pub fn read(&self) -> &Reader {
        &self.read
    }

    /// Begins a transaction that may write. On SQLite it holds the only writer from its first
    /// moment, so reading before writing cannot conflict.
    ///
    /// # Errors
    /// When no connection becomes free in time, for which nobody waits long once the database is lost.
    pub async fn begin(&self) -> Result<Tx, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: (self.backend == Backend::Sqlite)
                .then_some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        // A caller that goes away while the driver waits for BEGIN would hand a connection with an
        // open transaction back to the pool. Begun beside the caller, it is rolled back instead.
        let ((write, way), observed) = (self.write.connection(), self.observed.clone());
        let to_begin = way.clone();
        let wanted = observed.want(true);
        let beginning = async move {
            pass(to_begin.as_ref(), || word(&write, "BEGIN")).await?;
            let begun = write.begin_with_options(options);
            observed.run("BEGIN", begun).await
        };
        let beginning = tokio::spawn(beginning.in_current_span());
        let begun = async {
            beginning
                .await
                .map_err(|err| DbErr::Custom(err.to_string()))?
        };
        let inner = self.observed.in_time(begun).await?;
        Ok(Tx {
            inner,
            way,
            observed: self.observed.clone(),
            _wanted: wanted,
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

    /// How a connection to the file is opened.
    ///
    /// # Errors
    /// When there is no file.
    pub(crate) fn sqlite_options(&self) -> Result<SqliteConnectOptions, DbErr> {
        let Some(pool) = self.write.pool() else {
            return Err(DbErr::Custom("the database is not a file".to_owned()));
        };
        let pool = pool.get_sqlite_connection_pool();
        Ok(pool.connect_options().as_ref().clone())
    }

    /// Closes the pools; transactions under way finish first.
    pub async fn close(&self) {
        // A pool that is closed already is as closed as it can be.
        let _ = self.read.inner.clone().close().await;
        if let Some(pool) = self.write.pool() {
            let _ = pool.clone().close().await;
        }
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
