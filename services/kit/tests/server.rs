//! What every call to a service passes, as a client sees it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use kit::auth::{AuthConfig, BREAK_GLASS, Caller, Issuer, PURPOSE, Role, caller};
use kit::clock::{Clock, SystemClock};
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::server::{BreakGlass, Latch, LogBreakGlass, Running, Server, ServerConfig};
use kit::status::Problem;
use proto::error::ErrorReason;
use proto::sampling::clearance_feed_client::ClearanceFeedClient;
use proto::sampling::clearance_feed_server::{ClearanceFeed, ClearanceFeedServer};
use proto::sampling::{
    ClearanceSnapshotRequest, ClearanceSnapshotResponse, ClearanceWatchRequest,
    ClearanceWatchResponse,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

/// Tells a caller its own name, and watches for ever.
struct Echo;

#[tonic::async_trait]
impl ClearanceFeed for Echo {
    type SnapshotStream =
        Pin<Box<dyn Stream<Item = Result<ClearanceSnapshotResponse, Status>> + Send>>;
    type WatchStream = BoxStream<'static, Result<ClearanceWatchResponse, Status>>;

    async fn snapshot(
        &self,
        request: Request<ClearanceSnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let resume_token = caller(&request)?.subject;
        let page = ClearanceSnapshotResponse {
            resume_token,
            ..Default::default()
        };
        Ok(Response::new(Box::pin(stream::iter([Ok(page)]))))
    }

    async fn watch(
        &self,
        _request: Request<ClearanceWatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let first = ClearanceWatchResponse::default();
        Ok(Response::new(
            stream::iter([Ok(first)]).chain(stream::pending()).boxed(),
        ))
    }
}

/// Answers each text of a stream with itself.
#[derive(Clone)]
struct Parrot;

impl NamedService for Parrot {
    const NAME: &'static str = "campus.sampling.v1.TubeService";
}

impl tower::Service<http::Request<Body>> for Parrot {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let codec = tonic_prost::ProstCodec::<String, String>::default();
        let same = |texts: Request<Streaming<String>>| {
            std::future::ready(Ok::<_, Status>(Response::new(texts.into_inner())))
        };
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(codec);
            Ok(grpc.streaming(tower::service_fn(same), request).await)
        })
    }
}

async fn start(config: ServerConfig) -> (Running, Latch, Channel) {
    start_with(config, Arc::new(LogBreakGlass)).await
}

async fn start_with(config: ServerConfig, hook: Arc<dyn BreakGlass>) -> (Running, Latch, Channel) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let auth = AuthConfig::development();
    let server = Server::bind(&config, &auth, clock, Drain::new())
        .await
        .expect("binds")
        .on_break_glass(hook);
    let latch = server.latch("facts");
    let echo = ClearanceFeedServer::new(Echo).max_decoding_message_size(64 << 10);
    let routes = tonic::service::Routes::new(echo).add_service(Parrot);
    let running = server.serve(routes);
    let channel = kit::channel::connect_lazy(&format!("http://{}", running.addr)).expect("a URI");
    (running, latch, channel)
}

fn signed<T>(message: T) -> Request<T> {
    signed_as("guard-1", Role::Guard, message)
}

fn signed_as<T>(subject: &str, role: Role, message: T) -> Request<T> {
    let ttl = Duration::from_secs(60);
    let token = Issuer::development().token(
        subject,
        &[role],
        &OrgPath::root(),
        None,
        SystemClock.now(),
        ttl,
    );
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", bearer);
    request
}

fn reason(status: &Status) -> String {
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}

#[tokio::test]
async fn a_caller_without_a_valid_token_is_told_so_in_chinese() {
    let (running, _latch, channel) = start(ServerConfig::loopback()).await;
    let mut client = ClearanceFeedClient::new(channel);
    let refused = client
        .snapshot(ClearanceSnapshotRequest::default())
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Unauthenticated, "TOKEN_INVALID")
    );
    let words = refused.get_details_localized_message().unwrap();
    assert_eq!(words.message, "身份凭证无效，请重新登录");
    let answer = client
        .snapshot(signed(ClearanceSnapshotRequest::default()))
        .await
        .unwrap();
    let page = answer.into_inner().message().await.unwrap().unwrap();
    assert_eq!(page.resume_token, "guard-1");
    running.stop().await.unwrap();
}

/// Writes down who broke the glass, or cannot.
#[derive(Debug, Default)]
struct Book {
    is_full: bool,
    lines: Mutex<Vec<(String, String, String)>>,
}

#[tonic::async_trait]
impl BreakGlass for Book {
    async fn broken(&self, caller: &Caller, path: &str, reason: &str) -> Result<(), Problem> {
        if self.is_full {
            return Err(Problem::new(ErrorReason::Unavailable));
        }
        let line = (caller.subject.clone(), path.to_owned(), reason.to_owned());
        self.lines.lock().expect("a lock").push(line);
        Ok(())
    }
}

