//! Controls from outside, what people share, and the text that a return is judged by.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000010_measures"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        kit::migration::create(manager, TABLES).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const TABLES: &[&str] = &[
    // Times are milliseconds since 1970, days numbers of domain::day; 0 for none. The other numbers
    // are those of the contract.
    "CREATE TABLE control_measures (
        id PLACE PRIMARY KEY,
        person BLOB NOT NULL,
        kind SMALLINT NOT NULL,
        org_path PLACE NOT NULL,
        control SMALLINT NOT NULL,
        setting SMALLINT NOT NULL,
        state SMALLINT NOT NULL,
        first_day INTEGER NOT NULL,
        last_day INTEGER NOT NULL,
        document TEXT NOT NULL,
        reason TEXT NOT NULL,
        place_time BIGINT NOT NULL,
        placed_by TEXT NOT NULL,
        end_time BIGINT NOT NULL,
        ended_by TEXT NOT NULL,
        end_reason TEXT NOT NULL,
        policy_version TEXT NOT NULL)",
    "CREATE INDEX control_measures_person ON control_measures (person)",
    "CREATE INDEX control_measures_org_path ON control_measures (org_path)",
    // Class groups that belong to a group as a whole stand one a line.
    "CREATE TABLE shared_groups (
        school PLACE NOT NULL,
        code PLACE NOT NULL,
        kind SMALLINT NOT NULL,
        display_name TEXT NOT NULL,
        class_groups TEXT NOT NULL,
        members INTEGER NOT NULL,
        update_time BIGINT NOT NULL,
        updated_by TEXT NOT NULL,
        PRIMARY KEY (school, code))",
    "CREATE TABLE shared_members (
        school PLACE NOT NULL,
        code PLACE NOT NULL,
        person BLOB NOT NULL,
        kind SMALLINT NOT NULL,
        seat_row SMALLINT NOT NULL,
        seat_column SMALLINT NOT NULL,
        PRIMARY KEY (school, code, person))",
    "CREATE INDEX shared_members_person ON shared_members (person)",
    "ALTER TABLE medical_states ADD COLUMN return_source TEXT NOT NULL DEFAULT ''",
];
