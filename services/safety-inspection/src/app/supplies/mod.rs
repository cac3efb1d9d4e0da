//! Supplies: what campuses have, what comes and goes, who helps whom.

mod advice;
mod stock;
mod transfers;

use kit::auth::{Caller, Permission};
use kit::db::Tx;
use prost::Message;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{Base, Site, new_id, policy};
use crate::domain::supply::item::{Heads, Item};
use crate::domain::supply::ledger::{Entry, Holding, Kind};
use crate::domain::supply::level::Level;
use crate::error::Error;
use crate::store::Store;
use crate::store::supply::{Line, MovementRow};

pub(crate) use advice::Advice;
pub(crate) use stock::{Attended, ItemLevel, Stock};
pub(crate) use transfers::{Sending, Sent};

/// What somebody enters into a ledger.
#[derive(Clone, Debug)]
pub(crate) struct Movement {
    pub(crate) item: &'static Item,
    pub(crate) kind: Kind,
    pub(crate) entry: Entry,
    pub(crate) note: String,
}

/// For whom and how long supplies of a campus have to last.
async fn needs(
    db: &(impl ConnectionTrait + Sync),
    site: &Site,
    today: chrono::NaiveDate,
) -> Result<(Heads, u32), Error> {
    let rules = Store::rules(db).await?;
    let days = policy::supply_days(site.policy(&rules, today)?);
    let (_, heads) = Store::campus_people(db, &site.organization.id).await?;
    Ok((heads, days))
}

/// Makes entries in the ledger of a campus whose stock was locked with `holding`.
async fn enter(
    tx: &Tx,
    line: Line<'_>,
    holding: &mut Holding,
    entries: &[Entry],
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Vec<MovementRow>, Error> {
    let today = kit::clock::civil_date(now);
    let mut changes = Vec::new();
    for entry in entries {
        changes.extend(holding.enter(entry, today)?);
    }
    let (id, entered) = (new_id(now), (&*holding, &*changes));
    Ok(Store::enter_supplies(tx, line, entered, now, id).await?)
}

impl Base {
    /// The caller's organisation for a read of supplies.
    pub(crate) async fn supply_site(&self, caller: &Caller, id: &str) -> Result<Site, Error> {
        self.site(caller, Permission::SupplyRead, id).await
    }

    /// Enters something into the ledger of a campus, once for each request id.
    pub(crate) async fn record_supply<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        movement: Movement,
        once: (&str, &impl Message),
        render: impl FnOnce(Vec<MovementRow>, ItemLevel) -> R,
    ) -> Result<R, Error> {
        let organization = &site.campus()?.organization;
        let at = (&*organization.id, &*organization.org_path);
        self.act(caller, "RecordSupplyMovement", once, async |tx, now| {
            let today = kit::clock::civil_date(now);
            let (heads, days) = needs(tx, site, today).await?;
            let item = movement.item;
            let mut holding = Store::lock_stock(tx, at, &item.code).await?;
            let line = Line {
                at,
                item,
                needs: (heads, days),
                kind: movement.kind,
                actor: &caller.subject,
                note: &movement.note,
                transfer: "",
            };
            let rows = enter(tx, line, &mut holding, &[movement.entry], now).await?;
            let incoming = Store::incoming(tx, at.0).await?;
            let level = ItemLevel {
                item,
                level: Level::of(item, &holding, heads, days, today),
                holding,
                incoming: incoming.get(&item.code).copied().unwrap_or_default(),
                recorded: true,
            };
            Ok(render(rows, level))
        })
        .await
    }

    /// The ledger of a campus, of one item when it is not empty, newest first, before `before`.
    pub(crate) async fn supply_movements(
        &self,
        site: &Site,
        item: &str,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<MovementRow>, Error> {
        let (db, id) = (self.store.database().read(), &site.organization.id);
        Ok(Store::movements(db, id, item, before, limit).await?)
    }
}
