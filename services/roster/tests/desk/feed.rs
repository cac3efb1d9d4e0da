//! What the register publishes, as one who follows it sees it.

use std::time::Duration;

use kit::db::statement;
use proto::roster::roster_feed_client::RosterFeedClient;
use proto::roster::{RosterEvent, SnapshotRequest, WatchRequest};
use sea_orm::ConnectionTrait;
use tonic::Streaming;

use super::{Desk, Door};

/// A snapshot, and the changes after it.
pub(crate) struct Follower {
    pub(crate) snapshot: Vec<RosterEvent>,
    changes: Streaming<proto::roster::WatchResponse>,
    waiting: Vec<RosterEvent>,
}

impl Follower {
    /// Follows the register as the holder of `door`, once everything announced can be read.
    pub(crate) async fn new(desk: &Desk, door: Door) -> Self {
        settle(desk).await;
        let mut client = RosterFeedClient::new(door);
        let pages = client.snapshot(SnapshotRequest::default()).await;
        let mut pages = pages.expect("a snapshot").into_inner();
        let (mut snapshot, mut resume_token) = (Vec::new(), String::new());
        while let Some(page) = pages.message().await.expect("pages") {
            snapshot.extend(page.events);
            resume_token = page.resume_token;
        }
        let changes = client.watch(WatchRequest { resume_token }).await;
        Self {
            snapshot,
            changes: changes.expect("a watch").into_inner(),
            waiting: Vec::new(),
        }
    }

    /// The entities of the snapshot.
    pub(crate) fn entities(&self) -> Vec<&str> {
        self.snapshot.iter().map(|event| &*event.entity).collect()
    }

    /// The next change.
    pub(crate) async fn next(&mut self) -> RosterEvent {
        while self.waiting.is_empty() {
            let page = tokio::time::timeout(Duration::from_secs(60), self.changes.message());
            let page = page.await.expect("a change in time").expect("a change");
            self.waiting = page.expect("the watch goes on").events;
        }
        self.waiting.remove(0)
    }
}

/// On PostgreSQL the sequencer moves what was announced within moments.
async fn settle(desk: &Desk) {
    let db = desk.database().await;
    if db.postgres().is_none() {
        return;
    }
    let empty = async || {
        let count = statement(db.read(), "SELECT count(*) FROM outbox", []);
        let row = db.read().query_one_raw(count).await.expect("a count");
        row.expect("a row")
            .try_get_by_index::<i64>(0)
            .expect("a number")
            == 0
    };
    let wait = async {
        while !empty().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait)
        .await
        .expect("the outbox empties");
    db.close().await;
}
