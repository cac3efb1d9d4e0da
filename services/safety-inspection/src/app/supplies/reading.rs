//! What campuses have, how long it lasts, and what needs attention.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use sea_orm::ConnectionTrait;

use super::{Supplies, policy};
use crate::app::{Site, place};
use crate::domain::protection::guards::People;
use crate::domain::supply::item::{Catalogue, Heads, Item};
use crate::domain::supply::ledger::Holding;
use crate::domain::supply::level::{Level, cover};
use crate::error::Error;
use crate::store::Store;
use crate::store::register::Rules;
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
    /// For how many days it has to last.
    pub(crate) days: u32,
    /// For how many days it does.
    pub(crate) cover: Option<u32>,
}

/// A stock that needs attention.
#[derive(Clone, Debug)]
pub(crate) struct Attended {
    pub(crate) row: StockRow,
    pub(crate) level: ItemLevel,
}

/// What some campuses have and need, read together.
pub(super) struct Campuses {
    today: NaiveDate,
    rules: Rules,
    people: BTreeMap<String, (People, Heads)>,
    held: BTreeMap<String, Holding>,
    incoming: BTreeMap<String, u64>,
}

impl Campuses {
    /// Of the campuses with these ids, on the civil day `today`.
    pub(super) async fn read(
        db: &impl ConnectionTrait,
        ids: &[&str],
        today: NaiveDate,
    ) -> Result<Self, Error> {
        Ok(Self {
            today,
            rules: Store::rules(db).await?,
            people: Store::campus_people(db, ids).await?,
            held: Store::holdings(db, ids).await?,
            incoming: Store::incoming(db, ids).await?,
        })
    }

    /// For whom, and for how many days, the supplies of a campus have to last.
    pub(super) fn needs(&self, (id, org_path): (&str, &str)) -> (Heads, u32) {
        let heads = self.people.get(id).map(|(_, heads)| *heads);
        let profile = self.rules.policy(&place(org_path), self.today);
        (heads.unwrap_or_default(), policy::days(profile))
    }

    /// A campus has `holding` from here on.
    pub(super) fn hold(&mut self, id: &str, item: &Item, holding: Holding) {
        self.held.insert(stock_key(id, &item.code), holding);
    }

    /// What a campus has of an item.
    pub(super) fn level(&self, at: (&str, &str), item: &'static Item) -> ItemLevel {
        let key = stock_key(at.0, &item.code);
        let (heads, days) = self.needs(at);
        let held = self.held.get(&key);
        let holding = held.cloned().unwrap_or_default();
        ItemLevel {
            item,
            level: Level::of(item, &holding, heads, days, self.today),
            holding,
            incoming: self.incoming.get(&key).copied().unwrap_or_default(),
            recorded: held.is_some(),
        }
    }
}

/// What a campus (its id and place) has of every item on a civil day.
///
/// # Errors
/// When the database fails.
pub(crate) async fn stock(
    db: &impl ConnectionTrait,
    at: (&str, &str),
    today: NaiveDate,
) -> Result<Stock, Error> {
    let campuses = Campuses::read(db, &[at.0], today).await?;
    let (heads, days) = campuses.needs(at);
    let items = &Catalogue::shipped().items;
    let levels: Vec<ItemLevel> = items.iter().map(|item| campuses.level(at, item)).collect();
    let known = levels.iter().map(|one| {
        let holding = one.recorded.then_some(&one.holding);
        (one.item, holding)
    });
    Ok(Stock {
        today,
        cover: cover(known, heads, today),
        levels,
        heads,
        days,
    })
}

impl Supplies {
    /// What a campus has of every item today.
    pub(crate) async fn stock(&self, site: &Site) -> Result<Stock, Error> {
        let db = self.base.store.database().read();
        stock(db, site.campus()?.at(), self.base.today()).await
    }

    /// Stocks at and below an organisation that need attention today, after `after`.
    pub(crate) async fn to_attend(
        &self,
        site: &Site,
        after: (i32, &str),
        limit: u64,
    ) -> Result<Vec<Attended>, Error> {
        let (db, today) = (self.base.store.database().read(), self.base.today());
        let org_path = &site.organization.org_path;
        let rows = Store::stocks_to_attend(db, org_path, today, after, limit).await?;
        let ids: BTreeSet<&str> = rows.iter().map(|row| &*row.organization).collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        let campuses = Campuses::read(db, &ids, today).await?;
        let attended = rows.iter().filter_map(|row| {
            let item = Catalogue::shipped().item(&row.item)?;
            let level = campuses.level((&row.organization, &row.org_path), item);
            Some(Attended {
                row: row.clone(),
                level,
            })
        });
        Ok(attended.collect())
    }
}
