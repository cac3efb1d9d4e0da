//! Many rows on their way into one table: whole columns by UNNEST on PostgreSQL, statements of many
//! rows on SQLite. Cells are put straight into the form that the database takes.
//!
//! COPY would be a little faster for the largest sheets, but the driver sends its data and its end
//! apart, and each such pair waits for the network's delayed acknowledgement: forty milliseconds a
//! table and stretch.

use kit::db::{Backend, Tx, statement};
use sea_orm::sqlx::{AssertSqlSafe, PgConnection, query};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::jobs::sqlx_err;

/// Rows for one SQLite statement: enough to make its parsing cheap, below the limit of values.
const SQLITE_ROWS: usize = 400;

/// Rows for one table.
#[derive(Debug)]
pub struct Sheet {
    table: &'static str,
    columns: &'static [&'static str],
    rows: usize,
    body: Body,
}

#[derive(Debug)]
enum Body {
    /// The columns, and the one that the next cell goes to.
    Columns(Vec<Column>, usize),
    Values(Vec<Value>),
}

/// The cells of one column.
#[derive(Debug)]
enum Column {
    Flag(Vec<bool>),
    Small(Vec<i16>),
    Int(Vec<i32>),
    Big(Vec<Option<i64>>),
    Uuid(Vec<Uuid>),
    Text(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

macro_rules! cells {
    ($($(#[doc = $doc:literal])* $name:ident($type:ty) = $variant:ident, $make:expr;)*) => {
        $($(#[doc = $doc])*
        pub fn $name(&mut self, value: $type) {
            let value = $make(value);
            match &mut self.body {
                Body::Values(values) => values.push(value.into()),
                Body::Columns(columns, at) => {
                    match columns.get_mut(*at) {
                        Some(Column::$variant(cells)) => cells.push(value.into()),
                        Some(_) => debug_assert!(false, "a cell of another type"),
                        None => columns.push(Column::$variant(vec![value.into()])),
                    }
                    *at += 1;
                }
            }
        })*
    };
}

impl Sheet {
    /// No rows yet for `columns` of `table`, in that order.
    pub fn new(backend: Backend, table: &'static str, columns: &'static [&'static str]) -> Self {
        let body = match backend {
            Backend::Postgres => Body::Columns(Vec::with_capacity(columns.len()), 0),
            Backend::Sqlite => Body::Values(Vec::new()),
        };
        Self {
            table,
            columns,
            rows: 0,
            body,
        }
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Begins a row; one cell for each column must follow, always of the same type.
    pub fn row(&mut self) {
        self.rows += 1;
        if let Body::Columns(_, at) = &mut self.body {
            *at = 0;
        }
    }

    cells! {
        /// A BOOLEAN.
        flag(bool) = Flag, |value: bool| value;
        /// A SMALLINT.
        small(i16) = Small, |value: i16| value;
        /// An INTEGER.
        int(i32) = Int, |value: i32| value;
        /// A BIGINT.
        big(i64) = Big, |value: i64| value;
        /// A BIGINT that may be NULL.
        big_or_null(Option<i64>) = Big, |value: Option<i64>| value;
        /// A UUID.
        uuid(Uuid) = Uuid, |value: Uuid| value;
        /// A TEXT.
        text(&str) = Text, |value: &str| value.to_owned();
        /// A TEXT that may be NULL.
        text_or_null(Option<&str>) = Text, |value: Option<&str>| value.map(ToOwned::to_owned);
        /// Bytes that may be NULL.
        bytes_or_null(Option<&[u8]>) = Bytes, |value: Option<&[u8]>| value.map(<[u8]>::to_vec);
    }

    /// Writes the rows by columns.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn unnest(self, connection: &mut PgConnection) -> Result<(), DbErr> {
        let Body::Columns(columns, _) = self.body else {
            return Ok(());
        };
        if self.rows == 0 {
            return Ok(());
        }
        let arrays: Vec<String> = (1..)
            .zip(&columns)
            .map(|(place, column)| format!("${place}::{}[]", column.sql_type()))
            .collect();
        let sql = format!(
            "INSERT INTO {} ({}) SELECT * FROM UNNEST({})",
            self.table,
            self.columns.join(", "),
            arrays.join(", ")
        );
        let mut insert = query(AssertSqlSafe(sql));
        for column in columns {
            insert = match column {
                Column::Flag(cells) => insert.bind(cells),
                Column::Small(cells) => insert.bind(cells),
                Column::Int(cells) => insert.bind(cells),
                Column::Big(cells) => insert.bind(cells),
                Column::Uuid(cells) => insert.bind(cells),
                Column::Text(cells) => insert.bind(cells),
                Column::Bytes(cells) => insert.bind(cells),
            };
        }
        insert.execute(connection).await.map_err(sqlx_err)?;
        Ok(())
    }

    /// Writes the rows by statements.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn insert(self, tx: &Tx) -> Result<(), DbErr> {
        let Body::Values(values) = self.body else {
            return Ok(());
        };
        let width = self.columns.len();
        let row = format!("({})", vec!["?"; width].join(", "));
        let head = format!(
            "INSERT INTO {} ({}) VALUES ",
            self.table,
            self.columns.join(", ")
        );
        let full = format!("{head}{}", vec![row.as_str(); SQLITE_ROWS].join(", "));
        let mut values = values.into_iter();
        let mut left = self.rows;
        while left > 0 {
            let count = left.min(SQLITE_ROWS);
            let some: Vec<Value> = values.by_ref().take(count * width).collect();
            let sql = if count == SQLITE_ROWS {
                full.clone()
            } else {
                format!("{head}{}", vec![row.as_str(); count].join(", "))
            };
            tx.execute_raw(statement(tx, &sql, some)).await?;
            left -= count;
        }
        Ok(())
    }
}

impl Column {
    fn sql_type(&self) -> &'static str {
        match self {
            Self::Flag(_) => "boolean",
            Self::Small(_) => "smallint",
            Self::Int(_) => "integer",
            Self::Big(_) => "bigint",
            Self::Uuid(_) => "uuid",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytea",
        }
    }
}
