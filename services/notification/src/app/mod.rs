//! Use cases: authorise, load, decide, save.

pub(crate) mod alert_news;
pub(crate) mod alert_rules;
pub(crate) mod alerts;
pub(crate) mod announcing;
mod arrivals;
pub(crate) mod attendances;
pub(crate) mod audience;
mod calling;
pub(crate) mod care;
pub(crate) mod channels;
pub(crate) mod concerns;
pub(crate) mod contacts;
pub(crate) mod destruction;
pub(crate) mod directive_figures;
pub(crate) mod directives;
mod expansion;
pub(crate) mod figures;
pub(crate) mod glass;
pub(crate) mod held;
pub(crate) mod inbox;
mod issuing;
pub(crate) mod items;
pub(crate) mod ledger;
pub(crate) mod meetings;
pub(crate) mod messages;
pub(crate) mod minutes;
pub(crate) mod overdue;
pub(crate) mod progress;
mod quiet;
mod receipts;
pub(crate) mod recipients;
pub(crate) mod retention;
pub(crate) mod sending;
pub(crate) mod silences;
pub(crate) mod support;
pub(crate) mod telling;
pub(crate) mod templates;
mod told;
pub(crate) mod voices;
pub(crate) mod warning_exports;
pub(crate) mod warnings;
pub(crate) mod words;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission, Role};
use kit::clock::Clock;
use kit::org::OrgPath;
use kit::status::Problem;
use proto::error::ErrorReason;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::domain::party::Party;
use crate::error::Error;
use crate::store::Store;

/// An organisation and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) path: OrgPath,
}

/// What every use case needs.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Base {
    /// The organisation of a request, when the caller may do `permission` there.
    pub(crate) async fn organization(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<Organization, Error> {
        let scope = caller.allowed(permission)?;
        let path = self.path(self.store.database().read(), id).await?;
        let path = path.ok_or_else(|| unknown(permission, scope, format!("organizations/{id}")))?;
        caller.require(permission, &path)?;
        Ok(Organization {
            id: id.to_owned(),
            path,
        })
    }

    pub(crate) async fn path(
        &self,
        db: &impl ConnectionTrait,
        id: &str,
    ) -> Result<Option<OrgPath>, Error> {
        Ok(self.store.org_path(db, id).await?.map(|path| place(&path)))
    }
}

/// Whoever looks after the whole city may know what does not exist; others learn nothing.
fn unknown(permission: Permission, scope: &OrgPath, name: String) -> Error {
    if scope.ids().count() <= 1 {
        Error::NotFound(name)
    } else {
        denied(permission)
    }
}

/// Says that an organisation at `path`, or nowhere, has nothing of this name, to whoever might see it there.
fn missing(caller: &Caller, permission: Permission, path: Option<&OrgPath>, name: String) -> Error {
    match path {
        Some(path) => match caller.require(permission, path) {
            Ok(()) => Error::NotFound(name),
            Err(refused) => refused.into(),
        },
        None => unknown(permission, &caller.scope, name),
    }
}

fn denied(permission: Permission) -> Error {
    Problem::new(ErrorReason::ScopeDenied)
        .meta("permission", permission)
        .into()
}

/// A place that roster told: it has the form of one, so the fallback to a place that nobody's
/// scope but the city's contains is for the impossible.
fn place(path: &str) -> OrgPath {
    path.parse().unwrap_or_default()
}

/// An id that sorts by when it was made.
fn new_id(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    Uuid::new_v7(uuid::Timestamp::from_unix(
        uuid::NoContext,
        seconds,
        now.timestamp_subsec_nanos(),
    ))
}

/// Whether a party is the caller: whom the token names, where they hold the role. A guardian speaks for all
/// guardians of the pupil and never for the pupil, and the pupil for none of them.
fn is_own(caller: &Caller, party: &Party) -> bool {
    let names = |party: Party| caller.person == Some(party.name());
    match party {
        Party::Student(_) => caller.is(Role::Student) && names(party.clone()),
        Party::Family(student) | Party::Guardian(student, _) => {
            caller.is(Role::Guardian) && names(Party::Student(*student))
        }
        Party::Staff(_) => names(party.clone()),
        Party::Organization(_) => false,
    }
}
