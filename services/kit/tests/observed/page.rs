//! The page for operators.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use kit::auth::{AuthConfig, Issuer, Role};
use kit::clock::{Clock, SystemClock};
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::server::{Latch, Running, Server, ServerConfig};
use kit::telemetry::TelemetryConfig;
use proto::sampling::clearance_feed_client::ClearanceFeedClient;
use proto::sampling::clearance_feed_server::{ClearanceFeed, ClearanceFeedServer};
use proto::sampling::{
    ClearanceSnapshotRequest, ClearanceSnapshotResponse, ClearanceWatchRequest,
    ClearanceWatchResponse,
};
use tokio::net::TcpStream;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use crate::{ask, get, value};

const SERVICE: &str = "kit-page";

/// Tells nothing, and watches for ever; refuses tokens of a place.
struct Feed;

#[tonic::async_trait]
impl ClearanceFeed for Feed {
    type SnapshotStream =
        Pin<Box<dyn Stream<Item = Result<ClearanceSnapshotResponse, Status>> + Send>>;
    type WatchStream = BoxStream<'static, Result<ClearanceWatchResponse, Status>>;

    async fn snapshot(
        &self,
        request: Request<ClearanceSnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        if request.into_inner().page_token.is_empty() {
            return Ok(Response::new(Box::pin(stream::empty())));
        }
        Err(Status::unavailable("away"))
    }

    async fn watch(
        &self,
        _: Request<ClearanceWatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let first = Ok(ClearanceWatchResponse::default());
        let changes = stream::iter([first]).chain(stream::pending());
        Ok(Response::new(changes.boxed()))
    }
}

async fn start(telemetry: &TelemetryConfig) -> (Running, Latch, Channel, Drain) {
    let (clock, drain): (Arc<dyn Clock>, _) = (Arc::new(SystemClock), Drain::new());
    let config = ServerConfig {
        drain: Duration::from_secs(20),
        ..ServerConfig::loopback()
    };
    let auth = AuthConfig::development();
    let server = Server::bind(&config, &auth, clock, drain.clone()).await;
    let server = server.expect("binds").observed(SERVICE, telemetry).await;
    let server = server.expect("a page");
    let latch = server.latch("facts");
    let running = server.serve(tonic::service::Routes::new(ClearanceFeedServer::new(Feed)));
    let channel = kit::channel::connect_lazy(&format!("http://{}", running.addr)).expect("a URI");
    (running, latch, channel, drain)
}

fn signed<T>(message: T) -> Request<T> {
    let (root, now, ttl) = (OrgPath::root(), SystemClock.now(), Duration::from_secs(60));
    let token = Issuer::development().token("guard-1", &[Role::Guard], &root, None, now, ttl);
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", bearer);
    request
}

