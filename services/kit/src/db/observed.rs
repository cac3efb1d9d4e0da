//! What a database is told to do, as telemetry tells it: of each statement its kind and how long it took,
//! never its text or a value; and of each pool how much of it is in use and how many wait.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::metrics::Histogram;
use opentelemetry::{KeyValue, global};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, Statement,
    StreamTrait,
};
use tokio::time::timeout;
use tracing::{Instrument, Span};

use super::connections::{Way, pass, word};
use super::lost::{WHILE_LOST, away};
use super::{Backend, Database};
use crate::telemetry::METER;
use crate::telemetry::figures::Name;

/// The target of spans of statements.
pub(crate) const TARGET: &str = "campus::db";

const CONNECTIONS: Name = Name::count(
    "campus.db.connections",
    "Connections to the database, by what they do",
);
const MOST: Name = Name::count(
    "campus.db.connections.max",
    "How many connections the pool may open",
);
const WAITING: Name = Name::count(
    "campus.db.waiting",
    "How many statements and transactions wait for a connection",
);
/// How long statements take, in seconds.
const SECONDS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
];

/// What is known of the work of one database. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Observed(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    /// None before somebody wants to know.
    told: OnceLock<(&'static str, Histogram<f64>)>,
    readers: AtomicI64,
    writers: AtomicI64,
    /// When a statement was answered last.
    answered: Mutex<Option<Instant>>,
    lost: AtomicBool,
}

/// Wants a connection, or has one, until it is dropped.
#[derive(Debug)]
pub(super) struct Wanted {
    observed: Observed,
    writes: bool,
}

impl Observed {
    /// Somebody wants a connection to read or to write.
    pub(super) fn want(&self, writes: bool) -> Wanted {
        self.wanted(writes).fetch_add(1, Ordering::Relaxed);
        let observed = self.clone();
        Wanted { observed, writes }
    }

    fn wanted(&self, writes: bool) -> &AtomicI64 {
        if writes {
            &self.0.writers
        } else {
            &self.0.readers
        }
    }

    /// Whether a statement was answered within the last `span`.
    pub(super) fn answered_within(&self, span: Duration) -> bool {
        let last = *self.answered();
        last.is_some_and(|last| last.elapsed() <= span)
    }

    fn answered(&self) -> MutexGuard<'_, Option<Instant>> {
        let answered = self.0.answered.lock();
        answered.unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the database is lost, so that nobody waits for it long.
    pub(super) fn set_lost(&self, lost: bool) {
        self.0.lost.store(lost, Ordering::Relaxed);
    }

    /// Does `work`, which is given up soon while the database is lost.
    ///
    /// # Errors
    /// As `work` says, or that the database is away.
    pub(super) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        if !self.0.lost.load(Ordering::Relaxed) {
            return work.await;
        }
        timeout(WHILE_LOST, work)
            .await
            .unwrap_or_else(|_| Err(away()))
    }

    /// Does `work`, which is a statement of this kind.
    pub(super) async fn run<T, E>(
        &self,
        kind: &'static str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let done = self.timed(kind, work).await;
        if done.is_ok() {
            *self.answered() = Some(Instant::now());
        }
        done
    }

    async fn timed<T, E>(
        &self,
        kind: &'static str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let Some((service, seconds)) = self.0.told.get() else {
            return work.await;
        };
        let span = tracing::debug_span!(
            target: TARGET,
            "db",
            otel.name = kind,
            otel.kind = "client",
            otel.status_code = tracing::field::Empty,
            db.operation.name = kind,
        );
        let began = Instant::now();
        let done = async {
            let done = work.await;
            if done.is_err() {
                Span::current().record("otel.status_code", "ERROR");
            }
            done
        };
        let done = done.instrument(span).await;
        let outcome = if done.is_ok() { "ok" } else { "failed" };
        let labels = [
            KeyValue::new("service", *service),
            KeyValue::new("kind", kind),
            KeyValue::new("outcome", outcome),
        ];
        seconds.record(began.elapsed().as_secs_f64(), &labels);
        done
    }
}

