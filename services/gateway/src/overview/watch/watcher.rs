//! One stream of one caller: the whole overview, then what changes, then heartbeats.

use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use futures_util::Stream;
use futures_util::stream;
use kit::field::to_timestamp;
use kit::status::Problem;
use proto::error::ErrorReason;
use proto::gateway::{Overview, WatchOverviewResponse};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};
use tonic::Status;

use super::Shared;
use super::follower::{Member, News};
use crate::callers::Place;
use crate::overview::assemble::{Part, changed};
use crate::overview::desk::{Reading, Subject};
use crate::overview::source::Source;
use crate::overview::who::Who;

/// A gateway that stops has others beside it, or comes back.
const RETRY: Duration = Duration::from_secs(1);

/// One who watches.
#[derive(Debug)]
pub(crate) struct Watcher {
    shared: Arc<Shared>,
    who: Who,
    subject: Subject,
    /// What this caller was told, or was told last that it may not hear.
    own: Reading,
    shown: Overview,
    member: Member,
    heartbeat: Instant,
    _places: (Place, Place, OwnedSemaphorePermit),
}

type Answer = Result<WatchOverviewResponse, Status>;

impl Watcher {
    pub(super) fn new(
        shared: Arc<Shared>,
        who: Who,
        subject: Subject,
        reading: Reading,
        member: Member,
        places: (Place, Place, OwnedSemaphorePermit),
    ) -> Self {
        let heartbeat = Instant::now() + shared.config.heartbeat;
        Self {
            shown: reading.overview(&subject.id),
            shared,
            who,
            subject,
            own: reading,
            member,
            heartbeat,
            _places: places,
        }
    }

    /// The answers, until the gateway stops or the token is not taken any more.
    pub(crate) fn answers(self) -> impl Stream<Item = Answer> + Send + 'static {
        let first = WatchOverviewResponse {
            read_time: self.shown.read_time,
            overview: Some(self.shown.clone()),
            sections: Vec::new(),
        };
        let rest = stream::unfold(Some(self), |watcher| async move {
            let mut watcher = watcher?;
            let answer = watcher.next().await;
            let goes_on = answer.is_ok();
            Some((answer, goes_on.then_some(watcher)))
        });
        stream::StreamExt::chain(stream::iter([Ok(first)]), rest)
    }

    async fn next(&mut self) -> Answer {
        let drain = self.shared.drain.clone();
        loop {
            tokio::select! {
                biased;
                () = drain.draining() => {
                    return Err(Problem::new(ErrorReason::Unavailable).retry_after(RETRY).into());
                }
                changed = self.member.news.changed() => {
                    if changed.is_err() {
                        return Err(Problem::new(ErrorReason::Unavailable).retry_after(RETRY).into());
                    }
                    let news = self.member.news.borrow_and_update().clone();
                    if news.refused.contains(&self.member.number) {
                        return Err(Problem::new(ErrorReason::TokenExpired).into());
                    }
                    if let Some(answer) = self.hear(&news).await {
                        return Ok(self.beat(answer));
                    }
                }
                () = sleep_until(self.heartbeat) => {
                    let read_time = self.member.news.borrow().reading.read_time;
                    let silence = WatchOverviewResponse {
                        read_time: Some(to_timestamp(read_time)),
                        ..WatchOverviewResponse::default()
                    };
                    return Ok(self.beat(silence));
                }
            }
        }
    }

    fn beat(&mut self, answer: WatchOverviewResponse) -> WatchOverviewResponse {
        self.heartbeat = Instant::now() + self.shared.config.heartbeat;
        answer
    }

    /// What is new to this caller.
    async fn hear(&mut self, news: &News) -> Option<WatchOverviewResponse> {
        let shared = &news.reading;
        for (source, part) in &shared.parts {
            let part = self.taken(*source, part, shared.date).await;
            self.own.parts.insert(*source, part);
        }
        self.own.date = shared.date;
        self.own.read_time = shared.read_time;
        let now = self.own.overview(&self.subject.id);
        let before = std::mem::replace(&mut self.shown, now);
        let read_time = self.shown.read_time;
        if before.date != self.shown.date {
            return Some(WatchOverviewResponse {
                overview: Some(self.shown.clone()),
                sections: Vec::new(),
                read_time,
            });
        }
        let sections = changed(&before, &self.shown);
        (!sections.is_empty()).then_some(WatchOverviewResponse {
            overview: None,
            sections,
            read_time,
        })
    }

    /// What this caller is shown of a part that was read in the name of another with the same rights:
    /// nothing that the service has not told this caller itself before. Where it told the other something
    /// that this one does not know yet, or refused the other what this one was told, it is asked again in
    /// this one's own name.
    async fn taken(&self, source: Source, shared: &Part, date: NaiveDate) -> Part {
        let refused = matches!(shared, Part::NotPermitted | Part::TokenRefused);
        match self.own.parts.get(&source) {
            Some(Part::NotPermitted | Part::TokenRefused) => Part::NotPermitted,
            Some(Part::Unavailable(None)) if matches!(shared, Part::Unavailable(_)) => {
                Part::Unavailable(None)
            }
            Some(Part::Unavailable(None)) => self.ask(source, date).await,
            Some(Part::Told(_) | Part::Unavailable(Some(_))) if refused => {
                self.ask(source, date).await
            }
            _ => shared.clone(),
        }
    }

    async fn ask(&self, source: Source, date: NaiveDate) -> Part {
        let desk = &self.shared.desk;
        let budget = desk.budget(None);
        let id = &self.subject.id;
        let own = desk.parts(&self.who, id, date, [source], budget).await;
        own.into_values().next().unwrap_or(Part::NotPermitted)
    }
}
