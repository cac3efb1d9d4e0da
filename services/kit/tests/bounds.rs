//! How long and how much of a service a caller may have, as clients see it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use http::{Request as HttpRequest, Response as HttpResponse};
use kit::auth::{AuthConfig, Issuer, Role};
use kit::clock::{Clock, SystemClock};
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::server::{Running, Server, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::server::{ClientStreamingService, NamedService, ServerStreamingService, UnaryService};
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

/// A method of each kind: one that is never answered, one that sends as fast as it is read, and one that
/// reads as long as somebody writes.
const STALL: &str = "/campus.roster.v1.RosterFeed/Stall";
const FLOW: &str = "/campus.roster.v1.RosterFeed/Watch";
const COUNT: &str = "/campus.roster.v1.ImportService/Import";
/// The frame by which a connection is closed in order.
const GOAWAY: u8 = 7;
/// Nothing that is waited for here takes longer.
const IN_TIME: Duration = Duration::from_secs(30);

type Codec = tonic_prost::ProstCodec<String, String>;

/// What the service tells of its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Begun,
    GivenUp,
}

struct Alive(mpsc::UnboundedSender<Told>);

impl Alive {
    fn new(tell: &mpsc::UnboundedSender<Told>) -> Self {
        let _ = tell.send(Told::Begun);
        Self(tell.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        let _ = self.0.send(Told::GivenUp);
    }
}

/// Answers every method of one contract, by the path.
#[derive(Clone)]
struct Methods<const IMPORT: bool>(mpsc::UnboundedSender<Told>);

impl NamedService for Methods<false> {
    const NAME: &'static str = "campus.roster.v1.RosterFeed";
}

impl NamedService for Methods<true> {
    const NAME: &'static str = "campus.roster.v1.ImportService";
}

/// A call that is under way until it is given up.
struct Stall {
    _alive: Alive,
}

impl UnaryService<String> for Stall {
    type Response = String;
    type Future = BoxFuture<'static, Result<Response<String>, Status>>;

    fn call(&mut self, _: Request<String>) -> Self::Future {
        Box::pin(std::future::pending())
    }
}

struct Flow(mpsc::UnboundedSender<Told>);

impl ServerStreamingService<String> for Flow {
    type Response = String;
    type ResponseStream = BoxStream<'static, Result<String, Status>>;
    type Future = BoxFuture<'static, Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let alive = Alive::new(&self.0);
        let part = request.into_inner();
        let parts = stream::repeat_with(move || {
            let _alive = &alive;
            Ok(part.clone())
        });
        // A text of no length is sent once: such a stream is quiet.
        Box::pin(async move { Ok(Response::new(quiet_if_empty(parts).boxed())) })
    }
}

fn quiet_if_empty(
    parts: impl Stream<Item = Result<String, Status>> + Send + 'static,
) -> impl Stream<Item = Result<String, Status>> + Send + 'static {
    let mut quiet = false;
    parts.then(move |part| {
        let wait = quiet;
        quiet = part.as_ref().is_ok_and(String::is_empty);
        async move {
            if wait {
                std::future::pending::<()>().await;
            }
            part
        }
    })
}

struct Count;

impl ClientStreamingService<String> for Count {
    type Response = String;
    type Future = BoxFuture<'static, Result<Response<String>, Status>>;

    fn call(&mut self, request: Request<Streaming<String>>) -> Self::Future {
        Box::pin(async move {
            let mut texts = request.into_inner();
            let mut count = 0;
            while texts.message().await?.is_some() {
                count += 1;
            }
            Ok(Response::new(count.to_string()))
        })
    }
}

impl<const IMPORT: bool> tower::Service<HttpRequest<Body>> for Methods<IMPORT> {
    type Response = HttpResponse<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<HttpResponse<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<Body>) -> Self::Future {
        let tell = self.0.clone();
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(Codec::default());
            Ok(match request.uri().path() {
                FLOW => grpc.server_streaming(Flow(tell), request).await,
                COUNT => grpc.client_streaming(Count, request).await,
                _ => {
                    grpc.unary(
                        Stall {
                            _alive: Alive::new(&tell),
                        },
                        request,
                    )
                    .await
                }
            })
        })
    }
}

struct Stand {
    service: Running,
    channel: Channel,
    told: mpsc::UnboundedReceiver<Told>,
}

