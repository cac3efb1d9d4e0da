//! Who follows the feed.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use kit::auth::Role;
use kit::clock::Clock;
use kit::db::{Database, statement};
use proto::safety as pb;
use proto::safety::SafetyEvent;
use proto::safety::safety_event::State;
use proto::safety::safety_feed_client::SafetyFeedClient;
use sea_orm::ConnectionTrait;
use tonic::{Status, Streaming};

use crate::city::world::World;

/// Follows the feed from a moment on.
pub(crate) struct Follower {
    /// What stood at that moment.
    pub(crate) snapshot: Vec<SafetyEvent>,
    /// Where to go on.
    pub(crate) resume_token: String,
    pages: Streaming<pb::SafetyWatchResponse>,
    read: VecDeque<SafetyEvent>,
}

impl Follower {
    /// The next event, whatever it is about.
    pub(crate) async fn heard(&mut self) -> SafetyEvent {
        loop {
            if let Some(event) = self.read.pop_front() {
                return event;
            }
            let page = tokio::time::timeout(Duration::from_secs(60), self.pages.message());
            let page = page.await.expect("it is heard soon").expect("no error");
            let page = page.expect("no end");
            self.read = page.events.into();
            self.resume_token = page.resume_token;
        }
    }

    /// Every event until one that is `last`, that one among them.
    pub(crate) async fn until(&mut self, last: impl Fn(&SafetyEvent) -> bool) -> Vec<SafetyEvent> {
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

    /// The first event that `wanted` finds something in, and what it finds.
    pub(crate) async fn first<T>(&mut self, wanted: impl Fn(&State) -> Option<T>) -> T {
        loop {
            let event = self.heard().await;
            if let Some(found) = event.state.as_ref().and_then(&wanted) {
                return found;
            }
        }
    }
}

/// What stands for whoever is `role` at `scope`, and where to go on.
pub(crate) async fn standing(
    world: &World,
    role: Role,
    scope: &str,
) -> Result<(Vec<SafetyEvent>, String), Status> {
    let mut feed = SafetyFeedClient::new(world.channel.clone());
    let ask = world.as_role(role, scope, pb::SafetySnapshotRequest::default());
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
    world: &World,
    (role, scope): (Role, &str),
    resume_token: &str,
) -> Result<Follower, Status> {
    let mut feed = SafetyFeedClient::new(world.channel.clone());
    let ask = pb::SafetyWatchRequest {
        resume_token: resume_token.to_owned(),
    };
    let pages = feed.watch(world.as_role(role, scope, ask)).await?;
    Ok(Follower {
        snapshot: Vec::new(),
        resume_token: resume_token.to_owned(),
        pages: pages.into_inner(),
        read: VecDeque::new(),
    })
}

/// Follows the feed as a service of Campus, from now on.
pub(crate) async fn listen(world: &World) -> Follower {
    let who = (Role::Service, "");
    let (snapshot, token) = standing(world, who.0, who.1).await.expect("a snapshot");
    let follower = watched(world, who, &token).await.expect("a watch");
    Follower {
        snapshot,
        ..follower
    }
}

/// What a reader has who applied these events to nothing: each entity with its version and state. Every
/// event must be newer than what is known of its entity.
pub(crate) fn applied(events: &[SafetyEvent]) -> BTreeMap<String, (i64, State)> {
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

/// One number from the database.
pub(crate) async fn number(db: &Database, sql: &str) -> i64 {
    let row = db.read().query_one_raw(statement(db.read(), sql, []));
    let row = row.await.expect("read").expect("a row");
    row.try_get_by_index(0).expect("a number")
}

/// Waits until the clocks have done what is due, and everything is told, can be read and is added up.
pub(crate) async fn settled(world: &World) {
    let now = world.clock.now().timestamp_millis();
    let today = world.clock.today();
    let day = chrono::Datelike::num_days_from_ce(&today);
    let mut waiting = vec![
        format!("SELECT COUNT(*) FROM hazards WHERE wait_on <= {day}"),
        format!("SELECT COUNT(*) FROM duty_shifts WHERE state = 1 AND check_in_due_at < {now}"),
        format!("SELECT COUNT(*) FROM visits WHERE due_at <= {now}"),
        format!("SELECT COUNT(*) FROM retellings WHERE due_at <= {now}"),
        format!("SELECT COUNT(*) FROM told WHERE wake_at <= {now}"),
        "SELECT COUNT(*) FROM figure_changes".to_owned(),
    ];
    if world.db.postgres().is_some() {
        waiting.push("SELECT COUNT(*) FROM outbox".to_owned());
    }
    let settling = async {
        loop {
            let mut left = 0;
            for sql in &waiting {
                left += number(&world.db, sql).await;
            }
            if left == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let settling = tokio::time::timeout(Duration::from_secs(60), settling);
    settling.await.expect("everything settles");
}
