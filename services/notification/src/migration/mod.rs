//! The schema, forward only.

use sea_orm_migration::sea_query::{DynIden, IntoIden};
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager, async_trait, sea_orm};

mod m20260101_000001_register;
mod m20260101_000002_alerts;
mod m20260101_000003_directives;

/// Brings the schema of this service up to date.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = kit::migration::tables();
        migrations.push(Box::new(m20260101_000001_register::Migration));
        migrations.push(Box::new(m20260101_000002_alerts::Migration));
        migrations.push(Box::new(m20260101_000003_directives::Migration));
        migrations
    }

    fn migration_table_name() -> DynIden {
        "notification_migrations".into_iden()
    }
}

/// Runs statements in the types of the database at hand. A PLACE sorts by bytes, so that
/// everything below it is one range of an index.
async fn run(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), sea_orm::DbErr> {
    use sea_orm::ConnectionTrait;

    let connection = manager.get_connection();
    let postgres = connection.get_database_backend() == sea_orm::DbBackend::Postgres;
    let types = if postgres {
        [
            ("BLOB", "BYTEA"),
            ("A_UUID", "UUID"),
            ("INSTANT", "TIMESTAMPTZ"),
            ("PLACE", "TEXT COLLATE \"C\""),
        ]
    } else {
        [
            ("BLOB", "BLOB"),
            ("A_UUID", "BLOB"),
            ("INSTANT", "TIMESTAMP_WITH_TIMEZONE_TEXT"),
            ("PLACE", "TEXT"),
        ]
    };
    for statement in statements {
        let sql = types
            .iter()
            .fold((*statement).to_owned(), |sql, (ours, theirs)| {
                sql.replace(ours, theirs)
            });
        connection.execute_unprepared(&sql).await?;
    }
    Ok(())
}
