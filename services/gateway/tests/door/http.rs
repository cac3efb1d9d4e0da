//! Speaks HTTP to a gateway as programs and browsers do, and shows what a service was asked.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kit::auth::{Issuer, Role};
use kit::org::OrgPath;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tonic::Status;
use tonic_prost::prost::Message;

use super::{Behaviour, clock, door_set, upstream};

/// What a service was asked.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// Whole frames.
    pub(crate) body: Bytes,
}

impl Seen {
    /// The one message of the request.
    pub(crate) fn message<M: Message + Default>(&self) -> M {
        M::decode(&self.body[5..]).expect("a message")
    }
}

/// What a service answers to every call.
#[derive(Clone, Debug)]
pub(crate) struct Canned {
    pub(crate) seen: mpsc::UnboundedSender<Seen>,
    pub(crate) messages: Vec<Vec<u8>>,
    /// How it ends.
    pub(crate) status: Status,
}

/// A message as gRPC frames it.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let mut frame = vec![0];
    frame.extend(u32::try_from(message.len()).expect("short").to_be_bytes());
    frame.extend(message);
    frame
}

pub(crate) async fn answer(canned: Canned, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return Status::cancelled("gone").into_http();
    };
    let seen = Seen {
        path: head.uri.path().to_owned(),
        headers: head.headers,
        body: body.to_bytes(),
    };
    // The test may not care.
    let _ = canned.seen.send(seen);
    if canned.messages.is_empty() && canned.status.code() != tonic::Code::Ok {
        return canned.status.into_http();
    }
    let mut trailers = HeaderMap::new();
    canned.status.add_header(&mut trailers).expect("headers");
    let frames = canned
        .messages
        .into_iter()
        .map(|message| Ok::<_, std::io::Error>(framed(&message)));
    let body = Body::from_stream(futures_util::stream::iter(frames));
    let body = body.with_trailers(async move { Some(Ok(trailers)) });
    let mut response = Response::new(Body::new(body));
    let kind = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert("content-type", kind);
    response
}

/// A gateway before a service that answers `messages` and then `status`.
pub(crate) struct Town {
    pub(crate) addr: SocketAddr,
    pub(crate) seen: mpsc::UnboundedReceiver<Seen>,
    _running: [kit::server::Running; 2],
}

impl Town {
    pub(crate) async fn new(messages: Vec<Vec<u8>>, status: Status) -> Self {
        Self::set(messages, status, |_| {}).await
    }

    pub(crate) async fn set(
        messages: Vec<Vec<u8>>,
        status: Status,
        set: impl FnOnce(&mut gateway::Config),
    ) -> Self {
        let (sender, seen) = mpsc::unbounded_channel();
        let canned = Canned {
            seen: sender,
            messages,
            status,
        };
        let listen = kit::server::ServerConfig {
            drain: Duration::from_millis(50),
            ..kit::server::ServerConfig::loopback()
        };
        let service = upstream(listen, Behaviour::Canned(canned)).await;
        let (door, _) = door_set(service.addr, set).await;
        Self {
            addr: door.addr,
            seen,
            _running: [service, door],
        }
    }

    /// What the service was asked last.
    pub(crate) async fn asked(&mut self) -> Seen {
        let seen = tokio::time::timeout(Duration::from_secs(10), self.seen.recv()).await;
        seen.expect("asked").expect("asked")
    }

    pub(crate) async fn send(&self, request: Request<String>) -> Reply {
        send(self.addr, request.map(Bytes::from)).await
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: HeaderMap,
}

impl Reply {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("text"))
    }

    async fn read<B>(response: Response<B>) -> Self
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: std::fmt::Debug,
    {
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("whole");
        Self {
            status: head.status,
            headers: head.headers,
            trailers: body.trailers().cloned().unwrap_or_default(),
            body: body.to_bytes(),
        }
    }
}

pub(crate) fn bearer() -> String {
    let ttl = Duration::from_secs(600);
    let now = clock().now();
    // Together they may call every method that these tests ask for; a laboratory would read no roster.
    let roles = [
        Role::Guard,
        Role::ClassReporter,
        Role::CityOfficer,
        Role::DiseaseControl,
    ];
    let token = Issuer::development().token("g", &roles, &OrgPath::root(), None, now, ttl);
    format!("Bearer {token}")
}

/// A request of somebody who may call.
pub(crate) fn request(method: &str, path: &str, body: &str) -> Request<String> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "campus")
        .header("authorization", bearer())
        .body(body.to_owned())
        .expect("a request")
}

/// Sends a request over HTTP/1.1.
pub(crate) async fn send(addr: SocketAddr, request: Request<Bytes>) -> Reply {
    let stream = TcpStream::connect(addr).await.expect("connects");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .expect("greets");
    tokio::spawn(connection);
    let answered = sender.send_request(request.map(Full::new)).await;
    Reply::read(answered.expect("answered")).await
}

/// Sends a request over HTTP/2.
pub(crate) async fn send_http2(addr: SocketAddr, mut request: Request<Bytes>) -> Reply {
    let uri = format!("http://campus{}", request.uri());
    *request.uri_mut() = uri.parse().expect("a URI");
    request.headers_mut().remove("host");
    let stream = TcpStream::connect(addr).await.expect("connects");
    let exec = TokioExecutor::new();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(exec, TokioIo::new(stream))
            .await
            .expect("greets");
    tokio::spawn(connection);
    let answered = sender.send_request(request.map(Full::new)).await;
    Reply::read(answered.expect("answered")).await
}

/// The messages of an answer in gRPC-Web, and its trailers as text.
pub(crate) fn read_web(reply: &Reply) -> (Vec<Vec<u8>>, String) {
    let body = if reply.header("content-type").contains("-text") {
        let whole = reply
            .body
            .chunks(4)
            .map(|part| STANDARD.decode(part).expect("base64"));
        whole.collect::<Vec<_>>().concat()
    } else {
        reply.body.to_vec()
    };
    let (mut rest, mut messages, mut trailers) = (&body[..], Vec::new(), String::new());
    while let [flag, a, b, c, d, after @ ..] = rest {
        let length = u32::from_be_bytes([*a, *b, *c, *d]);
        let (frame, after) = after.split_at(usize::try_from(length).expect("fits"));
        match flag {
            0x80 => trailers.push_str(std::str::from_utf8(frame).expect("text")),
            _ => messages.push(frame.to_vec()),
        }
        rest = after;
    }
    assert!(rest.is_empty(), "whole frames");
    (messages, trailers)
}
