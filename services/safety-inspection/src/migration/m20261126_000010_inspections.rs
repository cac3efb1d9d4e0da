//! Checklists, places, schedules, inspections and campaigns.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000010_inspections"
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

// Instants are milliseconds since 1970, 0 for none; days are `YYYY-MM-DD`, empty for none.
const STATEMENTS: &[&str] = &[
    "CREATE TABLE checklist_templates (
        id PLACE PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        line TEXT NOT NULL,
        state SMALLINT NOT NULL,
        extended TEXT NOT NULL,
        extended_line TEXT NOT NULL,
        display_name TEXT NOT NULL,
        place_kinds TEXT NOT NULL,
        category SMALLINT NOT NULL,
        items TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        revision BIGINT NOT NULL)",
    "CREATE INDEX checklist_templates_org_path ON checklist_templates (org_path)",
    "CREATE INDEX checklist_templates_line ON checklist_templates (line)",
    "CREATE INDEX checklist_templates_extended ON checklist_templates (extended_line, state)",
    "CREATE TABLE inspection_changes (
        resource TEXT NOT NULL,
        step INTEGER NOT NULL,
        from_state SMALLINT NOT NULL,
        to_state SMALLINT NOT NULL,
        actor TEXT NOT NULL,
        reason TEXT NOT NULL,
        changed_at BIGINT NOT NULL,
        PRIMARY KEY (resource, step))",
    "CREATE TABLE inspection_places (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        kind SMALLINT NOT NULL,
        place TEXT NOT NULL,
        display_name TEXT NOT NULL,
        opened_on PLACE NOT NULL,
        closed_on PLACE NOT NULL)",
    "CREATE UNIQUE INDEX inspection_places_open ON inspection_places (organization, kind, place)
        WHERE closed_on = ''",
    "CREATE INDEX inspection_places_organization ON inspection_places (organization, id)",
    "CREATE INDEX inspection_places_org_path
        ON inspection_places (org_path, organization, kind, opened_on, closed_on)",
    "CREATE TABLE inspection_schedules (
        id PLACE PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        display_name TEXT NOT NULL,
        template TEXT NOT NULL,
        place_kind SMALLINT NOT NULL,
        level SMALLINT NOT NULL,
        cadence SMALLINT NOT NULL,
        start_on PLACE NOT NULL,
        end_on PLACE NOT NULL)",
    "CREATE INDEX inspection_schedules_org_path ON inspection_schedules (org_path)",
    "CREATE TABLE inspections (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        state SMALLINT NOT NULL,
        template TEXT NOT NULL,
        added TEXT NOT NULL,
        place_kind SMALLINT NOT NULL,
        place TEXT NOT NULL,
        level SMALLINT NOT NULL,
        planned_on PLACE NOT NULL,
        inspector TEXT NOT NULL,
        answerable TEXT NOT NULL,
        item_count INTEGER NOT NULL,
        failed_count INTEGER NOT NULL,
        not_applicable_count INTEGER NOT NULL,
        score INTEGER NOT NULL,
        borrowed_count INTEGER NOT NULL,
        created_at BIGINT NOT NULL,
        started_at BIGINT NOT NULL,
        submitted_at BIGINT NOT NULL)",
    "CREATE INDEX inspections_org_path ON inspections (org_path, id)",
    "CREATE INDEX inspections_state ON inspections (state, org_path, id)",
    "CREATE TABLE inspection_answers (
        inspection A_UUID NOT NULL,
        client_id A_UUID NOT NULL,
        item TEXT NOT NULL,
        value_kind SMALLINT NOT NULL,
        number BIGINT NOT NULL,
        words TEXT NOT NULL,
        note TEXT NOT NULL,
        written_at BIGINT NOT NULL,
        fingerprint BIGINT NOT NULL,
        PRIMARY KEY (inspection, client_id))",
    "CREATE TABLE inspection_findings (
        inspection A_UUID NOT NULL,
        item TEXT NOT NULL,
        organization TEXT NOT NULL,
        place TEXT NOT NULL,
        item_key TEXT NOT NULL,
        hazard TEXT NOT NULL,
        stood BOOLEAN NOT NULL,
        found_at BIGINT NOT NULL,
        PRIMARY KEY (inspection, item))",
    "CREATE INDEX inspection_findings_place
        ON inspection_findings (organization, place, item_key, found_at)",
    "CREATE TABLE inspection_hits (
        schedule TEXT NOT NULL,
        organization TEXT NOT NULL,
        place TEXT NOT NULL,
        period_first PLACE NOT NULL,
        period_last PLACE NOT NULL,
        org_path PLACE NOT NULL,
        inspection TEXT NOT NULL,
        PRIMARY KEY (schedule, organization, place, period_first))",
    "CREATE INDEX inspection_hits_period
        ON inspection_hits (period_last, org_path, organization, schedule)",
    "CREATE INDEX inspection_hits_organization ON inspection_hits (organization, period_last)",
    "CREATE TABLE inspection_campaigns (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        state SMALLINT NOT NULL,
        display_name TEXT NOT NULL,
        occasion SMALLINT NOT NULL,
        template TEXT NOT NULL,
        line TEXT NOT NULL,
        level SMALLINT NOT NULL,
        start_on PLACE NOT NULL,
        end_on PLACE NOT NULL)",
    "CREATE INDEX inspection_campaigns_organization ON inspection_campaigns (organization, id)",
    "CREATE INDEX inspection_campaigns_line ON inspection_campaigns (line, state)",
    "CREATE TABLE campaign_targets (
        campaign A_UUID NOT NULL,
        org_path PLACE NOT NULL,
        place_kind SMALLINT NOT NULL,
        place PLACE NOT NULL,
        organization TEXT NOT NULL,
        district PLACE NOT NULL,
        inspection TEXT NOT NULL,
        inspected_on PLACE NOT NULL,
        PRIMARY KEY (campaign, org_path, place_kind, place))",
    "CREATE INDEX campaign_targets_district
        ON campaign_targets (campaign, district, inspected_on)",
];
