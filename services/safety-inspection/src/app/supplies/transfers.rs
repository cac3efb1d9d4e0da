//! Transfers between campuses: sent, then received or taken back, in both ledgers exactly once.

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::rows::Lock;
use kit::status::Problem;
use prost::Message;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{enter, needs};
use crate::app::{Base, Site, denied, new_id, place, unknown};
use crate::domain::supply::item::{Catalogue, Item};
use crate::domain::supply::ledger::{Entry, Kind, Lot};
use crate::domain::supply::level::Level;
use crate::domain::supply::transfer::{State, Verb, step};
use crate::error::Error;
use crate::store::Store;
use crate::store::supply::{Line, Moved, TransferRow};

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
    pub(crate) state: State,
    pub(crate) lots: Vec<(Lot, u64)>,
    pub(crate) moves: Vec<Moved>,
}

fn name(giver: &str, id: Uuid) -> String {
    format!("organizations/{giver}/supplyTransfers/{}", id.hyphenated())
}

async fn sent(db: &impl ConnectionTrait, row: TransferRow) -> Result<Sent, Error> {
    Ok(Sent {
        state: row.state()?,
        lots: row.lots()?,
        moves: Store::supply_moves(db, row.id).await?,
        row,
    })
}

fn moved(former: i16, state: State, actor: &str, at: DateTime<Utc>) -> Moved {
    Moved {
        former,
        state: state as i16,
        cause: 0,
        actor: actor.to_owned(),
        at,
    }
}

impl Base {
    async fn receiver(&self, giver: &Site, id: &str) -> Result<Site, Error> {
        let found = Store::organization(self.store.database().read(), id).await?;
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
    pub(crate) async fn send_supplies<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        sending: Sending,
        once: (&str, &impl Message),
        render: impl FnOnce(Sent) -> R,
    ) -> Result<R, Error> {
        let giver = &site.campus()?.organization;
        let receiver = self.receiver(site, &sending.receiver).await?.organization;
        let at = (&*giver.id, &*giver.org_path);
        self.act(caller, "SendSupplyTransfer", once, async |tx, now| {
            let (item, today) = (sending.item, kit::clock::civil_date(now));
            let needs = needs(tx, site, today).await?;
            let mut holding = Store::lock_stock(tx, at, &item.code).await?;
            let entry = Entry::Out(sending.quantity);
            let level = Level::of(item, &holding, needs.0, needs.1, today);
            // What is not there is said before what may not go.
            let lots = holding.clone().enter(&entry, today)?;
            if level.spare() < sending.quantity {
                return Err(Error::SupplyBelowMinimum(level.spare()));
            }
            let lots = lots.into_iter();
            let lots = lots.map(|change| (change.lot, change.by.unsigned_abs()));
            let id = new_id(now);
            let line = Line {
                at,
                item,
                needs,
                kind: Kind::TransferOut,
                actor: &caller.subject,
                note: "",
                transfer: &name(&giver.id, id),
            };
            enter(tx, line, &mut holding, &[entry], now).await?;
            let row = TransferRow {
                id,
                giver: giver.id.clone(),
                giver_path: giver.org_path.clone(),
                receiver: receiver.id.clone(),
                receiver_path: receiver.org_path.clone(),
                item: item.code.clone(),
                quantity: i64::try_from(sending.quantity).unwrap_or(i64::MAX),
                lots: TransferRow::lots_text(&lots.collect::<Vec<_>>()),
                state: State::Sent as i16,
            };
            let begun = moved(0, State::Sent, &caller.subject, now);
            Store::save_transfer(tx, row.clone(), &begun).await?;
            Ok(render(sent(tx, row).await?))
        })
        .await
    }

    /// The transfer of a name, when the caller may do `permission` at one of `ends` of it.
    async fn found(
        &self,
        db: &(impl ConnectionTrait + Sync),
        caller: &Caller,
        permission: Permission,
        (giver, id): (&str, Uuid),
        (lock, ends): (Lock, fn(&TransferRow) -> Vec<&str>),
    ) -> Result<TransferRow, Error> {
        let scope = caller.allowed(permission)?;
        let found = Store::transfer(db, id, lock).await?;
        let Some(row) = found.filter(|row| row.giver == giver) else {
            return Err(unknown(permission, scope, name(giver, id)));
        };
        if ends(&row)
            .into_iter()
            .any(|end| scope.contains(&place(end)))
        {
            Ok(row)
        } else {
            Err(denied(permission).into())
        }
    }

