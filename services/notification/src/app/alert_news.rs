//! Alerts as they come: a stream that goes on where it was.

use kit::status::Problem;
use proto::error::ErrorReason;
use tokio::sync::mpsc;

use super::Organization;
use super::alerts::Alerts;
use crate::domain::alert::Alert;
use crate::error::Error;

/// How many alerts one message of a stream carries at most.
const PAGE: u64 = 200;

/// Some alerts after a change, and the revision reached.
#[derive(Clone, Debug)]
pub(crate) struct News {
    pub(crate) alerts: Vec<Alert>,
    pub(crate) revision: i64,
}

impl Alerts {
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
