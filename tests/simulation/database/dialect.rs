//! What PostgreSQL is asked by the shared crate, said so that SQLite understands it. A statement that is not
//! known here fails the run: whoever changes it changes it here too.

use kit::db::Backend;
use sea_orm::{Statement, Value};

use super::Plant;

/// How a statement is carried out.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    /// As it stands here.
    Run(String, Vec<Value>),
    /// The rows of one table are locked and told.
    Lock {
        sql: String,
        values: Vec<Value>,
        /// Others may lock them in the same way.
        shared: bool,
        /// Locked rows are left out instead of waited for.
        skip: bool,
    },
    /// Changes go into the outbox: the columns of many rows, and their cause.
    Announce(Vec<Value>),
    /// Changes move from the outbox into the log: of which feed, of how many transactions, and after what.
    Move { feed: Value, most: i64, head: i64 },
}

/// The instant at which a statement runs, in milliseconds since 1970.
const NOW: [&str; 3] = [
    "(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
    "(extract(epoch FROM now()) * 1000)::bigint",
    "extract(epoch FROM clock_timestamp()) * 1000",
];
/// The clauses that lock what is read, with what they are.
const LOCKS: [(&str, bool, bool); 3] = [
    (" FOR UPDATE SKIP LOCKED", false, true),
    (" FOR UPDATE", false, false),
    (" FOR SHARE", true, false),
];

/// How a statement is carried out.
pub(super) fn plan(backend: Backend, plant: Plant, statement: &Statement) -> Plan {
    let values = statement.values.clone().map_or_else(Vec::new, |all| all.0);
    if backend == Backend::Sqlite {
        return Plan::Run(statement.sql.clone(), values);
    }
    if statement.sql.starts_with("INSERT INTO outbox") {
        return Plan::Announce(values);
    }
    if statement.sql.contains("DELETE FROM outbox o USING t")
        && let [feed, Value::BigInt(Some(most)), Value::BigInt(Some(head))] = &values[..]
    {
        let (feed, most, head) = (feed.clone(), *most, *head);
        return Plan::Move { feed, most, head };
    }
    let mut sql = statement.sql.clone();
    for now in NOW {
        sql = sql.replace(now, "now_millis()");
    }
    let sql = sql.replace("::float8", " * 1.0");
    for (clause, shared, skip) in LOCKS {
        if let Some(sql) = sql.strip_suffix(clause) {
            let sql = sql.to_owned();
            if plant == Plant::NoLocks {
                return Plan::Run(sql, values);
            }
            return Plan::Lock {
                sql,
                values,
                shared,
                skip,
            };
        }
    }
    Plan::Run(sql, values)
}