/// Asks for a snapshot as a principal who says this with it.
async fn ask(channel: &Channel, name: &'static str, value: &str) -> Result<(), Status> {
    let message = ClearanceSnapshotRequest::default();
    let mut request = signed_as("principal-1", Role::Principal, message);
    let value = value.parse().expect("metadata");
    request.metadata_mut().insert(name, value);
    let mut client = ClearanceFeedClient::new(channel.clone());
    client.snapshot(request).await.map(|_| ())
}

#[tokio::test]
async fn a_broken_glass_is_written_down_before_the_call_runs() {
    let why = "several pupils fell ill at lunch";
    let book = Arc::new(Book::default());
    let (running, _latch, channel) = start_with(ServerConfig::loopback(), book.clone()).await;
    ask(&channel, BREAK_GLASS, why).await.unwrap();
    ask(&channel, PURPOSE, "care").await.unwrap();
    let path = "/campus.sampling.v1.ClearanceFeed/Snapshot";
    let expected: (String, String, String) = ["principal-1", path, why].map(str::to_owned).into();
    assert_eq!(*book.lines.lock().unwrap(), [expected]);
    running.stop().await.unwrap();

    let full = Book {
        is_full: true,
        ..Book::default()
    };
    let (running, _latch, channel) = start_with(ServerConfig::loopback(), Arc::new(full)).await;
    let refused = ask(&channel, BREAK_GLASS, why).await.unwrap_err();
    assert_eq!(reason(&refused), "UNAVAILABLE");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn circumstances_that_are_none_are_refused() {
    let book = Arc::new(Book::default());
    let (running, _latch, channel) = start_with(ServerConfig::loopback(), book.clone()).await;
    for (name, value) in [(BREAK_GLASS, "why not"), (PURPOSE, "curiosity")] {
        let refused = ask(&channel, name, value).await.unwrap_err();
        assert_eq!(reason(&refused), "INVALID_FIELD");
        let request = refused.get_details_bad_request().unwrap();
        assert_eq!(request.field_violations[0].field, name);
    }
    let message = ClearanceSnapshotRequest::default();
    let mut request = signed(message);
    let why = "a guard has no reason".parse().unwrap();
    request.metadata_mut().insert(BREAK_GLASS, why);
    let mut client = ClearanceFeedClient::new(channel);
    let refused = client.snapshot(request).await.unwrap_err();
    assert_eq!(reason(&refused), "SCOPE_DENIED");
    assert_eq!(book.lines.lock().unwrap().len(), 0);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_message_over_the_limit_and_a_malformed_one_have_their_reasons() {
    let (running, _latch, channel) = start(ServerConfig::loopback()).await;
    let mut client = ClearanceFeedClient::new(channel.clone());
    let page_token = "x".repeat(100 << 10);
    let refused = client
        .snapshot(signed(ClearanceSnapshotRequest { page_token }))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::ResourceExhausted, "MESSAGE_TOO_LARGE")
    );
    // The same bytes are no text where a text is expected.
    let path = "/campus.sampling.v1.ClearanceFeed/Snapshot"
        .parse()
        .unwrap();
    let mut raw = tonic::client::Grpc::new(channel.clone());
    raw.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<Vec<u8>, ClearanceSnapshotResponse>::default();
    let bytes = vec![0xff, 0xfe];
    let refused = raw.unary(signed(bytes), path, codec).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::InvalidArgument, "MESSAGE_MALFORMED")
    );
    let path = "/campus.sampling.v1.Nothing/Snapshot".parse().unwrap();
    let mut raw = tonic::client::Grpc::new(channel);
    raw.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<(), ClearanceSnapshotResponse>::default();
    let refused = raw.unary(signed(()), path, codec).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Unimplemented, "UNKNOWN_METHOD")
    );
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_malformed_message_of_a_stream_has_its_reason_and_what_was_answered_before_stays() {
    let (running, _latch, channel) = start(ServerConfig::loopback()).await;
    let path = "/campus.sampling.v1.TubeService/AddSwabs".parse().unwrap();
    let mut raw = tonic::client::Grpc::new(channel);
    raw.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<Vec<u8>, String>::default();
    let texts = [&b"one"[..], b"two", &[0xff, 0xfe], b"four"].map(<[u8]>::to_vec);
    let answers = raw.streaming(signed(stream::iter(texts)), path, codec);
    let mut answers = answers.await.unwrap().into_inner();
    for text in ["one", "two"] {
        assert_eq!(answers.message().await.unwrap().as_deref(), Some(text));
    }
    let refused = answers.message().await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::InvalidArgument, "MESSAGE_MALFORMED")
    );
    let words = refused.get_details_localized_message();
    assert!(words.is_some_and(|words| words.locale == "zh-CN"));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_service_is_ready_when_its_last_latch_is_let_go() {
    let (running, latch, channel) = start(ServerConfig::loopback()).await;
    let mut health = HealthClient::new(channel);
    let asked = |service: &str| HealthCheckRequest {
        service: service.to_owned(),
    };
    let mut watch = health.watch(asked("readiness")).await.unwrap().into_inner();
    let mut last = ServingStatus::Unknown as i32;
    while last != ServingStatus::NotServing as i32 {
        last = watch.message().await.unwrap().unwrap().status;
    }
    let live = health.check(asked("liveness")).await.unwrap().into_inner();
    assert_eq!(live.status, ServingStatus::Serving as i32);
    latch.release();
    while last != ServingStatus::Serving as i32 {
        last = watch.message().await.unwrap().unwrap().status;
    }
    drop(watch);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_drain_ends_though_a_stream_is_open() {
    let config = ServerConfig {
        drain: Duration::from_millis(100),
        ..ServerConfig::loopback()
    };
    let (running, _latch, channel) = start(config).await;
    let mut client = ClearanceFeedClient::new(channel);
    let watching = client
        .watch(signed(ClearanceWatchRequest::default()))
        .await
        .unwrap();
    let mut watching = watching.into_inner();
    assert!(watching.message().await.unwrap().is_some());
    let stopped = tokio::time::timeout(Duration::from_secs(10), running.stop()).await;
    stopped.expect("stops").unwrap();
    assert!(!matches!(watching.message().await, Ok(Some(_))));
}

#[tokio::test]
async fn calls_beyond_the_limit_are_refused_at_once() {
    let config = ServerConfig {
        max_in_flight: 0,
        ..ServerConfig::loopback()
    };
    let (running, _latch, channel) = start(config).await;
    let mut client = ClearanceFeedClient::new(channel);
    let refused = client
        .snapshot(signed(ClearanceSnapshotRequest::default()))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::ResourceExhausted, "OVERLOADED")
    );
    running.stop().await.unwrap();
}

