//! Transactions as PostgreSQL runs them at READ COMMITTED, over a SQLite that holds what is committed.
//!
//! A transaction is the list of the rows that it wrote. Each statement sees what is committed at its beginning
//! and those rows, and nothing of it stays in SQLite until the commit. A row that somebody wrote or locked is
//! locked until their transaction ends; so is the key of a row that is new. Who comes in between does its
//! statement again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use kit::db::Backend;
use rusqlite::Connection;
use rusqlite::hooks::Action;
use rusqlite::types::Value as Stored;
use sea_orm::{Statement, Value};

use super::Plant;
use super::clock::add_clock;
use super::dialect::{Plan, plan};
use super::outbox;
use super::rows::{Answer, Row, run, stored};
use super::table::Table;

/// Why a statement was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Somebody else has a row; it may be tried again when a transaction has ended.
    Locked,
    /// It broke a rule of the schema.
    Failed(String),
    /// The simulation does not know how.
    Unknown(String),
}

/// The number of a transaction.
pub(super) type Number = i64;

/// The instant at which statements run, in milliseconds since 1970.
pub(super) type Now = Arc<std::sync::atomic::AtomicI64>;

/// A row as it was committed: of which table, and its values.
pub(crate) type Committed = (&'static str, Vec<Stored>);

/// Something that is locked: a row by its number, or the key of a new one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Row(String, i64),
    Key(String, String),
}

#[derive(Debug, Default)]
struct Holders {
    alone: Option<Number>,
    shared: BTreeSet<Number>,
}

/// A row as a transaction left it; none when it is gone.
#[derive(Clone, Debug)]
struct Written {
    table: Arc<Table>,
    row: i64,
    values: Option<Vec<Stored>>,
}

/// What a statement did.
#[derive(Debug, Default)]
struct Done {
    answer: Answer,
    written: Vec<Written>,
    /// What it locked, and whether others may lock it too.
    locks: Vec<(Place, bool)>,
}

#[derive(Debug)]
pub(super) struct State {
    sqlite: Connection,
    backend: Backend,
    plant: Plant,
    touched: Arc<Mutex<Vec<(Action, String, i64)>>>,
    tables: BTreeMap<String, Arc<Table>>,
    open: BTreeMap<Number, Vec<Written>>,
    locks: BTreeMap<Place, Holders>,
    next: Number,
    next_row: i64,
    next_change: i64,
    /// The tables of which each row is kept as it is committed.
    kept: &'static [&'static str],
    history: Vec<Committed>,
}

impl State {
    pub(super) fn new(backend: Backend, plant: Plant, now: &Now) -> Self {
        let sqlite = Connection::open_in_memory().expect("a database in memory");
        sqlite
            .execute_batch("PRAGMA foreign_keys = OFF")
            .expect("a pragma");
        add_clock(&sqlite, now);
        let touched = Arc::new(Mutex::new(Vec::new()));
        let told = touched.clone();
        let hook = move |action, _: &str, table: &str, row| {
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            told.push((action, table.to_owned(), row));
        };
        sqlite.update_hook(Some(hook)).expect("a hook");
        Self {
            sqlite,
            backend,
            plant,
            touched,
            tables: BTreeMap::new(),
            open: BTreeMap::new(),
            locks: BTreeMap::new(),
            next: 0,
            next_row: 1 << 40,
            next_change: 0,
            kept: &[],
            history: Vec::new(),
        }
    }

