//! Whatever is sent, the door answers in the dialect asked, and goes on answering.

mod door;
#[path = "../../kit/tests/wire/mod.rs"]
mod wire;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use door::http::{Reply, Town, bearer, send, send_http2};
use http::{HeaderName, HeaderValue, Method, Request};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tonic::Status;
use wire::fuzz;

/// No answer takes longer; a loaded machine has its share in this.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

fn path() -> impl Strategy<Value = String> {
    prop_oneof![
        "(/[a-zA-Z0-9:%._~*-]{0,10}){1,6}(\\?[a-zA-Z0-9=&.%+_-]{0,40})?",
        "/v1/(students|organizations|alerts|draws)(/[a-z0-9%:]{0,8}){0,4}(:[a-zA-Z]{0,8})?",
        Just("/campus.roster.v1.StudentService/GetStudent".to_owned()),
        Just("/grpc.health.v1.Health/Check".to_owned()),
        Just("/v1/organizations/1/alerts:watch".to_owned()),
    ]
}

fn method() -> impl Strategy<Value = Method> {
    prop::sample::select(vec![
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ])
}

fn kind() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "application/json",
        "application/grpc",
        "application/grpc+proto",
        "application/grpc-web",
        "application/grpc-web-text+proto",
        "application/grpc-weird",
        "text/plain",
        "",
    ])
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "[{}\\[\\]:,\"a-zA-Z0-9]{0,80}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..60).prop_map(|message| door::http::framed(&message)),
    ]
}

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop::sample::select(vec![
        "accept",
        "grpc-timeout",
        "x-request-timeout",
        "traceparent",
        "x-campus-a",
        "origin",
        "grpc-encoding",
        "te",
        "x-grpc-web",
        "range",
    ]);
    let one = (name.prop_map(str::to_owned), "[ -~]{0,30}");
    prop::collection::vec(one, 0..5)
}

/// Whether this is plain gRPC, which is spoken over HTTP/2.
fn is_grpc(kind: &str) -> bool {
    matches!(kind, "application/grpc" | "application/grpc+proto")
}

fn in_its_dialect(kind: &str, reply: &Reply) {
    let told = reply.header("content-type");
    if is_grpc(kind) {
        assert!(told.starts_with("application/grpc"), "{reply:?}");
        let code = reply.headers.get("grpc-status");
        let code = code.or_else(|| reply.trailers.get("grpc-status"));
        let code = code.and_then(|code| code.to_str().ok()?.parse::<u8>().ok());
        assert!(code.is_some_and(|code| code <= 16), "{reply:?}");
    } else if kind == "application/grpc-web" {
        assert!(
            told.starts_with("application/grpc-web+") || reply.status == 405,
            "{reply:?}"
        );
    } else if kind.starts_with("application/grpc-web-text") {
        assert!(
            told.starts_with("application/grpc-web-text") || reply.status == 405,
            "{reply:?}"
        );
    } else {
        let json = [
            "application/json",
            "application/x-ndjson",
            "text/event-stream",
        ];
        assert!(json.contains(&told), "{reply:?}");
        if told == "application/json" {
            reply.json();
        }
    }
}

#[test]
fn arbitrary_requests_are_answered_in_the_dialect_asked() {
    let runtime = Runtime::new().expect("a runtime");
    let town = runtime.block_on(Town::new(vec![Vec::new()], Status::ok("")));
    let bearer = bearer();
    let strategy = (method(), path(), kind(), body(), headers(), any::<bool>());
    fuzz::run(
        600,
        &strategy,
        |(method, path, kind, body, headers, known)| {
            let mut call = Request::builder()
                .method(method)
                .uri(path)
                .header("host", "campus");
            for (name, value) in headers {
                let name = HeaderName::try_from(name).expect("a name");
                call = call.header(name, HeaderValue::try_from(value).expect("a value"));
            }
            if !kind.is_empty() {
                call = call.header("content-type", kind);
            }
            if known {
                call = call.header("authorization", bearer.as_str());
            }
            let Ok(call) = call.body(Bytes::from(body)) else {
                return Ok(());
            };
            let reply = runtime.block_on(async {
                let answered = async {
                    match is_grpc(kind) {
                        true => send_http2(town.addr, call).await,
                        false => send(town.addr, call).await,
                    }
                };
                timeout(ANSWERS_WITHIN, answered).await.expect("in time")
            });
            in_its_dialect(kind, &reply);
            Ok(())
        },
    );
}

async fn is_well(addr: SocketAddr) {
    let probe = Request::get("/healthz").header("host", "campus");
    let reply = send(addr, probe.body(Bytes::new()).expect("a request")).await;
    assert_eq!(reply.status, 200);
}

#[test]
fn arbitrary_bytes_end_a_connection_and_nothing_else() {
    let runtime = Runtime::new().expect("a runtime");
    let town = runtime.block_on(Town::new(Vec::new(), Status::ok("")));
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "(GET|POST|PRI) [ -~]{0,60} HTTP/1.1\r\n([a-z-]{1,9}: [ -~]{0,20}\r\n){0,4}(\r\n)?[ -~]{0,40}"
            .prop_map(String::into_bytes),
    ];
    fuzz::run(60, &bytes, |bytes| {
        runtime.block_on(async {
            let mut stream = TcpStream::connect(town.addr).await.expect("connects");
            // The door may close before everything is sent.
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
            let mut rest = Vec::new();
            let closed = timeout(ANSWERS_WITHIN, stream.read_to_end(&mut rest)).await;
            assert!(closed.is_ok(), "the door does not wait for ever");
        });
        Ok(())
    });
    runtime.block_on(is_well(town.addr));
}

#[tokio::test]
async fn a_head_that_never_ends_is_given_up() {
    let town = Town::new(Vec::new(), Status::ok("")).await;
    let mut stream = TcpStream::connect(town.addr).await.expect("connects");
    let head = b"GET /v1/students/7 HTTP/1.1\r\nhost: campus\r\nx-more";
    stream.write_all(head).await.expect("sent");
    let mut rest = Vec::new();
    let closed = timeout(Duration::from_secs(40), stream.read_to_end(&mut rest)).await;
    closed.expect("the door does not wait for ever").ok();
    is_well(town.addr).await;
}
