//! What is known of the register beside what gates decide by: the tree, the size of class groups,
//! posts, the responsibility chain, policies and the calendar.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000003_register"
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
        kind SMALLINT NOT NULL,
        display_name TEXT NOT NULL,
        stages INTEGER NOT NULL,
        division TEXT NOT NULL,
        boarding BOOLEAN NOT NULL,
        open BOOLEAN NOT NULL,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL)",
    "CREATE INDEX organizations_org_path ON organizations (org_path)",
    "CREATE INDEX organizations_division ON organizations (division)",
    "CREATE TABLE class_groups (
        name TEXT PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        display_name TEXT NOT NULL,
        grade INTEGER NOT NULL,
        teaching_mode SMALLINT NOT NULL,
        expected INTEGER NOT NULL,
        boarders INTEGER NOT NULL,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL)",
    "CREATE INDEX class_groups_organization ON class_groups (organization, grade, name)",
    // `posts` is an object of JSON: how many hold each post.
    "CREATE TABLE staff_rolls (
        organization TEXT PRIMARY KEY,
        expected INTEGER NOT NULL,
        posts TEXT NOT NULL,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL)",
    // `duties` is a list of JSON.
    "CREATE TABLE responsibility_rolls (
        organization TEXT PRIMARY KEY,
        duties TEXT NOT NULL,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL)",
    // `profile` is the message of the register's contract.
    "CREATE TABLE policies (
        name TEXT PRIMARY KEY,
        region TEXT NOT NULL,
        effective TEXT NOT NULL,
        profile BLOB NOT NULL,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL)",
    "CREATE TABLE calendar_years (
        year TEXT PRIMARY KEY,
        body TEXT NOT NULL,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL)",
    // All of it is told again from the beginning.
    "UPDATE projections SET page_token = '', resume_token = '' WHERE consumer = 'roster'",
];