pub(crate) async fn operators_see_what_it_waits_for_and_how_calls_end(telemetry: &TelemetryConfig) {
    let (running, latch, channel, drain) = start(telemetry).await;
    let page = running.page.expect("a page");
    let alive = get(page, "/livez").await;
    assert!(
        alive.starts_with("HTTP/1.1 200") && alive.ends_with("alive\n"),
        "{alive}"
    );
    let waits = get(page, "/readyz").await;
    assert!(
        waits.starts_with("HTTP/1.1 503") && waits.ends_with("waits for: facts\n"),
        "{waits}"
    );
    latch.release();
    let ready = get(page, "/readyz").await;
    assert!(
        ready.starts_with("HTTP/1.1 200") && ready.ends_with("ready\n"),
        "{ready}"
    );

    let mut client = ClearanceFeedClient::new(channel.clone());
    let told = client
        .snapshot(signed(ClearanceSnapshotRequest::default()))
        .await;
    assert!(
        told.expect("told")
            .into_inner()
            .message()
            .await
            .expect("ends")
            .is_none()
    );
    let page_token = "a token".to_owned();
    let away = client
        .snapshot(signed(ClearanceSnapshotRequest { page_token }))
        .await;
    away.expect_err("away");
    let stranger = client.snapshot(ClearanceSnapshotRequest::default()).await;
    stranger.expect_err("no token");
    let watch = client.watch(signed(ClearanceWatchRequest::default())).await;
    let mut watch = watch.expect("watches").into_inner();
    watch.message().await.expect("the first");
    let path = "/campus.sampling.v1.Nothing/13800138000"
        .parse()
        .expect("a path");
    let mut raw = tonic::client::Grpc::new(channel);
    raw.ready().await.expect("ready");
    let codec = tonic_prost::ProstCodec::<(), ClearanceSnapshotResponse>::default();
    raw.unary(signed(()), path, codec)
        .await
        .expect_err("no such method");

    let metrics = get(page, "/metrics").await;
    assert!(
        metrics.contains("content-type: text/plain; version=0.0.4"),
        "{metrics}"
    );
    let calls = |method: &str, code: &str| {
        let (method, code) = (format!("method=\"{method}\""), format!("code=\"{code}\""));
        let labels = ["service=\"kit-page\"", &method, &code];
        value(&metrics, "campus_rpc_calls_total", &labels)
    };
    assert_eq!(calls("Snapshot", "OK"), Some(1.0));
    assert_eq!(calls("Snapshot", "UNAVAILABLE"), Some(1.0));
    assert_eq!(calls("Snapshot", "UNAUTHENTICATED"), Some(1.0));
    assert_eq!(calls("unknown", "UNIMPLEMENTED"), Some(1.0));
    assert_eq!(calls("Watch", "OK"), None, "it has not ended");
    assert!(
        !metrics.contains("13800138000"),
        "what a caller writes is no label"
    );
    let labels = [
        "service=\"kit-page\"",
        "method=\"Watch\"",
        "kind=\"stream\"",
    ];
    assert_eq!(value(&metrics, "campus_rpc_in_flight", &labels), Some(1.0));
    let failed = ["service=\"kit-page\"", "outcome=\"failed\"", "le=\"0.3\""];
    let within = value(&metrics, "campus_rpc_duration_seconds_bucket", &failed);
    assert_eq!(within, Some(1.0));
    let ready = value(&metrics, "campus_ready", &["service=\"kit-page\""]);
    assert_eq!(ready, Some(1.0));
    assert!(
        metrics.contains("campus_build_info{service=\"kit\""),
        "{metrics}"
    );

    drain.signal();
    let ends = get(page, "/readyz").await;
    assert!(
        ends.starts_with("HTTP/1.1 503") && ends.contains("waits for: its end"),
        "{ends}"
    );
    drop(watch);
    running.finished().await.expect("stops");
    assert!(
        TcpStream::connect(page).await.is_err(),
        "the page ends with its server"
    );
}

pub(crate) async fn whoever_asks_too_much_of_a_page_hears_nothing(telemetry: &TelemetryConfig) {
    let (running, _latch, _channel, _drain) = start(telemetry).await;
    let page = running.page.expect("a page");
    let elsewhere = get(page, "/metrics/../secrets").await;
    assert!(elsewhere.starts_with("HTTP/1.1 404"), "{elsewhere}");
    let written = ask(
        page,
        "POST /metrics HTTP/1.1\r\nhost: kit\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    assert!(written.starts_with("HTTP/1.1 405"), "{written}");
    let long = format!(
        "GET /livez HTTP/1.1\r\nhost: kit\r\nx: {}\r\n\r\n",
        "x".repeat(16 << 10)
    );
    let long = ask(page, &long).await;
    assert!(!long.contains("alive"), "{long}");
    let many: String = (0..40).map(|number| format!("x-{number}: y\r\n")).collect();
    let many = ask(
        page,
        &format!("GET /livez HTTP/1.1\r\nhost: kit\r\n{many}\r\n"),
    )
    .await;
    assert!(!many.contains("alive"), "{many}");

    // Those who say nothing hold their places, and whoever comes then is sent away.
    let mut silent = Vec::new();
    for _ in 0..32 {
        silent.push(TcpStream::connect(page).await.expect("connects"));
    }
    let refused = async {
        while get(page, "/livez").await.contains("alive") {
            tokio::task::yield_now().await;
        }
    };
    let refused = tokio::time::timeout(Duration::from_secs(30), refused).await;
    refused.expect("there are not more than so many");
    drop(silent);
    let again = async {
        while !get(page, "/livez").await.contains("alive") {
            tokio::task::yield_now().await;
        }
    };
    let again = tokio::time::timeout(Duration::from_secs(30), again).await;
    again.expect("places are given back");
    running.stop().await.expect("stops");
}
