//! Shelters and isolation rooms: created, changed, opened, closed and retired.

mod advice;
pub(crate) mod policy;

use chrono::{DateTime, NaiveDate, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::org::OrgPath;
use kit::rows::Lock;
use prost::Message;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

pub(crate) use advice::Advice;

use super::{Base, Site, identity, new_id, place};
use crate::domain::history::{Move, Moved};
use crate::domain::shelter::isolation::{self, IsolationRoom};
use crate::domain::shelter::{self, Shelter};
use crate::error::Error;
use crate::store::Store;
use crate::store::records::resource_name;
use crate::store::refuges::{RefugeKind, RefugeRow};
use crate::store::register::Rules;

/// Use cases of shelters and isolation rooms.
#[derive(Clone, Debug)]
pub(crate) struct Refuges {
    base: Base,
}

/// What is kept of a shelter or an isolation room.
pub(crate) trait Refuge: Serialize + DeserializeOwned {
    /// Which of the two.
    const KIND: RefugeKind;
    /// The collection of its names.
    const COLLECTION: &'static str;
    /// The state in which it begins.
    const FIRST: Self::State;
    /// Its states.
    type State: Copy + PartialEq + Send;
    /// What is done to it.
    type Verb: Copy + Send;

    /// The state of a number.
    fn state(number: i16) -> Option<Self::State>;
    /// The number of a state, and its word.
    fn told(state: Self::State) -> (i16, &'static str);
    /// The word of a verb.
    fn word(verb: Self::Verb) -> &'static str;
    /// The state after a verb.
    fn step(state: Self::State, verb: Self::Verb) -> Result<Self::State, Error>;
}

impl Refuge for Shelter {
    const KIND: RefugeKind = RefugeKind::Shelter;
    const COLLECTION: &'static str = "shelters";
    const FIRST: Self::State = shelter::State::Closed;
    type State = shelter::State;
    type Verb = shelter::Verb;

    fn state(number: i16) -> Option<Self::State> {
        Self::State::from_number(number.into())
    }

    fn told(state: Self::State) -> (i16, &'static str) {
        (state as i16, state.as_str())
    }

    fn word(verb: Self::Verb) -> &'static str {
        verb.as_str()
    }

    fn step(state: Self::State, verb: Self::Verb) -> Result<Self::State, Error> {
        shelter::step(state, verb).map_err(Error::ShelterState)
    }
}

impl Refuge for IsolationRoom {
    const KIND: RefugeKind = RefugeKind::IsolationRoom;
    const COLLECTION: &'static str = "isolationRooms";
    const FIRST: Self::State = isolation::State::InUse;
    type State = isolation::State;
    type Verb = isolation::Verb;

    fn state(number: i16) -> Option<Self::State> {
        Self::State::from_number(number.into())
    }

    fn told(state: Self::State) -> (i16, &'static str) {
        (state as i16, state.as_str())
    }

    fn word(verb: Self::Verb) -> &'static str {
        verb.as_str()
    }

    fn step(state: Self::State, verb: Self::Verb) -> Result<Self::State, Error> {
        isolation::step(state, verb).map_err(Error::IsolationRoomState)
    }
}

/// A shelter or an isolation room, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Kept<T> {
    pub(crate) row: RefugeRow,
    pub(crate) body: T,
    /// None in lists.
    pub(crate) history: Vec<Moved>,
}

/// What is done to one: the verb, and why where a reason is asked for.
pub(crate) struct Act<T: Refuge> {
    pub(crate) method: &'static str,
    pub(crate) verb: T::Verb,
    pub(crate) note: &'static str,
    /// What was read by whoever changes it; empty when they do not say.
    pub(crate) etag: String,
}

/// How many isolation rooms a campus needs, and how many suitable ones it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Isolation {
    pub(crate) required: u32,
    pub(crate) suitable: u32,
}

/// Where a campus can take people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) isolation: Isolation,
    /// How many shelters are open.
    pub(crate) open: usize,
    /// Of them, those with more people inside than they take.
    pub(crate) overfull: usize,
    /// For how many people in these there is no place.
    pub(crate) unplaced: u32,
}

fn name<T: Refuge>(row: &RefugeRow) -> String {
    resource_name(&row.organization, T::COLLECTION, row.id)
}

async fn shown<T: Refuge>(db: &impl ConnectionTrait, row: RefugeRow) -> Result<Kept<T>, Error> {
    Ok(Kept {
        body: row.body()?,
        history: Store::history(db, &name::<T>(&row)).await?,
        row,
    })
}

async fn find<T: Refuge>(
    db: &impl ConnectionTrait,
    site: &Site,
    id: Uuid,
    lock: Lock,
) -> Result<RefugeRow, Error> {
    let organization = &site.organization.id;
    let found = Store::refuge(db, T::KIND, organization, id, lock).await?;
    found.ok_or_else(|| Error::NotFound(resource_name(organization, T::COLLECTION, id)))
}

/// Keeps one as it is after a step, and notes the step unless it only says more of the same.
async fn save<T: Refuge>(
    tx: &Tx,
    row: RefugeRow,
    (moved, note): (Move, &str),
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let name = name::<T>(&row);
    Store::save_refuge(tx, row).await?;
    if moved.from != moved.to {
        Store::note_move(tx, &name, &moved, (actor, note), now).await?;
    }
    Ok(())
}

