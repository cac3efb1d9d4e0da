//! The schema, forward only.

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
        migrations
    }

    fn migration_table_name() -> DynIden {
        "notification_migrations".into_iden()
    }
}
