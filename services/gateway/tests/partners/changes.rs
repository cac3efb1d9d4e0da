//! Agreements that change, and agreements that end, while partners call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use prost::Message as _;
use proto::sampling::Tube;
use tokio::time::timeout;
use tonic::{Code, Status};

use crate::stand::{AGREEMENTS, Answer, IN_TIME, Stand, WATCH, call, open, reason};

const GET: &str = "/campus.sampling.v1.TubeService/GetTube";
const REJECT: &str = "/campus.sampling.v1.TubeService/RejectTube";

/// Waits until a condition holds.
async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let holds = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    timeout(IN_TIME, holds)
        .await
        .unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_agreements_count_without_a_restart_and_no_call_fails() {
    let free = AGREEMENTS.replacen(
        "rate = 50\nburst = 500",
        "rate = 1000000\nburst = 1000000",
        1,
    );
    assert_ne!(free, AGREEMENTS);
    let without: Vec<&str> = free
        .lines()
        .filter(|line| !line.contains("RejectTube"))
        .collect();
    let stand = Stand::start(&without.join("\n")).await;
    let over = Arc::new(AtomicBool::new(false));
    let clients = [(); 2].map(|()| {
        let (channel, over) = (stand.channel("laboratory-1"), over.clone());
        tokio::spawn(async move {
            let mut calls = 0;
            while !over.load(Ordering::Relaxed) {
                call(&channel, GET, None).await.expect("no call fails");
                calls += 1;
            }
            calls
        })
    });
    let channel = stand.channel("laboratory-1");
    let rejects = || async { call(&channel, REJECT, None).await.is_ok() };
    let refused = call(&channel, REJECT, None).await.unwrap_err();
    assert_eq!(reason(&refused), "SCOPE_DENIED");
    stand.agree(&free);
    until("the method was agreed", rejects).await;
    let lot = || async {
        let tube = call(&channel, GET, None).await.expect("no call fails");
        Tube::decode(tube).expect("a tube").lot
    };
    assert_eq!(lot().await, "lot");
    stand.agree(&free.replacen("\"lot\", ", "", 1));
    until("the field is agreed no more", || async {
        lot().await.is_empty()
    })
    .await;
    stand.agree(&without.join("\n"));
    until("the method is agreed no more", || async {
        !rejects().await
    })
    .await;
    over.store(true, Ordering::Relaxed);
    for client in clients {
        assert!(client.await.expect("no call failed") > 0);
    }
}

/// How an open stream ends.
async fn end(mut stream: Answer) -> Status {
    stream.next().await.expect_err("the end")
}

#[tokio::test]
async fn a_stream_ends_with_the_agreement_and_when_the_partner_is_taken_out() {
    let stand = Stand::start(AGREEMENTS).await;
    let channel = stand.channel("city-disease-control");
    let watch = async || {
        let mut stream = open(&channel, WATCH, None).await.expect("opens");
        stream.next().await.expect("a first message");
        stream
    };
    let (begin, _) = AGREEMENTS
        .split_once("# Disease control of the city")
        .expect("two parts");
    let stream = watch().await;
    stand.agree(begin);
    let gone = end(stream).await;
    assert_eq!(
        (gone.code(), &*reason(&gone)),
        (Code::Unauthenticated, "PARTNER_UNKNOWN")
    );
    let refused = call(&channel, WATCH, None).await.unwrap_err();
    assert_eq!(reason(&refused), "PARTNER_UNKNOWN");

    stand.agree(AGREEMENTS);
    until("the partner is known again", || async {
        call(&channel, WATCH, None).await.is_ok()
    })
    .await;
    let stream = watch().await;
    stand
        .clock
        .set("2027-12-31T16:00:01Z".parse().expect("an instant"));
    // A change of the file makes the gateway look at the clock.
    stand.agree(&format!("{AGREEMENTS}# the same\n"));
    let over = end(stream).await;
    assert_eq!(
        (over.code(), &*reason(&over)),
        (Code::Unauthenticated, "TOKEN_EXPIRED")
    );
    let refused = call(&channel, WATCH, None).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}
