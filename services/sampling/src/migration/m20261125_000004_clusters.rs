//! Cases, clusters with their people and trail, and suspensions.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261125_000004_clusters"
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
    // Days are numbers of domain::day, 0 for none; times are milliseconds, 0 for none. A criterion
    // is a disease above zero and a group of symptoms below.
    "CREATE TABLE illness_cases (
        school PLACE NOT NULL,
        person BLOB NOT NULL,
        criterion INTEGER NOT NULL,
        day INTEGER NOT NULL,
        last INTEGER NOT NULL,
        kind SMALLINT NOT NULL,
        group_path PLACE NOT NULL,
        dormitory TEXT NOT NULL,
        severity SMALLINT NOT NULL,
        certainty SMALLINT NOT NULL,
        PRIMARY KEY (person, school, criterion, day))",
    "CREATE INDEX illness_cases_school ON illness_cases (school, criterion, last)",
    "CREATE TABLE clusters (
        id PLACE PRIMARY KEY,
        school PLACE NOT NULL,
        org_path PLACE NOT NULL,
        rule TEXT NOT NULL,
        criterion INTEGER NOT NULL,
        scope SMALLINT NOT NULL,
        place PLACE NOT NULL,
        state SMALLINT NOT NULL,
        stands BOOLEAN NOT NULL,
        overdue BOOLEAN NOT NULL,
        explanation BLOB NOT NULL,
        policy_version TEXT NOT NULL,
        first_day INTEGER NOT NULL,
        last_day INTEGER NOT NULL,
        reached_day INTEGER NOT NULL,
        people INTEGER NOT NULL,
        fire_time BIGINT NOT NULL,
        report_due BIGINT NOT NULL,
        acknowledge_time BIGINT NOT NULL,
        acknowledged_by TEXT NOT NULL,
        close_time BIGINT NOT NULL,
        closed_by TEXT NOT NULL,
        close_reason TEXT NOT NULL,
        merged_into TEXT NOT NULL,
        events BIGINT NOT NULL,
        version BIGINT NOT NULL)",
    "CREATE INDEX clusters_school ON clusters (school, criterion)",
    "CREATE INDEX clusters_org_path ON clusters (org_path, id)",
    "CREATE TABLE cluster_people (
        cluster PLACE NOT NULL,
        person BLOB NOT NULL,
        kind SMALLINT NOT NULL,
        day INTEGER NOT NULL,
        PRIMARY KEY (cluster, person))",
    "CREATE TABLE cluster_events (
        cluster PLACE NOT NULL,
        sequence BIGINT NOT NULL,
        time BIGINT NOT NULL,
        kind TEXT NOT NULL,
        actor TEXT NOT NULL,
        people INTEGER NOT NULL,
        note TEXT NOT NULL,
        PRIMARY KEY (cluster, sequence))",
    "CREATE TABLE suspensions (
        id PLACE PRIMARY KEY,
        cluster PLACE NOT NULL,
        school PLACE NOT NULL,
        org_path PLACE NOT NULL,
        rule TEXT NOT NULL,
        policy_version TEXT NOT NULL,
        state SMALLINT NOT NULL,
        scope SMALLINT NOT NULL,
        group_path PLACE NOT NULL,
        grade INTEGER NOT NULL,
        days INTEGER NOT NULL,
        propose_time BIGINT NOT NULL,
        decide_time BIGINT NOT NULL,
        decided_by TEXT NOT NULL,
        decider TEXT NOT NULL,
        reason TEXT NOT NULL,
        advice TEXT NOT NULL,
        start_day INTEGER NOT NULL,
        return_day INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        round INTEGER NOT NULL,
        apply_time BIGINT NOT NULL,
        end_time BIGINT NOT NULL,
        version BIGINT NOT NULL)",
    "CREATE UNIQUE INDEX suspensions_cluster ON suspensions (cluster)",
    "CREATE INDEX suspensions_school ON suspensions (school)",
    "CREATE INDEX suspensions_org_path ON suspensions (org_path, id)",
];
