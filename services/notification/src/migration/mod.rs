//! The schema, forward only.

use kit::migration::{Contract, Schema};
use sea_orm_migration::sea_query::{DynIden, IntoIden};
use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait};

mod m20260101_000001_register;
mod m20260101_000002_alerts;
mod m20260101_000003_directives;
mod m20261125_000004_facts;
mod m20261126_000005_register;
mod m20261126_000006_alerts;
mod m20261126_000007_messages;
mod m20261126_000008_channels;
mod m20261126_000009_warnings;
mod m20261126_000010_templates;
mod m20261126_000011_concerns;
mod m20261126_000012_support;
mod m20261126_000013_orders;
mod m20261126_000014_feed;
mod m20261126_000015_documents;
mod m20261126_000016_sources;
mod m20261126_000017_hearers;
mod m20261126_000018_break_glass;
mod m20261126_000019_support;
mod m20261126_000020_calls;
mod m20261126_000021_confidential;
mod m20261126_000022_addresses;
mod m20261126_000031_parcels;
mod m20261127_000041_guardians;
mod m20261127_000042_directive_deadlines;
mod m20261127_000043_directive_deadline_indexes;
mod m20261127_000044_those_above;
mod m20261127_000045_those_above_indexes;
mod m20261127_000051_emergencies;
mod m20261127_000052_emergency_indexes;
mod m20261127_000061_late_indexes;
mod m20261127_000062_directives_in_force;

/// The schema of this service.
pub fn schema() -> Schema {
    Schema::of::<Migrator>().with(CONTRACTS)
}

/// What migrations take away from versions before.
const CONTRACTS: &[Contract] = &[
    Contract {
        migration: "m20261125_000004_facts",
        takes: &[
            "key alerts (basis, episode)",
            "writes that agree in alerts (basis, kind, episode)",
            "table holds",
        ],
        unused_since: Contract::UNRELEASED,
    },
    Contract {
        migration: "m20261126_000005_register",
        takes: &["table owners"],
        unused_since: Contract::UNRELEASED,
    },
    Contract {
        migration: "m20261126_000006_alerts",
        takes: &[
            "writes without alerts.acknowledged",
            "writes without alerts.amount",
            "column alerts.due_time",
            "column alerts.escalated",
            "writes without alerts.grave",
            "writes without alerts.kind",
            "column alerts.occur_time",
            "column alerts.raise_time",
            "writes without alerts.resolved",
            "writes without alerts.taken",
            "writes without alerts.total",
            "writes without alerts.word",
            "writes without alerts.above",
            "writes without alerts.entries",
            "writes without alerts.inhibited_by",
            "writes without alerts.level",
            "writes without alerts.next_at",
            "writes without alerts.occur_at",
            "writes without alerts.raise_at",
            "writes without alerts.rule_version",
            "writes without alerts.severity",
            "writes without alerts.silenced_by",
            "writes without alerts.told_level",
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
        migrations.push(Box::new(m20260101_000001_register::Migration));
        migrations.push(Box::new(m20260101_000002_alerts::Migration));
        migrations.push(Box::new(m20260101_000003_directives::Migration));
        migrations.push(Box::new(m20261125_000004_facts::Migration));
        migrations.push(Box::new(m20261126_000005_register::Migration));
        migrations.push(Box::new(m20261126_000006_alerts::Migration));
        migrations.push(Box::new(m20261126_000007_messages::Migration));
        migrations.push(Box::new(m20261126_000008_channels::Migration));
        migrations.push(Box::new(m20261126_000009_warnings::Migration));
        migrations.push(Box::new(m20261126_000010_templates::Migration));
        migrations.push(Box::new(m20261126_000011_concerns::Migration));
        migrations.push(Box::new(m20261126_000012_support::Migration));
        migrations.push(Box::new(m20261126_000013_orders::Migration));
        migrations.push(Box::new(m20261126_000014_feed::Migration));
        migrations.push(Box::new(m20261126_000015_documents::Migration));
        migrations.push(Box::new(m20261126_000016_sources::Migration));
        migrations.push(Box::new(m20261126_000017_hearers::Migration));
        migrations.push(Box::new(m20261126_000018_break_glass::Migration));
        migrations.push(Box::new(m20261126_000019_support::Migration));
        migrations.push(Box::new(m20261126_000020_calls::Migration));
        migrations.push(Box::new(m20261126_000021_confidential::Migration));
        migrations.push(Box::new(m20261126_000022_addresses::Migration));
        migrations.push(Box::new(m20261126_000031_parcels::Migration));
        migrations.push(Box::new(m20261127_000041_guardians::Migration));
        migrations.push(Box::new(m20261127_000042_directive_deadlines::Migration));
        migrations.push(Box::new(
            m20261127_000043_directive_deadline_indexes::MIGRATION,
        ));
        migrations.push(Box::new(m20261127_000044_those_above::Migration));
        migrations.push(Box::new(m20261127_000045_those_above_indexes::MIGRATION));
        migrations.push(Box::new(m20261127_000051_emergencies::Migration));
        migrations.push(Box::new(m20261127_000052_emergency_indexes::MIGRATION));
        migrations.push(Box::new(m20261127_000061_late_indexes::MIGRATION));
        migrations.push(Box::new(m20261127_000062_directives_in_force::MIGRATION));
        migrations
    }

    fn migration_table_name() -> DynIden {
        "notification_migrations".into_iden()
    }
}

kit::migration_suite!(crate::schema);
