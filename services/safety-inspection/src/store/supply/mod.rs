//! Supplies: stocks and their lots, rows in and out.

mod ledger;
mod transfers;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use kit::db::{Backend, Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};

pub use ledger::{Line, MovementRow};
pub use transfers::TransferRow;

use super::{Store, below_end, day_number, day_of, unreadable};
use crate::domain::supply::item::{Catalogue, Item};
use crate::domain::supply::ledger::{Holding, Lot};
use crate::domain::supply::level::{Level, attention, cover};

row! {
    /// One item at one campus.
    StockRow in "supply_stocks" by ["stock"] {
        /// `{organization}/{item}`.
        stock: String,
        /// The id of the organisation.
        organization: String,
        /// Its place.
        org_path: String,
        /// The code of the item.
        item: String,
        /// All that is there.
        quantity: i64,
        /// What is above the minimum, as it was found last.
        spare: i64,
        /// The first day on which it needs attention.
        attention: i32,
    }
}

row! {
    /// What there is of one lot.
    LotRow in "supply_lots" by ["stock", "lot", "expires"] {
        /// `{organization}/{item}`.
        stock: String,
        /// The number of the maker.
        lot: String,
        /// The last day on which it may be used.
        expires: i32,
        /// How much of it there is.
        quantity: i64,
    }
}

/// The key of one item at one campus.
pub fn stock_key(organization: &str, item: &str) -> String {
    format!("{organization}/{item}")
}

fn signed(quantity: u64) -> i64 {
    i64::try_from(quantity).unwrap_or(i64::MAX)
}

async fn lots(
    db: &impl ConnectionTrait,
    stocks: Vec<Value>,
) -> Result<BTreeMap<String, Holding>, DbErr> {
    let mut found: BTreeMap<String, Vec<(Lot, u64)>> = BTreeMap::new();
    for row in LotRow::find(db, "stock", stocks, Lock::No).await? {
        let lot = Lot {
            expires: day_of(row.expires)?,
            number: row.lot,
        };
        let there = u64::try_from(row.quantity).map_err(|_| unreadable("quantity"))?;
        found.entry(row.stock).or_default().push((lot, there));
    }
    let held = found.into_iter();
    Ok(held
        .map(|(stock, lots)| (stock, lots.into_iter().collect()))
        .collect())
}

/// The day since which a stock needs attention: what still needs it needs it since the day on which it
/// first did.
fn since(first: NaiveDate, today: NaiveDate, before: &StockRow) -> i32 {
    let first_day = day_number(first);
    if first <= today {
        first_day.min(before.attention)
    } else {
        first_day
    }
}

