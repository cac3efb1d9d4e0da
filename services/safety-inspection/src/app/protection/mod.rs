//! How campuses are protected: declared by one, confirmed by another, judged by rule and day.

mod devices;
mod figures;
mod policy;

use chrono::NaiveDate;
use kit::auth::{Caller, Permission};
use kit::clock::civil_date;
use kit::db::Tx;
use prost::Message;
use sea_orm::{ConnectionTrait, DbErr};

use super::{Base, Site, identity, place, policy_version};
use crate::domain::history::{Move, Moved};
use crate::domain::protection::declaration::Declaration;
use crate::domain::protection::device::Devices;
use crate::domain::protection::guards::People;
use crate::domain::protection::judgement::{Judgement, judge};
use crate::domain::protection::version::{Verb, step};
use crate::error::Error;
use crate::store::Store;
use crate::store::protection::{Declared, Version, version_name};
use crate::store::register::Rules;

pub(crate) use figures::Figures;

/// Use cases of protection.
#[derive(Clone, Debug)]
pub(crate) struct Protection {
    base: Base,
}

/// The newest declaration of a campus, and what it amounts to.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) declared: Declared,
    pub(crate) judgement: Judgement,
    pub(crate) people: People,
    pub(crate) policy_version: String,
    /// Of the newest version; none in lists.
    pub(crate) history: Vec<Moved>,
    pub(crate) today: NaiveDate,
}

/// What is done to the newest version of a campus.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// The next version begins.
    Declare(Box<Declaration>),
    /// This version is confirmed.
    Confirm(i32),
    /// This version is returned, with a reason.
    Return(i32, String),
}

impl Act {
    fn verb(&self) -> Verb {
        match self {
            Self::Declare(_) => Verb::Declare,
            Self::Confirm(_) => Verb::Confirm,
            Self::Return(..) => Verb::Return,
        }
    }

    fn method(&self) -> &'static str {
        match self {
            Self::Declare(_) => "DeclareProtection",
            Self::Confirm(_) => "ConfirmProtection",
            Self::Return(..) => "ReturnProtection",
        }
    }

    fn note(&self) -> &str {
        match self {
            Self::Declare(_) | Self::Confirm(_) => "",
            Self::Return(_, reason) => reason,
        }
    }
}

/// What becomes of the newest version of a campus, and how.
fn moved(before: Declared, act: Act, actor: &str) -> Result<(Declared, Move), Error> {
    if let Act::Confirm(version) | Act::Return(version, _) = &act
        && *version != before.version
        && before.version > 0
    {
        return Err(Error::ProtectionSuperseded(before.version));
    }
    let (from, verb) = (before.state, act.verb());
    let state = step(from, verb, &before.declarer, actor)?;
    let moved = Move {
        // A version begins when it is declared.
        from: if verb == Verb::Declare {
            ""
        } else {
            from.as_str()
        },
        to: state.as_str(),
        step: verb.as_str(),
    };
    let declared = match act {
        Act::Declare(declaration) => Declared {
            version: before.version.saturating_add(1),
            state,
            declarer: actor.to_owned(),
            declaration: *declaration,
            ..before
        },
        Act::Confirm(_) | Act::Return(..) => Declared { state, ..before },
    };
    Ok((declared, moved))
}

/// What a declaration amounts to today, by the people of its campus, its devices, and whether it has buses.
fn judged(
    rules: &Rules,
    declared: Declared,
    (people, devices, buses): (People, &[Devices], bool),
    today: NaiveDate,
) -> Judged {
    let profile = rules.policy(&place(&declared.org_path), today);
    let numbers = policy::rules(profile);
    Judged {
        judgement: judge(&declared.declaration, people, &numbers, today)
            .with_devices(devices, &numbers, today)
            .with_buses(&declared.declaration, buses),
        people,
        policy_version: policy_version(profile),
        history: Vec::new(),
        declared,
        today,
    }
}

/// What a declaration amounts to today.
///
/// # Errors
/// When the database fails.
pub(crate) async fn judged_of(
    db: &impl ConnectionTrait,
    rules: &Rules,
    declared: Declared,
    today: NaiveDate,
) -> Result<Judged, DbErr> {
    let (people, devices, buses) = around(db, &declared).await?;
    Ok(judged(rules, declared, (people, &devices, buses), today))
}

