//! The schema, forward only.

use kit::migration::{Contract, Schema};
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
mod m20261126_000011_case_exclusions;
mod m20261126_000021_spans;
mod m20261126_000022_proposals;
mod m20261126_000023_said;
mod m20261126_000024_going_on;
mod m20261127_000031_amendments;
mod m20261127_000032_exit_negative;
mod m20261127_000033_sick_days;
mod m20261127_000034_suspension_classes;
mod m20261127_000035_people;
mod m20261127_000041_tubes_under_way;
mod m20261127_000043_counts;
mod m20261127_000044_waiting_indexes;
mod m20261127_000045_reading_marks;
mod m20261127_000046_old_rows;

/// The schema of this service.
pub fn schema() -> Schema {
    Schema::of::<Migrator>().with(CONTRACTS)
}

/// What migrations take away from versions before.
const CONTRACTS: &[Contract] = &[
    Contract {
        migration: "m20261126_000001_receipts",
        takes: &[
            "key absences (person of some)",
            "writes that agree in absences (person of some)",
        ],
        unused_since: Contract::UNRELEASED,
    },
    Contract {
        migration: "m20261126_000022_proposals",
        takes: &["key suspensions (cluster)"],
        unused_since: Contract::UNRELEASED,
    },
];

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
        migrations.push(Box::new(m20261126_000011_case_exclusions::Migration));
        migrations.push(Box::new(m20261126_000021_spans::Migration));
        migrations.push(Box::new(m20261126_000022_proposals::Migration));
        migrations.push(Box::new(m20261126_000023_said::Migration));
        migrations.push(Box::new(m20261126_000024_going_on::Migration));
        migrations.push(Box::new(m20261127_000031_amendments::Migration));
        migrations.push(Box::new(m20261127_000032_exit_negative::Migration));
        migrations.push(Box::new(m20261127_000033_sick_days::Migration));
        migrations.push(Box::new(m20261127_000034_suspension_classes::Migration));
        migrations.push(Box::new(m20261127_000035_people::MIGRATION));
        migrations.push(Box::new(m20261127_000041_tubes_under_way::MIGRATION));
        migrations.push(Box::new(m20261127_000043_counts::Migration));
        migrations.push(Box::new(m20261127_000044_waiting_indexes::MIGRATION));
        migrations.push(Box::new(m20261127_000045_reading_marks::Migration));
        migrations.push(Box::new(m20261127_000046_old_rows::MIGRATION));
        migrations
    }

    fn migration_table_name() -> sea_orm::DynIden {
        sea_orm::sea_query::IntoIden::into_iden("sampling_migrations")
    }
}

kit::migration_suite!(crate::schema);
