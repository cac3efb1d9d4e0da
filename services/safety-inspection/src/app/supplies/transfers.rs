//! Transfers between campuses: sent, then received or taken back, in both ledgers exactly once.

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::clock::civil_date;
use kit::db::Tx;
use kit::rows::Lock;
use kit::status::Problem;
use prost::Message;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::reading::Campuses;
use super::{Supplies, enter};
use crate::app::{Site, denied, identity, new_id, place, unknown};
use crate::domain::history::{Move, Moved};
use crate::domain::supply::item::{Catalogue, Item};
use crate::domain::supply::ledger::{Entry, Kind, Lot};
use crate::domain::supply::transfer::{State, Verb, step};
use crate::error::Error;
use crate::store::Store;
use crate::store::records::resource_name;
use crate::store::supply::{Line, TransferRow};

/// What somebody sends to another campus.
#[derive(Clone, Debug)]
pub(crate) struct Sending {
    pub(crate) receiver: String,
    pub(crate) item: &'static Item,
    pub(crate) quantity: u64,
}

/// A transfer and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) row: TransferRow,
    pub(crate) lots: Vec<(Lot, u64)>,
    /// None in lists.
    pub(crate) history: Vec<Moved>,
}

/// The places of those who may do something with a transfer.
type Ends = fn(&TransferRow) -> Vec<&str>;

fn name(row: &TransferRow) -> String {
    named(&row.giver, row.id)
}

fn named(giver: &str, id: Uuid) -> String {
    resource_name(giver, "supplyTransfers", id)
}

async fn shown(db: &impl ConnectionTrait, row: TransferRow) -> Result<Sent, Error> {
    Ok(Sent {
        lots: row.lots()?,
        history: Store::history(db, &name(&row)).await?,
        row,
    })
}

/// The transfer of a name, when the caller may do `permission` at one of `ends` of it.
async fn found(
    db: &impl ConnectionTrait,
    caller: &Caller,
    (permission, ends): (Permission, Ends),
    (giver, id): (&str, Uuid),
    lock: Lock,
) -> Result<TransferRow, Error> {
    let scope = caller.allowed(permission)?;
    let found = Store::transfer(db, id, lock).await?;
    let Some(row) = found.filter(|row| row.giver == giver) else {
        return Err(unknown(permission, scope, named(giver, id)));
    };
    if ends(&row)
        .iter()
        .any(|end| caller.may(permission, &place(end)))
    {
        Ok(row)
    } else {
        Err(denied(permission).into())
    }
}

/// Enters what a transfer carries at the end that it reaches.
async fn put_away(
    tx: &Tx,
    row: &TransferRow,
    verb: Verb,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let (at, kind) = match verb {
        Verb::Receive => ((&*row.receiver, &*row.receiver_path), Kind::TransferIn),
        Verb::Cancel => ((&*row.giver, &*row.giver_path), Kind::TransferBack),
    };
    let item = Catalogue::shipped().item(&row.item);
    let item = item.ok_or_else(|| Error::NotFound(format!("supplyItems/{}", row.item)))?;
    let mut holding = Store::lock_stock(tx, at, &item.code).await?;
    let lots = row.lots()?.into_iter();
    let entries: Vec<Entry> = lots.map(|(lot, there)| Entry::In(lot, there)).collect();
    let line = Line {
        at,
        item,
        needs: Campuses::read(tx, &[at.0], civil_date(now))
            .await?
            .needs(at),
        kind,
        actor,
        note: "",
        transfer: &name(row),
    };
    enter(tx, line, &mut holding, &entries, now).await?;
    Ok(())
}

impl Supplies {
    async fn receiver(&self, giver: &Site, id: &str) -> Result<Site, Error> {
        let found = Store::organization(self.base.store.database().read(), id).await?;
        let other = found.filter(|found| found.id != giver.organization.id);
        let site = other.map(|organization| Site {
            path: place(&organization.org_path),
            organization,
        });
        let site = site.filter(|site| site.campus().is_ok());
        let refused = || Problem::invalid("receiver", "应为另一所学校", "must be another campus");
        site.ok_or_else(|| refused().into())
    }

