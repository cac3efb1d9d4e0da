//! Supplies: what campuses have, what comes and goes, who helps whom (rule 4.5).

mod advice;
pub(crate) mod policy;
mod reading;
mod transfers;

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::clock::civil_date;
use kit::db::Tx;
use prost::Message;
use uuid::Uuid;

use super::{Base, Site, identity, new_id};
use crate::domain::supply::item::Item;
use crate::domain::supply::ledger::{Entry, Holding, Kind};
use crate::error::Error;
use crate::store::Store;
use crate::store::supply::{Line, MovementRow};

pub(crate) use advice::Advice;
pub(crate) use reading::{Attended, ItemLevel, Stock, stock};
pub(crate) use transfers::{Sending, Sent};

use reading::Campuses;

/// Use cases of supplies.
#[derive(Clone, Debug)]
pub(crate) struct Supplies {
    base: Base,
}

/// What somebody enters into a ledger.
#[derive(Clone, Debug)]
pub(crate) struct Movement {
    pub(crate) item: &'static Item,
    pub(crate) kind: Kind,
    pub(crate) entry: Entry,
    pub(crate) note: String,
}

/// Makes entries in the ledger of a campus whose stock was locked with `holding`.
async fn enter(
    tx: &Tx,
    line: Line<'_>,
    holding: &mut Holding,
    entries: &[Entry],
    now: DateTime<Utc>,
) -> Result<Vec<MovementRow>, Error> {
    let today = civil_date(now);
    let mut changes = Vec::new();
    for entry in entries {
        changes.extend(holding.enter(entry, today)?);
    }
    let (id, entered) = (new_id(now), (&*holding, &*changes));
    Ok(Store::enter_supplies(tx, line, entered, now, id).await?)
}

impl Supplies {
    pub(crate) fn new(base: Base) -> Self {
        Self { base }
    }

    /// The organisation of a request, when the caller may do `permission` there.
    pub(crate) async fn site(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<Site, Error> {
        self.base.site(caller, permission, id).await
    }

    /// Enters something into the ledger of a campus, once for each request id.
    pub(crate) async fn record<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        movement: Movement,
        request: (&str, &impl Message),
        render: impl FnOnce(Vec<MovementRow>, ItemLevel) -> R,
    ) -> Result<R, Error> {
        let at = site.campus()?.at();
        let work = async |tx: &Tx, now| {
            let item = movement.item;
            let mut holding = Store::lock_stock(tx, at, &item.code).await?;
            let mut campuses = Campuses::read(tx, &[at.0], civil_date(now)).await?;
            let line = Line {
                at,
                item,
                needs: campuses.needs(at),
                kind: movement.kind,
                actor: &identity(caller),
                note: &movement.note,
                transfer: "",
            };
            let rows = enter(tx, line, &mut holding, &[movement.entry], now).await?;
            campuses.hold(at.0, item, holding);
            Ok(render(rows, campuses.level(at, item)))
        };
        let method = "RecordSupplyMovement";
        self.base.act(caller, method, request, work).await
    }

    /// The ledger of a campus, of one item when it is not empty, newest first, before `before`.
    pub(crate) async fn movements(
        &self,
        site: &Site,
        item: &str,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<MovementRow>, Error> {
        let db = self.base.store.database().read();
        Ok(Store::movements(db, &site.organization.id, item, before, limit).await?)
    }
}
