//! What a service downstream hears.
#![allow(dead_code, reason = "each test file uses a part")]

use std::time::Duration;

use proto::roster::roster_event::State;
use proto::roster::roster_feed_client::RosterFeedClient;
use proto::roster::{RosterEvent, SnapshotRequest, WatchRequest, WatchResponse};
use tonic::Streaming;

use super::{Desk, Door};

/// Follows the feed from a moment on.
#[derive(Debug)]
pub(crate) struct Follower {
    events: Streaming<WatchResponse>,
    read: Vec<RosterEvent>,
}

impl Follower {
    /// Follows what is announced from the very beginning: take it before anything else.
    pub(crate) async fn of(desk: &Desk) -> Self {
        let mut client = RosterFeedClient::<Door>::new(desk.officer());
        let snapshot = client.snapshot(SnapshotRequest::default()).await;
        let mut parts = snapshot.expect("a snapshot").into_inner();
        let mut resume_token = String::new();
        while let Some(part) = parts.message().await.expect("a part") {
            resume_token = part.resume_token;
        }
        let watched = client.watch(WatchRequest { resume_token }).await;
        Self {
            events: watched.expect("a watch").into_inner(),
            read: Vec::new(),
        }
    }

    /// The next event about `entity`; those about others before it are passed over.
    pub(crate) async fn next(&mut self, entity: &str) -> RosterEvent {
        loop {
            while !self.read.is_empty() {
                let event = self.read.remove(0);
                if event.entity == entity {
                    return event;
                }
            }
            let heard = tokio::time::timeout(Duration::from_secs(20), self.events.message());
            let heard = heard.await.expect("it is heard soon");
            self.read = heard.expect("no error").expect("no end").events;
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