    /// Sends supplies to another campus, once for each request id.
    pub(crate) async fn send<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        sending: Sending,
        request: (&str, &impl Message),
        render: impl FnOnce(Sent) -> R,
    ) -> Result<R, Error> {
        let at = site.campus()?.at();
        let receiver = self.receiver(site, &sending.receiver).await?;
        let work = async |tx: &Tx, now| {
            let (id, actor) = (new_id(now), identity(caller));
            let name = named(at.0, id);
            let lots = take(tx, at, &sending, (&actor, &name), now).await?;
            let (receiver, receiver_path) = receiver.at();
            let row = TransferRow {
                id,
                giver: at.0.to_owned(),
                giver_path: at.1.to_owned(),
                receiver: receiver.to_owned(),
                receiver_path: receiver_path.to_owned(),
                item: sending.item.code.clone(),
                quantity: i64::try_from(sending.quantity).unwrap_or(i64::MAX),
                lots: TransferRow::lots_text(&lots)?,
                state: State::Sent as i16,
            };
            let moved = Move {
                from: "",
                to: State::Sent.as_str(),
                step: "SEND",
            };
            Store::save_transfer(tx, row.clone()).await?;
            Store::note_move(tx, &name, &moved, (&actor, ""), now).await?;
            Ok(render(shown(tx, row).await?))
        };
        let method = "SendSupplyTransfer";
        self.base.act(caller, method, request, work).await
    }

    /// Receives a transfer or takes it back, once for each request id.
    pub(crate) async fn settle<R: Message + Default>(
        &self,
        caller: &Caller,
        transfer: (&str, Uuid),
        verb: Verb,
        request: (&str, &impl Message),
        render: impl FnOnce(Sent) -> R,
    ) -> Result<R, Error> {
        let (method, ends): (_, Ends) = match verb {
            Verb::Receive => ("ReceiveSupplyTransfer", |row| vec![&*row.receiver_path]),
            Verb::Cancel => ("CancelSupplyTransfer", |row| vec![&*row.giver_path]),
        };
        let may = (Permission::SupplyWrite, ends);
        let db = self.base.store.database().read();
        found(db, caller, may, transfer, Lock::No).await?;
        let work = async |tx: &Tx, now| {
            let actor = identity(caller);
            let mut row = found(tx, caller, may, transfer, Lock::Yes).await?;
            let before = row.state()?;
            let state = step(before, verb).map_err(Error::TransferState)?;
            put_away(tx, &row, verb, &actor, now).await?;
            row.state = state as i16;
            let moved = Move {
                from: before.as_str(),
                to: state.as_str(),
                step: verb.as_str(),
            };
            Store::save_transfer(tx, row.clone()).await?;
            Store::note_move(tx, &name(&row), &moved, (&actor, ""), now).await?;
            Ok(render(shown(tx, row).await?))
        };
        self.base.act(caller, method, request, work).await
    }

    /// One transfer, for either end of it or a bureau above.
    pub(crate) async fn transfer(
        &self,
        caller: &Caller,
        transfer: (&str, Uuid),
    ) -> Result<Sent, Error> {
        let db = self.base.store.database().read();
        let ends: Ends = |row| vec![&*row.giver_path, &*row.receiver_path];
        let may = (Permission::SupplyRead, ends);
        shown(db, found(db, caller, may, transfer, Lock::No).await?).await
    }

    /// Transfers that somebody at or below an organisation gives or receives, newest first.
    pub(crate) async fn transfers(
        &self,
        site: &Site,
        under_way: bool,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Sent>, Error> {
        let db = self.base.store.database().read();
        let org_path = &site.organization.org_path;
        let rows = Store::transfers_below(db, org_path, under_way, before, limit).await?;
        let transfers = rows.into_iter().map(|row| {
            Ok(Sent {
                lots: row.lots()?,
                history: Vec::new(),
                row,
            })
        });
        transfers.collect()
    }
}

/// Takes what is sent out of the giver's ledger: what expires first, and never so much that the
/// giver falls below its own minimum.
async fn take(
    tx: &Tx,
    at: (&str, &str),
    sending: &Sending,
    (actor, transfer): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Vec<(Lot, u64)>, Error> {
    let (item, today) = (sending.item, civil_date(now));
    let mut holding = Store::lock_stock(tx, at, &item.code).await?;
    let campuses = Campuses::read(tx, &[at.0], today).await?;
    let entry = Entry::Out(sending.quantity);
    // What is not there is said before what may not go.
    let lots = holding.clone().enter(&entry, today)?;
    let spare = campuses.level(at, item).level.spare();
    if spare < sending.quantity {
        return Err(Error::SupplyBelowMinimum(spare));
    }
    let line = Line {
        at,
        item,
        needs: campuses.needs(at),
        kind: Kind::TransferOut,
        actor,
        note: "",
        transfer,
    };
    enter(tx, line, &mut holding, &[entry], now).await?;
    let lots = lots.into_iter();
    Ok(lots
        .map(|change| (change.lot, change.by.unsigned_abs()))
        .collect())
}