impl Stand {
    async fn new(config: ServerConfig) -> Self {
        let (tell, told) = mpsc::unbounded_channel();
        let clock = Arc::new(SystemClock);
        let auth = AuthConfig::development();
        let server = Server::bind(&config, &auth, clock, Drain::new()).await;
        let routes = tonic::service::Routes::new(Methods::<false>(tell.clone()));
        let routes = routes.add_service(Methods::<true>(tell));
        let service = server.expect("binds").serve(routes);
        // Each stream has its own room at the reader, so that one that is not read holds up no other.
        let endpoint = kit::channel::endpoint(&format!("http://{}", service.addr));
        let endpoint = endpoint
            .expect("a URI")
            .initial_stream_window_size(64 << 10);
        Self {
            service,
            channel: endpoint.connect_lazy(),
            told,
        }
    }

    async fn client(&self) -> Grpc<Channel> {
        let mut client = Grpc::new(self.channel.clone());
        client.ready().await.expect("connects");
        client
    }

    async fn stall(&self) -> Result<String, Status> {
        let path = PathAndQuery::from_static(STALL);
        let mut client = self.client().await;
        let answer = client.unary(signed(String::new()), path, Codec::default());
        Ok(answer.await?.into_inner())
    }

    async fn flow(&self, part: &str) -> Streaming<String> {
        let path = PathAndQuery::from_static(FLOW);
        let mut client = self.client().await;
        let answer = client.server_streaming(signed(part.to_owned()), path, Codec::default());
        answer.await.expect("begins").into_inner()
    }

    /// What the service tells next.
    async fn told(&mut self) -> Told {
        let told = timeout(IN_TIME, self.told.recv()).await;
        told.expect("in time").expect("told")
    }
}

fn signed<T>(message: T) -> Request<T> {
    let (minutes, now) = (Duration::from_secs(600), SystemClock.now());
    let root = OrgPath::root();
    let token =
        Issuer::development().token("officer", &[Role::CityOfficer], &root, None, now, minutes);
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", bearer);
    request
}

fn told_of(status: &Status) -> (Code, String) {
    let info = status.get_details_error_info();
    (
        status.code(),
        info.map(|info| info.reason).unwrap_or_default(),
    )
}

fn late() -> (Code, String) {
    (Code::DeadlineExceeded, "DEADLINE_EXCEEDED".to_owned())
}

fn unavailable() -> (Code, String) {
    (Code::Unavailable, "UNAVAILABLE".to_owned())
}

/// The end of a stream that is read to its end.
async fn end(stream: &mut Streaming<String>) -> Status {
    let end = async {
        loop {
            match stream.message().await {
                Ok(Some(_)) => {}
                Ok(None) => return Status::ok(""),
                Err(status) => return status,
            }
        }
    };
    timeout(IN_TIME, end).await.expect("it ends")
}

#[tokio::test]
async fn a_call_without_a_deadline_is_given_up_at_the_bound() {
    let mut stand = Stand::new(ServerConfig {
        max_call: Duration::from_millis(200),
        ..ServerConfig::loopback()
    })
    .await;
    let refused = timeout(IN_TIME, stand.stall()).await.expect("in time");
    assert_eq!(told_of(&refused.expect_err("never answered")), late());
    assert_eq!(
        [stand.told().await, stand.told().await],
        [Told::Begun, Told::GivenUp]
    );
}

#[tokio::test]
async fn a_stream_ends_of_old_age_and_says_that_its_reader_may_go_on() {
    let mut stand = Stand::new(ServerConfig {
        max_stream_age: Duration::from_millis(300),
        ..ServerConfig::loopback()
    })
    .await;
    let mut quiet = stand.flow("").await;
    let mut busy = stand.flow("a change").await;
    assert_eq!(quiet.message().await.expect("a part").as_deref(), Some(""));
    for stream in [&mut quiet, &mut busy] {
        let end = end(stream).await;
        assert_eq!(told_of(&end), unavailable());
        let retry = end.get_details_retry_info().expect("when to come back");
        assert!(retry.retry_delay.expect("a time") < Duration::from_secs(1));
    }
    let mut given_up = 0;
    while given_up < 2 {
        given_up += usize::from(stand.told().await == Told::GivenUp);
    }
    assert_eq!(
        stand
            .flow("")
            .await
            .message()
            .await
            .expect("a part")
            .as_deref(),
        Some("")
    );
}