impl Refuges {
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

    /// Creates one at a campus, once for each request id.
    pub(crate) async fn create<T: Refuge, R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        (method, body): (&'static str, T),
        request: (&str, &impl Message),
        render: impl FnOnce(Kept<T>) -> R,
    ) -> Result<R, Error> {
        let (organization, org_path) = site.campus()?.at();
        let work = async |tx: &Tx, now| {
            let (state, to) = T::told(T::FIRST);
            let row = RefugeRow {
                id: new_id(now),
                kind: T::KIND as i16,
                organization: organization.to_owned(),
                org_path: org_path.to_owned(),
                state,
                body: RefugeRow::text(&body)?,
                version: 1,
            };
            let moved = Move {
                from: "",
                to,
                step: "CREATE",
            };
            let actor = identity(caller);
            save::<T>(tx, row.clone(), (moved, ""), &actor, now).await?;
            Ok(render(shown(tx, row).await?))
        };
        self.base.act(caller, method, request, work).await
    }

    /// Does something to one, once for each request id; `change` says what it is like afterwards.
    pub(crate) async fn act<T: Refuge, R: Message + Default>(
        &self,
        caller: &Caller,
        (site, id): (&Site, Uuid),
        (act, change): (Act<T>, impl FnOnce(T) -> T),
        request: (&str, &impl Message),
        render: impl FnOnce(Kept<T>) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now| {
            let mut row = find::<T>(tx, site, id, Lock::Yes).await?;
            if !act.etag.is_empty() && act.etag != row.etag() {
                return Err(Error::Changed(name::<T>(&row)));
            }
            let before = T::state(row.state).ok_or_else(|| row.unreadable())?;
            let (state, to) = T::told(T::step(before, act.verb)?);
            let moved = Move {
                from: T::told(before).1,
                to,
                step: T::word(act.verb),
            };
            row.state = state;
            row.body = RefugeRow::text(&change(row.body()?))?;
            row.version += 1;
            let actor = identity(caller);
            save::<T>(tx, row.clone(), (moved, act.note), &actor, now).await?;
            Ok(render(shown(tx, row).await?))
        };
        self.base.act(caller, act.method, request, work).await
    }

    /// One of them.
    pub(crate) async fn get<T: Refuge>(&self, site: &Site, id: Uuid) -> Result<Kept<T>, Error> {
        let db = self.base.store.database().read();
        shown(db, find::<T>(db, site, id, Lock::No).await?).await
    }

    /// Those at and below an organisation, in one state when there is one, newest first.
    pub(crate) async fn list<T: Refuge>(
        &self,
        site: &Site,
        state: Option<i16>,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Kept<T>>, Error> {
        let db = self.base.store.database().read();
        let place = &site.organization.org_path;
        let rows = Store::refuges_below(db, (T::KIND, state), place, before, limit).await?;
        let kept = rows.into_iter().map(|row| {
            Ok(Kept {
                body: row.body()?,
                history: Vec::new(),
                row,
            })
        });
        kept.collect()
    }

    /// How many isolation rooms a campus needs, and how many suitable ones it has.
    pub(crate) async fn isolation(&self, site: &Site) -> Result<Isolation, Error> {
        let id = site.campus()?.at().0;
        let db = self.base.store.database().read();
        let rules = Store::rules(db).await?;
        isolation_of(db, &rules, (id, &site.path), self.base.today()).await
    }
}

/// How many isolation rooms a campus (its id and place) needs, and how many suitable ones it has.
async fn isolation_of(
    db: &impl ConnectionTrait,
    rules: &Rules,
    (id, path): (&str, &OrgPath),
    today: NaiveDate,
) -> Result<Isolation, Error> {
    let rule = policy::isolation(rules.policy(path, today));
    let people = Store::campus_people(db, &[id]).await?;
    let pupils = people.get(id).map_or(0, |(people, _)| people.pupils);
    let rooms = Store::isolation_rooms(db, id).await?;
    let suitable = rooms.iter().filter(|room| room.is_suitable()).count();
    Ok(Isolation {
        required: rule.required(pupils),
        suitable: u32::try_from(suitable).unwrap_or(u32::MAX),
    })
}

/// Where a campus (its id and place) can take people on a civil day; none when it never recorded a
/// shelter or an isolation room.
///
/// # Errors
/// When the database fails.
pub(crate) async fn room_of(
    db: &impl ConnectionTrait,
    rules: &Rules,
    (id, org_path): (&str, &str),
    today: NaiveDate,
) -> Result<Option<Room>, Error> {
    let rows = Store::refuges_of(db, id).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let isolation = isolation_of(db, rules, (id, &place(org_path)), today).await?;
    let mut room = Room {
        isolation,
        open: 0,
        overfull: 0,
        unplaced: 0,
    };
    let open = (RefugeKind::Shelter as i16, shelter::State::Open as i16);
    for row in rows.iter().filter(|row| (row.kind, row.state) == open) {
        let unplaced = row.body::<Shelter>()?.unplaced();
        room.open += 1;
        room.overfull += usize::from(unplaced > 0);
        room.unplaced = room.unplaced.saturating_add(unplaced);
    }
    Ok(Some(room))
}
