//! A server that keeps no log itself: somebody hears of the calls that it refuses, and nobody outside says for it
//! that it does.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{Stream, stream};
use kit::auth::{AuthConfig, BREAK_GLASS, Issuer, PURPOSE, Role};
use kit::channel::connect_lazy;
use kit::clock::{Clock, SystemClock};
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::server::{Head, REFUSED, Refusals, Running, Server, ServerConfig};
use kit::status::Problem;
use proto::error::ErrorReason;
use proto::sampling::clearance_feed_client::ClearanceFeedClient;
use proto::sampling::clearance_feed_server::{ClearanceFeed, ClearanceFeedServer};
use proto::sampling::{
    ClearanceSnapshotRequest, ClearanceSnapshotResponse, ClearanceWatchRequest,
    ClearanceWatchResponse,
};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use tonic_types::StatusExt;

const SNAPSHOT: &str = "/campus.sampling.v1.ClearanceFeed/Snapshot";

/// Tells nothing.
struct Silent;

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ClearanceFeed for Silent {
    type SnapshotStream = Answers<ClearanceSnapshotResponse>;
    type WatchStream = Answers<ClearanceWatchResponse>;

    async fn snapshot(
        &self,
        _: Request<ClearanceSnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        Ok(Response::new(Box::pin(stream::empty())))
    }

    async fn watch(
        &self,
        _: Request<ClearanceWatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(Box::pin(stream::empty())))
    }
}

/// Writes down who was refused what, and may make them wait.
#[derive(Debug, Default)]
struct Book {
    slows: bool,
    lines: Mutex<Vec<(String, String)>>,
}

impl Book {
    fn lines(&self) -> Vec<(String, String)> {
        self.lines.lock().expect("a lock").clone()
    }
}

impl Refusals for Book {
    fn refused(&self, call: Head<'_>, problem: Problem) -> Problem {
        let line = (call.session.caller().subject.clone(), call.path.to_owned());
        self.lines.lock().expect("a lock").push(line);
        if self.slows {
            Problem::new(ErrorReason::RateLimited).meta("limit", "caller")
        } else {
            problem
        }
    }
}

async fn start(book: Arc<Book>) -> (Running, Channel) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (config, auth) = (ServerConfig::loopback(), AuthConfig::development());
    let server = Server::bind(&config, &auth, clock, Drain::new()).await;
    let server = server.expect("binds").outermost().on_refusal(book);
    let routes = tonic::service::Routes::new(ClearanceFeedServer::new(Silent));
    let running = server.serve(routes);
    let channel = connect_lazy(&format!("http://{}", running.addr)).expect("an address");
    (running, channel)
}

/// Asks for a snapshot as a guard who says this with it, and gives the reason of a refusal.
async fn ask(channel: &Channel, name: &'static str, value: &str) -> Result<(), String> {
    let (now, life) = (SystemClock.now(), Duration::from_secs(60));
    let root = OrgPath::root();
    let token = Issuer::development().token("guard-1", &[Role::Guard], &root, None, now, life);
    let mut request = Request::new(ClearanceSnapshotRequest::default());
    let bearer = format!("Bearer {token}");
    for (name, value) in [("authorization", &*bearer), (name, value)] {
        let value = value.parse().expect("a header");
        request.metadata_mut().insert(name, value);
    }
    let mut client = ClearanceFeedClient::new(channel.clone());
    let asked = client.snapshot(request).await;
    let reason = |refused: Status| {
        let info = refused.get_details_error_info();
        info.map(|info| info.reason).unwrap_or_default()
    };
    asked.map(drop).map_err(reason)
}

#[tokio::test]
async fn who_may_not_is_heard_of_and_what_is_wrong_is_not() {
    let why = "a guard opens nothing by this";
    for (slows, told) in [(false, "SCOPE_DENIED"), (true, "RATE_LIMITED")] {
        let book = Arc::new(Book {
            slows,
            ..Book::default()
        });
        let (running, channel) = start(book.clone()).await;
        let unknown = ask(&channel, PURPOSE, "curiosity").await;
        assert_eq!(unknown, Err("INVALID_FIELD".to_owned()));
        assert!(book.lines().is_empty(), "that is no refusal");
        let refused = ask(&channel, BREAK_GLASS, why).await;
        assert_eq!(refused, Err(told.to_owned()));
        let line = ("guard-1".to_owned(), SNAPSHOT.to_owned());
        assert_eq!(book.lines(), [line]);
        running.stop().await.expect("stops");
    }
}

#[tokio::test]
async fn what_somebody_outside_says_in_the_name_of_the_door_is_not_heard() {
    let book = Arc::new(Book::default());
    let (running, channel) = start(book.clone()).await;
    assert_eq!(ask(&channel, REFUSED, "true").await, Ok(()));
    assert!(book.lines().is_empty());
    running.stop().await.expect("stops");
}
