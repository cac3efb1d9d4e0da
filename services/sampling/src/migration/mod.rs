//! The schema, forward only.

use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait, sea_orm};

mod m20260101_000001_rolls;
mod m20260101_000002_plans;
mod m20260101_000003_draws;
mod m20260101_000004_clearances;
mod m20260101_000101_tubes;
mod m20260101_000102_points;
mod m20261125_000001_signs;
mod m20261125_000002_checks;
mod m20261125_000003_absences;
mod m20261125_000004_clusters;
mod m20261125_000005_cases;
mod m20261125_000006_controls;
mod m20261125_000008_reporting;
mod m20261126_000001_receipts;
mod m20261126_000009_emergencies;
mod m20261126_000010_measures;

/// Brings the schema of this service up to date.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = kit::migration::tables();
        migrations.push(Box::new(m20260101_000001_rolls::Migration));
        migrations.push(Box::new(m20260101_000002_plans::Migration));
        migrations.push(Box::new(m20260101_000003_draws::Migration));
        migrations.push(Box::new(m20260101_000004_clearances::Migration));
        migrations.push(Box::new(m20260101_000101_tubes::Migration));
        migrations.push(Box::new(m20260101_000102_points::Migration));
        migrations.push(Box::new(m20261125_000001_signs::Migration));
        migrations.push(Box::new(m20261125_000002_checks::Migration));
        migrations.push(Box::new(m20261125_000003_absences::Migration));
        migrations.push(Box::new(m20261125_000004_clusters::Migration));
        migrations.push(Box::new(m20261125_000005_cases::Migration));
        migrations.push(Box::new(m20261125_000006_controls::Migration));
        migrations.push(Box::new(m20261125_000008_reporting::Migration));
        migrations.push(Box::new(m20261126_000001_receipts::Migration));
        migrations.push(Box::new(m20261126_000009_emergencies::Migration));
        migrations.push(Box::new(m20261126_000010_measures::Migration));
        migrations
    }

    fn migration_table_name() -> sea_orm::DynIden {
        sea_orm::sea_query::IntoIden::into_iden("sampling_migrations")
    }
}
