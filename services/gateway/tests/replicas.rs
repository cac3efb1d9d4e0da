//! Several replicas of a service behind the door, some of them ill.

mod door;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use futures_util::future::join_all;
use http::{HeaderValue, Request as HttpRequest, Response as HttpResponse};
use kit::drain::Drain;
use kit::server::{Running, Server, ServerConfig};
use kit::status::Problem;
use proto::error::ErrorReason;
use tokio::net::TcpListener;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use door::relay::{Relay, Wire};
use door::{Behaviour, Codec, behave, call, clock, door_set, reason, signed, upstream};

/// A unary method that changes nothing, so that it may be called again.
const READ: &str = "/campus.safety.v1.GateService/GetSnapshot";

async fn real() -> Running {
    upstream(ServerConfig::loopback(), Behaviour::Real).await
}

/// A replica that does this with every call and counts them.
async fn counted(behaviour: Behaviour) -> (Running, Arc<AtomicUsize>) {
    let auth = kit::auth::AuthConfig::development();
    let server = Server::bind(&ServerConfig::loopback(), &auth, clock(), Drain::new()).await;
    let count = Arc::new(AtomicUsize::new(0));
    let counting = count.clone();
    let answer = move |request: HttpRequest<Body>| {
        counting.fetch_add(1, Ordering::Relaxed);
        behave(behaviour.clone(), request)
    };
    let router = axum::Router::new().fallback(answer);
    let routes = tonic::service::Routes::from(router);
    (server.expect("binds").serve(routes), count)
}

/// A replica that answers every call with UNAVAILABLE, but says that it serves.
async fn unwell() -> Running {
    let auth = kit::auth::AuthConfig::development();
    let server = Server::bind(&ServerConfig::loopback(), &auth, clock(), Drain::new()).await;
    let answer = async |_: HttpRequest<Body>| -> HttpResponse<Body> {
        let problem = Problem::new(ErrorReason::Unavailable);
        let mut response = Status::from(problem).into_http::<Body>();
        let seen = HeaderValue::from_static("unwell");
        response.headers_mut().insert("x-replica", seen);
        response
    };
    let router = axum::Router::new().fallback(answer);
    server
        .expect("binds")
        .serve(tonic::service::Routes::from(router))
}

/// A replica that takes every connection and says nothing.
async fn frozen() -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let holding = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    (address, holding)
}

/// A door before these replicas, which looks after them often.
async fn door_before(replicas: &[SocketAddr]) -> (Running, Channel) {
    let addresses: Vec<String> = replicas.iter().map(|one| format!("http://{one}")).collect();
    let addresses = addresses.join(",");
    door_set(replicas[0], |config| {
        config.upstreams.safety_inspection = addresses;
        config.ping_interval = Duration::from_millis(100);
        config.ping_timeout = Duration::from_millis(100);
        config.check_interval = Duration::from_millis(50);
    })
    .await
}

async fn read(channel: &Channel, text: &str) -> Result<String, Status> {
    let mut client = Grpc::new(channel.clone());
    let ready = client.ready().await;
    ready.map_err(|_| Status::unavailable("the door is closed"))?;
    let request: Request<String> = signed(text.to_owned());
    let path = PathAndQuery::from_static(READ);
    let answer = client.unary(request, path, Codec::default()).await;
    Ok(answer?.into_inner())
}

/// The answers of so many calls, sixteen at once.
async fn many<F>(count: usize, call: impl Fn(usize) -> F) -> Vec<Result<String, Status>>
where
    F: Future<Output = Result<String, Status>>,
{
    let mut answers = Vec::new();
    for first in (0..count).step_by(16) {
        answers.extend(join_all((first..first + 16).map(&call)).await);
    }
    answers
}

#[tokio::test]
async fn no_call_fails_beside_a_replica_that_takes_no_connection() {
    let live = real().await;
    // A port that was free a moment ago.
    let refusing = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let refusing_address = refusing.local_addr().expect("an address");
    drop(refusing);
    let (_door, channel) = door_before(&[live.addr, refusing_address]).await;
    let answers = many(2_400, |number| call(&channel, signed(format!("{number}")))).await;
    let failed = answers.iter().filter(|answer| answer.is_err()).count();
    assert_eq!((answers.len(), failed), (2_400, 0));
}

#[tokio::test]
async fn what_changes_nothing_is_asked_again_of_a_replica_that_is_well() {
    let (live, unwell) = (real().await, unwell().await);
    let (_door, channel) = door_before(&[live.addr, unwell.addr]).await;
    let texts: Vec<String> = (0..320).map(|number| format!("{number}")).collect();
    let answers = many(texts.len(), |number| read(&channel, &texts[number])).await;
    for (answer, text) in answers.into_iter().zip(&texts) {
        assert_eq!(answer.expect("answered"), *text);
    }
}

#[tokio::test]
async fn what_may_change_something_is_sent_once_and_the_ill_replica_is_left_out() {
    let (live, unwell) = (real().await, unwell().await);
    let (_door, channel) = door_before(&[live.addr, unwell.addr]).await;
    let mut failed = 0;
    for number in 0..200 {
        if let Err(status) = call(&channel, signed(format!("{number}"))).await {
            assert_eq!(status.code(), Code::Unavailable);
            assert_eq!(reason(&status), "UNAVAILABLE");
            failed += 1;
        }
    }
    // Five in a row, or half of twenty, are enough to leave it out; without that about a hundred fail.
    assert!(failed <= 20, "{failed}");
}

