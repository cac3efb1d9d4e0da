//! What campuses have, how long it lasts, and what needs attention.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sea_orm::ConnectionTrait;

use super::needs;
use crate::app::{Base, Site, place};
use crate::domain::supply::item::{Catalogue, Heads, Item};
use crate::domain::supply::ledger::Holding;
use crate::domain::supply::level::Level;
use crate::error::Error;
use crate::store::Store;
use crate::store::supply::{StockRow, stock_key};

/// What a campus has of one item.
#[derive(Clone, Debug)]
pub(crate) struct ItemLevel {
    pub(crate) item: &'static Item,
    pub(crate) holding: Holding,
    pub(crate) level: Level,
    pub(crate) incoming: u64,
    pub(crate) recorded: bool,
}

/// What a campus has.
#[derive(Clone, Debug)]
pub(crate) struct Stock {
    pub(crate) today: NaiveDate,
    pub(crate) levels: Vec<ItemLevel>,
    pub(crate) heads: Heads,
    pub(crate) days: u32,
}

impl Stock {
    /// Whole days that the scarcest item lasts; 0 when one was never entered.
    pub(crate) fn cover(&self) -> u32 {
        let used_up = self
            .levels
            .iter()
            .filter(|one| one.item.daily_use.is_some());
        let days = used_up.map(|one| {
            let days = one.level.cover().unwrap_or(u32::MAX);
            if one.recorded { days } else { 0 }
        });
        days.min().unwrap_or_default()
    }
}

/// A stock that needs attention.
#[derive(Clone, Debug)]
pub(crate) struct Attended {
    pub(crate) row: StockRow,
    pub(crate) level: ItemLevel,
}

/// What a campus has of every item.
pub(super) async fn stock(
    db: &(impl ConnectionTrait + Sync),
    site: &Site,
    today: NaiveDate,
) -> Result<Stock, Error> {
    let (heads, days) = needs(db, site, today).await?;
    let id = &site.organization.id;
    let mut held = Store::holdings(db, &[id]).await?;
    let incoming = Store::incoming(db, id).await?;
    let levels = Catalogue::shipped().items.iter().map(|item| {
        let holding = held.remove(&stock_key(id, &item.code));
        let (recorded, holding) = (holding.is_some(), holding.unwrap_or_default());
        ItemLevel {
            item,
            level: Level::of(item, &holding, heads, days, today),
            holding,
            incoming: incoming.get(&item.code).copied().unwrap_or_default(),
            recorded,
        }
    });
    Ok(Stock {
        today,
        levels: levels.collect(),
        heads,
        days,
    })
}

impl Base {
    /// What a campus has of every item today.
    pub(crate) async fn supply_stock(&self, site: &Site) -> Result<Stock, Error> {
        let site = site.campus()?;
        stock(self.store.database().read(), site, self.today()).await
    }

    /// Stocks at and below an organisation that need attention today, after `after`, and whether
    /// there may be more.
    pub(crate) async fn supplies_to_attend(
        &self,
        site: &Site,
        after: (i32, &str),
        limit: u64,
    ) -> Result<Vec<Attended>, Error> {
        let (db, today) = (self.store.database().read(), self.today());
        let org_path = &site.organization.org_path;
        let rows = Store::stocks_to_attend(db, org_path, today, after, limit).await?;
        // Campuses are few beside stocks: what one has is read once.
        let mut stocks: BTreeMap<String, BTreeMap<&'static str, ItemLevel>> = BTreeMap::new();
        let mut attended = Vec::with_capacity(rows.len());
        for row in rows {
            if !stocks.contains_key(&row.organization) {
                let Some(organization) = Store::organization(db, &row.organization).await? else {
                    continue;
                };
                let path = place(&organization.org_path);
                let stock = stock(db, &Site { organization, path }, today).await?;
                let levels = stock.levels.into_iter();
                let levels = levels.map(|level| (&*level.item.code, level)).collect();
                stocks.insert(row.organization.clone(), levels);
            }
            let level = stocks
                .get(&row.organization)
                .and_then(|of| of.get(&*row.item));
            if let Some(level) = level.cloned() {
                attended.push(Attended { row, level });
            }
        }
        Ok(attended)
    }
}
