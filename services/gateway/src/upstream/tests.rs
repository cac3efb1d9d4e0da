//! What callers do says nothing about the replicas that they call.

use std::io;

use futures_util::stream;
use kit::auth::AuthConfig;
use kit::clock::SystemClock;
use kit::drain::Drain;
use kit::server::{Running, Server, ServerConfig};

use super::*;

/// A path that everybody may call, so that the calls come to what stands behind the server.
const OPEN: &str = "/grpc.reflection.v1.Nothing/Ask";

/// A replica that never answers.
async fn silent() -> Running {
    let config = ServerConfig {
        reflection: false,
        drain: Duration::from_millis(50),
        ..ServerConfig::loopback()
    };
    let auth = AuthConfig::development();
    let server = Server::bind(&config, &auth, Arc::new(SystemClock), Drain::new()).await;
    let answer = async |request: Request<Body>| -> Response<Body> {
        drop(request);
        std::future::pending().await
    };
    let router = axum::Router::new().fallback(answer);
    let server = server.unwrap();
    server.serve(tonic::service::Routes::from(router))
}

fn upstream(replicas: &[&Running]) -> Upstream {
    let all: Vec<String> = replicas
        .iter()
        .map(|one| format!("http://{}", one.addr))
        .collect();
    let settings = Settings {
        dialer: None,
        connections: 1,
        connect_timeout: Duration::from_secs(10),
        ping_interval: Duration::from_secs(10),
        ping_timeout: Duration::from_secs(10),
        check_interval: Duration::from_secs(10),
    };
    let names = if all.is_empty() {
        "http://roster.invalid:7401".to_owned()
    } else {
        all.join(",")
    };
    Upstream::new("roster", addresses(&names).unwrap(), settings)
}

fn call(body: Body) -> Request<Body> {
    let mut request = Request::post(OPEN).body(body).unwrap();
    *request.version_mut() = http::Version::HTTP_2;
    request
}

/// How a call ends; none when the replica itself says first that it is late.
async fn ask(upstream: &Upstream, body: Body, within: Duration) -> Option<Unreachable> {
    let deadline = Some(Instant::now() + within);
    upstream.send(call(body), false, deadline).await.err()
}

fn left_out(upstream: &Upstream) -> usize {
    let now = Instant::now();
    let all = upstream.replicas();
    all.iter().filter(|one| one.record().is_out(now)).count()
}

#[tokio::test]
async fn callers_in_a_hurry_make_no_replica_ill() {
    let replicas = [silent().await, silent().await];
    let upstream = upstream(&[&replicas[0], &replicas[1]]);
    for _ in 0..60 {
        let refused = ask(&upstream, Body::from("a"), Duration::from_millis(2)).await;
        assert!(
            matches!(refused, None | Some(Unreachable::Late)),
            "{refused:?}"
        );
    }
    assert_eq!(left_out(&upstream), 0);
}

#[tokio::test]
async fn callers_who_break_off_make_no_replica_ill() {
    let replicas = [silent().await, silent().await];
    let upstream = upstream(&[&replicas[0], &replicas[1]]);
    for _ in 0..60 {
        let gone = Err(io::Error::from(io::ErrorKind::ConnectionReset));
        let parts = stream::iter([Ok("a"), gone]);
        let refused = ask(&upstream, Body::from_stream(parts), Duration::from_secs(10)).await;
        assert!(
            matches!(refused, Some(Unreachable::BrokenOff)),
            "{refused:?}"
        );
    }
    assert_eq!(left_out(&upstream), 0);
}

#[tokio::test]
async fn a_replica_that_goes_away_is_left_out() {
    let replicas = [silent().await, silent().await];
    let upstream = upstream(&[&replicas[0], &replicas[1]]);
    upstream.look_up().await;
    let [_stays, goes] = replicas;
    let gone = goes.addr;
    goes.stop().await.unwrap();
    for _ in 0..60 {
        let _ = ask(&upstream, Body::from("a"), Duration::from_millis(20)).await;
    }
    let now = Instant::now();
    let all = upstream.replicas();
    let out: Vec<_> = all.iter().filter(|one| one.record().is_out(now)).collect();
    assert_eq!(
        out.iter().map(|one| one.address()).collect::<Vec<_>>(),
        [gone]
    );
}

/// A replica that refuses every call, as one does whose database is lost.
async fn refusing() -> Running {
    let auth = AuthConfig::development();
    let config = ServerConfig {
        reflection: false,
        ..ServerConfig::loopback()
    };
    let server = Server::bind(&config, &auth, Arc::new(SystemClock), Drain::new()).await;
    let answer = async |_: Request<Body>| away();
    let router = axum::Router::new().fallback(answer);
    let server = server.unwrap();
    server.serve(tonic::service::Routes::from(router))
}

fn away() -> Response<Body> {
    let problem = kit::status::Problem::new(proto::error::ErrorReason::Unavailable);
    tonic::Status::from(problem).into_http()
}

#[tokio::test]
async fn when_none_serves_calls_hear_why_and_no_replica_is_left_out_afterwards() {
    let replicas = [refusing().await, refusing().await];
    let upstream = upstream(&[&replicas[0], &replicas[1]]);
    upstream.look_up().await;
    let serve = |serving: bool| {
        for one in &*upstream.replicas() {
            one.set_serving(serving);
        }
    };
    serve(false);
    for _ in 0..60 {
        let deadline = Some(Instant::now() + Duration::from_secs(10));
        let answer = upstream.send(call(Body::from("a")), false, deadline).await;
        assert!(is_unavailable(&answer.unwrap()));
    }
    let [one, other] = [0, 1].map(|at| upstream.replicas()[at].address());
    for (tried, left) in [(one, other), (other, one)] {
        let asked = upstream.choose(&[tried]).await.unwrap().address();
        assert_eq!(asked, left, "all are asked as long as none serves");
    }
    serve(true);
    assert_eq!(left_out(&upstream), 0);
    upstream.replicas()[0].set_serving(false);
    let serves = upstream.replicas()[1].address();
    for _ in 0..60 {
        assert_eq!(upstream.choose(&[]).await.unwrap().address(), serves);
    }
}

#[tokio::test]
async fn replicas_come_and_go_and_those_that_stay_keep_their_connections() {
    let upstream = upstream(&[]);
    let found = |ports: &[u16]| {
        let found = ports.iter().map(|port| Found {
            address: SocketAddr::from(([127, 0, 0, 1], *port)),
            authority: "roster:7401".parse().unwrap(),
        });
        found.collect::<Vec<_>>()
    };
    let ports = || {
        let all = upstream.replicas();
        all.iter()
            .map(|one| one.address().port())
            .collect::<Vec<_>>()
    };
    upstream.take(found(&[1, 2]));
    let before = upstream.replicas();
    upstream.take(found(&[2, 3]));
    assert_eq!(ports(), [2, 3]);
    assert!(Arc::ptr_eq(&before[1], &upstream.replicas()[0]));
    upstream.take(Vec::new());
    assert_eq!(
        ports(),
        [2, 3],
        "a name server that is away takes nobody away"
    );
}

#[test]
fn a_replica_that_waits_for_the_issuer_of_a_token_is_well() {
    let mut waits = away();
    let yes = http::HeaderValue::from_static("true");
    waits.headers_mut().insert(ISSUER_AWAITED, yes);
    assert!(is_unavailable(&away()) && is_ill(&away()));
    assert!(is_unavailable(&waits), "another replica may know the key");
    assert!(!is_ill(&waits));
}
