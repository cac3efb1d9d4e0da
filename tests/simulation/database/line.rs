//! A line to the database of a simulation: what befalls a statement on its way, and the driver that tells what
//! came of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kit::db::{Connection, Way};
use sea_orm::{
    DatabaseConnection, DatabaseConnectionType, DbBackend, DbErr, ExecResult, MockDatabase,
    MockDatabaseConnection, MockDatabaseTrait, MockExecResult, QueryResult, RuntimeErr, Statement,
    Transaction,
};

use super::Store;
use super::rows::Answer;
use super::state::{Number, Refused};
use super::trouble::Fate;

/// How long a statement waits for a lock, as services set it.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// One line: for reads by themselves, or for one transaction.
#[derive(Debug)]
pub(super) struct Line {
    store: Store,
    host: &'static str,
    writes: bool,
    number: Mutex<Option<Number>>,
    broken: AtomicBool,
    /// What came of the statement that arrived last, until the driver tells it.
    answer: Mutex<Answer>,
}

/// The connection over a line.
pub(super) fn connection(backend: DbBackend, line: Line) -> Connection {
    let line = Arc::new(line);
    Connection {
        driver: driver(Driver::Line(line.clone(), backend)),
        way: line,
    }
}

/// A connection that makes tables before the simulation begins: nothing befalls it.
pub(super) fn maker(store: Store) -> DatabaseConnection {
    driver(Driver::Maker(store))
}

fn driver(driver: Driver) -> DatabaseConnection {
    let connection = Arc::new(MockDatabaseConnection::new(driver));
    DatabaseConnectionType::MockDatabaseConnection(connection).into()
}

/// Stands where the driver of a server or a file would.
#[derive(Debug)]
enum Driver {
    /// Tells what came of what passed over a line.
    Line(Arc<Line>, DbBackend),
    /// Makes tables.
    Maker(Store),
}

impl Driver {
    fn answer(&self, statement: &Statement) -> Answer {
        match self {
            Self::Line(line, _) => {
                std::mem::take(&mut *line.answer.lock().unwrap_or_else(PoisonError::into_inner))
            }
            Self::Maker(store) => {
                store.make(&statement.sql);
                Answer::default()
            }
        }
    }
}

impl MockDatabaseTrait for Driver {
    fn execute(&mut self, _: usize, statement: Statement) -> Result<ExecResult, DbErr> {
        let result = MockExecResult {
            last_insert_id: 0,
            rows_affected: self.answer(&statement).changed,
        };
        // Only a driver of the library makes its results.
        let mut told = MockDatabase::new(self.get_database_backend()).append_exec_results([result]);
        told.execute(0, statement)
    }

    fn query(&mut self, _: usize, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let rows = self.answer(&statement).rows;
        let mut told = MockDatabase::new(self.get_database_backend()).append_query_results([rows]);
        told.query(0, statement)
    }

    fn begin(&mut self) {}

    fn commit(&mut self) {}

    fn rollback(&mut self) {
        if let Self::Line(line, _) = self {
            line.give_up();
        }
    }

    fn drain_transaction_log(&mut self) -> Vec<Transaction> {
        Vec::new()
    }

    fn get_database_backend(&self) -> DbBackend {
        match self {
            Self::Line(_, backend) => *backend,
            Self::Maker(_) => DbBackend::Sqlite,
        }
    }

    fn ping(&self) -> Result<(), DbErr> {
        Ok(())
    }
}

fn failure(what: impl Into<String>) -> DbErr {
    DbErr::Query(RuntimeErr::Internal(what.into()))
}

impl Line {
    /// The line of a host, for reads or for one transaction.
    pub(super) fn new(store: Store, host: &'static str, writes: bool) -> Self {
        Self {
            store,
            host,
            writes,
            number: Mutex::default(),
            broken: AtomicBool::new(false),
            answer: Mutex::default(),
        }
    }

    fn number(&self) -> Option<Number> {
        *self.number.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, number: Option<Number>) -> Option<Number> {
        std::mem::replace(
            &mut *self.number.lock().unwrap_or_else(PoisonError::into_inner),
            number,
        )
    }

