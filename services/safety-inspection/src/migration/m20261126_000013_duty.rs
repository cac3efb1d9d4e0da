//! The duty watch.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000013_duty"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), sea_orm::DbErr> {
        kit::migration::create(manager, STATEMENTS).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const STATEMENTS: &[&str] = &[
    // Instants are milliseconds since 1970. `body` is JSON.
    "CREATE TABLE duty_rosters (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        state SMALLINT NOT NULL,
        start_at BIGINT NOT NULL,
        end_at BIGINT NOT NULL,
        body TEXT NOT NULL)",
    "CREATE INDEX duty_rosters_org_path ON duty_rosters (org_path, id)",
    "CREATE INDEX duty_rosters_organization ON duty_rosters (organization, state, end_at)",
    // The id of a shift sorts by its begin.
    "CREATE TABLE duty_shifts (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        state SMALLINT NOT NULL,
        start_at BIGINT NOT NULL,
        end_at BIGINT NOT NULL,
        check_in_due_at BIGINT NOT NULL,
        body TEXT NOT NULL)",
    "CREATE INDEX duty_shifts_org_path ON duty_shifts (org_path, id)",
    "CREATE INDEX duty_shifts_state ON duty_shifts (state, org_path)",
    "CREATE INDEX duty_shifts_organization ON duty_shifts (organization, start_at)",
    // Whom the clock looks at.
    "CREATE INDEX duty_shifts_due ON duty_shifts (check_in_due_at) WHERE state = 1",
    "CREATE TABLE duty_swaps (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        state SMALLINT NOT NULL,
        body TEXT NOT NULL)",
    "CREATE INDEX duty_swaps_org_path ON duty_swaps (org_path, id)",
    "CREATE TABLE spot_checks (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        shift A_UUID NOT NULL,
        result SMALLINT NOT NULL,
        checked_at BIGINT NOT NULL)",
    "CREATE INDEX spot_checks_org_path ON spot_checks (org_path, id)",
    "CREATE TABLE patrols (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        shift A_UUID NOT NULL,
        point TEXT NOT NULL,
        staff_member TEXT NOT NULL,
        passed_at BIGINT NOT NULL)",
    "CREATE INDEX patrols_shift ON patrols (shift, passed_at)",
    "CREATE INDEX patrols_organization ON patrols (organization, passed_at)",
];