    /// From now on each row of these tables is kept as it is committed.
    pub(super) fn keep(&mut self, tables: &'static [&'static str]) {
        self.kept = tables;
    }

    /// The rows that were committed of the tables that are kept, in their order.
    pub(super) fn history(&self) -> Vec<Committed> {
        self.history.clone()
    }

    /// Carries out what makes tables, for good.
    pub(super) fn make(&mut self, sql: &str) {
        self.sqlite.execute_batch(sql).expect(sql);
    }

    /// Begins a transaction. On SQLite only one at a time.
    pub(super) fn begin(&mut self) -> Result<Number, Refused> {
        if self.backend == Backend::Sqlite && !self.open.is_empty() {
            return Err(Refused::Locked);
        }
        self.next += 1;
        self.open.insert(self.next, Vec::new());
        Ok(self.next)
    }

    /// Carries out a statement by itself or in a transaction.
    pub(super) fn tell(
        &mut self,
        number: Option<Number>,
        statement: &Statement,
    ) -> Result<Answer, Refused> {
        let plan = plan(self.backend, self.plant, statement);
        let Some(number) = number else {
            return match &plan {
                Plan::Run(sql, values) => run(&self.sqlite, sql, values),
                other => Err(Refused::Unknown(format!(
                    "outside of a transaction: {other:?}"
                ))),
            };
        };
        let before = self.open.get(&number).cloned();
        let before = before.ok_or_else(|| Refused::Failed("no transaction".to_owned()))?;
        self.batch("BEGIN")?;
        let done = self.within(number, &before, &plan);
        self.batch("ROLLBACK")?;
        let Done {
            answer,
            written,
            locks,
        } = done?;
        for (place, shared) in locks {
            let holders = self.locks.entry(place).or_default();
            if shared {
                holders.shared.insert(number);
            } else {
                holders.alone = Some(number);
            }
        }
        let all = self.open.entry(number).or_default();
        for one in written {
            let same =
                |other: &&mut Written| (&other.table.name, other.row) == (&one.table.name, one.row);
            match all.iter_mut().find(same) {
                Some(other) => *other = one,
                None => all.push(one),
            }
        }
        Ok(answer)
    }

    /// Carries out a statement where the transaction's rows stand.
    fn within(&mut self, number: Number, before: &[Written], plan: &Plan) -> Result<Done, Refused> {
        self.put(before)?;
        self.take_touched();
        let mut locks = Vec::new();
        let answer = match plan {
            Plan::Run(sql, values) => run(&self.sqlite, sql, values)?,
            Plan::Lock {
                sql,
                values,
                shared,
                skip,
            } => {
                for place in self.locked_by(sql, values)? {
                    if !self.is_free(&place, number, *shared) {
                        return if *skip {
                            Ok(Done::default())
                        } else {
                            Err(Refused::Locked)
                        };
                    }
                    locks.push((place, *shared));
                }
                run(&self.sqlite, sql, values)?
            }
            Plan::Announce(columns) => {
                outbox::announce(&self.sqlite, number, &mut self.next_change, columns)?
            }
            Plan::Move { feed, most, head } => {
                outbox::advance(&self.sqlite, self.plant, feed, (*most, *head))?
            }
        };
        let mut written = Vec::new();
        let mut seen = BTreeSet::new();
        for (action, table, row) in self.take_touched() {
            if table.starts_with("sqlite_") || !seen.insert((table.clone(), row)) {
                continue;
            }
            let table = self.table(&table)?;
            let values = table.read(&self.sqlite, row)?;
            let mut place = Some(Place::Row(table.name.clone(), row));
            let mut number_of_row = row;
            if action == Action::SQLITE_INSERT {
                let Some(values) = &values else { continue };
                let key = table.key_of(values);
                place = key.map(|key| Place::Key(table.name.clone(), key));
                if !table.numbered {
                    // Rows that others add at the same time have other numbers.
                    self.next_row += 1;
                    number_of_row = self.next_row;
                }
            }
            if let Some(place) = place {
                if !self.is_free(&place, number, false) {
                    return Err(Refused::Locked);
                }
                locks.push((place, false));
            }
            written.push(Written {
                table,
                row: number_of_row,
                values,
            });
        }
        Ok(Done {
            answer,
            written,
            locks,
        })
    }

    /// Makes what a transaction wrote stay, and ends it.
    pub(super) fn commit(&mut self, number: Number) -> Result<(), Refused> {
        let written = self.open.get(&number).cloned();
        let written = written.ok_or_else(|| Refused::Failed("no transaction".to_owned()))?;
        self.batch("BEGIN")?;
        let put = self.put(&written);
        self.batch(if put.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        for Written { table, values, .. } in written {
            let kept = self.kept.iter().find(|kept| **kept == table.name);
            if let (Some(kept), Some(values)) = (kept, values) {
                self.history.push((kept, values));
            }
        }
        self.end(number);
        put
    }

    /// Ends a transaction; nothing of it stays that was not committed.
    pub(super) fn end(&mut self, number: Number) {
        self.open.remove(&number);
        self.locks.retain(|_, holders| {
            holders.shared.remove(&number);
            if holders.alone == Some(number) {
                holders.alone = None;
            }
            holders.alone.is_some() || !holders.shared.is_empty()
        });
    }

    fn batch(&self, sql: &str) -> Result<(), Refused> {
        let done = self.sqlite.execute_batch(sql);
        done.map_err(|err| Refused::Unknown(format!("{err}: {sql}")))
    }

    fn take_touched(&self) -> Vec<(Action, String, i64)> {
        std::mem::take(&mut *self.touched.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts rows where they stand.
    fn put(&self, written: &[Written]) -> Result<(), Refused> {
        for Written { table, row, values } in written {
            let name = &table.name;
            let done = match values {
                None => {
                    let sql = format!("DELETE FROM {name} WHERE rowid = ?1");
                    self.sqlite.execute(&sql, [row])
                }
                Some(values) => {
                    let (mut columns, mut values) = (table.columns.clone(), values.clone());
                    if !table.numbered {
                        columns.push("rowid".to_owned());
                        values.push(Stored::Integer(*row));
                    }
                    let marks: Vec<String> =
                        (1..=columns.len()).map(|at| format!("?{at}")).collect();
                    let (columns, marks) = (columns.join(", "), marks.join(", "));
                    let sql = format!("INSERT OR REPLACE INTO {name} ({columns}) VALUES ({marks})");
                    self.sqlite
                        .execute(&sql, rusqlite::params_from_iter(values))
                }
            };
            done.map_err(|err| Refused::Unknown(format!("{err}: putting a row of {name}")))?;
        }
        Ok(())
    }

    /// What a statement that locks would lock.
    fn locked_by(&self, sql: &str, values: &[Value]) -> Result<Vec<Place>, Refused> {
        let unknown = || Refused::Unknown(format!("locks of {sql}"));
        let (_, rest) = sql.split_once(" FROM ").ok_or_else(unknown)?;
        let table = rest.split_whitespace().next().ok_or_else(unknown)?;
        let rows = run(&self.sqlite, &format!("SELECT +rowid FROM {rest}"), values)?.rows;
        let place = |row: &Row| match row.values().next() {
            Some(Value::BigInt(Some(row))) => Ok(Place::Row(table.to_owned(), *row)),
            _ => Err(unknown()),
        };
        rows.iter().map(place).collect()
    }

    fn is_free(&self, place: &Place, number: Number, shared: bool) -> bool {
        self.locks.get(place).is_none_or(|holders| {
            let mine = holders.alone.is_none_or(|holder| holder == number);
            mine && (shared || holders.shared.iter().all(|holder| *holder == number))
        })
    }

    fn table(&mut self, name: &str) -> Result<Arc<Table>, Refused> {
        if let Some(table) = self.tables.get(name) {
            return Ok(table.clone());
        }
        let table = Arc::new(Table::load(&self.sqlite, name)?);
        self.tables.insert(name.to_owned(), table.clone());
        Ok(table)
    }

    /// What is committed, as one statement tells it.
    pub(super) fn look(&self, sql: &str, values: &[Value]) -> Vec<Vec<Stored>> {
        let found = run(&self.sqlite, sql, values).unwrap_or_else(|err| panic!("{err:?}"));
        let row = |row: Row| {
            let values = row.into_values();
            let stored = values.map(|value| stored(&value).unwrap_or(Stored::Null));
            stored.collect()
        };
        found.rows.into_iter().map(row).collect()
    }
}
