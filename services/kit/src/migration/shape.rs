//! The shape of a schema: what a version that runs may rest on, and what one migration takes away
//! from it. Found by applying migrations one by one to an empty database, so that it holds for
//! whatever a migration does, not for what it looks like.

mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::worker::Worker;
use super::{Limits, Schema, contract};
use crate::db::{Backend, Database};
use rules::Rule;

/// The tables of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape(BTreeMap<String, Table>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Table {
    columns: BTreeMap<String, Column>,
    /// What no two rows may agree in: a write may rest on it (`ON CONFLICT`) or be refused by it.
    unique: BTreeSet<Key>,
    rules: BTreeSet<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    columns: String,
    /// Of which rows, as the database says it; empty for all.
    rows: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Column {
    kind: String,
    /// Whether a write that does not name it is refused.
    required: bool,
}

/// Something that a version before may rest on and that is there no more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// A table went, or has another name.
    Table(String),
    /// A column of a table that stayed went, or has another name.
    Column(String, String),
    /// A column has another type.
    Type(String, String),
    /// A column must be written that need not be before.
    Required(String, String),
    /// What was unique no longer is, so that nobody can write by it.
    Key(String, String),
    /// Rows that could be written before agree in what is now unique.
    Unique(String, String),
    /// A check over these columns refuses rows that could be written before.
    Check(String, String),
    /// Columns that named anything have to name something in another table.
    Reference(String, String, String),
    /// A row that another table names cannot be deleted any more.
    Referenced(String, String),
    /// A trigger of a table that had none of this name, or another one, may refuse anything.
    Trigger(String, String),
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(table) => write!(f, "table {table}"),
            Self::Column(table, column) => write!(f, "column {table}.{column}"),
            Self::Type(table, column) => write!(f, "type of {table}.{column}"),
            Self::Required(table, column) => write!(f, "writes without {table}.{column}"),
            Self::Key(table, key) => write!(f, "key {table} ({key})"),
            Self::Unique(table, key) => write!(f, "writes that agree in {table} ({key})"),
            Self::Check(table, columns) => {
                write!(f, "writes that a check of {table} ({columns}) refuses")
            }
            Self::Reference(table, columns, to) => {
                write!(f, "writes of {table} ({columns}) that name nothing in {to}")
            }
            Self::Referenced(table, by) => write!(f, "deletes from {table} that {by} names"),
            Self::Trigger(table, name) => write!(f, "writes that trigger {table}.{name} refuses"),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.columns)?;
        f.write_str(if self.rows.is_empty() { "" } else { " of some" })
    }
}

impl Shape {
    /// The shape of a database.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn read(db: &Database) -> Result<Self, DbErr> {
        let (columns, keys) = match db.backend() {
            Backend::Postgres => (POSTGRES_COLUMNS, POSTGRES_KEYS),
            Backend::Sqlite => (SQLITE_COLUMNS, SQLITE_KEYS),
        };
        let read = db.read();
        let all = |sql: &str| Statement::from_string(read.get_database_backend(), sql);
        let mut tables: BTreeMap<String, Table> = BTreeMap::new();
        for row in read.query_all_raw(all(columns)).await? {
            let table: String = row.try_get_by_index(0)?;
            let column = Column {
                kind: row.try_get_by_index(2)?,
                required: row.try_get_by_index(3)?,
            };
            let columns = &mut tables.entry(table).or_default().columns;
            columns.insert(row.try_get_by_index(1)?, column);
        }
        for row in read.query_all_raw(all(keys)).await? {
            let table: String = row.try_get_by_index(0)?;
            let key = Key {
                columns: row.try_get_by_index(1)?,
                rows: row.try_get_by_index(2)?,
            };
            tables.entry(table).or_default().unique.insert(key);
        }
        for (table, rule) in rules::read(db, &tables).await? {
            if let Some(table) = tables.get_mut(&table) {
                table.rules.insert(rule);
            }
        }
        Ok(Self(tables))
    }

    /// What whoever rests on this shape misses in `later`.
    pub fn losses(&self, later: &Self) -> Vec<Loss> {
        let mut losses = Vec::new();
        for (name, before) in &self.0 {
            match later.0.get(name) {
                None => losses.push(Loss::Table(name.clone())),
                Some(after) => losses.extend(before.losses(name, after)),
            }
        }
        losses
    }
}