#[tokio::test]
async fn whoever_never_ends_sending_is_told_at_the_same_age_to_go_on() {
    let stand = Stand::new(ServerConfig {
        max_stream_age: Duration::from_millis(300),
        request_within: Duration::from_millis(10),
        ..ServerConfig::loopback()
    })
    .await;
    let path = PathAndQuery::from_static(COUNT);
    let texts = stream::iter(["a".to_owned()]).chain(stream::pending());
    let mut client = stand.client().await;
    let answer = client.client_streaming(signed(texts), path.clone(), Codec::default());
    let refused: Result<Response<String>, _> = timeout(IN_TIME, answer).await.expect("in time");
    assert_eq!(told_of(&refused.expect_err("never ends")), unavailable());
    // Whoever pauses between two messages is not late.
    let texts = stream::iter(["a", "b"]).then(|text| async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        text.to_owned()
    });
    let mut client = stand.client().await;
    let answer = client.client_streaming(signed(texts), path, Codec::default());
    let answer: Response<String> = answer.await.expect("answered");
    assert_eq!(answer.into_inner(), "2");
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_a_stream_and_one_that_just_fits_does_not() {
    let stand = Stand::new(ServerConfig::loopback()).await;
    let largest = proto::max_request_bytes(COUNT);
    // A flag and the length stand before the text.
    for (length, counted) in [(largest - 4, Ok("3")), (largest - 3, Err(()))] {
        let texts = ["a".to_owned(), "x".repeat(length), "b".to_owned()];
        let path = PathAndQuery::from_static(COUNT);
        let mut client = stand.client().await;
        let texts = signed(stream::iter(texts));
        let answer = client.client_streaming(texts, path, Codec::default());
        let answer: Result<Response<String>, _> = timeout(IN_TIME, answer).await.expect("in time");
        let answer = answer.map(Response::into_inner);
        match counted {
            Ok(counted) => assert_eq!(answer.expect("answered"), counted),
            Err(()) => {
                let large = (Code::ResourceExhausted, "MESSAGE_TOO_LARGE".to_owned());
                assert_eq!(told_of(&answer.expect_err("refused")), large);
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_given_up_and_the_others_go_on() {
    let mut stand = Stand::new(ServerConfig {
        reader_patience: Duration::from_millis(200),
        ..ServerConfig::loopback()
    })
    .await;
    let mut quiet = stand.flow("").await;
    assert_eq!(quiet.message().await.expect("a part").as_deref(), Some(""));
    let flood = "x".repeat(60 << 10);
    let opened = join_all((0..16).map(|_| stand.flow(&flood)));
    let mut unread = timeout(IN_TIME, opened).await.expect("all begin");
    let mut begun = 0;
    let mut given_up = 0;
    while given_up < 16 {
        match stand.told().await {
            Told::Begun => begun += 1,
            Told::GivenUp => given_up += 1,
        }
    }
    assert_eq!(
        begun, 17,
        "the quiet one waits for the service, not for its reader"
    );
    // Whoever comes back gets what was on its way, and then hears that there is no more.
    let back = &mut unread[0];
    assert!(back.message().await.expect("a part").is_some());
    assert_eq!(told_of(&end(back).await), unavailable());
    assert!(
        stand.told.try_recv().is_err(),
        "the quiet one is still open"
    );
    drop(quiet);
    assert_eq!(stand.told().await, Told::GivenUp);
}

#[tokio::test]
async fn the_streams_that_need_no_token_are_not_many() {
    let stand = Stand::new(ServerConfig {
        max_streams_per_connection: 4096,
        ..ServerConfig::loopback()
    })
    .await;
    let asked = || HealthCheckRequest {
        service: "liveness".to_owned(),
    };
    let mut health = HealthClient::new(stand.channel.clone());
    let mut open = Vec::new();
    let refused = loop {
        assert!(open.len() <= 1024, "as many as anybody likes");
        match timeout(IN_TIME, health.watch(asked()))
            .await
            .expect("in time")
        {
            Ok(stream) => open.push(stream),
            Err(status) => break status,
        }
    };
    assert_eq!(
        told_of(&refused),
        (Code::ResourceExhausted, "OVERLOADED".to_owned())
    );
    health.check(asked()).await.expect("probes are answered");
    drop(open);
    let again = async {
        while health.watch(asked()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(IN_TIME, again)
        .await
        .expect("there are places again");
}

/// Waits until the server closes a connection on which nothing more is sent.
async fn until_closed(stream: &mut TcpStream) {
    let mut bytes = Vec::new();
    // A reset closes as well as an end does; what came before does not matter.
    let closed = timeout(Duration::from_secs(3), stream.read_to_end(&mut bytes)).await;
    let _ = closed.expect("the server closes it");
}

async fn greeted(stand: &Stand) -> TcpStream {
    let mut stream = TcpStream::connect(stand.service.addr)
        .await
        .expect("connects");
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    // One that is closed at once may not be written to any more.
    let _ = stream.write_all(preface).await;
    stream
}

#[tokio::test]
async fn one_address_does_not_take_all_connections() {
    let stand = Stand::new(ServerConfig {
        max_connections_per_address: 2,
        ..ServerConfig::loopback()
    })
    .await;
    let mut greeting = [0; 9];
    let mut first = greeted(&stand).await;
    first.read_exact(&mut greeting).await.expect("greeted");
    let mut second = greeted(&stand).await;
    second.read_exact(&mut greeting).await.expect("greeted");
    until_closed(&mut greeted(&stand).await).await;
    drop(first);
    let again = async {
        loop {
            let mut stream = greeted(&stand).await;
            if stream.read_exact(&mut greeting).await.is_ok() {
                return;
            }
        }
    };
    timeout(IN_TIME, again)
        .await
        .expect("there is a place again");
}

/// Reads until the server says that it closes the connection; how often each kind of frame came.
async fn until_farewell(stream: &mut TcpStream) -> HashMap<u8, u32> {
    let mut kinds = HashMap::new();
    let farewell = async {
        let mut head = [0; 9];
        while stream.read_exact(&mut head).await.is_ok() {
            *kinds.entry(head[3]).or_insert(0) += 1;
            let length = usize::from(u16::from_be_bytes([head[1], head[2]]));
            let mut payload = vec![0; length];
            if stream.read_exact(&mut payload).await.is_err() || head[3] == GOAWAY {
                return;
            }
        }
    };
    timeout(IN_TIME, farewell).await.expect("in time");
    kinds
}

#[tokio::test]
async fn a_connection_is_closed_in_order_and_what_began_on_it_goes_on() {
    let stand = Stand::new(ServerConfig {
        max_connection_age: Duration::from_millis(100),
        ..ServerConfig::loopback()
    })
    .await;
    let mut old = greeted(&stand).await;
    let kinds = until_farewell(&mut old).await;
    assert_eq!(kinds.get(&GOAWAY), Some(&1), "{kinds:?}");
    let mut stream = stand.flow("").await;
    assert_eq!(stream.message().await.expect("a part").as_deref(), Some(""));
    let more = timeout(Duration::from_millis(300), stream.message()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn a_call_on_a_connection_that_is_to_be_closed_goes_over_another() {
    let stand = Stand::new(ServerConfig {
        max_connection_age: Duration::from_millis(100),
        ..ServerConfig::loopback()
    })
    .await;
    let address = format!("http://{}", stand.service.addr);
    let channel = kit::channel::Channel::to(&address, None).expect("a URI");
    let mut client = Grpc::new(channel.clone());
    client.ready().await.expect("connects");
    let path = PathAndQuery::from_static(FLOW);
    let answer = client.server_streaming(signed(String::new()), path, Codec::default());
    let mut stream: Streaming<String> = answer.await.expect("begins").into_inner();
    assert_eq!(stream.message().await.expect("a part").as_deref(), Some(""));
    let more = timeout(Duration::from_millis(300), stream.message()).await;
    assert!(more.is_err(), "{more:?}");
    let mut health = HealthClient::new(channel);
    let told = health.check(HealthCheckRequest::default()).await;
    assert!(told.is_ok(), "{told:?}");
}

#[tokio::test]
async fn a_connection_without_a_call_is_closed_in_order_and_the_next_call_connects_anew() {
    let stand = Stand::new(ServerConfig {
        idle_within: Duration::from_millis(100),
        ..ServerConfig::loopback()
    })
    .await;
    let address = format!("http://{}", stand.service.addr);
    let channel = kit::channel::Channel::to(&address, None).expect("a URI");
    let mut health = HealthClient::new(channel);
    for _ in 0..3 {
        let told = health.check(HealthCheckRequest::default()).await;
        assert!(told.is_ok(), "{told:?}");
        let kinds = until_farewell(&mut greeted(&stand).await).await;
        assert_eq!(kinds.get(&GOAWAY), Some(&1), "{kinds:?}");
    }
}

#[tokio::test]
async fn connections_that_came_together_are_not_closed_together() {
    let age = Duration::from_secs(1);
    let stand = Stand::new(ServerConfig {
        max_connection_age: age,
        ..ServerConfig::loopback()
    })
    .await;
    let stand = &stand;
    let closed = (0..24).map(|_| async move {
        let mut stream = greeted(stand).await;
        let kinds = until_farewell(&mut stream).await;
        assert_eq!(kinds.get(&GOAWAY), Some(&1), "{kinds:?}");
        Instant::now()
    });
    let mut closed = join_all(closed).await;
    closed.sort_unstable();
    // Of a fifth of the age, over which they are drawn, less than a quarter is not believed.
    let spread = closed[closed.len() - 1] - closed[0];
    assert!(spread > age / 20, "{spread:?}");
}
