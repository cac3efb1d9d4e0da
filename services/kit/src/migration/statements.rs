//! Statements that are written once for both databases.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::SchemaManager;

/// Runs statements that are written once for both databases. Four words stand for types that the
/// two spell differently: `BLOB` for bytes, `A_UUID` for a UUID, `INSTANT` for a point in time, and
/// `PLACE` for a text that sorts by its bytes, so that everything below a place is one range of an
/// index.
///
/// # Errors
/// When a statement fails.
pub async fn create(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    const POSTGRES: [(&str, &str); 4] = [
        ("BLOB", "BYTEA"),
        ("A_UUID", "UUID"),
        ("INSTANT", "TIMESTAMPTZ"),
        ("PLACE", "TEXT COLLATE \"C\""),
    ];
    const SQLITE: [(&str, &str); 3] = [
        ("A_UUID", "BLOB"),
        ("INSTANT", "TIMESTAMP_WITH_TIMEZONE_TEXT"),
        ("PLACE", "TEXT"),
    ];
    let connection = manager.get_connection();
    let words: &[(&str, &str)] = match connection.get_database_backend() {
        DbBackend::Postgres => &POSTGRES,
        _ => &SQLITE,
    };
    for statement in statements {
        let sql = words
            .iter()
            .fold((*statement).to_owned(), |sql, (ours, theirs)| {
                sql.replace(ours, theirs)
            });
        connection.execute_unprepared(&sql).await?;
    }
    Ok(())
}
