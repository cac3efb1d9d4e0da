//! The schema, forward only.

use kit::migration::Schema;
use sea_orm_migration::sea_query::{DynIden, IntoIden};
use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait};

mod m20260101_000001_register;
mod m20260101_000002_rules;
mod m20260101_000003_imports;
mod m20261126_000004_teaching_holds;
mod m20261126_000005_destruction;
mod m20261126_000006_access;
mod m20261126_000007_subject_requests;
mod m20261127_000008_taught_class_groups;
mod m20261128_000009_staff_requests;

/// The schema of this service.
pub fn schema() -> Schema {
    Schema::of::<Migrator>()
}

/// Brings the schema of this service up to date.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = kit::migration::tables();
        migrations.push(Box::new(m20260101_000001_register::Migration));
        migrations.push(Box::new(m20260101_000002_rules::Migration));
        migrations.push(Box::new(m20260101_000003_imports::Migration));
        migrations.push(Box::new(m20261126_000004_teaching_holds::Migration));
        migrations.push(Box::new(m20261126_000005_destruction::Migration));
        migrations.push(Box::new(m20261126_000006_access::Migration));
        migrations.push(Box::new(m20261126_000007_subject_requests::Migration));
        migrations.push(Box::new(m20261127_000008_taught_class_groups::MIGRATION));
        migrations.push(Box::new(m20261128_000009_staff_requests::Migration));
        migrations
    }

    fn migration_table_name() -> DynIden {
        "roster_migrations".into_iden()
    }
}

kit::migration_suite!(crate::schema);
