//! Supplies on their way from one campus to another.

use std::collections::BTreeMap;

use kit::bulk::placeholders;
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::{Store, below_end, stock_key, unreadable};
use crate::domain::supply::ledger::Lot;
use crate::domain::supply::transfer::State;
use crate::store::records;

row! {
    /// A transfer.
    TransferRow in "supply_transfers" by ["id"] {
        /// Sorts by when it was sent.
        id: Uuid,
        /// The id of the giver.
        giver: String,
        /// Its place.
        giver_path: String,
        /// The id of the receiver.
        receiver: String,
        /// Its place.
        receiver_path: String,
        /// The code of the item.
        item: String,
        /// How much in all.
        quantity: i64,
        /// Each lot and how much of it.
        lots: String,
        /// The number of the state.
        state: i16,
    }
}

/// The number of the state of transfers under way.
const SENT: i16 = State::Sent as i16;
/// How many receivers one statement names.
const RECEIVERS: usize = 1000;

impl TransferRow {
    /// The state.
    ///
    /// # Errors
    /// When this version does not know it.
    pub fn state(&self) -> Result<State, DbErr> {
        State::from_number(self.state.into()).ok_or_else(|| unreadable("state"))
    }

    /// Each lot and how much of it.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn lots(&self) -> Result<Vec<(Lot, u64)>, DbErr> {
        records::value(&self.lots)
    }

    /// Lots as they are stored.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn lots_text(lots: &[(Lot, u64)]) -> Result<String, DbErr> {
        records::text(&lots)
    }
}

impl Store {
    /// A transfer; locked when it is about to change.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn transfer(
        db: &impl ConnectionTrait,
        id: Uuid,
        lock: Lock,
    ) -> Result<Option<TransferRow>, DbErr> {
        Ok(TransferRow::find(db, "id", vec![id.into()], lock)
            .await?
            .pop())
    }

    /// Keeps a transfer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_transfer(tx: &Tx, row: TransferRow) -> Result<(), DbErr> {
        TransferRow::save(tx, &[row]).await
    }

    /// Transfers that somebody at or below a place gives or receives, newest first, before
    /// `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn transfers_below(
        db: &impl ConnectionTrait,
        place: &str,
        under_way: bool,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<TransferRow>, DbErr> {
        let only = if under_way {
            format!("AND state = {SENT}")
        } else {
            String::new()
        };
        let within = |column: &str| format!("({column} = $1 OR ({column} > $2 AND {column} < $3))");
        let sql = format!(
            "SELECT {} FROM supply_transfers WHERE ({} OR {}) AND id < $4 {only} \
             ORDER BY id DESC LIMIT {limit}",
            TransferRow::COLUMNS.join(", "),
            within("giver_path"),
            within("receiver_path"),
        );
        let values: [Value; 4] = [
            place.into(),
            format!("{place}/").into(),
            below_end(place).into(),
            before.unwrap_or(Uuid::max()).into(),
        ];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter().map(TransferRow::read).collect()
    }

    /// What is on its way to campuses, by the stock that it will reach.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incoming(
        db: &impl ConnectionTrait,
        receivers: &[&str],
    ) -> Result<BTreeMap<String, u64>, DbErr> {
        let mut incoming = BTreeMap::new();
        for part in receivers.chunks(RECEIVERS) {
            let sql = format!(
                "SELECT receiver, item, CAST(SUM(quantity) AS BIGINT) FROM supply_transfers \
                 WHERE state = {SENT} AND receiver IN ({}) GROUP BY receiver, item",
                placeholders(1, part.len())
            );
            let values: Vec<Value> = part.iter().map(|id| (*id).into()).collect();
            for row in db.query_all_raw(statement(db, &sql, values)).await? {
                let (receiver, item): (String, String) =
                    (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
                let quantity: i64 = row.try_get_by_index(2)?;
                incoming.insert(stock_key(&receiver, &item), quantity.unsigned_abs());
            }
        }
        Ok(incoming)
    }
}
