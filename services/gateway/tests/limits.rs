//! A caller that asks for too much is told to wait, and what is less urgent gives way; others are served.

mod door;

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream;
use gateway::{Limit, MethodLimit, SheddingConfig};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use kit::auth::Role;
use kit::server::ServerConfig;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;

use door::http::request;
use door::{
    Behaviour, Codec, METHOD, Stalled, UNARY, UP, call, door_set, reason, signed, signed_as,
    signed_by, upstream,
};

const IN_TIME: Duration = Duration::from_secs(30);

#[tokio::test]
async fn whoever_asks_for_too_much_is_told_how_long_to_wait_and_others_are_served() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Real).await;
    let (_door, channel) = door_set(service.addr, |config| {
        config.limits.all = Limit { rate: 1, burst: 10 };
        config.limits.methods = vec![MethodLimit {
            method: UNARY.to_owned(),
            rate: 1,
            burst: 3,
        }];
    })
    .await;
    let ask = async |subject: &str| call(&channel, signed_by(subject, "here".to_owned())).await;
    for _ in 0..3 {
        ask("greedy").await.expect("answered");
    }
    let first = ask("greedy").await.expect_err("refused");
    assert_eq!(
        (first.code(), reason(&first).as_str()),
        (Code::ResourceExhausted, "RATE_LIMITED")
    );
    let info = first.get_details_error_info().expect("a reason");
    assert_eq!(info.metadata.get("limit").map(String::as_str), Some(UNARY));
    let wait = |status: &tonic::Status| {
        let retry = status.get_details_retry_info().expect("a time to wait");
        retry.retry_delay.expect("a time to wait")
    };
    let mut before = wait(&first);
    for _ in 0..5 {
        let again = ask("greedy").await.expect_err("refused");
        assert!(wait(&again) >= before / 2, "impatience is not rewarded");
        before = wait(&again);
    }
    assert!(before > wait(&first), "{before:?}");
    ask("modest").await.expect("answered");
}

/// A connection of HTTP/1.1 on which a short body and a long one are refused for the rate of their caller.
#[tokio::test]
async fn a_refusal_over_http1_leaves_the_connection_or_says_that_it_closes() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Refuse).await;
    let (door, _) = door_set(service.addr, |config| {
        config.limits.all = Limit { rate: 1, burst: 1 };
        config.limits.roles.clear();
    })
    .await;
    let stream = TcpStream::connect(door.addr).await.expect("connects");
    let greeted = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = greeted.expect("greets");
    tokio::spawn(connection);
    for (length, closes) in [
        (1, false),
        (60_000, false),
        (60_000, false),
        (1 << 20, true),
    ] {
        let mut ask = async |length: usize| {
            sender.ready().await.expect("the connection is open");
            let path = "/v1/students/7:transfer";
            let body = request("POST", path, &"7".repeat(length)).map(Bytes::from);
            sender.send_request(body.map(Full::new)).await
        };
        let answer = timeout(IN_TIME, ask(length)).await.expect("in time");
        let answer = answer.expect("answered");
        let says = answer.headers().get("connection");
        assert_eq!(says.is_some_and(|says| says == "close"), closes, "{length}");
        answer.into_body().collect().await.expect("whole");
    }
}

