//! The use cases of visits (rules 3.6 and 3.7).

mod answers;
mod emergencies;
mod entries;
mod keeper;
mod reads;
mod requests;

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::rows::Lock;
use prost::Message;
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::gate::Gatehouse;
use super::{Base, Site};
use crate::domain::person::PersonName;
use crate::domain::visitor::card::Card;
use crate::domain::visitor::checked::Checked;
use crate::domain::visitor::pass::PassKeys;
use crate::domain::visitor::state::Verb;
use crate::domain::visitor::visit::Visit;
use crate::error::Error;
use crate::providers::Identities;
use crate::seal::Seal;
use crate::store::Store;
use crate::store::visits::{KeptVisit, VisitEvent, card_bytes, card_of, checked_bytes, checked_of};

pub(crate) use entries::Seen;
pub(crate) use keeper::Keeper;
pub(crate) use requests::Wish;

/// The use cases of visits.
#[derive(Clone, Debug)]
pub(crate) struct Visitors {
    base: Base,
    gate: Gatehouse,
    seal: Seal,
    passes: PassKeys,
    identities: Identities,
}

/// A visit with what was sealed of it, and what happened to it.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    pub(crate) visit: Visit,
    pub(crate) card: Card,
    pub(crate) checked: Option<Checked>,
    pub(crate) events: Vec<VisitEvent>,
    /// The present instant, by which deadlines are judged.
    pub(crate) now: DateTime<Utc>,
}

/// A visit that a request names, at a school where the caller may do what is asked.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) site: Site,
    pub(crate) id: Uuid,
}

impl Named {
    fn name(&self) -> String {
        visit_name(&self.site.organization.id, self.id)
    }
}

impl Visitors {
    pub(crate) fn new(
        base: Base,
        gate: Gatehouse,
        seal: Seal,
        passes: PassKeys,
        identities: Identities,
    ) -> Self {
        Self {
            base,
            gate,
            seal,
            passes,
            identities,
        }
    }

    /// The school of a request, when the caller may do `permission` there.
    pub(crate) async fn site(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<Site, Error> {
        self.base.site(caller, permission, id).await
    }

    /// The visit of a request, when the caller may do `permission` at its school.
    pub(crate) async fn named(
        &self,
        caller: &Caller,
        permission: Permission,
        (school, id): (String, Uuid),
    ) -> Result<Named, Error> {
        let site = self.base.site(caller, permission, &school).await?;
        Ok(Named { site, id })
    }

    /// Reads and opens a visit of its school.
    async fn open(
        &self,
        db: &impl ConnectionTrait,
        named: &Named,
        lock: Lock,
        now: DateTime<Utc>,
    ) -> Result<Opened, Error> {
        let kept = Store::visit(db, named.id, lock).await?;
        let here = kept.filter(|kept| kept.visit.organization == named.site.organization.id);
        let Some(kept) = here else {
            return Err(Error::NotFound(named.name()));
        };
        self.unseal(kept, now)
    }

    fn unseal(&self, kept: KeptVisit, now: DateTime<Utc>) -> Result<Opened, Error> {
        let KeptVisit {
            visit,
            card,
            checked,
        } = kept;
        let unreadable = || DbErr::Type("a visit with an unreadable seal".to_owned());
        let card = self.seal.open(&owner(visit.id, "card"), &card)?;
        let checked = if checked.is_empty() {
            None
        } else {
            let bytes = self.seal.open(&owner(visit.id, "check"), &checked)?;
            Some(checked_of(&bytes).ok_or_else(unreadable)?)
        };
        Ok(Opened {
            card: card_of(&card).ok_or_else(unreadable)?,
            visit,
            checked,
            events: Vec::new(),
            now,
        })
    }

    /// Seals and keeps a visit with the move that brought it to where it is.
    async fn keep(&self, tx: &Tx, opened: &mut Opened, event: VisitEvent) -> Result<(), Error> {
        let id = opened.visit.id;
        let gathered = opened.visit.created;
        let card = card_bytes(&opened.card);
        let card = self.seal.seal(&owner(id, "card"), &card, gathered);
        let checked = opened.checked.as_ref().map(|checked| {
            let bytes = checked_bytes(checked);
            self.seal.seal(&owner(id, "check"), &bytes, gathered)
        });
        let kept = KeptVisit {
            visit: opened.visit.clone(),
            card,
            checked: checked.unwrap_or_default(),
        };
        Store::save_visit(tx, &kept, &event).await?;
        let red = match &opened.checked {
            Some(checked) if event.verb == Verb::Deny => checked.red_codes(),
            _ => 0,
        };
        if red > 0 {
            Store::visitors_with_red_codes(tx, &opened.visit, red, event.time).await?;
        }
        opened.events = Store::visit_events(tx, id).await?;
        Ok(())
    }

    /// Moves a visit once for each request id. `change` says which way and why, and may change what
    /// the move brings along; when the move is not allowed, nothing is kept.
    async fn step<R: Message + Default>(
        &self,
        caller: &Caller,
        named: &Named,
        method: &'static str,
        once: (&str, &impl Message),
        change: impl FnOnce(&mut Opened) -> Result<(Verb, String), Error>,
        render: impl FnOnce(Opened) -> R,
    ) -> Result<R, Error> {
        self.act(caller, method, once, async |tx, now| {
            let mut opened = self.open(tx, named, Lock::Yes, now).await?;
            let (verb, note) = change(&mut opened)?;
            let policy = self.gate.policy(&named.site.path, now).visits;
            let from = opened.visit.advance(verb, now, &policy)?;
            let event = VisitEvent {
                verb,
                from: Some(from),
                to: opened.visit.state,
                actor: caller.subject.clone(),
                note,
                time: now,
            };
            self.keep(tx, &mut opened, event).await?;
            let gathered = opened.visit.created;
            Ok((render(opened), gathered))
        })
        .await
    }

    /// What stands for personal data where requests are compared.
    pub(crate) fn veil(&self, text: &str) -> String {
        self.seal.veil("request", text)
    }
}

/// Whether the caller is this member of staff.
fn is_person(caller: &Caller, person: PersonName) -> bool {
    let name = person.to_string();
    caller.person.as_deref() == Some(&*name) || caller.subject == name
}

/// What a sealed part of a visit is bound to.
pub(crate) fn owner(id: Uuid, part: &str) -> String {
    format!("visits|{}|{part}", id.hyphenated())
}

/// The resource name of a visit.
pub(crate) fn visit_name(school: &str, id: Uuid) -> String {
    format!("organizations/{school}/visits/{}", id.hyphenated())
}