impl Drop for Wanted {
    fn drop(&mut self) {
        let wanted = self.observed.wanted(self.writes);
        wanted.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Database {
    /// Tells of its work as that of `service`.
    pub fn observe(&self, service: &'static str) {
        let seconds = global::meter(METER)
            .f64_histogram("campus.db.statement")
            .with_unit("s")
            .with_description("How long statements took, with the wait for a connection")
            .with_boundaries(SECONDS.to_vec())
            .build();
        if self.observed.0.told.set((service, seconds)).is_err() {
            return;
        }
        let Some(write) = self.write.pool() else {
            return;
        };
        match self.backend {
            Backend::Postgres => self.observe_pool(service, "shared", write, [true, true]),
            Backend::Sqlite => {
                self.observe_pool(service, "read", &self.read.inner, [true, false]);
                self.observe_pool(service, "write", write, [false, true]);
            }
        }
    }

    /// Has the driver beneath do `work`, which is one statement of this kind.
    ///
    /// # Errors
    /// As `work` says.
    pub async fn by_driver<T, E>(
        &self,
        kind: &'static str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let _wanted = self.observed.want(true);
        self.observed.run(kind, work).await
    }

    /// As whose work its own is told; empty before it is.
    pub fn service(&self) -> &'static str {
        let told = self.observed.0.told.get();
        told.map_or("", |(service, _)| service)
    }

    /// Tells of one pool, which those who want to read, those who want to write, or both have.
    fn observe_pool(
        &self,
        service: &'static str,
        pool: &'static str,
        connection: &DatabaseConnection,
        [reads, writes]: [bool; 2],
    ) {
        let size = size_of(connection, self.backend);
        let labels = [("service", service), ("pool", pool)];
        let with = |state| [("service", service), ("pool", pool), ("state", state)];
        let read = size.clone();
        CONNECTIONS.read(with("in_use"), move || Some(f64::from(read().in_use)));
        let read = size.clone();
        CONNECTIONS.read(with("idle"), move || Some(f64::from(read().idle)));
        let read = size.clone();
        MOST.read(labels, move || Some(f64::from(read().most)));
        let observed = self.observed.clone();
        WAITING.read(labels, move || {
            let wanted = |writes: bool| observed.wanted(writes).load(Ordering::Relaxed);
            let wanted = i64::from(reads) * wanted(false) + i64::from(writes) * wanted(true);
            let waiting = wanted - i64::from(size().in_use);
            Some(waiting.max(0) as f64)
        });
    }
}

/// How large a pool is.
#[derive(Clone, Copy, Debug)]
struct Size {
    in_use: u32,
    idle: u32,
    most: u32,
}

type Measure = Arc<dyn Fn() -> Size + Send + Sync>;

/// Reads the size of the pool beneath a connection.
fn size_of(connection: &DatabaseConnection, backend: Backend) -> Measure {
    macro_rules! size {
        ($pool:expr) => {{
            let pool = $pool.clone();
            Arc::new(move || {
                let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
                Size {
                    in_use: pool.size().saturating_sub(idle),
                    idle,
                    most: pool.options().get_max_connections(),
                }
            })
        }};
    }
    match backend {
        Backend::Postgres => size!(connection.get_postgres_connection_pool()),
        Backend::Sqlite => size!(connection.get_sqlite_connection_pool()),
    }
}

/// The kind of a statement: its first word, if it is one of a few.
pub(super) fn kind(sql: &str) -> &'static str {
    let word = sql.split_whitespace().next().unwrap_or_default();
    let known = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"];
    let known = known.into_iter().find(|one| one.eq_ignore_ascii_case(word));
    known.unwrap_or("OTHER")
}

/// Reads from a database, each statement by itself.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) inner: DatabaseConnection,
    pub(super) way: Option<Arc<dyn Way>>,
    pub(super) observed: Observed,
}

impl Reader {
    /// The connection beneath, whose statements nobody counts.
    pub(crate) fn inner(&self) -> &DatabaseConnection {
        &self.inner
    }

    async fn run<T>(
        &self,
        kind: &'static str,
        work: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        let _wanted = self.observed.want(false);
        let work = self.observed.in_time(work);
        self.observed.run(kind, work).await
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        pass(self.way.as_ref(), || statement.clone()).await?;
        let kind = kind(&statement.sql);
        self.run(kind, self.inner.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        pass(self.way.as_ref(), || word(&self.inner, sql)).await?;
        self.run(kind(sql), self.inner.execute_unprepared(sql))
            .await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        pass(self.way.as_ref(), || statement.clone()).await?;
        let kind = kind(&statement.sql);
        self.run(kind, self.inner.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        pass(self.way.as_ref(), || statement.clone()).await?;
        let kind = kind(&statement.sql);
        self.run(kind, self.inner.query_all_raw(statement)).await
    }
}

impl StreamTrait for Reader {
    type Stream<'a> = <DatabaseConnection as StreamTrait>::Stream<'a>;

    fn get_database_backend(&self) -> DbBackend {
        ConnectionTrait::get_database_backend(&self.inner)
    }

    fn stream_raw<'a>(
        &'a self,
        statement: Statement,
    ) -> Pin<Box<dyn Future<Output = Result<Self::Stream<'a>, DbErr>> + 'a + Send>> {
        Box::pin(async move {
            pass(self.way.as_ref(), || statement.clone()).await?;
            let kind = kind(&statement.sql);
            self.run(kind, self.inner.stream_raw(statement)).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_statement_is_one_of_a_few_words() {
        assert_eq!(kind("\n  select name FROM students"), "SELECT");
        assert_eq!(kind("WITH t AS (SELECT 1) SELECT * FROM t"), "WITH");
        assert_eq!(kind("COPY students FROM STDIN"), "OTHER");
        assert_eq!(kind(""), "OTHER");
    }
}
