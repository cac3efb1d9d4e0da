//! The door as a client sees it, before services that echo.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use futures_util::{StreamExt, stream};
use gateway::{Config, UpstreamsConfig};
use http::{HeaderMap, HeaderValue, Request as HttpRequest, Response as HttpResponse};
use http_body_util::BodyExt;
use kit::auth::{AuthConfig, Issuer, Role};
use kit::clock::{Clock, SystemClock};
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::server::{Running, Server, ServerConfig};
use kit::status::Problem;
use tokio::sync::mpsc;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

/// A method of the contracts behind each gateway of these tests.
const METHOD: &str = "/campus.sampling.v1.ClearanceFeed/Watch";
const UNARY: &str = "/campus.safety.v1.GateService/CheckEntry";

type Codec = tonic_prost::ProstCodec<String, String>;

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// What the service behind the gateway does with every call.
#[derive(Clone)]
enum Behaviour {
    Echo,
    Refuse,
    /// Never answers; tells when the call was given up.
    Stall(mpsc::UnboundedSender<()>),
}

async fn upstream(listen: ServerConfig, behaviour: Behaviour) -> Running {
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

async fn behave(behaviour: Behaviour, request: HttpRequest<Body>) -> HttpResponse<Body> {
    match behaviour {
        Behaviour::Echo => {
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
            trailers.insert("x-seen-by", HeaderValue::from_static("service"));
            let seen = request.headers().get("x-sent").cloned();
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
            response
        }
        Behaviour::Refuse => Status::from(Problem::not_found("students/1")).into_http::<Body>(),
        Behaviour::Stall(gone) => {
            struct Tell(mpsc::UnboundedSender<()>);
            impl Drop for Tell {
                fn drop(&mut self) {
                    let _ = self.0.send(());
                }
            }
            let _tell = Tell(gone);
            std::future::pending().await
        }
    }
}

async fn door(service: SocketAddr) -> (Running, Channel) {
    door_with(service, ServerConfig::loopback()).await
}

async fn door_with(service: SocketAddr, server: ServerConfig) -> (Running, Channel) {
    let address = format!("http://{service}");
    let upstreams = UpstreamsConfig {
        roster: address.clone(),
        sampling: address.clone(),
        safety_inspection: address.clone(),
        notification: address,
    };
    let server = ServerConfig {
        drain: Duration::from_millis(200),
        ..server
    };
    let config = Config::new(server, AuthConfig::development(), upstreams);
    let running = gateway::start(config, clock(), Drain::new())
        .await
        .expect("starts");
    let channel = kit::channel::connect_lazy(&format!("http://{}", running.addr)).expect("a URI");
    (running, channel)
}

fn signed<T>(message: T) -> Request<T> {
    let ttl = Duration::from_secs(600);
    let roles = [Role::Guard];
    let token =
        Issuer::development().token("g", &roles, &OrgPath::root(), None, clock().now(), ttl);
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", bearer);
    request
}

async fn call(channel: &Channel, request: Request<String>) -> Result<String, Status> {
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

fn reason(status: &Status) -> String {
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}

#[tokio::test]
async fn thousands_of_calls_pass_over_one_connection() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Echo).await;
    let (_door, channel) = door(service.addr).await;
    let calls = stream::iter(0..3000).map(|number| {
        let channel = channel.clone();
        async move {
            (
                number,
                call(&channel, signed(format!("call {number}"))).await,
            )
        }
    });
    let answers: Vec<_> = calls.buffer_unordered(64).collect().await;
    assert_eq!(answers.len(), 3000);
    for (number, answer) in answers {
        assert_eq!(answer.unwrap(), format!("call {number}"));
    }
}

#[tokio::test]
async fn a_large_stream_passes_both_ways_with_its_metadata_and_trailers() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Echo).await;
    let (_door, channel) = door(service.addr).await;
    let mut client = Grpc::new(channel);
    client.ready().await.unwrap();
    let messages = stream::iter(0..2000).map(|number| format!("{number}:{}", "x".repeat(8000)));
    let mut request = signed(messages);
    request
        .metadata_mut()
        .insert("x-sent", "by the caller".parse().unwrap());
    let path = PathAndQuery::from_static(METHOD);
    let answer = client
        .streaming(request, path, Codec::default())
        .await
        .unwrap();
    assert_eq!(answer.metadata().get("x-sent").unwrap(), "by the caller");
    let mut messages = answer.into_inner();
    let mut count = 0;
    while let Some(message) = messages.message().await.unwrap() {
        assert!(
            message.starts_with(&format!("{count}:")),
            "in order and whole"
        );
        assert_eq!(message.len(), 8001 + count.to_string().len());
        count += 1;
    }
    assert_eq!(count, 2000);
    let trailers = messages.trailers().await.unwrap().unwrap();
    assert_eq!(trailers.get("x-seen-by").unwrap(), "service");
}

