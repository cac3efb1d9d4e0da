//! Many rows in one statement: UNNEST on PostgreSQL, rows of values on SQLite.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Value};
use uuid::Uuid;

use crate::db::{Backend, Tx, statement};

/// One column of many rows.
#[derive(Clone, Debug)]
pub enum Column {
    /// TEXT.
    Text(Vec<String>),
    /// BYTEA or BLOB.
    Bytes(Vec<Vec<u8>>),
    /// SMALLINT.
    Small(Vec<i16>),
    /// INTEGER.
    Int(Vec<i32>),
    /// BIGINT.
    Big(Vec<i64>),
    /// BOOLEAN.
    Bool(Vec<bool>),
    /// A UUID.
    Uuid(Vec<Uuid>),
}

/// Rows for one SQLite statement: enough to make its parsing cheap, far below the limit of values.
const SQLITE_ROWS: usize = 250;

/// Writes rows: `INSERT INTO {table} ({names}) … {conflict}`.
///
/// # Errors
/// When the database fails.
pub async fn insert(
    tx: &Tx,
    table: &str,
    columns: Vec<(&str, Column)>,
    conflict: &str,
) -> Result<(), DbErr> {
    let rows = columns
        .iter()
        .map(|(_, column)| column.len())
        .max()
        .unwrap_or(0);
    debug_assert!(columns.iter().all(|(_, column)| column.len() == rows));
    if rows == 0 {
        return Ok(());
    }
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let head = format!("INSERT INTO {table} ({})", names.join(", "));
    match tx.backend() {
        Backend::Postgres => {
            let arrays: Vec<String> = (1..)
                .zip(&columns)
                .map(|(place, (_, column))| format!("${place}::{}[]", column.sql_type()))
                .collect();
            // WHERE true: else the parser takes ON CONFLICT for a join's condition.
            let from = arrays.join(", ");
            let sql = format!("{head} SELECT * FROM UNNEST({from}) WHERE true {conflict}");
            let values = columns.into_iter().map(|(_, column)| column.array());
            tx.execute_raw(statement(tx, &sql, values)).await?;
        }
        Backend::Sqlite => {
            let mut columns: Vec<_> = columns
                .into_iter()
                .map(|(_, column)| column.values())
                .collect();
            let row = format!("({})", vec!["?"; columns.len()].join(", "));
            let mut left = rows;
            while left > 0 {
                let count = left.min(SQLITE_ROWS);
                let mut values = Vec::with_capacity(count * columns.len());
                for _ in 0..count {
                    values.extend(columns.iter_mut().filter_map(Iterator::next));
                }
                let sql = format!(
                    "{head} VALUES {} {conflict}",
                    vec![row.as_str(); count].join(", ")
                );
                tx.execute_raw(statement(tx, &sql, values)).await?;
                left -= count;
            }
        }
    }
    Ok(())
}

/// Rows as a query gives them, in as many statements as it takes: what stands in the brackets of
/// `WITH name (columns) AS (…)`, and its values from $1.
pub fn listed(
    connection: &impl ConnectionTrait,
    columns: Vec<(&str, Column)>,
) -> Vec<(String, Vec<Value>)> {
    let rows = columns.first().map_or(0, |(_, column)| column.len());
    debug_assert!(columns.iter().all(|(_, column)| column.len() == rows));
    if rows == 0 {
        return Vec::new();
    }
    if connection.get_database_backend() == DbBackend::Postgres {
        let arrays: Vec<String> = (1..)
            .zip(&columns)
            .map(|(place, (_, column))| format!("${place}::{}[]", column.sql_type()))
            .collect();
        let list = format!("SELECT * FROM UNNEST({})", arrays.join(", "));
        let values = columns.into_iter().map(|(_, column)| column.array());
        return vec![(list, values.collect())];
    }
    let row = format!("({})", vec!["?"; columns.len()].join(", "));
    let mut columns: Vec<_> = columns
        .into_iter()
        .map(|(_, column)| column.values())
        .collect();
    let parts = (0..rows).step_by(SQLITE_ROWS).map(|begin| {
        let count = SQLITE_ROWS.min(rows - begin);
        let values = (0..count).flat_map(|_| {
            let row: Vec<_> = columns.iter_mut().filter_map(Iterator::next).collect();
            row
        });
        let values = values.collect();
        (
            format!("VALUES {}", vec![row.as_str(); count].join(", ")),
            values,
        )
    });
    parts.collect()
}

