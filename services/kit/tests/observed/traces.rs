//! One trace from a call to what it causes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use kit::auth::{AuthConfig, Credentials, Issuer, Role};
use kit::channel::Channel;
use kit::clock::{Clock, SystemClock};
use kit::db::{Database, Tx};
use kit::drain::Drain;
use kit::feed::{Change, Feed, Told, announce, spawn_sequencer};
use kit::org::OrgPath;
use kit::projection::{Projection, follow};
use kit::scratch::{self, Scratch};
use kit::server::{Running, Server, ServerConfig};
use kit::telemetry::{TelemetryConfig, carried};
use kit::upstream::ClearanceUpstream;
use prost::Message;
use proto::sampling::clearance_feed_client::ClearanceFeedClient;
use proto::sampling::clearance_feed_server::{ClearanceFeed, ClearanceFeedServer};
use proto::sampling::{
    ClearanceEvent, ClearanceSnapshotRequest, ClearanceSnapshotResponse, ClearanceWatchRequest,
    ClearanceWatchResponse,
};
use sea_orm::DbErr;
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use tokio::sync::mpsc;
use tonic::{Request, Response, Status};

use crate::open::families;
use crate::{Log, ask, get, value};

const SERVICE: &str = "kit-traces";
const FEED: &str = "clearance";
/// The trace of the caller, and its span.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        kit::migration::tables()
    }
}

/// Says that somebody is not clear whenever it is asked for a snapshot, and serves the feed.
struct Clearances {
    db: Database,
    feed: Feed,
}

#[tonic::async_trait]
impl ClearanceFeed for Clearances {
    type SnapshotStream = kit::feed::Answers<ClearanceSnapshotResponse>;
    type WatchStream = kit::feed::Answers<ClearanceWatchResponse>;

    async fn snapshot(
        &self,
        request: Request<ClearanceSnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let token = request.into_inner().page_token;
        if token == "announce" {
            announce_one(&self.db).await.expect("announced");
            return Ok(Response::new(futures_util::stream::empty().boxed()));
        }
        let answer = |told: Told<_>| ClearanceSnapshotResponse {
            events: told.events,
            page_token: told.page_token,
            resume_token: told.resume_token,
        };
        Ok(self.feed.serve_snapshot(OrgPath::root(), token, answer))
    }

    async fn watch(
        &self,
        request: Request<ClearanceWatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let token = request.into_inner().resume_token;
        let answer = |told: Told<_>| ClearanceWatchResponse {
            events: told.events,
            resume_token: told.resume_token,
            traceparents: told.origin.traceparents,
            announce_time: told.origin.announce_time,
        };
        self.feed.serve_watch(OrgPath::root(), token, answer).await
    }
}

async fn announce_one(db: &Database) -> Result<(), DbErr> {
    tracing::info!("somebody is not clear");
    let tx = db.begin().await?;
    let event = ClearanceEvent {
        entity: "students/1".to_owned(),
        version: 1,
        org_path: "fz".to_owned(),
        ..Default::default()
    };
    let change = Change {
        feed: FEED,
        kind: "clearance",
        entity: event.entity.clone(),
        version: 1,
        removed: false,
        org_path: "fz".parse().expect("a place"),
        payload: event.encode_to_vec(),
        latest: false,
    };
    announce(&tx, vec![change]).await?;
    tx.commit().await
}

/// Tells in which trace it applies changes.
#[derive(Debug)]
struct Listening(mpsc::UnboundedSender<Option<String>>);

#[async_trait::async_trait]
impl Projection for Listening {
    type Event = ClearanceEvent;

    fn name(&self) -> &'static str {
        FEED
    }

    async fn apply(&self, _: &Tx, _: &[ClearanceEvent], _: i64) -> Result<(), DbErr> {
        // Nobody listens any more once the test has heard it.
        let _ = self.0.send(carried::traceparent());
        Ok(())
    }

    async fn sweep(&self, _: &Tx, _: i64) -> Result<(), DbErr> {
        let _ = self.0.send(None);
        Ok(())
    }
}

/// A service in this process, with its database.
async fn open(telemetry: &TelemetryConfig, drain: &Drain) -> (Running, Database, Scratch) {
    let scratch = scratch::sqlite();
    let db = scratch.open::<Migrator>().await;
    db.observe(SERVICE);
    spawn_sequencer(db.clone(), drain.clone());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (config, auth) = (ServerConfig::loopback(), AuthConfig::development());
    let server = Server::bind(&config, &auth, clock, drain.clone()).await;
    let server = server.expect("binds").observed(SERVICE, telemetry).await;
    let feed = Feed::new(db.clone(), FEED, drain.clone());
    let clearances = ClearanceFeedServer::new(Clearances {
        db: db.clone(),
        feed,
    });
    let routes = tonic::service::Routes::new(clearances);
    (server.expect("a page").serve(routes), db, scratch)
}

/// The label of everything that this service tells.
const OF_SERVICE: &str = "service=\"kit-traces\"";