/// Calls of each urgency to one service, the least urgent first, with how many more of them fit into a room
/// for twenty.
type Classes = [(&'static str, usize); 4];

const SAFETY: Classes = [
    ("/campus.safety.v1.SupplyService/PreviewSupplyTransfers", 10),
    ("/campus.safety.v1.HazardService/ReportHazard", 6),
    ("/campus.safety.v1.GateService/CheckEntry", 4),
    ("/campus.safety.v1.IncidentService/CreateIncident", 5),
];
const SAMPLING: Classes = [
    ("/campus.sampling.v1.PlanService/Evaluate", 10),
    ("/campus.sampling.v1.TubeService/IssueTubes", 6),
    ("/campus.sampling.v1.ResultService/CorrectResult", 2),
    ("/campus.sampling.v1.SuspensionService/DecideSuspension", 7),
];

#[tokio::test]
async fn what_is_urgent_passes_where_the_rest_gives_way() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let service = upstream(ServerConfig::loopback(), Behaviour::Stall(tell)).await;
    let (_door, channel) = door_set(service.addr, |config| {
        config.shedding = SheddingConfig {
            least: 20,
            most: 20,
            ..SheddingConfig::default()
        };
    })
    .await;
    // Whoever was let in stays: the service never answers. Each service has a room of its own.
    let mut calls = JoinSet::new();
    for (path, fit) in SAFETY.into_iter().chain(SAMPLING) {
        for _ in 0..30 {
            calls.spawn(unary(channel.clone(), path, 60_000));
        }
        for _ in 0..30 - fit {
            let refused = timeout(IN_TIME, calls.join_next()).await;
            let refused = refused.unwrap_or_else(|_| panic!("too many of {path} were let in"));
            let refused = refused.expect("a call").expect("answered");
            assert_eq!(refused, Code::ResourceExhausted, "{path}");
        }
        for _ in 0..fit {
            let came = timeout(IN_TIME, told.recv()).await;
            let came = came.unwrap_or_else(|_| panic!("too few of {path} were let in"));
            assert_eq!(came, Some(Stalled::Came), "{path}");
        }
    }
}

/// How a call that its service never answers ends within so many milliseconds.
async fn unary(channel: Channel, path: &'static str, millis: u64) -> Code {
    let mut client = Grpc::new(channel);
    client.ready().await.expect("the door is open");
    let mut request = signed("a".to_owned());
    request.set_timeout(Duration::from_millis(millis));
    let path = PathAndQuery::from_static(path);
    let answer = client.unary::<_, String, _>(request, path, Codec::default());
    answer.await.expect_err("no answer").code()
}

/// Streams and calls of one service.
const SNAPSHOT: &str = "/campus.safety.v1.SafetyFeed/Snapshot";
const FEED: &str = "/campus.safety.v1.SafetyFeed/Watch";
const INCIDENT: &str = "/campus.safety.v1.IncidentService/CreateIncident";

/// What `path` begins to tell somebody called `subject`; when they send one text, or go on sending.
async fn begun(
    channel: &Channel,
    subject: &str,
    (path, goes_on): (&'static str, bool),
) -> Result<Streaming<String>, Status> {
    let mut client = Grpc::new(channel.clone());
    client.ready().await.expect("the door is open");
    let roles = [Role::Guard, Role::CityOfficer];
    let path = PathAndQuery::from_static(path);
    let asked = if goes_on {
        let texts = signed_as(subject, &roles, stream::pending::<String>());
        client.streaming(texts, path, Codec::default()).await
    } else {
        let text = signed_as(subject, &roles, "a".to_owned());
        client.server_streaming(text, path, Codec::default()).await
    };
    Ok(asked?.into_inner())
}

/// Those of many that were let in; all others were told plainly when to come back.
fn let_in(begun: Vec<Result<Streaming<String>, Status>>) -> Vec<Streaming<String>> {
    let (let_in, sent_away): (Vec<_>, Vec<_>) = begun.into_iter().partition(Result::is_ok);
    for refused in sent_away.into_iter().filter_map(Result::err) {
        let told = (refused.code(), &*reason(&refused));
        assert_eq!(told, (Code::ResourceExhausted, "OVERLOADED"));
        let retry = refused.get_details_retry_info().expect("when to come back");
        assert_eq!(retry.retry_delay, Some(Duration::from_secs(1)));
    }
    let_in.into_iter().filter_map(Result::ok).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_streams_leave_gates_and_emergencies_their_room() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Half).await;
    let (_door, channel) = door_set(service.addr, |config| {
        config.shedding = SheddingConfig {
            least: 40,
            most: 40,
            streams: 100,
            watches: 10,
        };
        config.max_watches_per_caller = 100;
    })
    .await;
    let many = |path: &'static str, goes_on: bool, count: usize| {
        let channel = channel.clone();
        async move {
            // Few at once, so that the service has answered before the next ones come.
            let mut all = Vec::new();
            for _ in 0..count / 10 {
                let some = (0..10).map(|_| begun(&channel, "many", (path, goes_on)));
                all.extend(timeout(IN_TIME, join_all(some)).await.expect("in time"));
            }
            let_in(all)
        }
    };
    let snapshots = many(SNAPSHOT, false, 300).await;
    let imports = many(UP, true, 300).await;
    let feeds = many(FEED, false, 100).await;
    // Half of the streams at most are of those that can wait; feeds are what somebody follows in the day.
    assert_eq!([snapshots.len(), imports.len(), feeds.len()], [50, 50, 8]);
    for path in [UNARY, INCIDENT] {
        let calls = many(path, false, 100).await;
        assert_eq!(calls.len(), 100, "{path} is refused to nobody");
        for mut call in calls {
            let first = timeout(IN_TIME, call.message()).await.expect("in time");
            assert_eq!(first.expect("answered").as_deref(), Some("half"));
        }
    }
    drop(snapshots);
    let again = async {
        while begun(&channel, "many", (SNAPSHOT, false)).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(IN_TIME, again).await.expect("there is room again");
}

#[tokio::test]
async fn each_caller_watches_a_few_of_each_feed_and_others_as_many() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Half).await;
    let set = |config: &mut gateway::Config| config.max_watches_per_caller = 2;
    let (_door, channel) = door_set(service.addr, set).await;
    let watch = async |subject: &str, path: &'static str, times: usize| {
        let all = (0..times).map(|_| begun(&channel, subject, (path, false)));
        let_in(timeout(IN_TIME, join_all(all)).await.expect("in time"))
    };
    let first = watch("a", METHOD, 5).await;
    assert_eq!(first.len(), 2);
    let (other_feed, other_caller) = (watch("a", FEED, 5).await, watch("b", METHOD, 5).await);
    assert_eq!((other_feed.len(), other_caller.len()), (2, 2));
    let snapshots = watch("a", SNAPSHOT, 5).await;
    assert_eq!(snapshots.len(), 5, "who takes a copy does not watch");
    drop(first);
    let again = async {
        while begun(&channel, "a", (METHOD, false)).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(IN_TIME, again).await.expect("a place again");
}
