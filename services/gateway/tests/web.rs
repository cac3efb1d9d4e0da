//! gRPC-Web and scripts of other origins, as a browser sees them.

mod door;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use door::http::{Town, framed, read_web as read, request, send, send_http2};
use door::{Behaviour, DOWN, door_set, upstream};
use http::{Request, StatusCode};
use kit::server::ServerConfig;
use kit::status::Problem;
use proto::error::ErrorReason;
use tonic::Status;

/// A call of gRPC-Web with one message.
fn call(path: &str, kind: &str, message: &[u8]) -> Request<Bytes> {
    let body = match kind.contains("-text") {
        true => STANDARD.encode(framed(message)).into(),
        false => Bytes::from(framed(message)),
    };
    let mut call = request("POST", path, "").map(|_| body);
    call.headers_mut()
        .insert("content-type", kind.parse().expect("a header"));
    call
}

#[tokio::test]
async fn a_call_passes_in_either_coding_over_either_http() {
    for kind in [
        "application/grpc-web",
        "application/grpc-web+proto",
        "application/grpc-web-text",
        "application/grpc-web-text+proto",
    ] {
        let mut town = Town::new(vec![b"answer".to_vec()], Status::ok("")).await;
        let path = "/campus.roster.v1.StudentService/GetStudent";
        for http2 in [false, true] {
            let call = call(path, kind, b"asked");
            let reply = match http2 {
                true => send_http2(town.addr, call).await,
                false => send(town.addr, call).await,
            };
            assert_eq!(reply.status, StatusCode::OK, "{kind}");
            assert!(
                reply
                    .header("content-type")
                    .starts_with(kind.trim_end_matches("+proto"))
            );
            let (messages, trailers) = read(&reply);
            assert_eq!(messages, [b"answer"], "{kind}");
            assert!(trailers.contains("grpc-status: 0\r\n"), "{trailers}");
            let asked = town.asked().await;
            assert_eq!(asked.path, path);
            assert_eq!(asked.body, framed(b"asked"));
        }
    }
}

#[tokio::test]
async fn a_stream_passes_message_by_message_with_its_end() {
    let broken = Problem::new(ErrorReason::ResumeTokenExpired);
    let messages = vec![b"one".to_vec(), Vec::new(), vec![7; 100_000]];
    let town = Town::new(messages.clone(), broken.into()).await;
    for kind in ["application/grpc-web", "application/grpc-web-text"] {
        let reply = send(town.addr, call(DOWN, kind, b"")).await;
        let (read, trailers) = read(&reply);
        assert_eq!(read, messages, "{kind}");
        assert!(trailers.contains("grpc-status: 9\r\n"), "{trailers}");
        assert!(trailers.contains("grpc-status-details-bin: "), "{trailers}");
    }
}

#[tokio::test]
async fn hundreds_of_answers_leave_one_connection_of_the_gateway_whole() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Real).await;
    let (door, _) = door_set(service.addr, |config| config.connections_per_upstream = 1).await;
    for _ in 0..150 {
        let call = call(door::UNARY, "application/grpc-web", b"");
        let (messages, trailers) = read(&send(door.addr, call).await);
        assert_eq!(messages, [b""]);
        assert!(trailers.contains("grpc-status: 0\r\n"), "{trailers}");
    }
}

#[tokio::test]
async fn an_error_is_told_in_the_coding_of_the_call() {
    let town = Town::new(Vec::new(), Problem::not_found("students/7").into()).await;
    let path = "/campus.roster.v1.StudentService/GetStudent";
    let mut nobody = call(path, "application/grpc-web-text", b"");
    nobody.headers_mut().remove("authorization");
    for (call, code) in [
        (call(path, "application/grpc-web-text", b""), "5"),
        (
            call(
                "/campus.roster.v1.Nothing/Do",
                "application/grpc-web-text",
                b"",
            ),
            "12",
        ),
        (nobody, "16"),
    ] {
        let reply = send(town.addr, call).await;
        assert_eq!(
            reply.header("content-type"),
            "application/grpc-web-text+proto"
        );
        assert_eq!(reply.header("grpc-status"), code);
    }
    for malformed in ["?", "AAAA", "AAAAAAE="] {
        let mut call = call(path, "application/grpc-web-text", b"");
        *call.body_mut() = malformed.into();
        let reply = send(town.addr, call).await;
        assert_eq!(reply.header("grpc-status"), "3", "{malformed}");
    }
}

#[tokio::test]
async fn scripts_of_a_configured_origin_may_call_and_others_are_not_told_that_they_may() {
    let set = |config: &mut gateway::Config| {
        config.cors_origins = vec!["https://board.example.cn".to_owned()];
    };
    let town = Town::set(vec![Vec::new()], Status::ok(""), set).await;
    for (origin, allowed) in [
        ("https://board.example.cn", true),
        ("https://evil.example", false),
    ] {
        let ask = Request::options("/v1/students/7")
            .header("host", "campus")
            .header("origin", origin)
            .header("access-control-request-method", "PATCH")
            .header(
                "access-control-request-headers",
                "authorization,content-type",
            )
            .body(String::new())
            .expect("a request");
        let reply = town.send(ask).await;
        let told = reply.header("access-control-allow-origin");
        assert_eq!(told, if allowed { origin } else { "" });
        let mut call = request("GET", "/v1/students/7", "");
        call.headers_mut()
            .insert("origin", origin.parse().expect("a header"));
        let reply = town.send(call).await;
        assert_eq!(reply.status, StatusCode::OK);
        let told = reply.header("access-control-allow-origin");
        assert_eq!(told, if allowed { origin } else { "" });
        assert!(reply.header("access-control-allow-credentials").is_empty());
        assert!(
            reply
                .header("access-control-expose-headers")
                .contains("grpc-status")
        );
    }
}

#[tokio::test]
async fn without_origins_no_script_may_call() {
    let town = Town::new(vec![Vec::new()], Status::ok("")).await;
    let mut call = request("GET", "/v1/students/7", "");
    call.headers_mut()
        .insert("origin", "https://a.cn".parse().expect("a header"));
    let reply = town.send(call).await;
    assert!(reply.header("access-control-allow-origin").is_empty());
}

#[tokio::test]
async fn health_is_told_to_browsers_without_a_token() {
    let town = Town::new(vec![Vec::new()], Status::ok("")).await;
    let mut ask = call(
        "/grpc.health.v1.Health/Check",
        "application/grpc-web-text",
        b"",
    );
    ask.headers_mut().remove("authorization");
    let (messages, trailers) = read(&send(town.addr, ask).await);
    // `status: SERVING`
    assert_eq!(messages, [[8, 1]]);
    assert!(trailers.contains("grpc-status: 0\r\n"), "{trailers}");
}