fn signed<T>(message: T) -> Request<T> {
    let (root, now, ttl) = (OrgPath::root(), SystemClock.now(), Duration::from_secs(60));
    let token = Issuer::development().token("service", &[Role::Service], &root, None, now, ttl);
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", bearer);
    let parent = format!("00-{TRACE}-{SPAN}-01").parse().expect("a header");
    request.metadata_mut().insert("traceparent", parent);
    request
}

/// Who asks for OpenMetrics finds the call of this trace by how long it took.
async fn a_bucket_leads_to_the_trace(page: SocketAddr) {
    let accept = "accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
    let request = format!("GET /metrics HTTP/1.1\r\nhost: kit\r\n{accept}\r\n\r\n");
    let answer = ask(page, &request).await;
    let (head, text) = answer.split_once("\r\n\r\n").expect("a head");
    let kind = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert!(head.contains(kind), "{head}");
    let families = families(text);
    let kind = |name: &str| families.get(name).map(String::as_str);
    assert_eq!(kind("campus_rpc_calls"), Some("counter"));
    assert_eq!(kind("campus_rpc_duration_seconds"), Some("histogram"));
    assert_eq!(kind("campus_feed_watchers"), Some("gauge"));
    let led = format!(" # {{trace_id=\"{TRACE}\"}} ");
    let line = text.lines().find(|line| line.contains(&led));
    let line = line.expect("an exemplar");
    let labels = [OF_SERVICE, "method=\"Snapshot\"", "outcome=\"ok\""];
    assert!(labels.iter().all(|label| line.contains(label)), "{line}");
}

/// Says which traces were sent, as they are sent.
pub(crate) async fn a_trace_goes_on_through_calls_statements_and_feeds(
    telemetry: &TelemetryConfig,
    log: &Log,
) -> Vec<Vec<u8>> {
    let drain = Drain::new();
    let (running, db, _scratch) = open(telemetry, &drain).await;
    let address = format!("http://{}", running.addr);
    let channel = Channel::to(&address, None).expect("an address");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let credentials = Credentials::new(&AuthConfig::development(), SERVICE, clock);
    let upstream = ClearanceUpstream::new(channel, credentials);
    let (told, mut heard) = mpsc::unbounded_channel();
    let followed = follow(db, upstream, Arc::new(Listening(told)), None, drain.clone());

    let listening = tokio::time::timeout(Duration::from_secs(30), heard.recv()).await;
    assert_eq!(
        listening.expect("in time"),
        Some(None),
        "the snapshot is stored"
    );
    let plain = kit::channel::connect_lazy(&address).expect("an address");
    let mut client = ClearanceFeedClient::new(plain);
    let page_token = "announce".to_owned();
    let ask = signed(ClearanceSnapshotRequest { page_token });
    client.snapshot(ask).await.expect("announced");
    let applied = tokio::time::timeout(Duration::from_secs(30), heard.recv()).await;
    let applied = applied.expect("in time").expect("applied");
    let applied = applied.expect("a trace");
    assert!(applied.starts_with(&format!("00-{TRACE}-")), "{applied}");
    assert!(!applied.contains(SPAN), "in a span of its own");

    let text = log.text();
    let line = text
        .lines()
        .find(|line| line.contains("somebody is not clear"));
    let line: serde_json::Value = serde_json::from_str(line.expect("a line")).expect("JSON");
    assert_eq!(line["trace_id"], TRACE);
    assert_eq!(line["span_id"].as_str().map(str::len), Some(16));
    assert_eq!(line["level"], "INFO");

    let page = running.page.expect("a page");
    let lagged = "campus_projection_lag_seconds_count";
    let clearance = ["projection=\"clearance\"", OF_SERVICE];
    // It is told once the change is stored, which is after it was applied.
    let told = async {
        loop {
            let metrics = get(page, "/metrics").await;
            if let Some(count) = value(&metrics, lagged, &clearance) {
                break (metrics, count);
            }
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(30), told).await;
    let (metrics, lag) = told.expect("in time");
    assert_eq!(lag, 1.0);
    let of = |name: &str, labels: &[&str]| {
        let labels: Vec<_> = labels.iter().copied().chain([OF_SERVICE]).collect();
        value(&metrics, name, &labels)
    };
    let age = of(
        "campus_projection_age_seconds",
        &["projection=\"clearance\""],
    );
    assert!(age.is_some_and(|age| age < 30.0), "{age:?}");
    assert_eq!(
        of("campus_feed_watchers", &["feed=\"clearance\""]),
        Some(1.0)
    );
    assert_eq!(of("campus_feed_head", &["feed=\"clearance\""]), Some(1.0));
    for (pool, most) in [("read", 16.0), ("write", 1.0)] {
        let pool = format!("pool=\"{pool}\"");
        assert_eq!(of("campus_db_connections_max", &[&pool]), Some(most));
    }
    let written = of(
        "campus_db_statement_seconds_count",
        &["kind=\"COMMIT\"", "outcome=\"ok\""],
    );
    assert!(written.is_some_and(|count| count >= 2.0), "{written:?}");
    assert_eq!(of("campus_db_waiting", &["pool=\"write\""]), Some(0.0));

    a_bucket_leads_to_the_trace(page).await;

    drain.signal();
    running.finished().await.expect("stops");
    followed.await.expect("ends");
    vec![hex::decode(TRACE).expect("hexadecimal")]
}
