//! What services say by themselves when something has changed, so that it need not be waited for. A bell that
//! is silent, torn or forbidden is made up for by the poll.

use std::time::Duration;

use proto::notification::alert_service_client::AlertServiceClient;
use proto::notification::{WatchAlertsRequest, WatchAlertsResponse};
use proto::safety::safety_figures_service_client::SafetyFiguresServiceClient;
use proto::safety::{WatchSafetyFiguresRequest, WatchSafetyFiguresResponse};
use tokio::time::timeout;
use tonic::{Code, Response, Status, Streaming};

use crate::overview::desk::{Desk, Subject};
use crate::overview::reader::signed;
use crate::overview::source::Source;
use crate::overview::who::Who;

/// The streams of one follower.
#[derive(Debug)]
pub(super) struct Bells {
    organization: String,
    safety: Bell<WatchSafetyFiguresResponse>,
    alerts: Bell<WatchAlertsResponse>,
    /// After which alert to go on.
    heard: String,
}

#[derive(Debug)]
enum Bell<T> {
    /// Not hung, or torn.
    Away,
    Hung(Box<Streaming<T>>),
    /// The callers may not hear it.
    Forbidden,
}

impl<T> Bell<T> {
    fn hang(&mut self, opened: Result<Result<Response<Streaming<T>>, Status>, impl Sized>) {
        *self = match opened {
            Ok(Ok(stream)) => Self::Hung(Box::new(stream.into_inner())),
            Ok(Err(status)) if status.code() == Code::PermissionDenied => Self::Forbidden,
            _ => Self::Away,
        };
    }

    /// The next message; waits for ever where there is no stream.
    async fn next(&mut self) -> T {
        if let Self::Hung(stream) = self {
            if let Ok(Some(message)) = stream.message().await {
                return message;
            }
            *self = Self::Away;
        }
        std::future::pending().await
    }
}

impl Bells {
    /// Nothing rings yet. What a fixed day was like does not change by what happens now.
    pub(super) fn new(subject: &Subject) -> Self {
        let forbidden = subject.date.is_some();
        Self {
            organization: format!("organizations/{}", subject.id),
            safety: if forbidden {
                Bell::Forbidden
            } else {
                Bell::Away
            },
            alerts: if forbidden {
                Bell::Forbidden
            } else {
                Bell::Away
            },
            heard: String::new(),
        }
    }

    /// Whether any stream is to be opened.
    pub(super) fn are_away(&self) -> bool {
        matches!(self.safety, Bell::Away) || matches!(self.alerts, Bell::Away)
    }

    /// Opens the streams that are away, in the name of a member.
    pub(super) async fn hang(&mut self, desk: &Desk, member: Option<(u64, Who)>, within: Duration) {
        let Some((_, who)) = member else {
            return;
        };
        if matches!(self.safety, Bell::Away) {
            let mut client = SafetyFiguresServiceClient::new(desk.reader().inside());
            let name = format!("{}/safetyFigures", self.organization);
            let request = signed(who.headers(), WatchSafetyFiguresRequest { name });
            let opened = timeout(within, client.watch_safety_figures(request)).await;
            self.safety.hang(opened);
        }
        if matches!(self.alerts, Bell::Away) {
            let mut client = AlertServiceClient::new(desk.reader().inside());
            let request = signed(
                who.headers(),
                WatchAlertsRequest {
                    parent: self.organization.clone(),
                    resume_token: std::mem::take(&mut self.heard),
                },
            );
            let opened = timeout(within, client.watch_alerts(request)).await;
            self.alerts.hang(opened);
        }
    }

    /// Waits until a service says that something has changed, and tells which source to ask.
    pub(super) async fn ring(&mut self) -> Source {
        loop {
            tokio::select! {
                news = self.safety.next() => {
                    if news.safety_figures.is_some() {
                        return Source::SafetyFigures;
                    }
                }
                news = self.alerts.next() => {
                    self.heard = news.resume_token;
                    if !news.alerts.is_empty() {
                        return Source::AlertGroups;
                    }
                }
            }
        }
    }
}
