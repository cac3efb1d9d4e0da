//! Supplies on their way from one campus to another.

use std::collections::BTreeMap;

use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::{Moved, Store, below_end, unreadable};
use crate::domain::supply::ledger::Lot;
use crate::domain::supply::transfer::State;

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
        serde_json::from_str(&self.lots).map_err(|_| unreadable("lots"))
    }

    /// Lots as they are stored.
    pub fn lots_text(lots: &[(Lot, u64)]) -> String {
        serde_json::to_string(lots).unwrap_or_default()
    }
}

impl Store {
    /// A transfer; locked when it is about to change.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn transfer(
        db: &(impl ConnectionTrait + Sync),
        id: Uuid,
        lock: Lock,
    ) -> Result<Option<TransferRow>, DbErr> {
        Ok(TransferRow::find(db, "id", vec![id.into()], lock)
            .await?
            .pop())
    }

    /// Keeps a transfer and how it got there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_transfer(tx: &Tx, row: TransferRow, moved: &Moved) -> Result<(), DbErr> {
        let id = row.id;
        TransferRow::save(tx, &[row]).await?;
        Self::add_supply_move(tx, id, moved).await
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
        let only = if under_way { "AND state = 1" } else { "" };
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

    /// What is on its way to a campus, by item.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incoming(
        db: &impl ConnectionTrait,
        receiver: &str,
    ) -> Result<BTreeMap<String, u64>, DbErr> {
        let sql = "SELECT item, CAST(SUM(quantity) AS BIGINT) FROM supply_transfers \
                   WHERE receiver = $1 AND state = 1 GROUP BY item";
        let rows = db
            .query_all_raw(statement(db, sql, [receiver.into()]))
            .await?;
        rows.iter()
            .map(|row| {
                let quantity: i64 = row.try_get_by_index(1)?;
                Ok((row.try_get_by_index(0)?, quantity.unsigned_abs()))
            })
            .collect()
    }
}
