//! A caller that asks for too much is told to wait, and what is less urgent gives way; others are served.

mod door;

use std::time::Duration;

use gateway::{Limit, MethodLimit, SheddingConfig};
use kit::server::ServerConfig;
use tokio::task::JoinSet;
use tonic::Code;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic_types::StatusExt;

use door::{Behaviour, Codec, UNARY, call, door_set, reason, signed, signed_by, upstream};

/// A method of the day's work.
const NORMAL: &str = "/campus.safety.v1.HazardService/ReportHazard";

#[tokio::test]
async fn whoever_asks_for_too_much_is_told_how_long_to_wait_and_others_are_served() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Real).await;
    let (_door, channel) = door_set(service.addr, |config| {
        config.limits.all = Limit { rate: 1, burst: 10 };
        config.limits.methods = vec![MethodLimit {
            method: UNARY.to_owned(),
            rate: 1,
            burst: 3,
        }];
    })
    .await;
    let ask = async |subject: &str| call(&channel, signed_by(subject, "here".to_owned())).await;
    for _ in 0..3 {
        ask("greedy").await.expect("answered");
    }
    let first = ask("greedy").await.expect_err("refused");
    assert_eq!(
        (first.code(), reason(&first).as_str()),
        (Code::ResourceExhausted, "RATE_LIMITED")
    );
    let info = first.get_details_error_info().expect("a reason");
    assert_eq!(info.metadata.get("limit").map(String::as_str), Some(UNARY));
    let wait = |status: &tonic::Status| {
        let retry = status.get_details_retry_info().expect("a time to wait");
        retry.retry_delay.expect("a time to wait")
    };
    let mut before = wait(&first);
    for _ in 0..5 {
        let again = ask("greedy").await.expect_err("refused");
        assert!(wait(&again) >= before / 2, "impatience is not rewarded");
        before = wait(&again);
    }
    assert!(before > wait(&first), "{before:?}");
    ask("modest").await.expect("answered");
}

#[tokio::test]
async fn what_is_urgent_passes_where_the_rest_gives_way() {
    let (gone, _given_up) = tokio::sync::mpsc::unbounded_channel();
    let service = upstream(ServerConfig::loopback(), Behaviour::Stall(gone)).await;
    let (_door, channel) = door_set(service.addr, |config| {
        config.shedding = SheddingConfig {
            least: 10,
            most: 10,
        };
    })
    .await;
    // Eight ordinary calls fill their share of the room and stay, the others give way.
    let mut calls = JoinSet::new();
    for _ in 0..12 {
        calls.spawn(unary(channel.clone(), NORMAL, 60_000));
    }
    for _ in 0..4 {
        let refused = calls.join_next().await.expect("a call");
        assert_eq!(refused.expect("answered"), Code::ResourceExhausted);
    }
    // One at a gate is still passed on, and waits for its answer.
    assert_ne!(
        unary(channel.clone(), UNARY, 200).await,
        Code::ResourceExhausted
    );
}

/// How a call that its service never answers ends within so many milliseconds.
async fn unary(channel: Channel, path: &'static str, millis: u64) -> Code {
    let mut client = Grpc::new(channel);
    client.ready().await.expect("the door is open");
    let mut request = signed("a".to_owned());
    request.set_timeout(Duration::from_millis(millis));
    let path = PathAndQuery::from_static(path);
    let answer = client.unary::<_, String, _>(request, path, Codec::default());
    answer.await.expect_err("no answer").code()
}
