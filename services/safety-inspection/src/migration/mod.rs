//! The schema, forward only.

use sea_orm_migration::sea_query::{DynIden, IntoIden};
use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait, sea_orm};

mod m20260101_000001_facts;
mod m20260101_000002_gate;

/// Brings the schema of this service up to date.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = kit::migration::tables();
        migrations.push(Box::new(m20260101_000001_facts::Migration));
        migrations.push(Box::new(m20260101_000002_gate::Migration));
        migrations
    }

    fn migration_table_name() -> DynIden {
        "safety_inspection_migrations".into_iden()
    }
}

/// Runs statements that are written for SQLite, in the types of the database at hand.
async fn run(
    manager: &sea_orm_migration::SchemaManager<'_>,
    statements: &[&str],
) -> Result<(), sea_orm::DbErr> {
    use sea_orm::ConnectionTrait;

    let connection = manager.get_connection();
    let postgres = connection.get_database_backend() == sea_orm::DbBackend::Postgres;
    for statement in statements {
        let sql = if postgres {
            statement
                .replace("BLOB", "BYTEA")
                .replace("UUID_BYTES", "UUID")
                .replace("INSTANT", "TIMESTAMPTZ")
        } else {
            statement
                .replace("UUID_BYTES", "BLOB")
                .replace("INSTANT", "TIMESTAMP_WITH_TIMEZONE_TEXT")
        };
        connection.execute_unprepared(&sql).await?;
    }
    Ok(())
}
