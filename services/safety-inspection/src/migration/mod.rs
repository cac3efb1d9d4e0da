//! The schema, forward only.

use kit::migration::{Contract, Schema};
use sea_orm_migration::sea_query::{DynIden, IntoIden};
use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait};

mod m20260101_000001_facts;
mod m20260101_000002_gate;
mod m20261126_000003_register;
mod m20261126_000004_photos;
mod m20261126_000005_hazards;
mod m20261126_000010_inspections;
mod m20261126_000012_drills;
mod m20261126_000013_duty;
mod m20261126_000014_weather;
mod m20261126_000015_incidents;
mod m20261126_000016_protection;
mod m20261126_000017_supply;
mod m20261126_000018_visits;
mod m20261126_000019_resumption;
mod m20261126_000020_feed;
mod m20261126_000021_figures;
mod m20261126_000022_rechecks;
mod m20261126_000023_weather_ground;
mod m20261126_000024_causes;
mod m20261126_000025_emergencies;
mod m20261126_000026_under_review;
mod m20261126_000027_duty_busy;
mod m20261126_000028_not_done;
mod m20261126_000030_entries;
mod m20261126_000031_whereabouts;
mod m20261126_000041_gate_courses;
mod m20261126_000051_buses;
mod m20261126_000061_levels;
mod m20261126_000071_occasions;
mod m20261127_000081_gate_days;

/// The schema of this service.
pub fn schema() -> Schema {
    Schema::of::<Migrator>().with(CONTRACTS)
}

/// What migrations take away from versions before.
const CONTRACTS: &[Contract] = &[
    Contract {
        migration: "m20261126_000023_weather_ground",
        takes: &["column weather_teaching.targets"],
        unused_since: Contract::UNRELEASED,
    },
    Contract {
        migration: "m20261126_000071_occasions",
        takes: &[
            "writes without incident_steps.occasion",
            "key incident_steps (incident, kind, receiver, medium)",
            "writes that agree in incident_steps (incident, occasion, kind, receiver, medium)",
        ],
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
        migrations.push(Box::new(m20260101_000001_facts::Migration));
        migrations.push(Box::new(m20260101_000002_gate::Migration));
        migrations.push(Box::new(m20261126_000003_register::Migration));
        migrations.push(Box::new(m20261126_000004_photos::Migration));
        migrations.push(Box::new(m20261126_000005_hazards::Migration));
        migrations.push(Box::new(m20261126_000010_inspections::Migration));
        migrations.push(Box::new(m20261126_000012_drills::Migration));
        migrations.push(Box::new(m20261126_000013_duty::Migration));
        migrations.push(Box::new(m20261126_000014_weather::Migration));
        migrations.push(Box::new(m20261126_000015_incidents::Migration));
        migrations.push(Box::new(m20261126_000016_protection::Migration));
        migrations.push(Box::new(m20261126_000017_supply::Migration));
        migrations.push(Box::new(m20261126_000018_visits::Migration));
        migrations.push(Box::new(m20261126_000019_resumption::Migration));
        migrations.push(Box::new(m20261126_000020_feed::Migration));
        migrations.push(Box::new(m20261126_000021_figures::Migration));
        migrations.push(Box::new(m20261126_000022_rechecks::Migration));
        migrations.push(Box::new(m20261126_000023_weather_ground::Migration));
        migrations.push(Box::new(m20261126_000024_causes::Migration));
        migrations.push(Box::new(m20261126_000025_emergencies::Migration));
        migrations.push(Box::new(m20261126_000026_under_review::Migration));
        migrations.push(Box::new(m20261126_000027_duty_busy::Migration));
        migrations.push(Box::new(m20261126_000028_not_done::Migration));
        migrations.push(Box::new(m20261126_000030_entries::Migration));
        migrations.push(Box::new(m20261126_000031_whereabouts::Migration));
        migrations.push(Box::new(m20261126_000041_gate_courses::Migration));
        migrations.push(Box::new(m20261126_000051_buses::Migration));
        migrations.push(Box::new(m20261126_000061_levels::Migration));
        migrations.push(Box::new(m20261126_000071_occasions::Migration));
        migrations.push(Box::new(m20261127_000081_gate_days::Migration));
        migrations
    }

    fn migration_table_name() -> DynIden {
        "safety_inspection_migrations".into_iden()
    }
}

kit::migration_suite!(crate::schema);
