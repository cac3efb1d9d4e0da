//! Alerts: listed, seen, taken, ended, and looked at by the clock.

use std::time::Duration;

use kit::auth::{Caller, Permission};
use kit::drain::Drain;
use kit::request::{Once, once};
use prost::Message;
use sea_orm::DbErr;
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::{Base, Organization, place, unknown};
use crate::config::AlertConfig;
use crate::domain::alert::{Alert, State, Step, Verb};
use crate::domain::change::{Change, Entry};
use crate::domain::fact::Kind;
use crate::error::Error;
use crate::store::Store;
use crate::store::alerts::{Group, GroupKey};

/// The use cases of alerts.
#[derive(Clone, Debug)]
pub(crate) struct Alerts {
    pub(super) base: Base,
    pub(super) news: watch::Sender<i64>,
    pub(super) heartbeat: Duration,
    pub(super) drain: Drain,
}

/// How many entries of `told` one look forgets at most.
const FORGET: u64 = 1000;

/// A line of the history of an alert, with its number.
pub(crate) type Line = (i32, Entry);

impl Alerts {
    /// Begins to look for news: at once when `changed` wakes, else as the settings say.
    pub(crate) fn start(
        base: Base,
        config: &AlertConfig,
        changed: std::sync::Arc<Notify>,
        drain: Drain,
    ) -> Self {
        let alerts = Self {
            base,
            news: watch::Sender::new(0),
            heartbeat: config.heartbeat,
            drain: drain.clone(),
        };
        tokio::spawn(alerts.clone().look(config.poll, changed, drain));
        alerts
    }

    async fn look(self, poll: Duration, changed: std::sync::Arc<Notify>, drain: Drain) {
        while !drain.is_draining() {
            let more = match self.tick().await {
                Ok(more) => more,
                Err(err) => {
                    tracing::warn!(error = %err, "cannot do what time asks of alerts, trying again");
                    false
                }
            };
            match self.base.store.alert_revision().await {
                Ok(revision) => self.announce(revision),
                Err(err) => tracing::warn!(error = %err, "cannot look for alerts, trying again"),
            }
            if more {
                continue;
            }
            tokio::select! {
                () = changed.notified() => {}
                () = tokio::time::sleep(poll) => {}
                () = drain.draining() => {}
            }
        }
    }

    /// Does a part of what time asks for; whether there was anything.
    async fn tick(&self) -> Result<bool, DbErr> {
        let (store, now) = (&self.base.store, self.base.clock.now());
        let escalated = store.escalate_alerts(now).await?;
        let freed = store.settle_silences(now).await?;
        store.forget_told(now, FORGET).await?;
        Ok(escalated + freed > 0)
    }

    /// Wakes the watchers when a revision is new.
    pub(super) fn announce(&self, revision: i64) {
        self.news
            .send_if_modified(|known| std::mem::replace(known, revision.max(*known)) < revision);
    }

    /// An organisation whose alerts the caller may read.
    pub(crate) async fn readable(&self, caller: &Caller, id: &str) -> Result<Organization, Error> {
        self.base
            .organization(caller, Permission::AlertRead, id)
            .await
    }

    /// One alert. Its own place counts where the register does not know the organisation yet.
    pub(crate) async fn alert(
        &self,
        caller: &Caller,
        permission: Permission,
        organization: &str,
        id: Uuid,
    ) -> Result<Alert, Error> {
        let scope = caller.allowed(permission)?;
        let name = || format!("organizations/{organization}/alerts/{}", id.hyphenated());
        let db = self.base.store.database().read();
        let known = self.base.path(db, organization).await?;
        if let Some(path) = &known {
            caller.require(permission, path)?;
        }
        let found = Store::alert(db, id).await?;
        let found = found.filter(|alert| alert.organization == organization);
        let Some(alert) = found else {
            return Err(match known {
                Some(_) => Error::NotFound(name()),
                None => unknown(permission, scope, name()),
            });
        };
        caller.require(permission, &place(&alert.org_path))?;
        Ok(alert)
    }

    /// The alerts at and below an organisation, newest first.
    pub(crate) async fn list(
        &self,
        organization: &Organization,
        only: (Option<State>, Option<Kind>),
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Alert>, Error> {
        let place = organization.path.as_str();
        Ok(self.base.store.alerts(place, only, before, limit).await?)
    }

    /// What happened to an alert after the entry number `after`, oldest first.
    pub(crate) async fn entries(
        &self,
        alert: &Alert,
        after: i32,
        limit: u64,
    ) -> Result<Vec<Line>, Error> {
        let store = &self.base.store;
        Ok(store.alert_entries(alert.id, after, limit).await?)
    }

    /// The alerts at and below an organisation that are not resolved, in groups.
    pub(crate) async fn groups(
        &self,
        organization: &Organization,
        after: Option<GroupKey>,
        limit: u64,
    ) -> Result<Vec<Group>, Error> {
        let place = organization.path.as_str();
        Ok(self.base.store.alert_groups(place, after, limit).await?)
    }

    /// The caller does something with an alert. The caller was authorised before.
    pub(crate) async fn apply<R: Message + Default>(
        &self,
        caller: &Caller,
        id: Uuid,
        (verb, method, comment): (Verb, &'static str, String),
        once: (&str, &impl Message),
        render: impl FnOnce(Alert) -> R,
    ) -> Result<R, Error> {
        let apply = |alert: Alert, step| Ok(alert.apply(verb, step)?);
        let act = (method, comment);
        self.change(caller, id, act, once, apply, |alert, _| render(alert))
            .await
    }

    /// The caller adds words to an alert. The caller was authorised before.
    pub(crate) async fn comment<R: Message + Default>(
        &self,
        caller: &Caller,
        id: Uuid,
        comment: String,
        once: (&str, &impl Message),
        render: impl FnOnce(&Alert, Line) -> R,
    ) -> Result<R, Error> {
        let add = |alert: Alert, step| Ok(alert.comment(&step));
        let act = ("CommentAlert", comment);
        self.change(caller, id, act, once, add, |alert, line| {
            render(&alert, line)
        })
        .await
    }

    async fn change<R: Message + Default>(
        &self,
        caller: &Caller,
        id: Uuid,
        (method, comment): (&'static str, String),
        (request_id, request): (&str, &impl Message),
        decide: impl FnOnce(Alert, Step) -> Result<Change, Error>,
        render: impl FnOnce(Alert, Line) -> R,
    ) -> Result<R, Error> {
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        Store::lock_alerts(&tx).await?;
        let alert = Store::alert(&tx, id).await?.ok_or(Error::Conflict)?;
        let number = alert.entries + 1;
        let step = Step {
            subject: caller.subject.clone(),
            time: now,
            comment,
        };
        let change = decide(alert, step)?;
        let entry = change.entries.first().cloned().ok_or(Error::Conflict)?;
        let changed = Store::write_alerts(&tx, change.into(), now).await?;
        let revision = changed.iter().map(|alert| alert.revision).max();
        let alert = changed.into_iter().next().ok_or(Error::Conflict)?;
        let answer = render(alert, (number, entry));
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        self.announce(revision.unwrap_or_default());
        Ok(answer)
    }
}
