//! What the roster says: organisations, rolls, policies, calendars; and the rotation.

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20260101_000001_rolls"
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
    "CREATE TABLE organizations (
        id TEXT PRIMARY KEY,
        org_path PLACE NOT NULL,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL)",
    "CREATE INDEX organizations_org_path ON organizations (org_path)",
    // One row a class group, or the staff of one grade of a school: the whole roll, packed.
    "CREATE TABLE class_rolls (
        path PLACE PRIMARY KEY,
        organization TEXT NOT NULL,
        id TEXT NOT NULL,
        kind SMALLINT NOT NULL,
        display_name TEXT NOT NULL,
        grade INTEGER NOT NULL,
        taught BOOLEAN NOT NULL,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL,
        members BLOB NOT NULL)",
    "CREATE UNIQUE INDEX class_rolls_name ON class_rolls (organization, id)",
    // Where somebody is found.
    "CREATE TABLE people (
        person BLOB PRIMARY KEY,
        path PLACE NOT NULL)",
    // One row a class group: when each of its people was last swabbed, packed.
    "CREATE TABLE rotation (
        path PLACE PRIMARY KEY,
        entries BLOB NOT NULL)",
    // One row a school: its students counted by how long they wait. Whoever changes a roll or
    // the rotation of a school locks this row first.
    "CREATE TABLE coverage (
        path PLACE PRIMARY KEY,
        tally BLOB NOT NULL)",
    "CREATE TABLE policies (
        name TEXT PRIMARY KEY,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL,
        profile BLOB NOT NULL)",
    "CREATE TABLE calendar_years (
        name TEXT PRIMARY KEY,
        version BIGINT NOT NULL,
        generation BIGINT NOT NULL,
        days BLOB NOT NULL)",
];
