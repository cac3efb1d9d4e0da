//! Calls passed on by the gateway, which checks who calls, what they may and how much, beside nginx and
//! haproxy, which check nothing, before the same service. Each is a process of its own.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use futures_util::StreamExt as _;
use gateway::{Config, LimitsConfig, SheddingConfig, UpstreamsConfig};
use http_body_util::BodyExt as _;
use kit::auth::{AuthConfig, Issuer, Role};
use kit::channel::Channel;
use kit::clock::{Clock, SystemClock};
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::server::{Running, Server, ServerConfig};
use prost::Message as _;
use proto::roster::organization_service_client::OrganizationServiceClient;
use proto::roster::roster_feed_client::RosterFeedClient;
use proto::roster::{GetOrganizationRequest, Organization, WatchRequest, WatchResponse};
use tokio::time::timeout;
use tonic::Streaming;
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;

use super::BenchArgs;
use super::files::raise_limit;
use super::harness::{Answer, Bound, Figure, Latencies, median, ms};
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
/// How many streams stay open, of which the memory of the first is looked at by itself, and over how many
/// connections.
const STREAMS: usize = 10_000;
const FIRST_STREAMS: usize = 1_000;
const STREAM_CONNECTIONS: usize = 100;
/// Whatever takes longer than this is given up.
const ROUND_WITHIN: Duration = Duration::from_secs(180);
/// How long tokens are valid.
const TERM: Duration = Duration::from_secs(24 * 3600);

/// What one way to the service took, round after round.
#[derive(Default)]
struct Way {
    rate: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
}

/// Only runs the gateway before `service`, says where it listens, and stays until the standard input ends.
pub(super) async fn alone(service: SocketAddr) -> anyhow::Result<ExitCode> {
    let drain = Drain::new();
    let door = door(service, drain.clone()).await?;
    screen::line(door.addr);
    let stays = || std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    tokio::task::spawn_blocking(stays).await??;
    drain.signal();
    door.finished().await?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    raise_limit().await;
    let drain = Drain::new();
    let service = service(drain.clone()).await?;
    let direct = format!("http://{}", service.addr);
    let gateway = Peer::gateway(service.addr).await?;
    let nginx = Peer::nginx(service.addr).await?;
    let haproxy = Peer::haproxy(service.addr).await?;
    let mut ways = vec![("direct", &*direct), ("gateway", &*gateway.address)];
    for (name, peer) in [("nginx", &nginx), ("haproxy", &haproxy)] {
        match peer {
            Some(peer) => ways.push((name, &*peer.address)),
            None => screen::line(format_args!(
                "{name} is not installed: not measured (apt-get install {name})"
            )),
        }
    }
    let mut measured: Vec<Way> = ways.iter().map(|_| Way::default()).collect();
    for round in 0..args.rounds as usize {
        // Each is the first as often as the others.
        for place in (0..ways.len()).map(|place| (place + round) % ways.len()) {
            let (name, address) = ways[place];
            let taken = timeout(ROUND_WITHIN, measure(address)).await;
            let taken = taken.with_context(|| format!("{name} took too long"))?;
            let (many, alone) = taken.with_context(|| name.to_owned())?;
            let way = &mut measured[place];
            way.rate.push(many.rate());
            way.p50.push(ms(&alone, 0.5));
            way.p99.push(ms(&alone, 0.99));
        }
    }
    let streams = timeout(ROUND_WITHIN, memory_of_streams(&gateway)).await;
    let streams = streams.context("streams took too long to open")??;
    let of = |name: &str| {
        let place = ways.iter().position(|(known, _)| *known == name);
        place.map(|place| &measured[place])
    };
    let figures = figures(of, &streams)?;
    drop((gateway, nginx, haproxy));
    drain.signal();
    service.finished().await?;
    Ok(figures)
}

/// Many calls at once, and calls one after the other.
async fn measure(address: &str) -> anyhow::Result<(Latencies, Latencies)> {
    let callers = callers(address)?;
    // Connections are made before the clock runs.
    call(&callers, CLIENTS, CLIENTS).await?;
    let many = call(&callers, CLIENTS, CALLS).await?;
    let alone = call(&callers[..1], 1, ALONE).await?;
    Ok((many, alone))
}

