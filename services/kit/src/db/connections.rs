//! Where the connections of a database come from: a pool of the driver, or whoever stands in its place.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};

use super::{Backend, Database, Migrate};
use crate::db::observed::{Observed, Reader};

/// A database that is neither a file nor a server, such as that of a simulation.
pub trait Connections: Debug + Send + Sync {
    /// How statements are written that it is asked.
    fn backend(&self) -> Backend;

    /// The connection of all reads outside of transactions.
    fn reader(&self) -> Connection;

    /// A connection for one transaction.
    fn writer(&self) -> Connection;
}

/// A connection of such a database.
#[derive(Clone, Debug)]
pub struct Connection {
    /// What a statement is told.
    pub driver: DatabaseConnection,
    /// What a statement waits for before.
    pub way: Arc<dyn Way>,
}

/// The way of statements to a database. A driver that stands in for another one answers at once, and cannot
/// say that a transaction did not begin or was not committed: all of that happens on the way.
#[async_trait::async_trait]
pub trait Way: Debug + Send + Sync {
    /// Lets a statement pass, a `BEGIN` and a `COMMIT` among them. The driver is told it right after.
    ///
    /// # Errors
    /// When it does not arrive, or the database refuses it: the driver is not told.
    async fn pass(&self, statement: &Statement) -> Result<(), DbErr>;
}

/// Lets a statement pass where there is a way.
pub(super) async fn pass(
    way: Option<&Arc<dyn Way>>,
    statement: impl FnOnce() -> Statement,
) -> Result<(), DbErr> {
    match way {
        Some(way) => way.pass(&statement()).await,
        None => Ok(()),
    }
}

/// Says a word to the database that `connection` leads to.
pub(super) fn word(connection: &impl ConnectionTrait, sql: &str) -> Statement {
    Statement::from_string(connection.get_database_backend(), sql.to_owned())
}

/// Who hands out connections to write.
#[derive(Clone, Debug)]
pub(super) enum Writers {
    /// The pool of the driver.
    Pool(DatabaseConnection),
    /// Another for each transaction.
    Each(Arc<dyn Connections>),
}

impl Writers {
    /// Where a transaction begins, and the way there.
    pub(super) fn connection(&self) -> (DatabaseConnection, Option<Arc<dyn Way>>) {
        match self {
            Self::Pool(pool) => (pool.clone(), None),
            Self::Each(connections) => {
                let Connection { driver, way } = connections.writer();
                (driver, Some(way))
            }
        }
    }

    /// The pool; none where there is no driver.
    pub(super) fn pool(&self) -> Option<&DatabaseConnection> {
        match self {
            Self::Pool(pool) => Some(pool),
            Self::Each(_) => None,
        }
    }
}

impl Database {
    /// The database behind `connections`. Whoever brings them brings its schema up to date.
    pub fn over(connections: Arc<dyn Connections>) -> Self {
        let observed = Observed::default();
        let Connection { driver, way } = connections.reader();
        Self {
            backend: connections.backend(),
            migrate: Migrate::ByCommand,
            read: Reader {
                inner: driver,
                way: Some(way),
                observed: observed.clone(),
            },
            write: Writers::Each(connections),
            observed,
            postgres: None,
            announced: Arc::default(),
            appended: Arc::default(),
            audited: Arc::default(),
            ahead: Arc::default(),
            await_schema: Duration::ZERO,
        }
    }
}
