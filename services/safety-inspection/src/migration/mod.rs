//! The schema, forward only.

use sea_orm_migration::sea_query::{DynIden, IntoIden};
use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait};

mod m20260101_000001_facts;
mod m20260101_000002_gate;
mod m20261126_000003_register;
mod m20261126_000004_photos;
mod m20261126_000005_hazards;
mod m20261126_000016_protection;
mod m20261126_000017_supply;

/// Brings the schema of this service up to date.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = kit::migration::tables();
        migrations.push(Box::new(m20260101_000001_facts::Migration));
        migrations.push(Box::new(m20260101_000002_gate::Migration));
        migrations.push(Box::new(m20261126_000003_register::Migration));
        migrations.push(Box::new(m20261126_000004_photos::Migration));
        migrations.push(Box::new(m20261126_000005_hazards::Migration));
        migrations.push(Box::new(m20261126_000016_protection::Migration));
        migrations.push(Box::new(m20261126_000017_supply::Migration));
        migrations
    }

    fn migration_table_name() -> DynIden {
        "safety_inspection_migrations".into_iden()
    }
}