/// Keys in one statement: far below the limit of values of both databases.
const KEYS: usize = 1024;

/// Keys in as many statements as it takes: of each what stands in the brackets of `IN (…)`, from `$first`,
/// and its values. Each is filled up with its last key to a power of two, so that few statements serve
/// all numbers of keys and a connection has prepared most of them already.
pub fn keys(first: usize, keys: Vec<Value>) -> Vec<(String, Vec<Value>)> {
    let parts = keys.chunks(KEYS).map(|part| {
        let mut part = part.to_vec();
        if let Some(last) = part.last().cloned() {
            part.resize(part.len().next_power_of_two(), last);
        }
        (placeholders(first, part.len()), part)
    });
    parts.collect()
}

/// The placeholders `$first, $first+1, …` for `count` values.
pub fn placeholders(first: usize, count: usize) -> String {
    (first..first + count)
        .map(|place| format!("${place}"))
        .collect::<Vec<_>>()
        .join(", ")
}

impl Column {
    fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Bytes(values) => values.len(),
            Self::Small(values) => values.len(),
            Self::Int(values) => values.len(),
            Self::Big(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::Uuid(values) => values.len(),
        }
    }

    fn sql_type(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytea",
            Self::Small(_) => "smallint",
            Self::Int(_) => "integer",
            Self::Big(_) => "bigint",
            Self::Bool(_) => "boolean",
            Self::Uuid(_) => "uuid",
        }
    }

    fn array(self) -> Value {
        match self {
            Self::Text(values) => values.into(),
            Self::Bytes(values) => values.into(),
            Self::Small(values) => values.into(),
            Self::Int(values) => values.into(),
            Self::Big(values) => values.into(),
            Self::Bool(values) => values.into(),
            Self::Uuid(values) => values.into(),
        }
    }

    fn values(self) -> Box<dyn Iterator<Item = Value> + Send> {
        match self {
            Self::Text(values) => Box::new(values.into_iter().map(Value::from)),
            Self::Bytes(values) => Box::new(values.into_iter().map(Value::from)),
            Self::Small(values) => Box::new(values.into_iter().map(Value::from)),
            Self::Int(values) => Box::new(values.into_iter().map(Value::from)),
            Self::Big(values) => Box::new(values.into_iter().map(Value::from)),
            Self::Bool(values) => Box::new(values.into_iter().map(Value::from)),
            Self::Uuid(values) => Box::new(values.into_iter().map(Value::from)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_statements_serve_all_numbers_of_keys_and_lose_none() {
        let numbers = |values: &[Value]| -> Vec<i64> {
            let number = |value: &Value| match value {
                Value::BigInt(Some(number)) => *number,
                other => panic!("{other:?}"),
            };
            values.iter().map(number).collect()
        };
        let mut texts = std::collections::BTreeSet::new();
        for count in 0..=2500_i64 {
            let parts = keys(3, (0..count).map(Value::from).collect());
            let mut found: Vec<i64> = Vec::new();
            for (marks, part) in parts {
                assert_eq!(marks.split(", ").count(), part.len());
                found.extend(numbers(&part));
                texts.insert(marks);
            }
            found.dedup();
            assert_eq!(found, (0..count).collect::<Vec<_>>());
        }
        assert_eq!(texts.len(), 11, "1, 2, 4, … 1024");
    }
}