#[tokio::test]
async fn an_error_keeps_its_details() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Refuse).await;
    let (_door, channel) = door(service.addr).await;
    let refused = call(&channel, signed(String::new())).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::NotFound, "NOT_FOUND")
    );
    assert_eq!(
        refused.get_details_localized_message().unwrap().message,
        "未找到 students/1"
    );
}

#[tokio::test]
async fn nobody_passes_without_a_token_or_to_an_unknown_method() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Echo).await;
    let (_door, channel) = door(service.addr).await;
    let refused = call(&channel, Request::new(String::new()))
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "TOKEN_INVALID");
    let mut client = Grpc::new(channel);
    for path in [
        "/campus.roster.v1.Nothing/Do",
        "/campus.secret.v1.Keys/Get",
        "/",
    ] {
        client.ready().await.unwrap();
        let path: PathAndQuery = path.parse().unwrap();
        let refused = client
            .unary(signed(String::new()), path, Codec::default())
            .await;
        let refused = refused.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::Unimplemented, "UNKNOWN_METHOD")
        );
    }
}

#[tokio::test]
async fn a_service_that_is_away_is_told_quickly_and_used_again_when_it_is_back() {
    let listen = ServerConfig {
        drain: Duration::from_millis(50),
        ..ServerConfig::loopback()
    };
    let service = upstream(listen.clone(), Behaviour::Echo).await;
    let addr = service.addr;
    let (_door, channel) = door(addr).await;
    assert_eq!(call(&channel, signed("a".to_owned())).await.unwrap(), "a");
    service.stop().await.unwrap();
    let refused = tokio::time::timeout(
        Duration::from_secs(3),
        call(&channel, signed(String::new())),
    );
    let refused = refused.await.expect("is told").unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Unavailable, "UNAVAILABLE")
    );
    let words = refused.get_details_localized_message().unwrap();
    assert_eq!(words.message, "服务暂时不可用，请稍后再试");
    let back = ServerConfig {
        listen: addr,
        ..listen
    };
    let _service = upstream(back, Behaviour::Echo).await;
    assert_eq!(call(&channel, signed("b".to_owned())).await.unwrap(), "b");
}

#[tokio::test]
async fn a_deadline_ends_the_call_here_and_there() {
    let (gone, mut given_up) = mpsc::unbounded_channel();
    let service = upstream(ServerConfig::loopback(), Behaviour::Stall(gone)).await;
    let (_door, channel) = door(service.addr).await;
    let mut request = signed(String::new());
    request
        .metadata_mut()
        .insert("grpc-timeout", "100m".parse().unwrap());
    let refused = call(&channel, request).await.unwrap_err();
    assert!(
        matches!(refused.code(), Code::DeadlineExceeded | Code::Cancelled),
        "{refused:?}"
    );
    given_up
        .recv()
        .await
        .expect("the service stops working on it");
}

#[tokio::test]
async fn a_call_that_its_caller_drops_is_dropped_by_the_service() {
    let (gone, mut given_up) = mpsc::unbounded_channel();
    let service = upstream(ServerConfig::loopback(), Behaviour::Stall(gone)).await;
    let (_door, channel) = door(service.addr).await;
    let calling = tokio::spawn(async move { call(&channel, signed(String::new())).await });
    tokio::time::timeout(Duration::from_millis(300), given_up.recv())
        .await
        .expect_err("is at work");
    calling.abort();
    given_up
        .recv()
        .await
        .expect("the service stops working on it");
}

#[tokio::test]
async fn headers_beyond_the_bound_are_refused() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Echo).await;
    let (_door, channel) = door(service.addr).await;
    let mut request = signed(String::new());
    request
        .metadata_mut()
        .insert("x-sent", "x".repeat(20 << 10).parse().unwrap());
    assert!(call(&channel, request).await.is_err());
    assert_eq!(
        call(&channel, signed("still".to_owned())).await.unwrap(),
        "still"
    );
}

#[tokio::test]
async fn more_calls_than_fit_are_refused_at_once() {
    let (gone, _given_up) = mpsc::unbounded_channel();
    let service = upstream(ServerConfig::loopback(), Behaviour::Stall(gone)).await;
    let narrow = ServerConfig {
        max_in_flight: 1,
        ..ServerConfig::loopback()
    };
    let (_door, channel) = door_with(service.addr, narrow).await;
    // The service never answers, so whichever is answered was refused.
    let refused = tokio::select! {
        answer = call(&channel, signed(String::new())) => answer,
        answer = call(&channel, signed(String::new())) => answer,
    };
    let refused = refused.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::ResourceExhausted, "OVERLOADED")
    );
    assert!(refused.get_details_localized_message().is_some());
}
