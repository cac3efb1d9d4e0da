//! Calls passed on by the gateway, which checks who calls, what they may and how much, beside nginx and
//! haproxy, which check nothing, before the same service.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::StreamExt as _;
use gateway::{Config, UpstreamsConfig};
use http_body_util::BodyExt as _;
use kit::auth::{AuthConfig, Issuer, Role};
use kit::clock::{Clock, SystemClock};
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::server::{Running, Server, ServerConfig};
use prost::Message as _;
use proto::roster::organization_service_client::OrganizationServiceClient;
use proto::roster::roster_feed_client::RosterFeedClient;
use proto::roster::{GetOrganizationRequest, Organization, WatchRequest, WatchResponse};
use tonic::Streaming;
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

use super::BenchArgs;
use super::harness::{Answer, Bound, Figure, Latencies, forget_peak_memory, median, ms};
use super::load;
use super::peers::Peer;
use crate::house::Door;
use crate::screen;
use crate::token::Bearer;

/// The method that streams.
const STREAM: &str = "/campus.roster.v1.RosterFeed/Watch";
/// How many call at once, over how many connections.
const CLIENTS: usize = 64;
const CONNECTIONS: usize = 4;
/// How many calls each round takes.
const CALLS: usize = 20_000;
/// How many of them come one after the other.
const ALONE: usize = 3_000;
/// How many streams stay open, and over how many connections.
const STREAMS: usize = 10_000;
const STREAM_CONNECTIONS: usize = 100;
/// How long tokens are valid.
const TERM: Duration = Duration::from_secs(24 * 3600);

/// What one way to the service took, round after round.
#[derive(Default)]
struct Way {
    rate: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
}

pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    let drain = Drain::new();
    let service = service(drain.clone()).await?;
    let door = door(service.addr, drain.clone()).await?;
    let nginx = Peer::nginx(service.addr).await?;
    let haproxy = Peer::haproxy(service.addr).await?;
    let mut ways = vec![
        ("direct", format!("http://{}", service.addr)),
        ("gateway", format!("http://{}", door.addr)),
    ];
    let peers = [("nginx", &nginx), ("haproxy", &haproxy)];
    for (name, peer) in peers {
        match peer {
            Some(peer) => ways.push((name, peer.address.clone())),
            None => screen::line(format_args!("{name} is not installed: left out")),
        }
    }
    let mut measured: Vec<Way> = ways.iter().map(|_| Way::default()).collect();
    for _ in 0..args.rounds {
        for ((_, address), way) in ways.iter().zip(&mut measured) {
            let callers = callers(address)?;
            let many = call(&callers, CLIENTS, CALLS).await?;
            let alone = call(&callers[..1], 1, ALONE).await?;
            way.rate.push(many.rate());
            way.p50.push(ms(&alone, 0.5));
            way.p99.push(ms(&alone, 0.99));
        }
    }
    let streams = memory_of_streams(&ways[1].1).await?;
    drain.signal();
    door.finished().await?;
    service.finished().await?;
    let of = |name: &str| {
        let place = ways.iter().position(|(known, _)| *known == name);
        place.map(|place| &measured[place])
    };
    figures(of, streams)
}

fn figures<'a>(of: impl Fn(&str) -> Option<&'a Way>, streams: f64) -> anyhow::Result<Vec<Figure>> {
    let direct = of("direct").context("measured")?;
    let gateway = of("gateway").context("measured")?;
    let rate = |way: &Way| median(way.rate.clone());
    let added = |way: &Way, pick: fn(&Way) -> &Vec<f64>| {
        (median(pick(way).clone()) - median(pick(direct).clone())) * 1e3
    };
    let mut figures = vec![Figure::ratio(
        "64 clients, gateway ÷ direct",
        "/s",
        rate(direct),
        rate(gateway),
        (Bound::AtLeast, 0.0),
    )];
    for (name, peer, target) in [
        ("64 clients, gateway ÷ nginx", "nginx", 1.0),
        ("64 clients, gateway ÷ haproxy", "haproxy", 0.0),
    ] {
        if let Some(peer) = of(peer) {
            let target = (Bound::AtLeast, target);
            figures.push(Figure::ratio(name, "/s", rate(peer), rate(gateway), target));
        }
    }
    for (name, way, target) in [
        (
            "one client, added by the gateway, p50",
            "gateway",
            (Bound::AtMost, 200.0),
        ),
        (
            "one client, added by nginx, p50",
            "nginx",
            (Bound::AtLeast, 0.0),
        ),
        (
            "one client, added by haproxy, p50",
            "haproxy",
            (Bound::AtLeast, 0.0),
        ),
    ] {
        if let Some(way) = of(way) {
            let micros = added(way, |way| &way.p50);
            figures.push(Figure::alone(name, "µs", micros, target));
        }
    }
    let micros = added(gateway, |way| &way.p99);
    figures.push(Figure::alone(
        "one client, added by the gateway, p99",
        "µs",
        micros,
        (Bound::AtMost, 0.0),
    ));
    figures.push(Figure::alone(
        "10,000 open streams: clients, gateway and service",
        "MiB",
        streams,
        (Bound::AtMost, 600.0),
    ));
    Ok(figures)
}

