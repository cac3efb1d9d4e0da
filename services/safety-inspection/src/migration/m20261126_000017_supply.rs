//! Supplies with their ledgers and transfers, shelters and isolation rooms.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000017_supply"
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
    // A stock is one item at one campus. Days are counted from the year 1; `attention` is the first
    // on which the stock needs attention if nothing is entered any more.
    "CREATE TABLE supply_stocks (
        stock PLACE PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        item TEXT NOT NULL,
        quantity BIGINT NOT NULL,
        spare BIGINT NOT NULL,
        attention INTEGER NOT NULL)",
    "CREATE INDEX supply_stocks_attention ON supply_stocks (attention, stock)",
    "CREATE INDEX supply_stocks_item ON supply_stocks (item, org_path)",
    "CREATE INDEX supply_stocks_organization ON supply_stocks (organization)",
    "CREATE TABLE supply_lots (
        stock PLACE NOT NULL,
        lot TEXT NOT NULL,
        expires INTEGER NOT NULL,
        quantity BIGINT NOT NULL,
        PRIMARY KEY (stock, lot, expires))",
    // Only ever added to.
    "CREATE TABLE supply_movements (
        id A_UUID PRIMARY KEY,
        stock PLACE NOT NULL,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        item TEXT NOT NULL,
        kind SMALLINT NOT NULL,
        lot TEXT NOT NULL,
        expires INTEGER NOT NULL,
        change BIGINT NOT NULL,
        balance BIGINT NOT NULL,
        actor TEXT NOT NULL,
        note TEXT NOT NULL,
        transfer TEXT NOT NULL,
        recorded_at BIGINT NOT NULL)",
    "CREATE INDEX supply_movements_organization ON supply_movements (organization, id)",
    "CREATE INDEX supply_movements_stock ON supply_movements (stock, id)",
    // `lots` is a list of JSON: each lot and how much of it is on its way.
    "CREATE TABLE supply_transfers (
        id A_UUID PRIMARY KEY,
        giver TEXT NOT NULL,
        giver_path PLACE NOT NULL,
        receiver TEXT NOT NULL,
        receiver_path PLACE NOT NULL,
        item TEXT NOT NULL,
        quantity BIGINT NOT NULL,
        lots TEXT NOT NULL,
        state SMALLINT NOT NULL)",
    "CREATE INDEX supply_transfers_giver ON supply_transfers (giver_path, id)",
    "CREATE INDEX supply_transfers_receiver ON supply_transfers (receiver_path, id)",
    "CREATE INDEX supply_transfers_incoming ON supply_transfers (receiver, state, item)",
    // Shelters (kind 1) and isolation rooms (kind 2). `body` is an object of JSON: what is said of
    // the place.
    "CREATE TABLE refuges (
        id A_UUID PRIMARY KEY,
        kind SMALLINT NOT NULL,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        state SMALLINT NOT NULL,
        body TEXT NOT NULL,
        version BIGINT NOT NULL)",
    "CREATE INDEX refuges_org_path ON refuges (kind, org_path, id)",
    "CREATE INDEX refuges_organization ON refuges (organization, kind, state)",
    "CREATE INDEX refuges_state ON refuges (kind, state, org_path)",
];
