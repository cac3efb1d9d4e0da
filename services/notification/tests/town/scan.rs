//! Looks through a whole database: for a text that must not stand in it, or for a number.

use kit::db::{Backend, Database, statement};
use sea_orm::ConnectionTrait;

/// The tables in which `text` stands, in the clear or as bytes.
pub(crate) async fn tables_with(db: &Database, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for table in tables(db).await {
        let (sql, values) = match db.backend() {
            Backend::Sqlite => {
                let columns = columns(db, &table).await;
                let wheres: Vec<String> = columns
                    .iter()
                    .map(|column| format!("instr(hex({column}), $1) > 0"))
                    .collect();
                let sql = format!("SELECT COUNT(*) FROM {table} WHERE {}", wheres.join(" OR "));
                (sql, vec![hex(text).to_uppercase().into()])
            }
            Backend::Postgres => {
                let sql = format!(
                    "SELECT COUNT(*) FROM {table} row WHERE position($1 IN row::text) > 0 \
                     OR position($2 IN row::text) > 0"
                );
                (sql, vec![text.into(), hex(text).into()])
            }
        };
        let row = db
            .read()
            .query_one_raw(statement(db.read(), &sql, values))
            .await
            .expect("read")
            .expect("a count");
        let count: i64 = row.try_get_by_index(0).expect("a number");
        if count > 0 {
            found.push(table);
        }
    }
    found
}

async fn tables(db: &Database) -> Vec<String> {
    let sql = match db.backend() {
        Backend::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
        Backend::Postgres => {
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        }
    };
    texts(db, sql, 0).await
}

async fn columns(db: &Database, table: &str) -> Vec<String> {
    texts(db, &format!("PRAGMA table_info({table})"), 1).await
}

async fn texts(db: &Database, sql: &str, index: usize) -> Vec<String> {
    let rows = db
        .read()
        .query_all_raw(statement(db.read(), sql, []))
        .await
        .expect("read");
    rows.iter()
        .map(|row| row.try_get_by_index(index).expect("a text"))
        .collect()
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The number that a statement selects.
pub(crate) async fn number(db: &Database, sql: &str) -> i64 {
    let row = db.read().query_one_raw(statement(db.read(), sql, []));
    let row = row.await.expect("read").expect("a row");
    row.try_get_by_index(0).expect("a number")
}
