//! Many rows on their way into one table: COPY in binary on PostgreSQL, statements of many rows on
//! SQLite. Cells are written straight into the form that the database takes.

use kit::db::{Backend, Tx, statement};
use sea_orm::sqlx::PgConnection;
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::jobs::sqlx_err;

/// Rows for one SQLite statement: enough to make its parsing cheap, below the limit of values.
const SQLITE_ROWS: usize = 400;
const COPY_HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const COPY_END: [u8; 2] = (-1_i16).to_be_bytes();

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
    Copy(Vec<u8>),
    Values(Vec<Value>),
}

macro_rules! cells {
    ($($(#[doc = $doc:literal])* $name:ident($type:ty) = $bytes:expr;)*) => {
        $($(#[doc = $doc])*
        pub fn $name(&mut self, value: $type) {
            match &mut self.body {
                Body::Copy(bytes) => put(bytes, &$bytes(&value)),
                Body::Values(values) => values.push(value.into()),
            }
        })*
    };
}

impl Sheet {
    /// No rows yet for `columns` of `table`, in that order.
    pub fn new(backend: Backend, table: &'static str, columns: &'static [&'static str]) -> Self {
        let body = match backend {
            Backend::Postgres => Body::Copy(COPY_HEAD.to_vec()),
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

    /// Begins a row; one cell for each column must follow.
    pub fn row(&mut self) {
        self.rows += 1;
        if let Body::Copy(bytes) = &mut self.body {
            let count = i16::try_from(self.columns.len()).unwrap_or(i16::MAX);
            bytes.extend(count.to_be_bytes());
        }
    }

    cells! {
        /// A BOOLEAN.
        flag(bool) = |value: &bool| [u8::from(*value)];
        /// A SMALLINT.
        small(i16) = |value: &i16| value.to_be_bytes();
        /// An INTEGER.
        int(i32) = |value: &i32| value.to_be_bytes();
        /// A BIGINT.
        big(i64) = |value: &i64| value.to_be_bytes();
        /// A UUID.
        uuid(Uuid) = |value: &Uuid| *value.as_bytes();
    }

    /// A TEXT.
    pub fn text(&mut self, value: &str) {
        match &mut self.body {
            Body::Copy(bytes) => put(bytes, value.as_bytes()),
            Body::Values(values) => values.push(value.into()),
        }
    }

    /// A TEXT that may be NULL.
    pub fn text_or_null(&mut self, value: Option<&str>) {
        match (&mut self.body, value) {
            (Body::Copy(bytes), None) => put_null(bytes),
            (Body::Copy(bytes), Some(value)) => put(bytes, value.as_bytes()),
            (Body::Values(values), value) => values.push(value.map(ToOwned::to_owned).into()),
        }
    }

    /// Bytes that may be NULL.
    pub fn bytes_or_null(&mut self, value: Option<&[u8]>) {
        match (&mut self.body, value) {
            (Body::Copy(bytes), None) => put_null(bytes),
            (Body::Copy(bytes), Some(value)) => put(bytes, value),
            (Body::Values(values), value) => values.push(value.map(<[u8]>::to_vec).into()),
        }
    }

    /// A BIGINT that may be NULL.
    pub fn big_or_null(&mut self, value: Option<i64>) {
        match (&mut self.body, value) {
            (Body::Copy(bytes), None) => put_null(bytes),
            (Body::Copy(bytes), Some(value)) => put(bytes, &value.to_be_bytes()),
            (Body::Values(values), value) => values.push(value.into()),
        }
    }

    /// Writes the rows by COPY.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn copy(self, connection: &mut PgConnection) -> Result<(), DbErr> {
        let Body::Copy(mut bytes) = self.body else {
            return Ok(());
        };
        if self.rows == 0 {
            return Ok(());
        }
        bytes.extend(COPY_END);
        let columns = self.columns.join(", ");
        let sql = format!("COPY {} ({columns}) FROM STDIN (FORMAT binary)", self.table);
        let mut copy = connection.copy_in_raw(&sql).await.map_err(sqlx_err)?;
        copy.send(bytes).await.map_err(sqlx_err)?;
        copy.finish().await.map_err(sqlx_err)?;
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

fn put(bytes: &mut Vec<u8>, cell: &[u8]) {
    bytes.extend(i32::try_from(cell.len()).unwrap_or(i32::MAX).to_be_bytes());
    bytes.extend(cell);
}

fn put_null(bytes: &mut Vec<u8>) {
    bytes.extend((-1_i32).to_be_bytes());
}
