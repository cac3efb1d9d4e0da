//! Who follows the feed of notification.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use kit::auth::{AuthConfig, Credentials, Role};
use kit::db::statement;
use kit::projection::{Batches, Upstream};
use kit::upstream::NotificationUpstream;
use proto::notification as pb;
use proto::notification::NotificationEvent;
use proto::notification::notification_event::State;
use proto::notification::notification_feed_client::NotificationFeedClient;
use sea_orm::ConnectionTrait;
use tonic::{Code, Status};

use super::world::{World, by, told};

/// Follows the feed from a moment on.
pub(crate) struct Listener {
    /// What stood at that moment.
    pub(crate) snapshot: Vec<NotificationEvent>,
    /// Where to go on.
    pub(crate) resume_token: String,
    events: Batches<NotificationEvent>,
    read: VecDeque<NotificationEvent>,
}

impl Listener {
    /// The next event, whatever it is about.
    pub(crate) async fn heard(&mut self) -> NotificationEvent {
        loop {
            if let Some(event) = self.read.pop_front() {
                return event;
            }
            let batch = tokio::time::timeout(Duration::from_secs(30), self.events.next());
            let batch = batch.await.expect("it is heard soon").expect("no end");
            let batch = batch.expect("no error");
            self.read = batch.events.into();
            self.resume_token = batch.resume_token;
        }
    }

    /// Every event until one that is `last`, that one among them.
    pub(crate) async fn until(
        &mut self,
        last: impl Fn(&NotificationEvent) -> bool,
    ) -> Vec<NotificationEvent> {
        let mut heard = Vec::new();
        loop {
            let event = self.heard().await;
            let is_last = last(&event);
            heard.push(event);
            if is_last {
                return heard;
            }
        }
    }

    /// Every event until this entity has gone.
    pub(crate) async fn until_gone(&mut self, entity: &str) -> Vec<NotificationEvent> {
        self.until(|event| event.removed && event.entity == entity)
            .await
    }
}

impl World {
    /// Follows the feed as a service of Campus.
    pub(crate) async fn listen(&self) -> Listener {
        let clock = Arc::new(self.clock.clone());
        let credentials = Credentials::new(&AuthConfig::development(), "safety-inspection", clock);
        let mut upstream = NotificationUpstream::new(self.channel(), credentials);
        let pages = upstream.snapshot(String::new()).await.expect("a snapshot");
        let pages: Vec<_> = pages.collect().await;
        let pages: Vec<_> = pages
            .into_iter()
            .map(|page| page.expect("a page"))
            .collect();
        let resume_token = pages.last().expect("a page").resume_token.clone();
        let events = upstream.watch(resume_token.clone()).await;
        Listener {
            snapshot: pages.into_iter().flat_map(|page| page.events).collect(),
            resume_token,
            events: events.expect("a watch"),
            read: VecDeque::new(),
        }
    }

    /// What stands for whoever is `role` at `scope`, and where to go on.
    pub(crate) async fn standing(
        &self,
        role: Role,
        scope: &str,
    ) -> Result<(Vec<NotificationEvent>, String), Status> {
        let mut feed = NotificationFeedClient::new(self.channel());
        let ask = by(
            "reader-1",
            role,
            scope,
            pb::NotificationSnapshotRequest::default(),
        );
        let mut pages = feed.snapshot(ask).await?.into_inner();
        let (mut events, mut resume_token) = (Vec::new(), String::new());
        while let Some(page) = pages.message().await? {
            events.extend(page.events);
            resume_token = page.resume_token;
        }
        Ok((events, resume_token))
    }

    /// Follows the feed as whoever is `role` at `scope`, from a token on.
    pub(crate) async fn watched(
        &self,
        (role, scope): (Role, &str),
        resume_token: &str,
    ) -> Result<Listener, Status> {
        let mut feed = NotificationFeedClient::new(self.channel());
        let ask = pb::NotificationWatchRequest {
            resume_token: resume_token.to_owned(),
        };
        let events = feed
            .watch(by("reader-1", role, scope, ask))
            .await?
            .into_inner();
        let batch = |page: Result<pb::NotificationWatchResponse, Status>| {
            page.map(|page| kit::projection::Batch {
                events: page.events,
                page_token: String::new(),
                resume_token: page.resume_token,
                origin: kit::feed::Origin::default(),
            })
        };
        Ok(Listener {
            snapshot: Vec::new(),
            resume_token: resume_token.to_owned(),
            events: events.map(batch).boxed(),
            read: VecDeque::new(),
        })
    }

    /// Waits until everything that was announced can be read.
    pub(crate) async fn caught_up(&self) {
        if self.db.postgres().is_none() {
            return;
        }
        let waiting = async || self.number("SELECT COUNT(*) FROM outbox").await;
        let empty = async {
            while waiting().await > 0 {
                tokio::task::yield_now().await;
            }
        };
        let empty = tokio::time::timeout(Duration::from_secs(30), empty).await;
        empty.expect("the outbox empties");
    }

    /// One number from the database of the service.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let db = self.db.read();
        let row = db.query_one_raw(statement(db, sql, [])).await;
        let row = row.expect("read").expect("a row");
        row.try_get_by_index(0).expect("a number")
    }
}

/// What a reader has who applied these events to nothing: each entity with its version and state. Every
/// event must be newer than what is known of its entity.
pub(crate) fn applied(events: &[NotificationEvent]) -> BTreeMap<String, (i64, State)> {
    let (mut known, mut kept) = (BTreeMap::new(), BTreeMap::new());
    for event in events {
        let before = known.insert(event.entity.clone(), event.version);
        assert!(before < Some(event.version), "{before:?} before {event:?}");
        assert_eq!(event.removed, event.state.is_none(), "{event:?}");
        match event.state.clone() {
            Some(state) => kept.insert(event.entity.clone(), (event.version, state)),
            None => kept.remove(&event.entity),
        };
    }
    kept
}

/// That a place in the feed is refused, and a new snapshot is due.
pub(crate) fn expired(refused: Result<Listener, Status>) {
    let status = refused.err().expect("refused");
    let (code, reason, _) = told(&status);
    let expected = (Code::FailedPrecondition, "RESUME_TOKEN_EXPIRED");
    assert_eq!((code, &*reason), expected);
}