impl Store {
    /// What campuses have, by stock; only stocks that the ledger mentioned.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holdings(
        db: &impl ConnectionTrait,
        organizations: &[&str],
    ) -> Result<BTreeMap<String, Holding>, DbErr> {
        let keys = organizations.iter().map(|id| (*id).into()).collect();
        let stocks = StockRow::find(db, "organization", keys, Lock::No).await?;
        let keys = stocks.iter().map(|row| row.stock.as_str().into()).collect();
        let mut held = lots(db, keys).await?;
        let stocks = stocks.into_iter().map(|row| {
            let holding = held.remove(&row.stock).unwrap_or_default();
            (row.stock, holding)
        });
        Ok(stocks.collect())
    }

    /// What a campus has of one item, which nobody else changes until the transaction ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_stock(
        tx: &Tx,
        (organization, org_path): (&str, &str),
        item: &str,
    ) -> Result<Holding, DbErr> {
        let stock = stock_key(organization, item);
        let row = StockRow {
            stock: stock.clone(),
            organization: organization.to_owned(),
            org_path: org_path.to_owned(),
            item: item.to_owned(),
            quantity: 0,
            spare: 0,
            attention: day_number(NaiveDate::MAX),
        };
        StockRow::add(tx, &[row]).await?;
        StockRow::get(tx, &stock, Lock::Yes).await?;
        let mut held = lots(tx, vec![stock.as_str().into()]).await?;
        Ok(held.remove(&stock).unwrap_or_default())
    }

    /// Stocks at and below a place that need attention on a civil day, in the order of the day
    /// since which they do, after `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stocks_to_attend(
        db: &impl ConnectionTrait,
        place: &str,
        today: NaiveDate,
        (since, stock): (i32, &str),
        limit: u64,
    ) -> Result<Vec<StockRow>, DbErr> {
        let sql = format!(
            "SELECT {} FROM supply_stocks WHERE attention <= $1 \
             AND (org_path = $2 OR (org_path > $3 AND org_path < $4)) \
             AND (attention > $5 OR (attention = $5 AND stock > $6)) \
             ORDER BY attention, stock LIMIT {limit}",
            StockRow::COLUMNS.join(", ")
        );
        let values: Vec<Value> = vec![
            day_number(today).into(),
            place.into(),
            format!("{place}/").into(),
            below_end(place).into(),
            since.into(),
            stock.into(),
        ];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter().map(StockRow::read).collect()
    }

    /// Keeps since when stocks need attention, and what they have to spare, where the roll, the policy
    /// or a day changed it; `levels` are the items of a campus with what they have now. A stock that
    /// somebody enters into at this moment is passed over: that tells it anew.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attend_anew(
        tx: &Tx,
        organization: &str,
        levels: &[(&Item, &Holding, &Level)],
        today: NaiveDate,
    ) -> Result<(), DbErr> {
        let free = match tx.backend() {
            Backend::Postgres => "FOR UPDATE SKIP LOCKED",
            Backend::Sqlite => "",
        };
        let sql = format!(
            "UPDATE supply_stocks SET attention = $1, spare = $2 WHERE stock IN \
             (SELECT stock FROM supply_stocks WHERE stock = $3 AND attention = $4 {free})"
        );
        let rows = StockRow::find(tx, "organization", vec![organization.into()], Lock::No).await?;
        for row in rows {
            let known = levels.iter().find(|(item, ..)| item.code == row.item);
            let Some((_, holding, level)) = known else {
                continue;
            };
            let now = StockRow {
                spare: signed(level.spare()),
                attention: since(attention(holding, level.minimum, today), today, &row),
                ..row.clone()
            };
            if now == row {
                continue;
            }
            let values: [Value; 4] = [
                now.attention.into(),
                now.spare.into(),
                now.stock.into(),
                row.attention.into(),
            ];
            tx.execute_raw(statement(tx, &sql, values)).await?;
        }
        Ok(())
    }

    /// Stocks of an item at open campuses below a place that had most to spare when they were
    /// entered last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn spare_stocks(
        db: &impl ConnectionTrait,
        place: &str,
        item: &str,
        limit: u64,
    ) -> Result<Vec<StockRow>, DbErr> {
        let columns: Vec<String> = StockRow::COLUMNS.iter().map(|c| format!("s.{c}")).collect();
        let sql = format!(
            "SELECT {} FROM supply_stocks s JOIN organizations o ON o.id = s.organization \
             WHERE o.open = TRUE AND s.item = $1 AND s.org_path > $2 AND s.org_path < $3 \
             AND s.spare > 0 ORDER BY s.spare DESC, s.stock LIMIT {limit}",
            columns.join(", ")
        );
        let values: [Value; 3] = [
            item.into(),
            format!("{place}/").into(),
            below_end(place).into(),
        ];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter().map(StockRow::read).collect()
    }

    /// Whole days on which the scarcest item that is used up lasts at a campus (rule 4.5); none when
    /// one of them was never entered, or nobody is on its roll, so that nothing is known.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn supply_days(
        db: &impl ConnectionTrait,
        organization: &str,
        today: NaiveDate,
    ) -> Result<Option<u32>, DbErr> {
        let people = Self::campus_people(db, &[organization]).await?;
        let heads = people.get(organization).map(|(_, heads)| *heads);
        let held = Self::holdings(db, &[organization]).await?;
        let stocks = Catalogue::shipped().items.iter().map(|item| {
            let holding = held.get(&stock_key(organization, &item.code));
            (item, holding)
        });
        Ok(cover(stocks, heads.unwrap_or_default(), today))
    }
}
