//! Alerts: seen, taken, watched.

use std::time::Duration;

use kit::auth::{Caller, Permission};
use kit::drain::Drain;
use kit::request::{Once, once};
use kit::status::Problem;
use prost::Message;
use proto::error::ErrorReason;
use tokio::sync::{Notify, mpsc, watch};
use uuid::Uuid;

use super::{Base, Organization, denied, place, unknown};
use crate::config::AlertConfig;
use crate::domain::alert::{Alert, State, Step, Verb};
use crate::domain::fact::Kind;
use crate::error::Error;

/// How many alerts one message of a stream carries at most.
const PAGE: u64 = 200;

/// The use cases of alerts.
#[derive(Clone, Debug)]
pub(crate) struct Alerts {
    base: Base,
    news: watch::Sender<i64>,
    heartbeat: Duration,
    drain: Drain,
}

/// Some alerts after a change, and the revision reached.
#[derive(Clone, Debug)]
pub(crate) struct News {
    pub(crate) alerts: Vec<Alert>,
    pub(crate) revision: i64,
}

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
            if let Err(err) = self.base.store.escalate_alerts(self.base.clock.now()).await {
                tracing::warn!(error = %err, "cannot mark overdue alerts, trying again");
            }
            match self.base.store.alert_revision().await {
                Ok(revision) => {
                    self.news.send_if_modified(|known| {
                        std::mem::replace(known, revision.max(*known)) < revision
                    });
                }
                Err(err) => tracing::warn!(error = %err, "cannot look for alerts, trying again"),
            }
            tokio::select! {
                () = changed.notified() => {}
                () = tokio::time::sleep(poll) => {}
                () = drain.draining() => {}
            }
        }
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
        if known.as_ref().is_some_and(|path| !scope.contains(path)) {
            return Err(denied(permission));
        }
        let found = self.base.store.alert(db, id).await?;
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

    /// The caller does something with an alert. The caller was authorised before.
    pub(crate) async fn apply<R: Message + Default>(
        &self,
        caller: &Caller,
        id: Uuid,
        (verb, method, comment): (Verb, &'static str, String),
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Alert) -> R,
    ) -> Result<R, Error> {
        let store = &self.base.store;
        let now = self.base.clock.now();
        let tx = store.database().begin().await?;
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        let alert = store.alert(&tx, id).await?.ok_or(Error::Conflict)?;
        let step = Step {
            subject: caller.subject.clone(),
            time: now,
            comment,
        };
        let alert = alert.apply(verb, step)?;
        let alert = crate::store::Store::save_alert(&tx, alert)
            .await?
            .ok_or(Error::Conflict)?;
        let revision = alert.revision;
        let answer = render(alert);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        self.news
            .send_if_modified(|known| std::mem::replace(known, revision.max(*known)) < revision);
        Ok(answer)
    }

    /// Streams what is not resolved, then each change; from `resume` on when it is given. Ends with
    /// UNAVAILABLE when the service stops: the watcher goes on elsewhere with its last token.
    pub(crate) fn watch(
        &self,
        organization: Organization,
        resume: Option<i64>,
    ) -> mpsc::Receiver<Result<News, Error>> {
        // A slow watcher holds back its own stream only.
        let (sender, receiver) = mpsc::channel(4);
        let alerts = self.clone();
        tokio::spawn(async move {
            let ended = tokio::select! {
                ended = alerts.push(&organization, resume, &sender) => ended,
                () = sender.closed() => return,
                () = alerts.drain.draining() => Err(Problem::new(ErrorReason::Unavailable).into()),
            };
            if let Err(err) = ended {
                // Nobody is left to tell when the watcher has gone.
                let _ = sender.send(Err(err)).await;
            }
        });
        receiver
    }

    async fn push(
        &self,
        organization: &Organization,
        resume: Option<i64>,
        sender: &mpsc::Sender<Result<News, Error>>,
    ) -> Result<(), Error> {
        let mut fresh = self.news.subscribe();
        let mut after = match resume {
            // A place that does not exist yet is from before a restore.
            Some(revision) if revision > self.base.store.alert_revision().await? => {
                return Err(Problem::new(ErrorReason::ResumeTokenExpired).into());
            }
            Some(revision) => revision,
            None => {
                let until = self.base.store.alert_revision().await?;
                self.send(organization, (0, until), true, sender).await?
            }
        };
        loop {
            let until = self.base.store.alert_revision().await?;
            if until > after {
                after = self
                    .send(organization, (after, until), false, sender)
                    .await?;
            }
            tokio::select! {
                // The sender lives in `self`, so this never fails.
                _ = fresh.changed() => {}
                () = tokio::time::sleep(self.heartbeat) => {
                    let news = News { alerts: Vec::new(), revision: after };
                    if sender.send(Ok(news)).await.is_err() {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Sends the changes within a span of revisions and returns its end.
    async fn send(
        &self,
        organization: &Organization,
        (mut after, until): (i64, i64),
        unresolved: bool,
        sender: &mpsc::Sender<Result<News, Error>>,
    ) -> Result<i64, Error> {
        let place = organization.path.as_str();
        loop {
            let span = (after, until);
            let alerts = self
                .base
                .store
                .changed_alerts(place, span, unresolved, PAGE)
                .await?;
            let full = alerts.len() as u64 == PAGE;
            after = match alerts.last() {
                Some(last) if full => last.revision,
                _ => until,
            };
            // The first answer comes even when it is empty: the watcher knows that all is quiet.
            if (!alerts.is_empty() || unresolved)
                && sender
                    .send(Ok(News {
                        alerts,
                        revision: after,
                    }))
                    .await
                    .is_err()
            {
                return Ok(until);
            }
            if !full {
                return Ok(until);
            }
        }
    }
}