/// A service that answers at once: every call with an organisation, and a stream with one message.
async fn service(drain: Drain) -> anyhow::Result<Running> {
    let config = roomy();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let server = Server::bind(&config, &AuthConfig::development(), clock, drain).await?;
    let organization = Organization {
        display_name: "福州市鼓楼区第一小学".to_owned(),
        ..Organization::default()
    };
    let unary = framed(&organization.encode_to_vec());
    let first = framed(&WatchResponse::default().encode_to_vec());
    let answer = move |request: http::Request<axum::body::Body>| {
        let (unary, first) = (unary.clone(), first.clone());
        async move {
            let streams = request.uri().path() == STREAM;
            // A service reads a call before it answers.
            let _ = request.into_body().collect().await;
            let trailers = http::HeaderMap::from_iter([(
                http::HeaderName::from_static("grpc-status"),
                http::HeaderValue::from_static("0"),
            )]);
            let body = if streams {
                let first = futures_util::stream::iter([Ok::<_, std::io::Error>(first)]);
                axum::body::Body::from_stream(first.chain(futures_util::stream::pending()))
            } else {
                let whole = http_body_util::Full::new(unary);
                axum::body::Body::new(whole.with_trailers(async move { Some(Ok(trailers)) }))
            };
            let mut response = http::Response::new(body);
            let kind = http::HeaderValue::from_static("application/grpc");
            response.headers_mut().insert("content-type", kind);
            response
        }
    };
    let router = axum::Router::new().fallback(answer);
    Ok(server.serve(Routes::from(router)))
}

fn framed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap_or_default();
    [&[0][..], &length.to_be_bytes(), message].concat().into()
}

/// Bounds that ten thousand streams do not meet.
fn roomy() -> ServerConfig {
    ServerConfig {
        max_in_flight: 4 * STREAMS,
        drain: Duration::from_millis(200),
        ..ServerConfig::loopback()
    }
}

async fn door(service: SocketAddr, drain: Drain) -> anyhow::Result<Running> {
    let address = format!("http://{service}");
    let upstreams = UpstreamsConfig {
        roster: address.clone(),
        sampling: address.clone(),
        safety_inspection: address.clone(),
        notification: address,
    };
    let config = Config {
        connections_per_upstream: 16,
        ..Config::new(roomy(), AuthConfig::development(), upstreams)
    };
    Ok(gateway::start(config, Arc::new(SystemClock), drain).await?)
}

/// As many callers as call at once, each with a token of its own.
fn callers(address: &str) -> anyhow::Result<Arc<[Caller]>> {
    let channels = channels(address, CONNECTIONS)?;
    let caller = |number: usize| Caller::new(&channels[number % CONNECTIONS], number);
    (0..CLIENTS).map(caller).collect()
}

fn channels(address: &str, count: usize) -> anyhow::Result<Vec<Channel>> {
    let channels = (0..count).map(|_| kit::channel::connect_lazy(address));
    Ok(channels.collect::<Result<_, _>>()?)
}

/// Somebody who calls.
#[derive(Clone)]
struct Caller {
    door: Door,
}

impl Caller {
    fn new(channel: &Channel, number: usize) -> anyhow::Result<Self> {
        let (now, root) = (SystemClock.now(), OrgPath::root());
        let subject = format!("bench-{number}");
        let roles = [Role::CityOfficer];
        let token = Issuer::development().token(&subject, &roles, &root, None, now, TERM);
        let door = InterceptedService::new(channel.clone(), Bearer::new(&token)?);
        Ok(Self { door })
    }

    async fn unary(&self) -> anyhow::Result<Answer> {
        let request = GetOrganizationRequest {
            name: "organizations/2135010001".to_owned(),
        };
        let mut client = OrganizationServiceClient::new(self.door.clone());
        client.get_organization(request).await?;
        Ok(Answer::Done)
    }

    async fn watch(&self) -> anyhow::Result<Streaming<WatchResponse>> {
        let mut client = RosterFeedClient::new(self.door.clone());
        let mut stream = client.watch(WatchRequest::default()).await?.into_inner();
        stream.message().await?.context("a first message")?;
        Ok(stream)
    }
}

/// So many calls, by so many at once.
async fn call(callers: &[Caller], at_once: usize, calls: usize) -> anyhow::Result<Latencies> {
    let callers: Arc<[Caller]> = callers.into();
    let call = move |number: usize| {
        let caller = callers[number % callers.len()].clone();
        async move { caller.unary().await }
    };
    load::closed(at_once, (0..calls).collect(), call).await
}

/// How much the memory of this process grows by as many streams that stay open.
async fn memory_of_streams(address: &str) -> anyhow::Result<f64> {
    let channels = channels(address, STREAM_CONNECTIONS)?;
    let before = forget_peak_memory();
    let mut open = Vec::with_capacity(STREAMS);
    for number in 0..STREAMS {
        let caller = Caller::new(&channels[number % STREAM_CONNECTIONS], number % 100)?;
        open.push(caller.watch().await?);
    }
    let after = forget_peak_memory();
    drop(open);
    Ok(after.saturating_sub(before) as f64)
}
