//! The ledger of supplies: the one place where a stock changes.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::{LotRow, StockRow, Store, day_number, signed, since, stock_key};
use crate::domain::supply::item::{Heads, Item};
use crate::domain::supply::ledger::{Change, Holding, Kind};
use crate::domain::supply::level::{Level, attention};

row! {
    /// One line of the ledger of a campus.
    MovementRow in "supply_movements" by ["id"] {
        /// Sorts by when it was entered.
        id: Uuid,
        /// `{organization}/{item}`.
        stock: String,
        /// The id of the organisation.
        organization: String,
        /// Its place.
        org_path: String,
        /// The code of the item.
        item: String,
        /// The number of the kind.
        kind: i16,
        /// The number of the lot.
        lot: String,
        /// The last day on which the lot may be used.
        expires: i32,
        /// By how much the lot grew.
        change: i64,
        /// How much of the item there was afterwards.
        balance: i64,
        /// Who entered it.
        actor: String,
        /// Why or for whom.
        note: String,
        /// The transfer it belongs to.
        transfer: String,
        /// Milliseconds since 1970.
        recorded_at: i64,
    }
}

/// What is entered into a ledger beside the quantities.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The id of the organisation and its place.
    pub at: (&'a str, &'a str),
    /// The item.
    pub item: &'a Item,
    /// How many there are for whom it has to last, and for how many days.
    pub needs: (Heads, u32),
    /// What happened.
    pub kind: Kind,
    /// Who entered it.
    pub actor: &'a str,
    /// Why or for whom.
    pub note: &'a str,
    /// The transfer it belongs to.
    pub transfer: &'a str,
}

impl Store {
    /// Enters changes into a ledger after which a campus has `holding`; the stock was locked
    /// before. The lines have `first_line` and the ids that follow it, or those that follow the last
    /// line of the stock where that is greater, so that its lines stand in their order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enter_supplies(
        tx: &Tx,
        line: Line<'_>,
        (holding, changes): (&Holding, &[Change]),
        now: DateTime<Utc>,
        first_line: Uuid,
    ) -> Result<Vec<MovementRow>, DbErr> {
        let ((organization, org_path), item) = (line.at, line.item);
        let stock = stock_key(organization, &item.code);
        let (heads, days) = line.needs;
        let today = kit::clock::civil_date(now);
        let level = Level::of(item, holding, heads, days, today);
        let first = attention(holding, level.minimum, today);
        let before = StockRow::get(tx, &stock, Lock::No).await?;
        let row = StockRow {
            stock: stock.clone(),
            organization: organization.to_owned(),
            org_path: org_path.to_owned(),
            item: item.code.clone(),
            quantity: signed(level.quantity),
            spare: signed(level.spare()),
            attention: before.map_or(day_number(first), |row| since(first, today, &row)),
        };
        StockRow::save(tx, &[row]).await?;
        let lots: Vec<LotRow> = changes
            .iter()
            .map(|change| LotRow {
                stock: stock.clone(),
                lot: change.lot.number.clone(),
                expires: day_number(change.lot.expires),
                quantity: signed(holding.of(&change.lot)),
            })
            .collect();
        LotRow::save(tx, &lots).await?;
        let empty = "DELETE FROM supply_lots WHERE stock = $1 AND quantity = 0";
        tx.execute_raw(statement(tx, empty, [stock.as_str().into()]))
            .await?;
        let last = Self::movements(tx, organization, &item.code, None, 1).await?;
        let after = last
            .first()
            .map_or(0, |last| last.id.as_u128().wrapping_add(1));
        let first_line = first_line.as_u128().max(after);
        let mut balance =
            signed(level.quantity) - changes.iter().map(|change| change.by).sum::<i64>();
        let mut lines = Vec::with_capacity(changes.len());
        for (place, change) in (0..).zip(changes) {
            balance += change.by;
            lines.push(MovementRow {
                id: Uuid::from_u128(first_line.wrapping_add(place)),
                stock: stock.clone(),
                organization: organization.to_owned(),
                org_path: org_path.to_owned(),
                item: item.code.clone(),
                kind: line.kind as i16,
                lot: change.lot.number.clone(),
                expires: day_number(change.lot.expires),
                change: change.by,
                balance,
                actor: line.actor.to_owned(),
                note: line.note.to_owned(),
                transfer: line.transfer.to_owned(),
                recorded_at: now.timestamp_millis(),
            });
        }
        MovementRow::add(tx, &lines).await?;
        Self::retell(tx, organization, "supplyStanding").await?;
        Self::judge_anew(tx, [organization]).await?;
        Ok(lines)
    }

    /// The ledger of a campus, of one item when it is not empty, newest first, before `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn movements(
        db: &impl ConnectionTrait,
        organization: &str,
        item: &str,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<MovementRow>, DbErr> {
        let (column, key) = if item.is_empty() {
            ("organization", organization.to_owned())
        } else {
            ("stock", stock_key(organization, item))
        };
        let sql = format!(
            "SELECT {} FROM supply_movements WHERE {column} = $1 AND id < $2 \
             ORDER BY id DESC LIMIT {limit}",
            MovementRow::COLUMNS.join(", ")
        );
        let values: [Value; 2] = [key.into(), before.unwrap_or(Uuid::max()).into()];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter().map(MovementRow::read).collect()
    }
}