impl Table {
    fn losses(&self, name: &str, after: &Self) -> Vec<Loss> {
        let at = |column: &String| (name.to_owned(), column.clone());
        let mut losses = Vec::new();
        for (column, before) in &self.columns {
            let (table, column) = at(column);
            match after.columns.get(&column) {
                None => losses.push(Loss::Column(table, column)),
                Some(after) if after.kind != before.kind => losses.push(Loss::Type(table, column)),
                Some(after) if after.required && !before.required => {
                    losses.push(Loss::Required(table, column));
                }
                Some(_) => {}
            }
        }
        for (column, after) in &after.columns {
            if after.required && !self.columns.contains_key(column) {
                let (table, column) = at(column);
                losses.push(Loss::Required(table, column));
            }
        }
        let gone = self.unique.difference(&after.unique);
        losses.extend(gone.map(|key| Loss::Key(name.to_owned(), key.to_string())));
        let new = after.unique.difference(&self.unique);
        losses.extend(new.map(|key| Loss::Unique(name.to_owned(), key.to_string())));
        let new = after.rules.difference(&self.rules);
        losses.extend(new.filter_map(|rule| rule.loss(name, &self.columns)));
        losses
    }
}

/// What each migration of `schema` takes away, by its name, found on the empty database `db`.
///
/// # Errors
/// When a migration fails.
pub async fn walk(db: &Database, schema: &Schema) -> Result<BTreeMap<String, Vec<String>>, DbErr> {
    let worker = Worker::open(db, Limits::default()).await?;
    worker.install(schema).await?;
    let mut found = BTreeMap::new();
    let mut before = Shape::read(db).await?;
    for migration in schema.migrations() {
        worker.apply(schema, &*migration).await?;
        let after = Shape::read(db).await?;
        let losses = before.losses(&after);
        if !losses.is_empty() {
            let losses = losses.iter().map(Loss::to_string).collect();
            found.insert(migration.name().to_owned(), losses);
        }
        before = after;
    }
    worker.close().await;
    Ok(found)
}

/// What is wrong with what `schema` says that its migrations take away, in release `version`, on the
/// empty database `db`; empty when nothing is.
///
/// # Errors
/// When a migration fails.
pub async fn complaints(
    db: &Database,
    schema: &Schema,
    version: &str,
) -> Result<Vec<String>, DbErr> {
    let found = walk(db, schema).await?;
    Ok(contract::judge(schema.contracts(), &found, version))
}

/// Holds a schema against the version before, on SQLite and on PostgreSQL:
/// `kit::migration_suite!(schema);` in the module of the migrations.
#[macro_export]
macro_rules! migration_suite {
    ($schema:path) => {
        #[cfg(test)]
        mod the_version_before_misses_nothing {
            async fn judge(scratch: &$crate::db::DatabaseConfig) {
                let db = $crate::db::Database::connect(scratch).await;
                let (db, schema) = (db.expect("it opens"), $schema());
                let version = env!("CARGO_PKG_VERSION");
                let complaints = $crate::migration::shape::complaints(&db, &schema, version);
                assert_eq!(complaints.await.expect("migrated"), [""; 0]);
            }

            #[tokio::test]
            async fn on_sqlite() {
                judge(&$crate::scratch::sqlite()).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                if let Some(scratch) = $crate::scratch::postgres().await {
                    judge(&scratch).await;
                }
            }
        }
    };
}

const POSTGRES_COLUMNS: &str = "SELECT c.relname::text, a.attname::text, \
    format_type(a.atttypid, a.atttypmod), \
    a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' \
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace \
    AND a.attnum > 0 AND NOT a.attisdropped";

const POSTGRES_KEYS: &str = "SELECT c.relname::text, \
    (SELECT string_agg(pg_get_indexdef(i.indexrelid, k::int, false), ', ' ORDER BY k) \
        FROM generate_series(1, i.indnkeyatts) k), \
    coalesce(pg_get_expr(i.indpred, i.indrelid), '') \
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid \
    WHERE i.indisunique AND c.relnamespace = current_schema()::regnamespace";

const SQLITE_COLUMNS: &str = "SELECT m.name, c.name, upper(c.type), \
    c.\"notnull\" = 1 AND c.dflt_value IS NULL \
    FROM sqlite_master m JOIN pragma_table_info(m.name) c \
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

const SQLITE_KEYS: &str = "SELECT m.name, \
    (SELECT group_concat(coalesce(k.name, '(expression)'), ', ') FROM pragma_index_info(i.name) k), \
    CASE WHEN i.partial THEN (SELECT x.sql FROM sqlite_master x WHERE x.name = i.name) ELSE '' END \
    FROM sqlite_master m JOIN pragma_index_list(m.name) i \
    WHERE m.type = 'table' AND i.\"unique\" = 1 \
    UNION ALL SELECT m.name, c.name, '' FROM sqlite_master m JOIN pragma_table_info(m.name) c \
    WHERE m.type = 'table' AND c.pk = 1 AND upper(c.type) = 'INTEGER'";

#[cfg(test)]
mod tests {
    use super::*;

    async fn shape(db: &Database, statements: &[&str]) -> Shape {
        let tx = db.begin().await.unwrap();
        for sql in statements {
            tx.execute_unprepared(sql).await.unwrap();
        }
        tx.commit().await.unwrap();
        Shape::read(db).await.unwrap()
    }

