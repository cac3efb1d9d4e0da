//! Visits and their history, sealed; where a gate's colours come from; when grades arrive.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000018_visits"
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
    kit::vault::TABLE,
    // Instants are milliseconds since 1970, 0 for none; `due_at` is when the clock moves the visit on,
    // the greatest number for never. `card` and `checked` are sealed.
    "CREATE TABLE visits (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        state SMALLINT NOT NULL,
        card BLOB NOT NULL,
        checked BLOB NOT NULL,
        host TEXT NOT NULL,
        companions INTEGER NOT NULL,
        companions_inside INTEGER NOT NULL,
        visit_day TEXT NOT NULL,
        expected_leave_at BIGINT NOT NULL,
        urgent BOOLEAN NOT NULL,
        verification SMALLINT NOT NULL,
        document_seen BOOLEAN NOT NULL,
        confirmed_by TEXT NOT NULL,
        crew SMALLINT NOT NULL,
        badge TEXT NOT NULL,
        entered_at BIGINT NOT NULL,
        left_at BIGINT NOT NULL,
        overstayed_at BIGINT NOT NULL,
        responsible TEXT NOT NULL,
        after_due_at BIGINT NOT NULL,
        after_at BIGINT NOT NULL,
        due_at BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL)",
    "CREATE INDEX visits_due ON visits (due_at)",
    "CREATE INDEX visits_place ON visits (org_path, id)",
    "CREATE INDEX visits_day ON visits (visit_day, org_path, id)",
    "CREATE INDEX visits_state ON visits (state, org_path, id)",
    "CREATE TABLE visit_events (
        visit A_UUID NOT NULL,
        number INTEGER NOT NULL,
        verb SMALLINT NOT NULL,
        from_state SMALLINT NOT NULL,
        to_state SMALLINT NOT NULL,
        actor TEXT NOT NULL,
        note TEXT NOT NULL,
        at BIGINT NOT NULL,
        PRIMARY KEY (visit, number))",
    // Who saw whom in full, and why.
    "CREATE TABLE visitor_disclosures (
        id A_UUID PRIMARY KEY,
        visit A_UUID NOT NULL,
        org_path PLACE NOT NULL,
        principal TEXT NOT NULL,
        reason TEXT NOT NULL,
        at BIGINT NOT NULL)",
    "CREATE INDEX visitor_disclosures_visit ON visitor_disclosures (visit)",
    "ALTER TABLE gate_decisions ADD COLUMN colour_source SMALLINT NOT NULL DEFAULT 1",
    "ALTER TABLE gate_decisions ADD COLUMN arrival SMALLINT NOT NULL DEFAULT 63",
    // Grades and numbers of the policy are told again from the beginning.
    "UPDATE projections SET page_token = '', resume_token = '' WHERE consumer = 'roster'",
];
