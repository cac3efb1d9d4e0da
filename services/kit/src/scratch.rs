//! Databases for a moment: for tests, the demo and measurements.

use std::ops::Deref;
use std::path::Path;

use sea_orm::ConnectionTrait;
use sea_orm_migration::MigratorTrait;

use crate::db::{Database, DatabaseConfig, statement};

/// The server to make databases on, when `CAMPUS_TEST_POSTGRES` does not name another.
const DEFAULT_SERVER: &str = "postgres://postgres@127.0.0.1:5432/postgres";

/// A database of its own that goes with this value.
#[derive(Debug)]
pub struct Scratch {
    config: DatabaseConfig,
    home: Home,
}

#[derive(Debug)]
enum Home {
    #[expect(dead_code, reason = "its drop removes the data")]
    Folder(tempfile::TempDir),
    Server(Server),
}

#[derive(Debug)]
struct Server {
    url: String,
    database: String,
}

impl Deref for Scratch {
    type Target = DatabaseConfig;

    fn deref(&self) -> &DatabaseConfig {
        &self.config
    }
}

impl Scratch {
    /// Opens it and brings its schema up to date.
    ///
    /// # Panics
    /// When that fails.
    pub async fn open<M: MigratorTrait>(&self) -> Database {
        let db = Database::connect(&self.config)
            .await
            .expect("a scratch database opens");
        db.migrate::<M>()
            .await
            .expect("a scratch database migrates");
        db
    }

    /// Ends every connection to it, whatever is under way, as a server that fails over does. A file has none.
    ///
    /// # Panics
    /// When that fails.
    pub async fn cut_off(&self) {
        if let Home::Server(server) = &self.home {
            let end = end_sessions(&server.database);
            run(&server.url, &[&end]).await.expect("connections end");
        }
    }

    /// Everything that is in it, as somebody reads it who takes the disk away: of SQLite the file and its log,
    /// of PostgreSQL each row of each table as a text, in which bytes stand in hexadecimal.
    ///
    /// # Panics
    /// When it cannot be read.
    pub async fn dump(&self) -> Vec<u8> {
        match &self.home {
            Home::Folder(_) => {
                let path = self.config.url.trim_start_matches("sqlite:");
                let mut bytes = std::fs::read(path).expect("a database");
                bytes.extend(std::fs::read(format!("{path}-wal")).unwrap_or_default());
                bytes
            }
            Home::Server(_) => rows(&self.config.url).await.expect("a dump").into_bytes(),
        }
    }

    /// A copy of everything that is in it at this moment, as a backup holds it. On PostgreSQL whoever
    /// is connected is cut off and comes back.
    ///
    /// # Panics
    /// When that fails.
    pub async fn backup(&self) -> Self {
        match &self.home {
            Home::Folder(_) => {
                let copy = sqlite();
                let path = copy.config.url.trim_start_matches("sqlite:");
                let sql = format!("VACUUM INTO '{path}'");
                run(&self.config.url, &[&sql]).await.expect("a backup");
                copy
            }
            Home::Server(server) => {
                let copy = name();
                let original = &server.database;
                let lock = format!("ALTER DATABASE {original} ALLOW_CONNECTIONS false");
                let end = end_sessions(original);
                let take = format!("CREATE DATABASE {copy} TEMPLATE {original}");
                let free = format!("ALTER DATABASE {original} ALLOW_CONNECTIONS true");
                let statements = [&*lock, &end, &take, &free];
                run(&server.url, &statements).await.expect("a backup");
                on_server(&server.url, copy)
            }
        }
    }
}

/// Ends the connections to a database.
fn end_sessions(database: &str) -> String {
    format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
}

/// Runs statements one by one over a connection of their own.
async fn run(url: &str, statements: &[&str]) -> Result<(), sea_orm::DbErr> {
    let mut options = sea_orm::ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    let connection = sea_orm::Database::connect(options).await?;
    for sql in statements {
        connection.execute_unprepared(sql).await?;
    }
    connection.close().await
}