    /// Every kind of loss is found, and what only grows is none.
    async fn losses_are_found(db: Database) {
        let before = shape(
            &db,
            &[
                "CREATE TABLE hazards (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, level INTEGER, \
                 place TEXT NOT NULL DEFAULT '')",
                "CREATE UNIQUE INDEX hazards_owner ON hazards (owner)",
                "CREATE TABLE notes (id INTEGER PRIMARY KEY)",
            ],
        )
        .await;
        let grown = shape(
            &db,
            &[
                "ALTER TABLE hazards ADD COLUMN rank INTEGER NOT NULL DEFAULT 0",
                "ALTER TABLE notes ADD COLUMN text TEXT",
                "CREATE TABLE photos (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE)",
                "CREATE INDEX hazards_place ON hazards (place)",
            ],
        )
        .await;
        assert!(before.losses(&grown).is_empty(), "{grown:?}");
        let shrunk = shape(
            &db,
            &[
                "ALTER TABLE hazards RENAME COLUMN level TO grade",
                "DROP INDEX hazards_owner",
                "CREATE UNIQUE INDEX hazards_place_rank ON hazards (place, rank)",
                "DROP TABLE notes",
                "DROP TABLE photos",
                "CREATE TABLE photos (id TEXT NOT NULL PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, \
                 taken_at BIGINT NOT NULL)",
            ],
        )
        .await;
        let losses = grown.losses(&shrunk);
        let losses: Vec<_> = losses.iter().map(Loss::to_string).collect();
        assert_eq!(
            losses,
            [
                "column hazards.level",
                "key hazards (owner)",
                "writes that agree in hazards (place, rank)",
                "table notes",
                "type of photos.id",
                "writes without photos.taken_at",
            ]
        );
    }

    /// What refuses writes of the version before is found, and what is about new columns only is none.
    async fn rules_are_found(db: Database) {
        let before = shape(
            &db,
            &[
                "CREATE TABLE hazards (id INTEGER PRIMARY KEY, place TEXT NOT NULL DEFAULT '')",
                "CREATE TABLE owners (name TEXT PRIMARY KEY)",
            ],
        )
        .await;
        let grown = shape(
            &db,
            &[
                "CREATE TABLE photos (id INTEGER PRIMARY KEY)",
                "ALTER TABLE hazards ADD COLUMN rank INTEGER NOT NULL DEFAULT 0 CHECK (rank >= 0)",
                "ALTER TABLE hazards ADD COLUMN photo INTEGER REFERENCES photos (id)",
                "CREATE TABLE notes (owner TEXT NOT NULL REFERENCES owners (name) ON DELETE CASCADE, \
                 text TEXT CHECK (text <> ''))",
            ],
        )
        .await;
        assert!(before.losses(&grown).is_empty(), "{grown:?}");
        let trigger: &[&str] = match db.backend() {
            Backend::Postgres => &[
                "CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RETURN NULL; END $$",
                "CREATE TRIGGER guard BEFORE INSERT ON hazards FOR EACH ROW EXECUTE FUNCTION guard()",
            ],
            Backend::Sqlite => &[
                "CREATE TRIGGER guard BEFORE INSERT ON hazards BEGIN SELECT RAISE(ABORT, 'no'); END",
            ],
        };
        let tables = [
            "ALTER TABLE hazards ADD COLUMN seen INTEGER CHECK (seen IS NULL OR place <> 'rank')",
            "ALTER TABLE hazards ADD COLUMN sketch INTEGER REFERENCES photos (id)",
            "DROP TABLE notes",
            "CREATE TABLE notes (owner TEXT NOT NULL REFERENCES owners (name), \
             text TEXT REFERENCES owners (name))",
        ];
        let strict = shape(&db, &[&tables[..], trigger].concat()).await;
        let losses = grown.losses(&strict);
        let losses: Vec<_> = losses.iter().map(Loss::to_string).collect();
        assert_eq!(
            losses,
            [
                "writes that a check of hazards (place, seen) refuses",
                "writes that trigger hazards.guard refuses",
                "writes of notes (text) that name nothing in owners",
                "deletes from owners that notes (owner) names",
                "deletes from owners that notes (text) names",
                "deletes from photos that hazards (sketch) names",
            ]
        );
    }

    #[tokio::test]
    async fn losses_are_found_on_sqlite() {
        let scratch = crate::scratch::sqlite();
        losses_are_found(Database::connect(&scratch).await.unwrap()).await;
        let scratch = crate::scratch::sqlite();
        rules_are_found(Database::connect(&scratch).await.unwrap()).await;
    }

    #[tokio::test]
    async fn losses_are_found_on_postgres() {
        if let Some(scratch) = crate::scratch::postgres().await {
            losses_are_found(Database::connect(&scratch).await.unwrap()).await;
        }
        if let Some(scratch) = crate::scratch::postgres().await {
            rules_are_found(Database::connect(&scratch).await.unwrap()).await;
        }
    }
}
