//! Values on their way to SQLite and rows on their way back, typed as their columns were declared.

use std::collections::BTreeMap;

use rusqlite::types::{Value as Stored, ValueRef};
use rusqlite::{Connection, Statement};
use sea_orm::Value;

use super::state::Refused;

/// A row: its columns stand under their places.
pub(super) type Row = BTreeMap<String, Value>;

/// What came of a statement.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// The rows that it told.
    pub(super) rows: Vec<Row>,
    /// How many rows it changed.
    pub(super) changed: u64,
}

/// Carries out one statement.
pub(super) fn run(sqlite: &Connection, sql: &str, values: &[Value]) -> Result<Answer, Refused> {
    let unknown = |err: rusqlite::Error| Refused::Unknown(format!("{err}: {sql}"));
    let mut statement = sqlite.prepare(sql).map_err(unknown)?;
    bind(&mut statement, values)?;
    let failed = |err: rusqlite::Error| Refused::Failed(err.to_string());
    let types: Vec<Option<String>> = statement
        .columns()
        .iter()
        .map(|column| column.decl_type().map(str::to_uppercase))
        .collect();
    let reads = statement.readonly();
    let mut told = Vec::new();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(failed)? {
        let mut columns = BTreeMap::new();
        for (at, declared) in types.iter().enumerate() {
            let value = row.get_ref(at).map_err(failed)?;
            columns.insert(format!("{at:03}"), typed(declared.as_deref(), value)?);
        }
        told.push(columns);
    }
    drop(rows);
    drop(statement);
    Ok(Answer {
        rows: told,
        changed: if reads { 0 } else { sqlite.changes() },
    })
}

fn bind(statement: &mut Statement<'_>, values: &[Value]) -> Result<(), Refused> {
    for at in 1..=statement.parameter_count() {
        let name = statement.parameter_name(at).map(str::to_owned);
        let number = name.map_or(Some(at), |name| name[1..].parse().ok());
        let value = number.and_then(|number: usize| values.get(number - 1));
        let value = value.ok_or_else(|| Refused::Unknown(format!("no parameter {at}")))?;
        let bound = statement.raw_bind_parameter(at, stored(value)?);
        bound.map_err(|err| Refused::Failed(err.to_string()))?;
    }
    Ok(())
}

/// A value as SQLite stores it.
pub(super) fn stored(value: &Value) -> Result<Stored, Refused> {
    fn or_null<T>(value: Option<T>, stored: impl FnOnce(T) -> Stored) -> Stored {
        value.map_or(Stored::Null, stored)
    }
    Ok(match value.clone() {
        Value::Bool(value) => or_null(value, |value| Stored::Integer(i64::from(value))),
        Value::SmallInt(value) => or_null(value, |value| Stored::Integer(i64::from(value))),
        Value::Int(value) => or_null(value, |value| Stored::Integer(i64::from(value))),
        Value::BigInt(value) => or_null(value, Stored::Integer),
        Value::Double(value) => or_null(value, Stored::Real),
        Value::String(value) => or_null(value, Stored::Text),
        Value::Bytes(value) => or_null(value, Stored::Blob),
        other => {
            return Err(Refused::Unknown(format!(
                "a value of another type: {other:?}"
            )));
        }
    })
}

/// A column's value as its declaration says it is read; what an expression makes is read as it comes.
fn typed(declared: Option<&str>, value: ValueRef<'_>) -> Result<Value, Refused> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let wrong = || Refused::Unknown(format!("{value:?} in a column {declared:?}"));
    Ok(match (declared, value) {
        (Some("BOOLEAN"), ValueRef::Null) => Value::Bool(None),
        (Some("BOOLEAN"), ValueRef::Integer(value)) => Value::Bool(Some(value != 0)),
        (Some("SMALLINT"), ValueRef::Null) => Value::SmallInt(None),
        (Some("SMALLINT"), ValueRef::Integer(value)) => {
            Value::SmallInt(Some(i16::try_from(value).map_err(|_| wrong())?))
        }
        (Some("INTEGER"), ValueRef::Null) => Value::Int(None),
        (Some("INTEGER"), ValueRef::Integer(value)) => {
            Value::Int(Some(i32::try_from(value).map_err(|_| wrong())?))
        }
        (Some("TEXT"), ValueRef::Null) => Value::String(None),
        (Some("BLOB"), ValueRef::Null) => Value::Bytes(None),
        (_, ValueRef::Null) => Value::BigInt(None),
        (_, ValueRef::Integer(value)) => Value::BigInt(Some(value)),
        (_, ValueRef::Real(value)) => Value::Double(Some(value)),
        (_, ValueRef::Text(value)) => Value::String(Some(text(value))),
        (_, ValueRef::Blob(value)) => Value::Bytes(Some(value.to_vec())),
    })
}
