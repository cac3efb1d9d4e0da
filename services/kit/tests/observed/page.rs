//! The page for operators.

use std::net::SocketAddr;
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
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

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

pub(crate) fn signed<T>(message: T) -> Request<T> {
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

fn asked(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

/// What a probe hears of `service`.
async fn check(probe: &mut HealthClient<Channel>, service: &str) -> Result<ServingStatus, Code> {
    let answer = probe.check(asked(service)).await;
    answer
        .map(|answer| answer.into_inner().status())
        .map_err(|status| status.code())
}

/// Watches until it hears `wanted`.
async fn heard(watch: &mut tonic::Streaming<HealthCheckResponse>, wanted: ServingStatus) {
    loop {
        let told = watch.message().await.expect("watches").expect("goes on");
        if told.status() == wanted {
            return;
        }
    }
}

pub(crate) async fn a_probe_by_grpc_hears_what_the_page_tells(telemetry: &TelemetryConfig) {
    let (running, latch, _channel, drain) = start(telemetry).await;
    let page = running.page.expect("a page");
    let channel = kit::channel::connect_lazy(&format!("http://{page}")).expect("a URI");
    let mut probe = HealthClient::new(channel.clone());
    let probing = async {
        let watch = probe.watch(asked("readiness")).await;
        let mut watch = watch.expect("watches").into_inner();
        heard(&mut watch, ServingStatus::NotServing).await;
        for (service, expected) in [
            ("liveness", Ok(ServingStatus::Serving)),
            ("readiness", Ok(ServingStatus::NotServing)),
            ("facts", Ok(ServingStatus::NotServing)),
            ("", Ok(ServingStatus::NotServing)),
            ("feathers", Err(Code::NotFound)),
        ] {
            assert_eq!(check(&mut probe, service).await, expected, "{service}");
        }
        latch.release();
        heard(&mut watch, ServingStatus::Serving).await;
        for service in ["liveness", "readiness", "facts"] {
            let told = check(&mut probe, service).await;
            assert_eq!(told, Ok(ServingStatus::Serving), "{service}");
        }

        let mut raw = tonic::client::Grpc::new(channel);
        raw.ready().await.expect("ready");
        let codec = tonic_prost::ProstCodec::<(), HealthCheckResponse>::default();
        let path = "/metrics".parse().expect("a path");
        let metrics = raw.unary(Request::new(()), path, codec).await;
        let metrics = metrics.expect_err("nothing but the health service");
        assert_eq!(metrics.code(), Code::Unimplemented);

        drain.signal();
        heard(&mut watch, ServingStatus::NotServing).await;
    };
    let probed = tokio::time::timeout(Duration::from_secs(30), probing).await;
    probed.expect("answers in time");
    running.finished().await.expect("stops");
}

/// What a page allows whoever begins with HTTP/2, by the numbers of the settings.
async fn settings(page: SocketAddr) -> Vec<(u16, u32)> {
    let mut stream = TcpStream::connect(page).await.expect("connects");
    let hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    stream.write_all(hello).await.expect("says what it speaks");
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.expect("a frame");
    assert_eq!(head[3], 4, "the first frame has settings");
    let length = u16::from_be_bytes([head[1], head[2]]);
    let mut told = vec![0; usize::from(length)];
    stream.read_exact(&mut told).await.expect("settings");
    let told = told.chunks_exact(6);
    told.map(|one| {
        let name = u16::from_be_bytes([one[0], one[1]]);
        (name, u32::from_be_bytes([one[2], one[3], one[4], one[5]]))
    })
    .collect()
}

pub(crate) async fn a_probe_has_few_calls_at_once_and_little_to_say(telemetry: &TelemetryConfig) {
    let (running, _latch, _channel, _drain) = start(telemetry).await;
    let page = running.page.expect("a page");
    let told = tokio::time::timeout(Duration::from_secs(30), settings(page)).await;
    let told = told.expect("settings in time");
    let (calls, window, head) = (3, 4, 6);
    for bound in [(calls, 8), (window, 16 << 10), (head, 8 << 10)] {
        assert!(told.contains(&bound), "{bound:?}: {told:?}");
    }
    running.stop().await.expect("stops");
}
