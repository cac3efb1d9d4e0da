//! A gateway before a service that echoes, refuses, stalls, breaks off, or is real.
#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod http;
mod real;
pub(crate) mod relay;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Request as HttpRequest, Response as HttpResponse};
use axum::body::Body;
use futures_util::{StreamExt, stream};
use gateway::{Config, LimitsConfig, UpstreamsConfig};
use http_body_util::BodyExt;
use kit::auth::{AuthConfig, Issuer, Role};
use kit::clock::{Clock, SystemClock};
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::server::{Running, Server, ServerConfig};
use kit::status::Problem;
use proto::error::ErrorReason;
use tokio::sync::mpsc;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt;

/// A method of the contracts behind each gateway of these tests.
pub(crate) const METHOD: &str = "/campus.sampling.v1.ClearanceFeed/Watch";
/// One of each kind of stream.
pub(crate) const UP: &str = "/campus.roster.v1.ImportService/Import";
pub(crate) const DOWN: &str = "/campus.notification.v1.AlertService/WatchAlerts";
pub(crate) const BOTH: &str = "/campus.sampling.v1.ResultService/SubmitResults";
pub(crate) const UNARY: &str = "/campus.safety.v1.GateService/CheckEntry";

/// Together they may call every method that these tests pass on.
pub(crate) const ROLES: [Role; 3] = [Role::Guard, Role::CityOfficer, Role::Laboratory];

pub(crate) type Codec = tonic_prost::ProstCodec<String, String>;

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// What became of a call that is never answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stalled {
    Came,
    GivenUp,
}

/// What the service behind the gateway does with every call.
#[derive(Clone)]
pub(crate) enum Behaviour {
    Echo,
    Refuse,
    /// Says that it cannot serve.
    Away,
    /// Never answers; tells when the call came and when it was given up.
    Stall(mpsc::UnboundedSender<Stalled>),
    /// Answers with the head and one message, then nothing more.
    Half,
    /// A service of the framework that our services are built with: sends one text back.
    Real,
    /// The same, but its streams go on without an end, as fast as they are read.
    Flow,
    /// Answers every call in the same way, and tells what it was asked.
    Canned(http::Canned),
}

pub(crate) async fn upstream(listen: ServerConfig, behaviour: Behaviour) -> Running {
    let auth = AuthConfig::development();
    let server = Server::bind(&listen, &auth, clock(), Drain::new())
        .await
        .expect("binds");
    let answer = move |request: HttpRequest<Body>| {
        let behaviour = behaviour.clone();
        async move { behave(behaviour, request).await }
    };
    let router = axum::Router::new().fallback(answer);
    server.serve(tonic::service::Routes::from(router))
}

