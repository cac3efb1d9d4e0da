//! Health at the door: its own and that of the services behind it.

mod door;

use std::net::SocketAddr;
use std::time::Duration;

use door::http::{Reply, send};
use door::{Behaviour, door, upstream};
use http::Request;
use kit::server::ServerConfig;
use tokio::time::timeout;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// The gateway follows within a second; a loaded machine takes longer.
const SOON: Duration = Duration::from_secs(20);

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

async fn probe(addr: SocketAddr, path: &str) -> Reply {
    let probe = Request::get(path).header("host", "campus");
    send(addr, probe.body(bytes::Bytes::new()).expect("a request")).await
}

/// Waits until the probe says so.
async fn until(addr: SocketAddr, path: &str, status: u16) -> Reply {
    let told = async {
        loop {
            let reply = probe(addr, path).await;
            if reply.status == status {
                return reply;
            }
        }
    };
    timeout(SOON, told).await.expect("in time")
}

#[tokio::test]
async fn probes_of_load_balancers_are_answered_without_a_token() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Echo).await;
    let (door, _) = door(service.addr).await;
    for path in ["/healthz", "/readyz"] {
        let reply = until(door.addr, path, 200).await;
        assert_eq!(reply.json(), serde_json::json!({"status": "SERVING"}));
        assert_eq!(reply.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn the_health_of_a_service_behind_is_its_own_word() {
    let listen = ServerConfig {
        drain: Duration::from_millis(50),
        ..ServerConfig::loopback()
    };
    let service = upstream(listen, Behaviour::Echo).await;
    let (_door, channel) = door(service.addr).await;
    let mut health = HealthClient::new(channel);
    let names = ["campus.sampling.v1", "campus.sampling.v1.DrawService"];
    let becomes = async |name: &str, status: ServingStatus| {
        let mut health = health.clone();
        let becoming = async {
            while health
                .check(of(name))
                .await
                .expect("told")
                .get_ref()
                .status()
                != status
            {
                tokio::task::yield_now().await;
            }
        };
        timeout(SOON, becoming).await.expect("in time");
    };
    for name in names {
        becomes(name, ServingStatus::Serving).await;
    }
    service.stop().await.expect("stops");
    for name in names {
        becomes(name, ServingStatus::NotServing).await;
    }
    let unknown = health
        .check(of("campus.nothing.v1"))
        .await
        .expect_err("nothing");
    assert_eq!(unknown.code(), Code::NotFound);
    let own = health.check(of("liveness")).await.expect("told");
    assert_eq!(own.get_ref().status(), ServingStatus::Serving);
}

#[tokio::test]
async fn who_watches_a_service_sees_it_come_and_go() {
    let listen = ServerConfig {
        drain: Duration::from_millis(50),
        ..ServerConfig::loopback()
    };
    let service = upstream(listen, Behaviour::Echo).await;
    let (_door, channel) = door(service.addr).await;
    let mut health = HealthClient::new(channel);
    let watch = health.watch(of("campus.roster.v1")).await;
    let mut states = watch.expect("watches").into_inner();
    let mut next = async || {
        let state = timeout(SOON, states.message()).await.expect("in time");
        state.expect("told").expect("goes on").status()
    };
    let mut state = next().await;
    while state != ServingStatus::Serving {
        state = next().await;
    }
    service.stop().await.expect("stops");
    assert_eq!(next().await, ServingStatus::NotServing);
}

#[tokio::test]
async fn a_drained_gateway_lets_watchers_go() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Echo).await;
    let (door, channel) = door(service.addr).await;
    let mut health = HealthClient::new(channel);
    let watch = health.watch(of("campus.roster.v1")).await;
    let mut states = watch.expect("watches").into_inner();
    let stop = tokio::spawn(door.stop());
    let ended = async { while let Ok(Some(_)) = states.message().await {} };
    timeout(SOON, ended).await.expect("ends");
    stop.await.expect("no panic").expect("stops");
}
