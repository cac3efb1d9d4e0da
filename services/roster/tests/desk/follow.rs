//! What a service downstream hears.
#![allow(dead_code, reason = "each test file uses a part")]

use std::time::Duration;

use kit::db::statement;
use proto::roster::roster_event::State;
use proto::roster::roster_feed_client::RosterFeedClient;
use proto::roster::{RosterEvent, SnapshotRequest, WatchRequest, WatchResponse};
use sea_orm::ConnectionTrait;
use tonic::Streaming;

use super::{Desk, Door};

/// Follows the feed from a moment on.
#[derive(Debug)]
pub(crate) struct Follower {
    /// What stood at that moment.
    pub(crate) snapshot: Vec<RosterEvent>,
    events: Streaming<WatchResponse>,
    read: Vec<RosterEvent>,
}

impl Follower {
    /// Follows what is announced from the very beginning: take it before anything else.
    pub(crate) async fn of(desk: &Desk) -> Self {
        Self::through(desk.officer()).await
    }

    /// Follows as the holder of `door`, once everything that was announced can be read.
    pub(crate) async fn settled(desk: &Desk, door: Door) -> Self {
        settle(desk).await;
        Self::through(door).await
    }

    async fn through(door: Door) -> Self {
        let mut client = RosterFeedClient::new(door);
        let parts = client.snapshot(SnapshotRequest::default()).await;
        let mut parts = parts.expect("a snapshot").into_inner();
        let (mut snapshot, mut resume_token) = (Vec::new(), String::new());
        while let Some(part) = parts.message().await.expect("a part") {
            snapshot.extend(part.events);
            resume_token = part.resume_token;
        }
        let watched = client.watch(WatchRequest { resume_token }).await;
        Self {
            snapshot,
            events: watched.expect("a watch").into_inner(),
            read: Vec::new(),
        }
    }

    /// The entities of the snapshot whose names begin with `head`.
    pub(crate) fn stood(&self, head: &str) -> Vec<&str> {
        let entities = self.snapshot.iter().map(|event| &*event.entity);
        entities.filter(|entity| entity.starts_with(head)).collect()
    }

    /// The next event, whatever it is about.
    pub(crate) async fn heard(&mut self) -> RosterEvent {
        while self.read.is_empty() {
            let heard = tokio::time::timeout(Duration::from_secs(20), self.events.message());
            let heard = heard.await.expect("it is heard soon");
            self.read = heard.expect("no error").expect("no end").events;
        }
        self.read.remove(0)
    }

    /// The next event about `entity`; those about others before it are passed over.
    pub(crate) async fn next(&mut self, entity: &str) -> RosterEvent {
        loop {
            let event = self.heard().await;
            if event.entity == entity {
                return event;
            }
        }
    }

    /// Who works at an organisation, as announced next: person, posts, grade.
    pub(crate) async fn staff(&mut self, organization: &str) -> Vec<(String, Vec<String>, i32)> {
        let event = self
            .next(&format!("organizations/{organization}/staffRoll"))
            .await;
        let Some(State::StaffRoll(roll)) = event.state else {
            panic!("a staff roll, not {event:?}");
        };
        roll.members
            .into_iter()
            .map(|one| (one.member.unwrap_or_default().person, one.posts, one.grade))
            .collect()
    }

    /// Who answers at an organisation, as announced next: subject, place, person.
    pub(crate) async fn duties(&mut self, organization: &str) -> Vec<(String, String, String)> {
        let event = self
            .next(&format!("organizations/{organization}/responsibilityRoll"))
            .await;
        let Some(State::ResponsibilityRoll(roll)) = event.state else {
            panic!("a responsibility roll, not {event:?}");
        };
        roll.duties
            .into_iter()
            .map(|duty| (duty.subject, duty.place, duty.staff_member))
            .collect()
    }
}

/// On PostgreSQL the sequencer moves what was announced within moments.
async fn settle(desk: &Desk) {
    let db = desk.database().await;
    if db.postgres().is_none() {
        return;
    }
    let waiting = async || {
        let count = statement(db.read(), "SELECT count(*) FROM outbox", []);
        let row = db.read().query_one_raw(count).await.expect("a count");
        let row = row.expect("a row");
        row.try_get_by_index::<i64>(0).expect("a number")
    };
    let empty = async {
        while waiting().await > 0 {
            tokio::task::yield_now().await;
        }
    };
    let empty = tokio::time::timeout(Duration::from_secs(60), empty).await;
    empty.expect("the outbox empties");
    db.close().await;
}
