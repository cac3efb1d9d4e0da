//! Shelters and isolation rooms: created, changed, opened, closed and retired.

use chrono::{DateTime, Utc};
use kit::auth::Caller;
use kit::db::Tx;
use kit::rows::Lock;
use prost::Message;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{Base, Site, new_id, policy};
use crate::domain::shelter::isolation::IsolationRoom;
use crate::domain::shelter::{Shelter, isolation};
use crate::error::Error;
use crate::store::Store;
use crate::store::refuges::{RefugeKind, RefugeRow};
use crate::store::supply::Moved;

/// What is kept of a shelter or an isolation room.
pub(crate) trait Refuge: Serialize + DeserializeOwned {
    /// Which of the two.
    const KIND: RefugeKind;
    /// The collection of its names.
    const COLLECTION: &'static str;
    /// The number of the state in which it begins.
    const FIRST: i16;
}

impl Refuge for Shelter {
    const KIND: RefugeKind = RefugeKind::Shelter;
    const COLLECTION: &'static str = "shelters";
    const FIRST: i16 = crate::domain::shelter::State::Closed as i16;
}

impl Refuge for IsolationRoom {
    const KIND: RefugeKind = RefugeKind::IsolationRoom;
    const COLLECTION: &'static str = "isolationRooms";
    const FIRST: i16 = isolation::State::InUse as i16;
}

/// A shelter or an isolation room, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Kept<T> {
    pub(crate) row: RefugeRow,
    pub(crate) body: T,
    pub(crate) moves: Vec<Moved>,
}

/// What is to become of one: the number of its state, what is said of it, and why.
pub(crate) struct Change<T> {
    pub(crate) state: i16,
    pub(crate) body: T,
    pub(crate) cause: i16,
}

/// How many isolation rooms a campus needs, and how many suitable ones it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Isolation {
    pub(crate) required: u32,
    pub(crate) suitable: u32,
}

/// A row as it was read, with its history.
async fn kept<T: Refuge>(db: &impl ConnectionTrait, row: RefugeRow) -> Result<Kept<T>, Error> {
    Ok(Kept {
        body: row.body()?,
        moves: Store::supply_moves(db, row.id).await?,
        row,
    })
}

async fn find<T: Refuge>(
    db: &(impl ConnectionTrait + Sync),
    site: &Site,
    id: Uuid,
    lock: Lock,
) -> Result<RefugeRow, Error> {
    let organization = &site.organization.id;
    let found = Store::refuge(db, T::KIND, organization, id, lock).await?;
    let (collection, id) = (T::COLLECTION, id.hyphenated());
    found.ok_or_else(|| Error::NotFound(format!("organizations/{organization}/{collection}/{id}")))
}

async fn save<T: Refuge>(
    tx: &Tx,
    mut row: RefugeRow,
    change: &Change<T>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<RefugeRow, Error> {
    let moved = (row.state != change.state).then(|| Moved {
        former: row.state,
        state: change.state,
        cause: change.cause,
        actor: actor.to_owned(),
        at: now,
    });
    row.state = change.state;
    row.body = RefugeRow::text(&change.body);
    row.version += 1;
    Store::save_refuge(tx, row.clone(), moved.as_ref()).await?;
    Ok(row)
}

impl Base {
    /// Creates one at a campus, once for each request id.
    pub(crate) async fn create_refuge<T: Refuge, R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        (method, body): (&'static str, T),
        once: (&str, &impl Message),
        render: impl FnOnce(Kept<T>) -> R,
    ) -> Result<R, Error> {
        let organization = &site.campus()?.organization;
        self.act(caller, method, once, async |tx, now| {
            let row = RefugeRow {
                id: new_id(now),
                kind: T::KIND as i16,
                organization: organization.id.clone(),
                org_path: organization.org_path.clone(),
                ..RefugeRow::default()
            };
            let change = Change {
                state: T::FIRST,
                body,
                cause: 0,
            };
            let row = save(tx, row, &change, &caller.subject, now).await?;
            Ok(render(kept(tx, row).await?))
        })
        .await
    }

    /// Changes one, once for each request id: `decide` sees it and says what becomes of it.
    pub(crate) async fn change_refuge<T: Refuge, R: Message + Default>(
        &self,
        caller: &Caller,
        (site, id): (&Site, Uuid),
        (method, decide): (
            &'static str,
            impl FnOnce(&RefugeRow, T) -> Result<Change<T>, Error>,
        ),
        once: (&str, &impl Message),
        render: impl FnOnce(Kept<T>) -> R,
    ) -> Result<R, Error> {
        self.act(caller, method, once, async |tx, now| {
            let row = find::<T>(tx, site, id, Lock::Yes).await?;
            let body = row.body()?;
            let change = decide(&row, body)?;
            let row = save(tx, row, &change, &caller.subject, now).await?;
            Ok(render(kept(tx, row).await?))
        })
        .await
    }

    /// One of them.
    pub(crate) async fn refuge<T: Refuge>(&self, site: &Site, id: Uuid) -> Result<Kept<T>, Error> {
        let db = self.store.database().read();
        kept(db, find::<T>(db, site, id, Lock::No).await?).await
    }

    /// Those at and below an organisation, in one state when it is not 0, oldest first.
    pub(crate) async fn refuges<T: Refuge>(
        &self,
        site: &Site,
        state: i16,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Kept<T>>, Error> {
        let db = self.store.database().read();
        let within = (&*site.organization.org_path, state);
        let rows = Store::refuges_below(db, T::KIND, within, after, limit).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            found.push(kept(db, row).await?);
        }
        Ok(found)
    }

    /// How many isolation rooms a campus needs, and how many suitable ones it has.
    pub(crate) async fn isolation(&self, site: &Site) -> Result<Isolation, Error> {
        let id = &site.campus()?.organization.id;
        let db = self.store.database().read();
        let rules = Store::rules(db).await?;
        let rule = policy::isolation(site.policy(&rules, self.today())?);
        let (people, _) = Store::campus_people(db, id).await?;
        let rooms = Store::isolation_rooms(db, id).await?;
        let suitable = rooms.iter().filter(|room| room.is_suitable()).count();
        Ok(Isolation {
            required: rule.required(people.pupils),
            suitable: u32::try_from(suitable).unwrap_or(u32::MAX),
        })
    }
}