#[tokio::test]
async fn calls_on_a_frozen_replica_are_given_up_and_asked_of_another() {
    let live = real().await;
    let (address, holding) = frozen().await;
    let (_door, channel) = door_before(&[live.addr, address]).await;
    let answers = many(64, |number| {
        let channel = channel.clone();
        async move { read(&channel, &number.to_string()).await }
    })
    .await;
    assert!(answers.iter().all(Result::is_ok));
    holding.abort();
}

#[tokio::test]
async fn a_replica_that_goes_away_under_load_takes_no_reading_call_along() {
    let (stays, goes) = (real().await, real().await);
    let (_door, channel) = door_before(&[stays.addr, goes.addr]).await;
    let asking = tokio::spawn({
        let channel = channel.clone();
        async move {
            many(1_600, |number| {
                let channel = channel.clone();
                async move { read(&channel, &number.to_string()).await }
            })
            .await
        }
    });
    read(&channel, "first").await.expect("answered");
    goes.stop().await.expect("stopped");
    let answers = asking.await.expect("asked");
    let failed = answers.iter().filter(|answer| answer.is_err()).count();
    assert_eq!((answers.len(), failed), (1_600, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_freezes_under_load_takes_no_reading_call_along() {
    let ((stays, _), (freezes, asked)) = (
        counted(Behaviour::Real).await,
        counted(Behaviour::Real).await,
    );
    let relay = Relay::to(freezes.addr).await;
    let (_door, channel) = door_before(&[stays.addr, relay.addr]).await;
    let asking = tokio::spawn(async move {
        let call = |number: usize| {
            let channel = channel.clone();
            async move { read(&channel, &number.to_string()).await }
        };
        let before = many(800, call).await;
        // Both are asked before one of them freezes.
        relay.becomes(Wire::Frozen);
        let after = many(800, call).await;
        [before, after].concat()
    });
    let answers = asking.await.expect("asked");
    let failed = answers.iter().filter_map(|answer| answer.as_ref().err());
    let failed: Vec<_> = failed.collect();
    assert_eq!((answers.len(), failed.len()), (1_600, 0), "{failed:?}");
    assert!(asked.load(Ordering::Relaxed) > 0);
}

/// What may change something is not made again: a replica that stops in order has to finish what it began.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_stopped_in_order_under_load_fails_no_call_at_all() {
    let ((stays, _), (goes, asked)) = (
        counted(Behaviour::Real).await,
        counted(Behaviour::Real).await,
    );
    let (_door, channel) = door_before(&[stays.addr, goes.addr]).await;
    let asking = tokio::spawn(async move {
        many(3_200, |number| {
            let channel = channel.clone();
            async move { call(&channel, signed(number.to_string())).await }
        })
        .await
    });
    let begun = async {
        while asked.load(Ordering::Relaxed) < 100 {
            tokio::task::yield_now().await;
        }
    };
    let begun = tokio::time::timeout(Duration::from_secs(30), begun).await;
    begun.expect("both are asked");
    goes.stop().await.expect("stopped");
    let answers = asking.await.expect("asked");
    let failed: Vec<_> = answers.iter().filter(|answer| answer.is_err()).collect();
    assert_eq!((answers.len(), failed.len()), (3_200, 0), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slowed_replica_is_asked_for_less() {
    let ((fast, fast_asked), (slow, slow_asked)) = (
        counted(Behaviour::Real).await,
        counted(Behaviour::Real).await,
    );
    let relay = Relay::to(slow.addr).await;
    relay.becomes(Wire::Slow(Duration::from_millis(100)));
    let (_door, channel) = door_set(fast.addr, |config| {
        config.upstreams.safety_inspection = format!("http://{},http://{}", fast.addr, relay.addr);
    })
    .await;
    let answers = many(640, |number| {
        let channel = channel.clone();
        async move { read(&channel, &number.to_string()).await }
    });
    let failed = answers.await.into_iter().filter(Result::is_err).count();
    assert_eq!(failed, 0);
    let [fast, slow] = [fast_asked, slow_asked].map(|asked| asked.load(Ordering::Relaxed));
    assert_eq!(fast + slow, 640, "nobody was asked twice");
    assert!(slow * 4 < fast, "{slow} of {}", fast + slow);
}

#[tokio::test]
async fn when_nobody_can_answer_tries_are_a_tenth_more() {
    let ill = || counted(Behaviour::Away);
    let ((one, first), (other, second)) = (ill().await, ill().await);
    let (_door, channel) = door_before(&[one.addr, other.addr]).await;
    for number in 0..400 {
        let refused = read(&channel, &number.to_string()).await;
        assert_eq!(reason(&refused.expect_err("refused")), "UNAVAILABLE");
    }
    let tries = first.load(Ordering::Relaxed) + second.load(Ordering::Relaxed);
    // Ten are there at the beginning, and each ten calls pay for one more.
    assert!((400..=450).contains(&tries), "{tries}");
}

#[tokio::test]
async fn nobody_is_left_out_when_all_are_ill() {
    let (one, other) = (unwell().await, unwell().await);
    let (_door, channel) = door_before(&[one.addr, other.addr]).await;
    for number in 0..100 {
        let refused = call(&channel, signed(format!("{number}"))).await;
        let status = refused.expect_err("refused");
        assert_eq!(reason(&status), "UNAVAILABLE", "the service's own words");
    }
}