    /// Receives a transfer or takes it back, once for each request id.
    pub(crate) async fn settle_supplies<R: Message + Default>(
        &self,
        caller: &Caller,
        (giver, id): (&str, Uuid),
        verb: Verb,
        once: (&str, &impl Message),
        render: impl FnOnce(Sent) -> R,
    ) -> Result<R, Error> {
        let permission = Permission::SupplyWrite;
        let (method, end): (_, fn(&TransferRow) -> Vec<&str>) = match verb {
            Verb::Receive => ("ReceiveSupplyTransfer", |row| vec![&*row.receiver_path]),
            Verb::Cancel => ("CancelSupplyTransfer", |row| vec![&*row.giver_path]),
        };
        let db = self.store.database().read();
        self.found(db, caller, permission, (giver, id), (Lock::No, end))
            .await?;
        self.act(caller, method, once, async |tx, now| {
            let found = self.found(tx, caller, permission, (giver, id), (Lock::Yes, end));
            let mut row = found.await?;
            let before = row.state()?;
            let state = step(before, verb).map_err(Error::TransferState)?;
            Self::put_away(tx, caller, &row, verb, now).await?;
            row.state = state as i16;
            let moved = moved(before as i16, state, &caller.subject, now);
            Store::save_transfer(tx, row.clone(), &moved).await?;
            Ok(render(sent(tx, row).await?))
        })
        .await
    }

    /// Enters what a transfer carries at the end that it reaches.
    async fn put_away(
        tx: &Tx,
        caller: &Caller,
        row: &TransferRow,
        verb: Verb,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let (id, kind) = match verb {
            Verb::Receive => (&row.receiver, Kind::TransferIn),
            Verb::Cancel => (&row.giver, Kind::TransferBack),
        };
        let transfer = name(&row.giver, row.id);
        let organization = Store::organization(tx, id).await?;
        let organization = organization.ok_or_else(|| Error::NotFound(transfer.clone()))?;
        let item = Catalogue::shipped().item(&row.item);
        let item = item.ok_or_else(|| Error::NotFound(format!("supplyItems/{}", row.item)))?;
        let path = place(&organization.org_path);
        let site = Site { organization, path };
        let needs = needs(tx, &site, kit::clock::civil_date(now)).await?;
        let at = (&*site.organization.id, &*site.organization.org_path);
        let mut holding = Store::lock_stock(tx, at, &item.code).await?;
        let lots = row.lots()?.into_iter();
        let entries: Vec<Entry> = lots.map(|(lot, there)| Entry::In(lot, there)).collect();
        let line = Line {
            at,
            item,
            needs,
            kind,
            actor: &caller.subject,
            note: "",
            transfer: &transfer,
        };
        enter(tx, line, &mut holding, &entries, now).await?;
        Ok(())
    }

    /// One transfer, for either end of it or a bureau above.
    pub(crate) async fn supply_transfer(
        &self,
        caller: &Caller,
        transfer: (&str, Uuid),
    ) -> Result<Sent, Error> {
        let db = self.store.database().read();
        let ends: fn(&TransferRow) -> Vec<&str> = |row| vec![&*row.giver_path, &*row.receiver_path];
        let permission = Permission::SupplyRead;
        let found = self.found(db, caller, permission, transfer, (Lock::No, ends));
        sent(db, found.await?).await
    }

    /// Transfers that somebody at or below an organisation gives or receives, newest first.
    pub(crate) async fn supply_transfers(
        &self,
        site: &Site,
        under_way: bool,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Sent>, Error> {
        let db = self.store.database().read();
        let org_path = &site.organization.org_path;
        let rows = Store::transfers_below(db, org_path, under_way, before, limit).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            found.push(sent(db, row).await?);
        }
        Ok(found)
    }
}