fn figures<'a>(
    of: impl Fn(&str) -> Option<&'a Way>,
    streams: &Streams,
) -> anyhow::Result<Vec<Figure>> {
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
        let floor = match of(peer) {
            Some(peer) => rate(peer),
            // A target for which nothing was measured is missed.
            None if target > 0.0 => f64::NAN,
            None => continue,
        };
        let target = (Bound::AtLeast, target);
        figures.push(Figure::ratio(name, "/s", floor, rate(gateway), target));
    }
    let ways = [
        (
            "gateway",
            "one client, added by the gateway, p50",
            "one client, added by the gateway, p99",
            Some((Bound::AtMost, 200.0)),
        ),
        (
            "nginx",
            "one client, added by nginx, p50",
            "one client, added by nginx, p99",
            None,
        ),
        (
            "haproxy",
            "one client, added by haproxy, p50",
            "one client, added by haproxy, p99",
            None,
        ),
    ];
    for (way, half, most, target) in ways {
        if let Some(way) = of(way) {
            let p50 = added(way, |way| &way.p50);
            figures.push(match target {
                Some(target) => Figure::alone(half, "µs", p50, target),
                None => Figure::told(half, "µs", p50),
            });
            let p99 = added(way, |way| &way.p99);
            figures.push(Figure::told(most, "µs", p99));
        }
    }
    figures.push(Figure::alone(
        "10,000 open streams, the gateway more",
        "MiB",
        streams.all,
        (Bound::AtMost, 200.0),
    ));
    figures.push(Figure::ratio(
        "the same a stream, the last 9,000 ÷ the first 1,000",
        "KiB",
        streams.first,
        streams.last,
        (Bound::AtMost, 1.5),
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
        max_connections_per_address: STREAMS,
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
        limits: LimitsConfig::wide(),
        max_watches_per_caller: STREAMS,
        shedding: SheddingConfig {
            watches: 2 * STREAMS,
            ..SheddingConfig::default()
        },
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
    let channels = (0..count).map(|_| Channel::to(address, None));
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

/// What open streams take up of the gateway.
struct Streams {
    /// All of them, in MiB.
    all: f64,
    /// One of the first, and one of those that follow, in KiB.
    first: f64,
    last: f64,
}

/// How much the memory of the gateway grows by streams that stay open.
async fn memory_of_streams(gateway: &Peer) -> anyhow::Result<Streams> {
    let channels = channels(&gateway.address, STREAM_CONNECTIONS)?;
    let mut open = Vec::with_capacity(STREAMS);
    let mut held = Vec::new();
    for many in [STREAM_CONNECTIONS, FIRST_STREAMS, STREAMS] {
        while open.len() < many {
            let number = open.len();
            let caller = Caller::new(&channels[number % STREAM_CONNECTIONS], number % 100)?;
            open.push(caller.watch().await?);
        }
        held.push((many, gateway.memory_mib() as f64));
    }
    let each = |from: (usize, f64), to: (usize, f64)| {
        let kib = (to.1 - from.1).max(0.0) * 1024.0;
        kib / (to.0 - from.0) as f64
    };
    let [begun, first, last] = held[..] else {
        bail!("measured");
    };
    Ok(Streams {
        all: last.1 - begun.1,
        first: each(begun, first),
        last: each(first, last),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_nginx_its_target_is_missed_and_without_haproxy_none_is() {
        let way = |rate| Way {
            rate: vec![rate],
            p50: vec![1.0],
            p99: vec![2.0],
        };
        let (direct, gateway) = (way(9.0), way(8.0));
        let of = |name: &str| match name {
            "direct" => Some(&direct),
            "gateway" => Some(&gateway),
            _ => None,
        };
        let streams = Streams {
            all: 1.0,
            first: 1.0,
            last: 1.0,
        };
        let figures = figures(of, &streams).expect("figures");
        let missed = figures.iter().filter(|figure| !figure.met);
        let missed: Vec<_> = missed.map(|figure| figure.name).collect();
        assert_eq!(missed, ["64 clients, gateway ÷ nginx"]);
    }
}
