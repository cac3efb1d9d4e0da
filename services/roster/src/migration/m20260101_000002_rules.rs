//! Who answers for what, the calendar, and the policy.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20260101_000002_rules"
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
    "CREATE TABLE responsibility_nodes (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        subject SMALLINT NOT NULL,
        place PLACE NOT NULL,
        staff_member A_UUID NOT NULL,
        duties TEXT NOT NULL,
        start_time BIGINT NOT NULL,
        end_time BIGINT,
        announced BOOLEAN NOT NULL)",
    "CREATE UNIQUE INDEX responsibility_nodes_duty
        ON responsibility_nodes (organization, subject, place, start_time)",
    // For each place and subject one node at most has no successor.
    "CREATE UNIQUE INDEX responsibility_nodes_open
        ON responsibility_nodes (organization, subject, place) WHERE end_time IS NULL",
    "CREATE INDEX responsibility_nodes_staff_member ON responsibility_nodes (staff_member)",
    // What has not been told: nodes that begin later.
    "CREATE INDEX responsibility_nodes_due
        ON responsibility_nodes (start_time) WHERE NOT announced",
    "CREATE TABLE calendar_years (
        year INTEGER PRIMARY KEY,
        body BLOB NOT NULL,
        version BIGINT NOT NULL,
        update_time BIGINT NOT NULL)",
    "CREATE TABLE policy_profiles (
        name TEXT PRIMARY KEY,
        profile PLACE NOT NULL,
        number INTEGER NOT NULL,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        effective_day INTEGER NOT NULL,
        state SMALLINT NOT NULL,
        body BLOB NOT NULL,
        version BIGINT NOT NULL,
        create_time BIGINT NOT NULL,
        activate_time BIGINT,
        UNIQUE (profile, number))",
    // In one region one profile at most comes into force on a day; 2 is active.
    "CREATE UNIQUE INDEX policy_profiles_in_force
        ON policy_profiles (org_path, effective_day) WHERE state = 2",
];
