//! Bodies that mean more than they say, or that are too many: refused, with bounded memory.

mod door;
#[path = "../../kit/tests/wire/mod.rs"]
mod wire;

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use door::http::{Reply, Town, request, send};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::future::join_all;
use futures_util::stream;
use http::Request;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::TokioIo;
use kit::server::ServerConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::Status;

const IN_TIME: Duration = Duration::from_secs(30);
/// What a process may grow by, in which door, service and callers are.
const MOST_MEMORY: usize = 96 << 20;

async fn town() -> Town {
    Town::new(vec![Vec::new()], Status::ok("")).await
}

/// The status and the reason of a refusal.
fn told(reply: &Reply) -> (u16, String) {
    let json = reply.json();
    let details = json["details"].as_array().cloned().unwrap_or_default();
    let reason = details.iter().find_map(|detail| detail["reason"].as_str());
    (reply.status.as_u16(), reason.unwrap_or_default().to_owned())
}

fn post(body: String) -> Request<Bytes> {
    let mut call = request("POST", "/v1/students", &body);
    let json = "application/json".parse().expect("a header");
    call.headers_mut().insert("content-type", json);
    call.map(Bytes::from)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bombs_of_json_are_refused_before_they_are_built() {
    let mut town = town().await;
    let before = wire::memory();
    let bombs = [
        ("MESSAGE_MALFORMED", "[".repeat(50_000)),
        ("MESSAGE_TOO_LARGE", "[".repeat(500_000)),
        ("MESSAGE_TOO_LARGE", "{\"student\":".repeat(150_000)),
        (
            "MESSAGE_TOO_LARGE",
            format!("{{\"student\":[{}{{}}]}}", "{},".repeat(600_000)),
        ),
        (
            "MESSAGE_TOO_LARGE",
            format!("{{{}\"student\":{{}}}}", "\"student\":{},".repeat(100_000)),
        ),
    ];
    for (number, (reason, bomb)) in bombs.into_iter().enumerate() {
        let calls = (0..8).map(|_| send(town.addr, post(bomb.clone())));
        let replies = timeout(IN_TIME, join_all(calls)).await.expect("in time");
        for reply in replies {
            let (status, told) = told(&reply);
            assert_eq!(told, reason, "bomb {number}");
            assert!((400..500).contains(&status), "bomb {number}: {status}");
        }
    }
    let grown = wire::memory().saturating_sub(before);
    assert!(grown < MOST_MEMORY, "{} MiB more", grown >> 20);
    assert!(town.seen.try_recv().is_err(), "none was passed on");
    let reply = send(town.addr, post("{\"student\":{}}".to_owned())).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_compressed_is_read_as_it_is() {
    let mut town = town().await;
    let mut bomb = GzEncoder::new(Vec::new(), Compression::default());
    for _ in 0..200 {
        bomb.write_all(&[b' '; 1 << 20]).expect("memory");
    }
    let bomb = Bytes::from(bomb.finish().expect("memory"));
    let before = wire::memory();
    let calls = (0..8).map(|_| {
        let mut call = post(String::new()).map(|_| bomb.clone());
        let gzip = "gzip".parse().expect("a header");
        call.headers_mut().insert("content-encoding", gzip);
        send(town.addr, call)
    });
    for reply in timeout(IN_TIME, join_all(calls)).await.expect("in time") {
        assert_eq!(told(&reply), (400, "MESSAGE_MALFORMED".to_owned()));
    }
    let grown = wire::memory().saturating_sub(before);
    assert!(grown < MOST_MEMORY, "{} MiB more", grown >> 20);
    assert!(town.seen.try_recv().is_err(), "none was passed on");
}

/// A body that is begun and goes on when it is told to.
struct Slow {
    answer: tokio::task::JoinHandle<Reply>,
    go_on: tokio::sync::oneshot::Sender<()>,
}

async fn slow(town: &Town, begin: String, end: &'static str) -> Slow {
    let connected = TcpStream::connect(town.addr).await.expect("connects");
    let spoken = hyper::client::conn::http1::handshake(TokioIo::new(connected)).await;
    let (mut sender, connection) = spoken.expect("greets");
    tokio::spawn(connection);
    let (go_on, told) = tokio::sync::oneshot::channel::<()>();
    let rest = async move {
        let _ = told.await;
        Ok::<_, std::io::Error>(Frame::data(Bytes::from(end)))
    };
    let first = stream::iter([Ok(Frame::data(Bytes::from(begin)))]);
    let body = StreamBody::new(futures_util::StreamExt::chain(first, stream::once(rest)));
    let (head, _) = post(String::new()).into_parts();
    let call = Request::from_parts(head, BodyExt::boxed_unsync(body));
    let answer = tokio::spawn(async move {
        let answered = sender.send_request(call).await.expect("answered");
        let (head, body) = answered.into_parts();
        Reply {
            status: head.status,
            headers: head.headers,
            body: body.collect().await.expect("whole").to_bytes(),
            trailers: http::HeaderMap::new(),
        }
    });
    Slow { answer, go_on }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_wait_have_one_bound_together() {
    let set = |config: &mut gateway::Config| {
        config.max_body_bytes = 64 << 10;
        config.max_bodies_bytes = 64 << 10;
    };
    let town = Town::set(vec![Vec::new()], Status::ok(""), set).await;
    let name = "x".repeat(50 << 10);
    let begin = format!("{{\"student\":{{\"displayName\":\"{name}\"}}");
    let mut waiting = slow(&town, begin.clone(), "}").await;
    // The rest of the room is smaller than a second body.
    let name = "y".repeat(20 << 10);
    let large = post(format!("{{\"student\":{{\"displayName\":\"{name}\"}}}}"));
    let refused = async {
        // One refusal may be for the sake of a probe whose room is not free again yet.
        let mut in_a_row = 0;
        while in_a_row < 5 {
            let status = send(town.addr, large.clone()).await.status;
            in_a_row = if status == 429 { in_a_row + 1 } else { 0 };
            // It came while a probe had the room, and was turned away.
            if waiting.answer.is_finished() {
                waiting = slow(&town, begin.clone(), "}").await;
                in_a_row = 0;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(IN_TIME, refused).await.expect("in time");
    let reply = send(town.addr, large.clone()).await;
    assert_eq!(told(&reply), (429, "OVERLOADED".to_owned()));
    assert_eq!(reply.header("retry-after"), "1");
    waiting.go_on.send(()).expect("it waits");
    let whole = timeout(IN_TIME, waiting.answer).await.expect("in time");
    assert_eq!(whole.expect("answered").status, 200);
    let again = async { while send(town.addr, large.clone()).await.status != 200 {} };
    timeout(IN_TIME, again).await.expect("there is room again");
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_given_up_in_every_dialect() {
    let set = |config: &mut gateway::Config| {
        config.server = ServerConfig {
            request_within: Duration::from_millis(200),
            drain: Duration::from_millis(50),
            ..ServerConfig::loopback()
        };
    };
    let town = Town::set(vec![Vec::new()], Status::ok(""), set).await;
    let waiting = slow(&town, "{".to_owned(), "}").await;
    let late = timeout(IN_TIME, waiting.answer).await.expect("in time");
    let late = late.expect("answered");
    assert_eq!(told(&late), (504, "DEADLINE_EXCEEDED".to_owned()));
}