/// Waits until the server closes a connection on which nothing more is sent.
async fn until_closed(mut stream: TcpStream) {
    let mut bytes = Vec::new();
    // A reset closes as well as an end does; what came before does not matter.
    let _ = stream.read_to_end(&mut bytes).await;
}

#[tokio::test]
async fn whoever_connects_and_does_not_speak_http2_is_closed() {
    let (running, _latch, _channel) = start(ServerConfig::loopback()).await;
    let quiet = [&b""[..], b"P", b"PRI * HTTP/2.0\r\n"].map(async |said| {
        let mut stream = TcpStream::connect(running.addr).await.unwrap();
        stream.write_all(said).await.unwrap();
        until_closed(stream).await;
    });
    let closed = futures_util::future::join_all(quiet);
    let closed = tokio::time::timeout(Duration::from_secs(20), closed).await;
    closed.expect("the server closes them all");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_connection_beyond_the_limit_is_closed_at_once() {
    let config = ServerConfig {
        max_connections: 1,
        ..ServerConfig::loopback()
    };
    let (running, _latch, channel) = start(config).await;
    let mut client = ClearanceFeedClient::new(channel);
    let request = || signed(ClearanceSnapshotRequest::default());
    client.snapshot(request()).await.unwrap();
    until_closed(TcpStream::connect(running.addr).await.unwrap()).await;
    client.snapshot(request()).await.unwrap();
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_client_is_told_how_many_streams_it_may_open() {
    let config = ServerConfig {
        max_streams_per_connection: 77,
        ..ServerConfig::loopback()
    };
    let (running, _latch, _channel) = start(config).await;
    let mut stream = TcpStream::connect(running.addr).await.unwrap();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    stream.write_all(preface).await.unwrap();
    // The first frame of a server is SETTINGS: 9 bytes of header, then 6 bytes a setting.
    let mut header = [0; 9];
    stream.read_exact(&mut header).await.unwrap();
    assert_eq!(header[3], 4, "SETTINGS");
    let mut settings = vec![0; usize::from(u16::from_be_bytes([header[1], header[2]]))];
    stream.read_exact(&mut settings).await.unwrap();
    let settings: HashMap<u16, u32> = settings
        .chunks_exact(6)
        .map(|one| {
            let value = u32::from_be_bytes([one[2], one[3], one[4], one[5]]);
            (u16::from_be_bytes([one[0], one[1]]), value)
        })
        .collect();
    assert_eq!(settings.get(&3), Some(&77), "MAX_CONCURRENT_STREAMS");
    assert_eq!(settings.get(&6), Some(&(16 << 10)), "MAX_HEADER_LIST_SIZE");
    drop(stream);
    running.stop().await.unwrap();
}