/// Every row of every table, a line each.
async fn rows(url: &str) -> Result<String, sea_orm::DbErr> {
    let mut options = sea_orm::ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    let connection = sea_orm::Database::connect(options).await?;
    let tables = "SELECT table_name::text FROM information_schema.tables \
                  WHERE table_schema = 'public' AND table_type = 'BASE TABLE'";
    let mut lines = String::new();
    let tables = connection
        .query_all_raw(statement(&connection, tables, []))
        .await?;
    for table in tables {
        let table: String = table.try_get_by_index(0)?;
        let select = format!("SELECT t::text FROM \"{table}\" t");
        let select = statement(&connection, &select, []);
        for row in connection.query_all_raw(select).await? {
            lines += &row.try_get_by_index::<String>(0)?;
            lines.push('\n');
        }
    }
    connection.close().await?;
    Ok(lines)
}

fn name() -> String {
    format!("campus_scratch_{}", uuid::Uuid::new_v4().simple())
}

/// The database with this name on a server.
fn on_server(server: &str, database: String) -> Scratch {
    let (base, _) = server.rsplit_once('/').unwrap_or((server, ""));
    let url = crate::db::plain_on_loopback(&format!("{base}/{database}"));
    let mut config = DatabaseConfig::new(url);
    // Many tests run at once; the server has connections for all of them only if each takes few.
    config.max_connections = 8;
    Scratch {
        config,
        home: Home::Server(Server {
            url: server.to_owned(),
            database,
        }),
    }
}

/// A SQLite file in a folder of its own.
///
/// # Panics
/// When no folder can be made.
pub fn sqlite() -> Scratch {
    sqlite_below(&std::env::temp_dir())
}

/// The same in a folder below `parent`, such as a disk of its own.
///
/// # Panics
/// When no folder can be made there.
pub fn sqlite_below(parent: &Path) -> Scratch {
    let folder = tempfile::tempdir_in(parent).expect("a folder for a moment");
    let url = format!("sqlite:{}", folder.path().join("campus.sqlite").display());
    Scratch {
        config: DatabaseConfig::new(url),
        home: Home::Folder(folder),
    }
}

/// A database of its own on a PostgreSQL server; none, said loudly, where there is no server,
/// unless `CAMPUS_REQUIRE_POSTGRES` is set.
///
/// # Panics
/// When PostgreSQL is required and cannot be used.
#[expect(
    clippy::disallowed_methods,
    reason = "where the server is belongs to the machine"
)]
#[expect(clippy::print_stderr, reason = "a skipped half must not go unnoticed")]
pub async fn postgres() -> Option<Scratch> {
    let server =
        std::env::var("CAMPUS_TEST_POSTGRES").unwrap_or_else(|_| DEFAULT_SERVER.to_owned());
    match create(&server).await {
        Ok(scratch) => Some(scratch),
        Err(err) if std::env::var("CAMPUS_REQUIRE_POSTGRES").is_ok() => {
            panic!("PostgreSQL is required and cannot be used: {err}")
        }
        Err(err) => {
            eprintln!("\n*** SKIPPED on PostgreSQL: no server that takes us ({err}) ***\n");
            None
        }
    }
}

/// A database of its own on the PostgreSQL server with this URL.
///
/// # Errors
/// When the server does not take it.
pub async fn create(server: &str) -> Result<Scratch, sea_orm::DbErr> {
    let database = name();
    run(server, &[&format!("CREATE DATABASE {database}")]).await?;
    Ok(on_server(server, database))
}

impl Drop for Server {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.database);
        let url = self.url.clone();
        // A drop may run inside a runtime, which cannot wait: a thread with its own can.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime {
                runtime.block_on(async {
                    let mut options = sea_orm::ConnectOptions::new(url);
                    options.max_connections(1).sqlx_logging(false);
                    if let Ok(connection) = sea_orm::Database::connect(options).await {
                        // What cannot be dropped now only takes room.
                        let _ = connection.execute_unprepared(&sql).await;
                    }
                });
            }
        });
        let _ = dropping.join();
    }
}

/// Makes each test function run on SQLite and on PostgreSQL:
/// `store_suite!(Migrator; names_are_unique, pages_are_complete);` where each is an
/// `async fn(kit::db::Database)`.
#[macro_export]
macro_rules! store_suite {
    ($migrator:ty; $($test:ident),+ $(,)?) => {
        mod sqlite {
            use super::*;

            $(#[tokio::test]
            async fn $test() {
                let scratch = $crate::scratch::sqlite();
                super::$test(scratch.open::<$migrator>().await).await;
            })+
        }
        mod postgres {
            use super::*;

            $(#[tokio::test]
            async fn $test() {
                let Some(scratch) = $crate::scratch::postgres().await else { return };
                super::$test(scratch.open::<$migrator>().await).await;
            })+
        }
    };
}
