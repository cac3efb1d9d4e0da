//! Use cases: authorise, load, decide, save.

pub(crate) mod announcing;
pub(crate) mod destruction;
pub(crate) mod drills;
pub(crate) mod duty;
pub(crate) mod figures;
pub(crate) mod gate;
pub(crate) mod hazards;
pub(crate) mod held;
pub(crate) mod incidents;
pub(crate) mod inspections;
pub(crate) mod looking;
pub(crate) mod neighbours;
pub(crate) mod not_done;
pub(crate) mod overdue;
pub(crate) mod photos;
pub(crate) mod protection;
pub(crate) mod refuges;
pub(crate) mod resumption;
pub(crate) mod supplies;
pub(crate) mod timers;
pub(crate) mod visitors;
pub(crate) mod weather;

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use kit::auth::{Caller, Permission};
use kit::clock::Clock;
use kit::db::Tx;
use kit::org::OrgPath;
use kit::request;
use kit::status::Problem;
use prost::Message;
use proto::error::ErrorReason;
use proto::roster::PolicyProfile;
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use self::gate::People;
use crate::domain::organization::{Level, Organization};
use crate::error::Error;
use crate::store::Store;

/// An organisation of a request, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The organisation.
    pub(crate) organization: Organization,
    /// Its place.
    pub(crate) path: OrgPath,
}

impl Site {
    /// This place, when it has a campus that is neither closed nor merged.
    ///
    /// # Errors
    /// CAMPUS_REQUIRED.
    pub(crate) fn campus(&self) -> Result<&Self, Error> {
        if self.organization.kind.has_campus() && self.organization.open {
            return Ok(self);
        }
        let name = format!("organizations/{}", self.organization.id);
        Err(Error::CampusRequired(name))
    }

    /// The id of the organisation and its place.
    pub(crate) fn at(&self) -> (&str, &str) {
        (&self.organization.id, &self.organization.org_path)
    }
}

/// What every use case but those of the gate needs.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) people: People,
}

impl Base {
    /// The organisation of a request, when the caller may do `permission` there.
    ///
    /// # Errors
    /// SCOPE_DENIED, or not found for somebody whose scope is the whole city.
    pub(crate) async fn site(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<Site, Error> {
        let scope = caller.allowed(permission)?;
        let db = self.store.database().read();
        let Some(organization) = Store::organization(db, id).await? else {
            return Err(unknown(permission, scope, format!("organizations/{id}")));
        };
        let path = place(&organization.org_path);
        caller.require(permission, &path)?;
        Ok(Site { organization, path })
    }

    /// The civil day.
    pub(crate) fn today(&self) -> NaiveDate {
        kit::clock::civil_date(self.clock.now())
    }

    /// Does `work` in one transaction, once for each request id: a repeat gets the first answer.
    ///
    /// # Errors
    /// What `work` failed with, REQUEST_ID_REUSED, or when the database fails.
    pub(crate) async fn act<R: Message + Default>(
        &self,
        caller: &Caller,
        method: &'static str,
        request: (&str, &impl Message),
        work: impl AsyncFnOnce(&Tx, DateTime<Utc>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let now = self.clock.now();
        let db = self.store.database();
        request::act(db, caller, method, request, now, async |tx| {
            work(tx, now).await
        })
        .await
    }
}

/// Whoever looks after the whole city may know what does not exist; others learn nothing.
fn unknown(permission: Permission, scope: &OrgPath, name: String) -> Error {
    if scope.ids().count() <= 1 {
        Error::NotFound(name)
    } else {
        denied(permission).into()
    }
}

fn denied(permission: Permission) -> Problem {
    Problem::new(ErrorReason::ScopeDenied).meta("permission", permission)
}

/// A place that roster told: it has the form of one, so the fallback to a place that nobody's
/// scope but the city's contains is for the impossible.
fn place(path: &str) -> OrgPath {
    path.parse().unwrap_or_default()
}

/// Who acts: the person of the register where the token says it, else the subject of the token.
pub(crate) fn identity(caller: &Caller) -> String {
    caller
        .person
        .clone()
        .unwrap_or_else(|| caller.subject.clone())
}

/// At which level of the hierarchy somebody decides: that of the organisation where their scope ends. How deep
/// it stands says nothing: a school may stand right under the city, and a zone below a county.
///
/// # Errors
/// When the database fails.
pub(crate) async fn level_of(db: &impl ConnectionTrait, caller: &Caller) -> Result<Level, DbErr> {
    let id = caller.scope.leaf();
    if id.is_empty() {
        return Ok(Level::City);
    }
    let organization = Store::organization(db, id).await?;
    Ok(organization.map_or(Level::School, |organization| organization.level()))
}

/// The version of a policy; empty without one.
pub(crate) fn policy_version(profile: Option<&PolicyProfile>) -> String {
    profile.map_or_else(String::new, |profile| profile.policy_version.clone())
}

/// An id that sorts by when it was made.
pub(crate) fn new_id(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    Uuid::new_v7(uuid::Timestamp::from_unix(
        uuid::NoContext,
        seconds,
        now.timestamp_subsec_nanos(),
    ))
}
