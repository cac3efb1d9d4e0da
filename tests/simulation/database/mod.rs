//! The database of a simulation. What it is told are the statements of the services; it carries them out on the
//! thread of the simulation, in the simulation's time, and what befalls them follows from the seed.

mod clock;
mod dialect;
mod line;
mod outbox;
mod rows;
mod state;
mod table;
mod trouble;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kit::db::{Backend, Connection, Connections};
use rusqlite::types::Value as Stored;
use sea_orm::DbBackend;
use sea_orm_migration::{MigrationTrait, SchemaManager};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::trace::Trace;
use crate::world::EPOCH;
use line::Line;
use state::{Committed, State};
pub(crate) use trouble::{Fate, Trouble, Weather};

/// An error that is put into the database on purpose, to see that it is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Plant {
    /// None.
    #[default]
    None,
    /// Changes get their places by their numbers, whatever transaction they are of.
    NoTransactions,
    /// Of the transactions that wait, the last one gets the first place.
    NewestFirst,
    /// What is read is never locked.
    NoLocks,
}

/// A database. Clones are the same one, as long as the simulation lasts and whoever dies.
#[derive(Clone, Debug)]
pub(crate) struct Store(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    name: &'static str,
    backend: Backend,
    state: Mutex<State>,
    now: Arc<AtomicI64>,
    /// Woken when a transaction ends.
    freed: Notify,
    trouble: Arc<Trouble>,
    trace: Trace,
}

impl Store {
    /// An empty database with the tables of these migrations.
    pub(crate) fn new(
        (name, backend): (&'static str, Backend),
        plant: Plant,
        migrations: Vec<Box<dyn MigrationTrait>>,
        (trouble, trace): (Arc<Trouble>, Trace),
    ) -> Self {
        let now = Arc::new(AtomicI64::new(EPOCH));
        let store = Self(Arc::new(Shared {
            name,
            backend,
            state: Mutex::new(State::new(backend, plant, &now)),
            now,
            freed: Notify::new(),
            trouble,
            trace,
        }));
        store.migrate(migrations);
        if backend == Backend::Postgres {
            store.make(outbox::CREATE);
        }
        store
    }

    /// Migrations say what SQLite is told to make, also where the rest is told as PostgreSQL is.
    fn migrate(&self, migrations: Vec<Box<dyn MigrationTrait>>) {
        let maker = line::maker(self.clone());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            // Real time would be asked of the simulation, which asks the runtime.
            .start_paused(true)
            .build();
        runtime.expect("a runtime").block_on(async {
            for migration in migrations {
                let done = migration.up(&SchemaManager::new(&maker)).await;
                done.unwrap_or_else(|err| panic!("{}: {err}", migration.name()));
            }
        });
    }

    /// Whose it is.
    pub(crate) fn name(&self) -> &'static str {
        self.0.name
    }

    /// Makes what a statement says, for good.
    pub(crate) fn make(&self, sql: &str) {
        self.state().make(sql);
    }

    /// What `host` opens to use it.
    pub(crate) fn open(&self, host: &'static str) -> kit::db::Database {
        kit::db::Database::over(Arc::new(Opened {
            store: self.clone(),
            host,
        }))
    }

    /// What is committed, as a statement tells it.
    pub(crate) fn look(&self, sql: &str) -> Vec<Vec<Stored>> {
        self.state().look(sql, &[])
    }

    /// One number of what is committed.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        match self.look(sql).first().and_then(|row| row.first()) {
            Some(Stored::Integer(number)) => *number,
            other => panic!("{sql}: {other:?}"),
        }
    }

    /// From now on each row of these tables is kept as it is committed.
    pub(crate) fn keep(&self, tables: &'static [&'static str]) {
        self.state().keep(tables);
    }

    /// The rows that were committed of the tables that are kept, in their order.
    pub(crate) fn history(&self) -> Vec<Committed> {
        self.state().history()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time, which it is for the database too.
    fn now(&self) -> i64 {
        let elapsed = turmoil::sim_elapsed().unwrap_or_default().as_millis();
        let now = EPOCH + i64::try_from(elapsed).unwrap_or_default();
        self.0.now.store(now, Ordering::Relaxed);
        now
    }
}

/// The connections of one host.
#[derive(Debug)]
struct Opened {
    store: Store,
    host: &'static str,
}

impl Opened {
    fn connection(&self, writes: bool) -> Connection {
        let backend = match self.store.0.backend {
            Backend::Postgres => DbBackend::Postgres,
            Backend::Sqlite => DbBackend::Sqlite,
        };
        line::connection(backend, Line::new(self.store.clone(), self.host, writes))
    }
}

impl Connections for Opened {
    fn backend(&self) -> Backend {
        self.store.0.backend
    }

    fn reader(&self) -> Connection {
        self.connection(false)
    }

    fn writer(&self) -> Connection {
        self.connection(true)
    }
}
