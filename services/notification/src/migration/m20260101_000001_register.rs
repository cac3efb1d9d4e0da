//! What is known of the register: the tree, who answers, the policies.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20260101_000001_register"
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
    "CREATE TABLE organizations (
        id TEXT PRIMARY KEY,
        org_path PLACE NOT NULL,
        addressable BOOLEAN NOT NULL,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL)",
    "CREATE INDEX organizations_org_path ON organizations (org_path)",
    // Who answers for epidemic control at an organisation.
    "CREATE TABLE owners (
        organization TEXT PRIMARY KEY,
        staff_member TEXT NOT NULL,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL)",
    "CREATE TABLE policies (
        name TEXT PRIMARY KEY,
        region PLACE NOT NULL,
        effective TEXT NOT NULL,
        body TEXT NOT NULL,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL)",
];
