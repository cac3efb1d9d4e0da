//! Tables whose rows are read and written whole: each column is named once.

use std::future::Future;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, TryGetable, Value};

use crate::bulk::{self, Column, insert, listed};
use crate::db::{Tx, statement};

/// Whether rows are locked as they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Others may change them.
    No,
    /// Others wait.
    Yes,
}

impl Lock {
    fn sql(self, connection: &impl ConnectionTrait) -> &'static str {
        let postgres = connection.get_database_backend() == DbBackend::Postgres;
        if self == Self::Yes && postgres {
            " FOR UPDATE"
        } else {
            ""
        }
    }
}

/// A Rust type that one column holds.
pub trait Cell: TryGetable + Clone {
    /// The values of many rows.
    fn column(values: Vec<Self>) -> Column;
}

macro_rules! cells {
    ($($type:ty => $variant:ident),+ $(,)?) => {
        $(impl Cell for $type {
            fn column(values: Vec<Self>) -> Column {
                Column::$variant(values)
            }
        })+
    };
}

cells!(
    String => Text,
    Vec<u8> => Bytes,
    i16 => Small,
    i32 => Int,
    i64 => Big,
    bool => Bool,
    uuid::Uuid => Uuid,
);

/// One row of a table.
pub trait Row: Sized + Send + Sync + 'static {
    /// The table.
    const TABLE: &'static str;
    /// The columns of its primary key, by which rows are ordered.
    const KEY: &'static [&'static str];
    /// Every column.
    const COLUMNS: &'static [&'static str];

    /// From a row that was selected with [`Row::COLUMNS`].
    ///
    /// # Errors
    /// When a value is of another type.
    fn read(row: &QueryResult) -> Result<Self, DbErr>;

    /// Rows turned on their side.
    fn columns(rows: &[Self]) -> Vec<(&'static str, Column)>;

    /// Stores rows as they are now.
    ///
    /// # Errors
    /// When the database fails.
    fn save(tx: &Tx, rows: &[Self]) -> impl Future<Output = Result<(), DbErr>> + Send {
        let changes: Vec<String> = Self::COLUMNS
            .iter()
            .filter(|column| !Self::KEY.contains(column))
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        let conflict = format!(
            "ON CONFLICT ({}) DO UPDATE SET {}",
            Self::KEY.join(", "),
            changes.join(", ")
        );
        async move { insert(tx, Self::TABLE, Self::columns(rows), &conflict).await }
    }

    /// Stores rows with the columns `version` and `generation`, as feeds tell them: those that are
    /// newer than what stands there, or the first sight in a generation. Of several rows with one
    /// key the newest must have been chosen before.
    ///
    /// # Errors
    /// When the database fails.
    fn save_newer(tx: &Tx, rows: &[Self]) -> impl Future<Output = Result<(), DbErr>> + Send {
        let changes: Vec<String> = Self::COLUMNS
            .iter()
            .filter(|column| !Self::KEY.contains(column))
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        let conflict = format!(
            "ON CONFLICT ({}) DO UPDATE SET {} WHERE excluded.version > {table}.version \
             OR excluded.generation > {table}.generation",
            Self::KEY.join(", "),
            changes.join(", "),
            table = Self::TABLE,
        );
        async move { insert(tx, Self::TABLE, Self::columns(rows), &conflict).await }
    }

    /// Adds rows; those that another one stands in the way of are left out.
    ///
    /// # Errors
    /// When the database fails.
    fn add(tx: &Tx, rows: &[Self]) -> impl Future<Output = Result<(), DbErr>> + Send {
        async move {
            let columns = Self::columns(rows);
            insert(tx, Self::TABLE, columns, "ON CONFLICT DO NOTHING").await
        }
    }

    /// Rows of which `column` is one of `keys`, in the order of the primary key for each part of
    /// them; `lock` keeps others from changing them on PostgreSQL.
    ///
    /// # Errors
    /// When the database fails.
    fn find<C: ConnectionTrait + Sync>(
        connection: &C,
        column: &'static str,
        keys: Vec<Value>,
        lock: Lock,
    ) -> impl Future<Output = Result<Vec<Self>, DbErr>> + Send {
        async move {
            let mut found = Vec::new();
            for (list, part) in bulk::keys(1, keys) {
                let sql = format!(
                    "SELECT {} FROM {} WHERE {column} IN ({list}) ORDER BY {}{}",
                    Self::COLUMNS.join(", "),
                    Self::TABLE,
                    Self::KEY.join(", "),
                    lock.sql(connection),
                );
                let rows = connection
                    .query_all_raw(statement(connection, &sql, part))
                    .await?;
                for row in &rows {
                    found.push(Self::read(row)?);
                }
            }
            Ok(found)
        }
    }

    /// One row by the only column of its key.
    ///
    /// # Errors
    /// When the database fails.
    fn get<C: ConnectionTrait + Sync>(
        connection: &C,
        key: &str,
        lock: Lock,
    ) -> impl Future<Output = Result<Option<Self>, DbErr>> + Send {
        debug_assert_eq!(Self::KEY.len(), 1, "{} has a longer key", Self::TABLE);
        let found = Self::find(connection, Self::KEY[0], vec![key.into()], lock);
        async move { Ok(found.await?.pop()) }
    }

    /// Rows of which the named columns are together those of one of `keys`, in no order. Each key is
    /// looked up by itself: no statistics of a table that has just grown mislead the database.
    ///
    /// # Errors
    /// When the database fails.
    fn among<C: ConnectionTrait + Sync>(
        connection: &C,
        keys: Vec<(&'static str, Column)>,
    ) -> impl Future<Output = Result<Vec<Self>, DbErr>> + Send {
        let names: Vec<&str> = keys.iter().map(|(name, _)| *name).collect();
        let matches: Vec<String> = names
            .iter()
            .map(|name| format!("found.{name} = wanted.{name}"))
            .collect();
        let columns: Vec<String> = Self::COLUMNS
            .iter()
            .map(|column| format!("found.{column}"))
            .collect();
        // PostgreSQL would rather scan a table whose statistics are of yesterday; behind a fence it
        // looks up each key. SQLite takes a CROSS JOIN in the order in which it is written.
        let (columns, names, found) = (columns.join(", "), names.join(", "), Self::TABLE);
        let matches = matches.join(" AND ");
        let join = if connection.get_database_backend() == DbBackend::Postgres {
            format!("LATERAL (SELECT * FROM {found} found WHERE {matches} OFFSET 0) found")
        } else {
            format!("{found} found WHERE {matches}")
        };
        let statements = listed(connection, keys).into_iter().map(|(list, values)| {
            let sql = format!(
                "WITH wanted ({names}) AS ({list}) SELECT {columns} FROM wanted CROSS JOIN {join}"
            );
            statement(connection, &sql, values)
        });
        let statements: Vec<_> = statements.collect();
        async move {
            let mut found = Vec::new();
            for statement in statements {
                for row in &connection.query_all_raw(statement).await? {
                    found.push(Self::read(row)?);
                }
            }
            Ok(found)
        }
    }

    /// A page in the order of the primary key: rows that `wheres`, with placeholders from $1, lets
    /// through.
    ///
    /// # Errors
    /// When the database fails.
    fn page<C: ConnectionTrait + Sync>(
        connection: &C,
        wheres: &str,
        values: Vec<Value>,
        limit: u64,
    ) -> impl Future<Output = Result<Vec<Self>, DbErr>> + Send {
        let sql = format!(
            "SELECT {} FROM {} WHERE {wheres} ORDER BY {} LIMIT {limit}",
            Self::COLUMNS.join(", "),
            Self::TABLE,
            Self::KEY.join(", "),
        );
        async move {
            let rows = connection
                .query_all_raw(statement(connection, &sql, values))
                .await?;
            rows.iter().map(Self::read).collect()
        }
    }
}

/// Declares a row: `row! { /// Docs. Name in "table" by ["key"] { /// Docs. column: Type, … } }`.
#[macro_export]
macro_rules! row {
    (
        $(#[$doc:meta])*
        $name:ident in $table:literal by [$($key:literal),+] {
            $($(#[$field_doc:meta])* $field:ident: $type:ty,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)+
        }

        impl $crate::rows::Row for $name {
            const TABLE: &'static str = $table;
            const KEY: &'static [&'static str] = &[$($key),+];
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];

            fn read(row: &sea_orm::QueryResult) -> Result<Self, sea_orm::DbErr> {
                let mut places = 0..;
                Ok(Self {
                    $($field: row.try_get_by_index(places.next().unwrap_or_default())?,)+
                })
            }

            fn columns(rows: &[Self]) -> Vec<(&'static str, $crate::bulk::Column)> {
                vec![$((
                    stringify!($field),
                    <$type as $crate::rows::Cell>::column(
                        rows.iter().map(|row| row.$field.clone()).collect(),
                    ),
                )),+]
            }
        }
    };
}
pub use crate::row;

/// Runs a change over many keys: `sql` ends before `IN` and has placeholders for `first` only.
///
/// # Errors
/// When the database fails.
pub async fn execute_in(
    tx: &Tx,
    sql: &str,
    first: &[Value],
    keys: Vec<Value>,
) -> Result<(), DbErr> {
    for (list, part) in bulk::keys(first.len() + 1, keys) {
        let sql = format!("{sql} IN ({list})");
        let values = first.iter().cloned().chain(part);
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}