/// The people of a campus, its devices, and whether it has buses.
async fn around(
    db: &impl ConnectionTrait,
    declared: &Declared,
) -> Result<(People, Vec<Devices>, bool), DbErr> {
    let id = &*declared.organization;
    let people = Store::campus_people(db, &[id]).await?;
    let people = people.get(id).map(|(people, _)| *people);
    let devices = Store::devices_of(db, &[id]).await?.remove(id);
    let buses = Store::bus_owners(db, &[id]).await?.contains(id);
    let (people, devices) = (people.unwrap_or_default(), devices.unwrap_or_default());
    Ok((people, devices, buses))
}

async fn shown(
    db: &impl ConnectionTrait,
    declared: Declared,
    today: NaiveDate,
) -> Result<Judged, Error> {
    let rules = Store::rules(db).await?;
    let (people, devices, buses) = around(db, &declared).await?;
    let name = version_name(&declared.organization, declared.version);
    let history = Store::history(db, &name).await?;
    Ok(Judged {
        history,
        ..judged(&rules, declared, (people, &devices, buses), today)
    })
}

impl Protection {
    pub(crate) fn new(base: Base) -> Self {
        Self { base }
    }

    /// The civil day.
    pub(crate) fn today(&self) -> NaiveDate {
        self.base.today()
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

    /// What the newest declaration of a campus amounts to today.
    pub(crate) async fn get(&self, site: &Site) -> Result<Judged, Error> {
        let organization = &site.campus()?.organization;
        let db = self.base.store.database().read();
        let declared = Store::protection(db, &organization.id).await?;
        let nothing = || Declared::nothing(&organization.id, &organization.org_path);
        shown(db, declared.unwrap_or_else(nothing), self.today()).await
    }

    /// The newest declarations at and below an organisation, as they stand today.
    pub(crate) async fn list(
        &self,
        site: &Site,
        overdue: bool,
        after: &str,
        limit: u64,
    ) -> Result<Vec<Judged>, Error> {
        let (db, today) = (self.base.store.database().read(), self.today());
        let rules = Store::rules(db).await?;
        let org_path = &site.organization.org_path;
        let lapsed = overdue.then_some(today);
        let found = Store::protections_below(db, org_path, lapsed, after, limit).await?;
        let ids: Vec<&str> = found.iter().map(|one| &*one.organization).collect();
        let people = Store::campus_people(db, &ids).await?;
        let devices = Store::devices_of(db, &ids).await?;
        let owners = Store::bus_owners(db, &ids).await?;
        let found = found.into_iter().map(|declared| {
            let id = &declared.organization;
            let people = people.get(id).map(|(people, _)| *people);
            let devices = devices.get(id).map(Vec::as_slice);
            let (people, devices) = (people.unwrap_or_default(), devices.unwrap_or_default());
            let around = (people, devices, owners.contains(id));
            judged(&rules, declared, around, today)
        });
        Ok(found.collect())
    }

    /// Declares, confirms or returns, once for each request id.
    pub(crate) async fn act<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        act: Act,
        request: (&str, &impl Message),
        render: impl FnOnce(Judged) -> R,
    ) -> Result<R, Error> {
        let organization = &site.campus()?.organization;
        let method = act.method();
        let work = async |tx: &Tx, now| {
            let (id, org_path) = (&*organization.id, &*organization.org_path);
            let (actor, note) = (identity(caller), act.note().to_owned());
            let before = Store::lock_protection(tx, id, org_path).await?;
            let (declared, moved) = moved(before, act, &actor)?;
            Store::save_protection(tx, &declared).await?;
            let name = version_name(id, declared.version);
            Store::note_move(tx, &name, &moved, (&actor, &note), now).await?;
            Ok(render(shown(tx, declared, civil_date(now)).await?))
        };
        self.base.act(caller, method, request, work).await
    }

    /// What a campus declared before the version `before`, newest first, each with its history.
    pub(crate) async fn versions(
        &self,
        site: &Site,
        before: i32,
        limit: u64,
    ) -> Result<Vec<(Version, Vec<Moved>)>, Error> {
        let (db, id) = (self.base.store.database().read(), &*site.organization.id);
        let versions = Store::protection_versions(db, id, before, limit).await?;
        let names = versions.iter().map(|one| version_name(id, one.version));
        let names: Vec<String> = names.collect();
        let mut histories = Store::histories(db, names.iter().map(String::as_str)).await?;
        let versions = versions.into_iter().zip(&names).map(|(version, name)| {
            let history = histories.remove(name).unwrap_or_default();
            (version, history)
        });
        Ok(versions.collect())
    }
}
