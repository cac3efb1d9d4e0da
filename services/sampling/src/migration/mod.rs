//! The schema, forward only.

use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait, sea_orm};

// Plans and draws.
mod m20260101_000001_rolls;
mod m20260101_000002_plans;
mod m20260101_000003_draws;
mod m20260101_000004_clearances;

// Tubes, results, holds, clearance, environment: from 000101.
mod m20260101_000101_tubes;

/// Brings the schema of this service up to date.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = kit::migration::tables();
        // Plans and draws.
        migrations.push(Box::new(m20260101_000001_rolls::Migration));
        migrations.push(Box::new(m20260101_000002_plans::Migration));
        migrations.push(Box::new(m20260101_000003_draws::Migration));
        migrations.push(Box::new(m20260101_000004_clearances::Migration));
        // Tubes, results, holds, clearance, environment.
        migrations.push(Box::new(m20260101_000101_tubes::Migration));
        migrations
    }

    fn migration_table_name() -> sea_orm::DynIden {
        sea_orm::sea_query::IntoIden::into_iden("sampling_migrations")
    }
}

/// Creates tables written once for both databases: BLOB is what PostgreSQL calls BYTEA, and PATH
/// is text that sorts by its bytes, so that everything below a place is one range of an index.
async fn create(
    manager: &sea_orm_migration::SchemaManager<'_>,
    tables: &[&str],
) -> Result<(), sea_orm::DbErr> {
    use sea_orm::ConnectionTrait;

    let connection = manager.get_connection();
    let postgres = connection.get_database_backend() == sea_orm::DbBackend::Postgres;
    for table in tables {
        let sql = if postgres {
            table
                .replace("BLOB", "BYTEA")
                .replace(" PATH", " TEXT COLLATE \"C\"")
        } else {
            table.replace(" PATH", " TEXT")
        };
        connection.execute_unprepared(&sql).await?;
    }
    Ok(())
}