    /// Ends the transaction, if there is one.
    fn give_up(&self) {
        if let Some(number) = self.set(None) {
            self.store.state().end(number);
            self.store.0.freed.notify_waiters();
        }
    }

    fn note(&self, what: std::fmt::Arguments<'_>) {
        let (name, host) = (self.store.0.name, self.host);
        let number = self.number();
        let now = self.store.now();
        let trace = &self.store.0.trace;
        trace.note(now, format_args!("{host} {name} {number:?} {what}"));
    }

    /// The connection breaks: the database gives the transaction up. Reads by themselves have a pool, in which
    /// another takes its place.
    fn breaks(&self) -> DbErr {
        self.broken.store(self.writes, Ordering::Relaxed);
        self.give_up();
        failure("the connection broke")
    }

    /// One way to the database or back.
    async fn travel(&self) {
        let way = self.store.0.trouble.way();
        tokio::time::sleep(Duration::from_millis(way)).await;
        loop {
            let left = self.store.0.trouble.silent_until(self.host) - self.store.now();
            let Ok(left) = u64::try_from(left) else {
                return;
            };
            if left == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(left)).await;
        }
    }

    async fn tell(&self, statement: &Statement) -> Result<Answer, DbErr> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(failure("the connection is broken"));
        }
        let fate = self.store.0.trouble.fate(self.host, self.writes);
        if fate == Fate::DiesBefore {
            self.note(format_args!("dies before {}", statement.sql));
            return std::future::pending().await;
        }
        self.travel().await;
        if fate == Fate::Lost {
            self.note(format_args!("loses {}", statement.sql));
            return Err(self.breaks());
        }
        let done = self.carry_out(statement).await;
        let text = || format!("{} {:?}", statement.sql, statement.values);
        match &done {
            Ok(answer) => self.note(format_args!("{} -> {answer:?}", text())),
            Err(refused) => self.note(format_args!("{} -> {refused:?}", text())),
        }
        self.travel().await;
        match (fate, done) {
            (Fate::DiesAfter, _) => {
                self.note(format_args!("dies after it"));
                std::future::pending().await
            }
            (Fate::Unheard, _) => {
                self.note(format_args!("never hears it"));
                Err(self.breaks())
            }
            (_, Ok(answer)) => Ok(answer),
            (_, Err(Refused::Locked)) => {
                self.breaks();
                Err(failure("the lock was not free in time"))
            }
            (_, Err(Refused::Failed(why))) => {
                self.breaks();
                Err(failure(why))
            }
            (_, Err(Refused::Unknown(why))) => {
                let host = self.host;
                self.store
                    .0
                    .trouble
                    .wrong(format!("{host} asks what is not known: {why}"));
                Err(failure(why))
            }
        }
    }

    /// Carries it out as soon as nobody is in the way, unless that takes too long.
    async fn carry_out(&self, statement: &Statement) -> Result<Answer, Refused> {
        let once = || {
            self.store.now();
            let number = self.number();
            if self.writes && statement.sql == "COMMIT" {
                let number = number.ok_or_else(|| Refused::Failed("no transaction".to_owned()))?;
                let done = self.store.state().commit(number);
                self.set(None);
                self.store.0.freed.notify_waiters();
                return done.map(|()| Answer::default());
            }
            if self.writes && statement.sql == "BEGIN" {
                let number = self.store.state().begin()?;
                self.set(Some(number));
                return Ok(Answer::default());
            }
            if self.writes && number.is_none() {
                return Err(Refused::Failed("no transaction".to_owned()));
            }
            self.store.state().tell(number, statement)
        };
        self.until_free(once).await
    }

    async fn until_free<T>(&self, once: impl Fn() -> Result<T, Refused>) -> Result<T, Refused> {
        let until = tokio::time::Instant::now() + LOCK_TIMEOUT;
        loop {
            let freed = self.store.0.freed.notified();
            let done = once();
            if !matches!(done, Err(Refused::Locked)) {
                return done;
            }
            if tokio::time::timeout_at(until, freed).await.is_err() {
                return done;
            }
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.give_up();
    }
}

#[async_trait::async_trait]
impl Way for Line {
    async fn pass(&self, statement: &Statement) -> Result<(), DbErr> {
        let answer = self.tell(statement).await?;
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
        Ok(())
    }
}
