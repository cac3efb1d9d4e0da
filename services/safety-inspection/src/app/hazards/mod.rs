//! Use cases of hazards.

mod accountability;
mod acts;
mod gaps;
mod ledger;
mod lists;
mod opening;
mod policy;
mod rules;
mod setting;
mod telling;
mod watch;

pub(crate) use accountability::Wanted;
pub(crate) use acts::Done;
pub(crate) use gaps::Gap;
pub(crate) use ledger::LedgerLine;
pub(crate) use opening::Stated;
pub(crate) use rules::rule_book;
pub(super) use rules::shipped;
pub(crate) use watch::Watch;

use chrono::NaiveDate;
use kit::auth::{Caller, Permission};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use crate::app::photos::{Shown, shown};
use crate::app::{Base, Site, level_of, place};
use crate::domain::hazard::entry::{self, Actor, Hazard};
use crate::error::Error;
use crate::store::Store;

/// The use cases of hazards.
#[derive(Clone, Debug)]
pub(crate) struct Hazards {
    base: Base,
}

/// A hazard as somebody names it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    /// The id of the organisation.
    pub(crate) organization: &'a str,
    /// Its id.
    pub(crate) id: Uuid,
}

/// Who may do something with a hazard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Whoever may read it, and its owner.
    Reader,
    /// Whoever handles hazards.
    Handler,
    /// Its owner, and whoever handles hazards.
    Owner,
    /// Whoever reviews hazards.
    Reviewer,
    /// Whoever supervises them.
    Supervisor,
}

impl By {
    fn permission(self) -> Permission {
        match self {
            Self::Reader => Permission::HazardRead,
            Self::Handler | Self::Owner => Permission::HazardHandle,
            Self::Reviewer => Permission::HazardReview,
            Self::Supervisor => Permission::HazardSupervise,
        }
    }

    fn owner_may(self) -> bool {
        matches!(self, Self::Reader | Self::Owner)
    }
}

/// A hazard with its evidence, as of a civil day.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) hazard: Hazard,
    pub(crate) photos: Vec<Shown>,
    pub(crate) after: Vec<Shown>,
    pub(crate) today: NaiveDate,
}

impl Hazards {
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

    /// A hazard and its organisation, for whoever may do what is asked.
    pub(crate) async fn held(
        &self,
        caller: &Caller,
        named: Named<'_>,
        by: By,
    ) -> Result<(Site, Hazard), Error> {
        let db = self.base.store.database().read();
        let site = self
            .base
            .site(caller, by.permission(), named.organization)
            .await;
        let found = Store::hazard(db, named.organization, named.id).await?;
        match (site, found) {
            (Ok(site), Some(hazard)) => Ok((site, hazard)),
            (Ok(_), None) => Err(Error::NotFound(entry::name(named.organization, named.id))),
            (Err(denied), Some(hazard)) if owns(caller, by, &hazard) => {
                let organization = Store::organization(db, named.organization).await?;
                let organization = organization.ok_or(denied)?;
                let path = place(&organization.org_path);
                Ok((Site { organization, path }, hazard))
            }
            (Err(denied), _) => Err(denied),
        }
    }

    /// A hazard with its evidence.
    pub(crate) async fn view(&self, caller: &Caller, hazard: Hazard) -> Result<View, Error> {
        let db = self.base.store.database().read();
        Ok(view(db, caller, hazard, self.today()).await?)
    }

    /// The present civil day.
    pub(crate) fn today(&self) -> NaiveDate {
        self.base.clock.today()
    }

    /// The present instant.
    pub(crate) fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.base.clock.now()
    }
}

async fn view(
    db: &impl ConnectionTrait,
    caller: &Caller,
    hazard: Hazard,
    today: NaiveDate,
) -> Result<View, DbErr> {
    let reader = &caller.scope;
    let organization = &hazard.home.organization;
    let photos = shown(db, reader, organization, &hazard.name()).await?;
    let after = match hazard.evidence() {
        Some(evidence) => shown(db, reader, organization, &evidence).await?,
        None => Vec::new(),
    };
    Ok(View {
        hazard,
        photos,
        after,
        today,
    })
}

/// Whether the caller may do what is asked because the hazard is theirs.
fn owns(caller: &Caller, by: By, hazard: &Hazard) -> bool {
    let owner = hazard.owner();
    let is_owner = !owner.is_empty() && (name_of(caller) == owner || caller.subject == owner);
    by.owner_may() && is_owner && caller.allowed(Permission::HazardRectify).is_ok()
}

/// Under which name the caller is written down: the person of the register, else the token's subject.
fn name_of(caller: &Caller) -> &str {
    caller.person.as_deref().unwrap_or(&caller.subject)
}

/// The caller as the rules see them: who, and at which level they decide.
async fn actor(db: &impl ConnectionTrait, caller: &Caller) -> Result<Actor, DbErr> {
    Ok(Actor {
        name: name_of(caller).to_owned(),
        subject: caller.subject.clone(),
        level: level_of(db, caller).await?,
    })
}