pub(crate) async fn behave(behaviour: Behaviour, request: HttpRequest<Body>) -> HttpResponse<Body> {
    match behaviour {
        Behaviour::Echo => {
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
            trailers.insert("x-seen-by", HeaderValue::from_static("service"));
            let seen = request.headers().get("x-sent").cloned();
            let deadline = request.headers().get("grpc-timeout").cloned();
            // Whole messages, as a service sends them.
            let frames = request.into_body().into_data_stream();
            let full = frames.filter(|frame| {
                let full = frame.as_ref().map_or(true, |data| !data.is_empty());
                std::future::ready(full)
            });
            let body = Body::from_stream(full).with_trailers(async move { Some(Ok(trailers)) });
            let mut response = HttpResponse::new(Body::new(body));
            let kind = HeaderValue::from_static("application/grpc");
            response.headers_mut().insert("content-type", kind);
            if let Some(seen) = seen {
                response.headers_mut().insert("x-sent", seen);
            }
            if let Some(deadline) = deadline {
                response.headers_mut().insert("x-deadline", deadline);
            }
            response
        }
        Behaviour::Refuse => Status::from(Problem::not_found("students/1")).into_http::<Body>(),
        Behaviour::Away => Status::from(Problem::new(ErrorReason::Unavailable)).into_http(),
        Behaviour::Half => {
            let first = tonic_prost::prost::Message::encode_to_vec(&"half".to_owned());
            let mut message = vec![0; 5];
            message[1..].copy_from_slice(&(first.len() as u32).to_be_bytes());
            message.extend(first);
            let first = stream::iter([Ok::<_, std::io::Error>(message)]);
            let body = Body::from_stream(first.chain(stream::pending()));
            let mut response = HttpResponse::new(body);
            let kind = HeaderValue::from_static("application/grpc");
            response.headers_mut().insert("content-type", kind);
            response
        }
        Behaviour::Canned(canned) => http::answer(canned, request).await,
        Behaviour::Real => real::answer(request).await,
        Behaviour::Flow if request.uri().path() == DOWN => {
            let text = tonic_prost::prost::Message::encode_to_vec(&"x".repeat(1_000));
            let message = bytes::Bytes::from(http::framed(&text));
            let parts = stream::repeat_with(move || Ok::<_, std::io::Error>(message.clone()));
            let mut response = HttpResponse::new(Body::from_stream(parts));
            let kind = HeaderValue::from_static("application/grpc");
            response.headers_mut().insert("content-type", kind);
            response
        }
        Behaviour::Flow => real::answer(request).await,
        Behaviour::Stall(gone) => {
            struct Tell(mpsc::UnboundedSender<Stalled>);
            impl Drop for Tell {
                fn drop(&mut self) {
                    let _ = self.0.send(Stalled::GivenUp);
                }
            }
            let _ = gone.send(Stalled::Came);
            let _tell = Tell(gone);
            std::future::pending().await
        }
    }
}

pub(crate) async fn door(service: SocketAddr) -> (Running, Channel) {
    door_with(service, ServerConfig::loopback()).await
}

pub(crate) async fn door_with(service: SocketAddr, server: ServerConfig) -> (Running, Channel) {
    door_set(service, |config| {
        config.server = ServerConfig {
            drain: Duration::from_millis(200),
            ..server
        };
    })
    .await
}

/// A gateway with settings of its own before `service`.
pub(crate) async fn door_set(
    service: SocketAddr,
    set: impl FnOnce(&mut Config),
) -> (Running, Channel) {
    let address = format!("http://{service}");
    let upstreams = UpstreamsConfig {
        roster: address.clone(),
        sampling: address.clone(),
        safety_inspection: address.clone(),
        notification: address,
    };
    let mut config = Config::new(
        ServerConfig::loopback(),
        AuthConfig::development(),
        upstreams,
    );
    // One caller stands for many; how much each may ask for is the matter of some tests only.
    config.limits = LimitsConfig::wide();
    set(&mut config);
    let running = gateway::start(config, clock(), Drain::new())
        .await
        .expect("starts");
    let channel = kit::channel::connect_lazy(&format!("http://{}", running.addr)).expect("a URI");
    (running, channel)
}

pub(crate) fn signed<T>(message: T) -> Request<T> {
    signed_by("g", message)
}

pub(crate) fn signed_by<T>(subject: &str, message: T) -> Request<T> {
    signed_as(subject, &ROLES, message)
}

pub(crate) fn signed_as<T>(subject: &str, roles: &[Role], message: T) -> Request<T> {
    let ttl = Duration::from_secs(600);
    let token =
        Issuer::development().token(subject, roles, &OrgPath::root(), None, clock().now(), ttl);
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", bearer);
    request
}

pub(crate) async fn call(channel: &Channel, request: Request<String>) -> Result<String, Status> {
    let mut client = Grpc::new(channel.clone());
    client
        .ready()
        .await
        .map_err(|_| Status::unavailable("the door is closed"))?;
    let path = PathAndQuery::from_static(UNARY);
    Ok(client
        .unary(request, path, Codec::default())
        .await?
        .into_inner())
}

pub(crate) fn reason(status: &Status) -> String {
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}
