//! Roster, sampling and safety-inspection, as far as notification hears of them.

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use kit::audit::AuditConfig;
use kit::auth::AuthConfig;
use kit::clock::ManualClock;
use kit::db::Database;
use kit::drain::Drain;
use kit::feed::{Change, Feed, Page, announce};
use kit::scratch::Scratch;
use kit::server::{Running, Server, ServerConfig};
use prost::Message;
use proto::roster::roster_feed_server::{RosterFeed, RosterFeedServer};
use proto::roster::{self as rpb, RosterEvent};
use proto::safety::safety_feed_server::{SafetyFeed, SafetyFeedServer};
use proto::safety::{self as safe, SafetyEvent};
use proto::sampling::sampling_feed_server::{SamplingFeed, SamplingFeedServer};
use proto::sampling::{self as spb, SamplingEvent};
use tonic::{Request, Response, Status};

/// Their feeds, from one database.
pub(crate) struct Neighbours {
    db: Database,
    pub(crate) running: Running,
    _scratch: Scratch,
}

type Answers<T> = BoxStream<'static, Result<T, Status>>;

fn events<E: Message + Default>(page: &Page) -> Vec<E> {
    let decode = |item: &std::sync::Arc<kit::feed::Item>| E::decode(item.payload.clone());
    page.items
        .iter()
        .map(|item| decode(item).expect("an event"))
        .collect()
}

macro_rules! neighbour {
    ($name:ident, $service:ident, $event:ident, $package:ident,
     $snapshot:ident, $page:ident, $watch:ident, $news:ident) => {
        struct $name(Feed);

        #[tonic::async_trait]
        impl $service for $name {
            type SnapshotStream = Answers<$package::$page>;
            type WatchStream = Answers<$package::$news>;

            async fn snapshot(
                &self,
                request: Request<$package::$snapshot>,
            ) -> Result<Response<Self::SnapshotStream>, Status> {
                let root = "".parse().expect("the root");
                let pages = self.0.snapshot(root, request.into_inner().page_token);
                let pages = pages.map_err(Status::from).map_ok(|page| $package::$page {
                    events: events::<$event>(&page),
                    page_token: page.page_token,
                    resume_token: page.resume_token,
                });
                Ok(Response::new(pages.boxed()))
            }

            async fn watch(
                &self,
                request: Request<$package::$watch>,
            ) -> Result<Response<Self::WatchStream>, Status> {
                let root = "".parse().expect("the root");
                let pages = self
                    .0
                    .watch(root, request.into_inner().resume_token)
                    .await?;
                let pages = pages.map_err(Status::from).map_ok(|page| $package::$news {
                    events: events::<$event>(&page),
                    resume_token: page.resume_token,
                    ..$package::$news::default()
                });
                Ok(Response::new(pages.boxed()))
            }
        }
    };
}

neighbour!(
    Roster,
    RosterFeed,
    RosterEvent,
    rpb,
    SnapshotRequest,
    SnapshotResponse,
    WatchRequest,
    WatchResponse
);
neighbour!(
    Sampling,
    SamplingFeed,
    SamplingEvent,
    spb,
    SamplingSnapshotRequest,
    SamplingSnapshotResponse,
    SamplingWatchRequest,
    SamplingWatchResponse
);

neighbour!(
    Safety,
    SafetyFeed,
    SafetyEvent,
    safe,
    SafetySnapshotRequest,
    SafetySnapshotResponse,
    SafetyWatchRequest,
    SafetyWatchResponse
);

impl Neighbours {
    pub(crate) async fn start() -> Self {
        let scratch = kit::scratch::sqlite();
        let db = scratch.open::<notification::Migrator>().await;
        let drain = Drain::new();
        let listen = ServerConfig {
            drain: std::time::Duration::from_millis(50),
            ..ServerConfig::loopback()
        };
        let clock = std::sync::Arc::new(ManualClock::at(super::morning()));
        let auth = AuthConfig::development();
        let server = Server::bind(&listen, &auth, clock, drain.clone())
            .await
            .expect("binds");
        let server = server.audited(&db, "roster", &AuditConfig::default());
        let server = server.expect("a log");
        let roster = Roster(Feed::new(db.clone(), "roster", drain.clone()));
        let sampling = Sampling(Feed::new(db.clone(), "sampling", drain.clone()));
        let safety = Safety(Feed::new(db.clone(), "safety", drain));
        let routes = tonic::service::Routes::new(RosterFeedServer::new(roster))
            .add_service(SamplingFeedServer::new(sampling))
            .add_service(SafetyFeedServer::new(safety));
        let running = server.serve(routes);
        Self {
            db,
            running,
            _scratch: scratch,
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.running.addr)
    }

    async fn tell(&self, changes: Vec<Change>) {
        let tx = self.db.begin().await.expect("a transaction");
        announce(&tx, changes).await.expect("announced");
        tx.commit().await.expect("committed");
    }

    pub(crate) async fn tell_roster(&self, events: Vec<RosterEvent>) {
        let change = |event: RosterEvent| Change {
            feed: "roster",
            kind: "entity",
            entity: event.entity.clone(),
            version: event.version,
            removed: event.removed,
            org_path: event.org_path.parse().expect("a path"),
            payload: event.encode_to_vec(),
            latest: true,
        };
        self.tell(events.into_iter().map(change).collect()).await;
    }

    pub(crate) async fn tell_safety(&self, events: Vec<SafetyEvent>) {
        let change = |event: SafetyEvent| Change {
            feed: "safety",
            kind: "entity",
            entity: event.entity.clone(),
            version: event.version,
            removed: event.removed,
            org_path: event.org_path.parse().expect("a path"),
            payload: event.encode_to_vec(),
            latest: true,
        };
        self.tell(events.into_iter().map(change).collect()).await;
    }

    pub(crate) async fn tell_sampling(&self, events: Vec<SamplingEvent>) {
        let change = |event: SamplingEvent| Change {
            feed: "sampling",
            kind: "hold",
            entity: event.entity.clone(),
            version: event.version,
            removed: event.removed,
            org_path: event.org_path.parse().expect("a path"),
            payload: event.encode_to_vec(),
            latest: true,
        };
        self.tell(events.into_iter().map(change).collect()).await;
    }
}
