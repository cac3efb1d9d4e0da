//! Use cases of incidents.

mod change;
mod detection;
mod policy;
mod reading;
mod receipts;
mod reports;
mod review;
mod trail;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::clock::civil_date;
use kit::db::Tx;
use kit::rows::Lock;
use prost::Message;
use uuid::Uuid;

pub(crate) use change::Change;
pub(crate) use reading::CountsAt;
pub(crate) use reports::Draft;
pub(crate) use review::{Blame, Cause};
pub(crate) use trail::tell_late;

use crate::app::{Base, Site};
use crate::domain::incident::file::{Event, File};
use crate::domain::incident::harm::Tables;
use crate::domain::incident::moves::{Doer, Judge};
use crate::domain::incident::terms::Terms;
use crate::error::Error;
use crate::store::Store;
use crate::store::incidents::Findings;

/// Answers for incidents.
#[derive(Clone, Debug)]
pub(crate) struct Incidents {
    base: Base,
    tables: Arc<Tables>,
}

/// An incident as it is told: with what its review found, at an instant in milliseconds since 1970.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// The incident.
    pub(crate) file: File,
    /// What its review found.
    pub(crate) findings: Findings,
    /// By which clock lateness is judged.
    pub(crate) now: i64,
}

/// An acting request: its method, its request id and itself.
pub(crate) type Once<'a, M> = (&'static str, &'a str, &'a M);

impl Incidents {
    pub(crate) fn new(base: Base, tables: Tables) -> Self {
        let tables = Arc::new(tables);
        Self { base, tables }
    }

    /// The organisation of a request, when the caller may do `permission` there.
    ///
    /// # Errors
    /// As [`Base::site`].
    pub(crate) async fn site(
        &self,
        caller: &Caller,
        permission: Permission,
        organization: &str,
    ) -> Result<Site, Error> {
        self.base.site(caller, permission, organization).await
    }

    /// The numbers in force at a site at an instant.
    async fn terms(&self, tx: &Tx, site: &Site, at: DateTime<Utc>) -> Result<Terms, Error> {
        let rules = Store::rules(tx).await?;
        let profile = rules.policy(&site.path, civil_date(at));
        Ok(profile.map(policy::terms).unwrap_or_default())
    }

    /// Loads an incident, does `work` to it, keeps it with the events that `work` returns, and answers;
    /// once for each request id.
    async fn act<M: Message, R: Message + Default, T>(
        &self,
        (caller, site): (&Caller, &Site),
        id: Uuid,
        (method, request_id, request): Once<'_, M>,
        work: impl AsyncFnOnce(&Tx, &mut File, Now<'_>) -> Result<(Vec<Event>, T), Error>,
        render: impl FnOnce(Told, T) -> R,
    ) -> Result<R, Error> {
        let once = (request_id, request);
        self.base
            .act(caller, method, once, async |tx, now| {
                let found = Store::incident(tx, &site.organization.id, id, Lock::Yes).await?;
                let mut file = opened((caller, site), id, found)?;
                let noticed = instant(file.incident.detected);
                let terms = self.terms(tx, site, noticed).await?;
                let at = Now {
                    judge: Judge {
                        tables: &self.tables,
                        terms: &terms,
                    },
                    // A clock that went back does not unsettle the order of the history.
                    time: now.timestamp_millis().max(file.incident.detected),
                };
                // What was late is written down before anything done now begins another clock.
                tell_late(tx, &file, instant(at.time)).await?;
                let (events, made) = work(tx, &mut file, at).await?;
                Store::save_incident(tx, &file, at.time).await?;
                Store::add_incident_events(tx, id, events).await?;
                let findings = Store::incident_findings(tx, id).await?;
                let now = at.time;
                let told = Told {
                    file,
                    findings,
                    now,
                };
                Ok(render(told, made))
            })
            .await
    }
}

/// The incident of a site that was looked for, when the caller may open it.
fn opened((caller, site): (&Caller, &Site), id: Uuid, found: Option<File>) -> Result<File, Error> {
    let Some(file) = found else {
        let (organization, id) = (&site.organization.id, id.hyphenated());
        let name = format!("organizations/{organization}/incidents/{id}");
        return Err(Error::NotFound(name));
    };
    if file.incident.confidential.is_some() {
        caller.require(Permission::IncidentConfidential, &site.path)?;
    }
    Ok(file)
}

/// When a move is made, and by what it is judged.
#[derive(Clone, Copy, Debug)]
struct Now<'a> {
    judge: Judge<'a>,
    time: i64,
}

impl Now<'_> {
    fn by<'a>(self, caller: &'a Caller, reason: &'a str) -> Doer<'a> {
        Doer {
            actor: &caller.subject,
            time: self.time,
            reason,
        }
    }
}

/// An instant that the database keeps.
fn instant(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}
