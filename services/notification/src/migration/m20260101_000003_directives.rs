//! Directives and what each recipient does with them.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20260101_000003_directives"
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
    "CREATE TABLE directives (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        state SMALLINT NOT NULL,
        urgency SMALLINT NOT NULL,
        title TEXT NOT NULL,
        text TEXT NOT NULL,
        text_sha256 BLOB NOT NULL,
        audience TEXT NOT NULL,
        author TEXT NOT NULL,
        approver TEXT NOT NULL,
        create_time INSTANT NOT NULL,
        issue_time INSTANT,
        superseded_by TEXT NOT NULL,
        version BIGINT NOT NULL)",
    "CREATE INDEX directives_organization ON directives (organization, id)",
    "CREATE TABLE directive_recipients (
        directive A_UUID NOT NULL,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        orderer TEXT NOT NULL,
        upper_organization TEXT NOT NULL,
        below INTEGER NOT NULL,
        state SMALLINT NOT NULL,
        due_at BIGINT,
        acknowledge_time INSTANT,
        relay_time INSTANT,
        relay_note TEXT NOT NULL,
        report TEXT NOT NULL,
        progress INTEGER NOT NULL,
        return_reason TEXT NOT NULL,
        update_time INSTANT NOT NULL,
        text_sha256 BLOB NOT NULL,
        version BIGINT NOT NULL,
        open BOOLEAN NOT NULL,
        PRIMARY KEY (directive, organization))",
    "CREATE INDEX directive_recipients_path ON directive_recipients (directive, org_path)",
    "CREATE INDEX directive_recipients_organization ON directive_recipients (organization)",
    "CREATE INDEX directive_recipients_upper ON directive_recipients (directive, upper_organization)",
    "CREATE INDEX directive_recipients_owed ON directive_recipients (org_path, due_at) WHERE open = TRUE",
];
