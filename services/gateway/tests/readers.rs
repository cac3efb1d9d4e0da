//! Callers who ask and do not read the answer, or do not wait for it, hold nobody else up.

mod door;

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use gateway::SheddingConfig;
use kit::server::{Running, ServerConfig};
use tokio::time::timeout;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;

use door::{
    BOTH, Behaviour, Codec, DOWN, UNARY, UP, call, door_set, reason, signed, signed_by, upstream,
};

const IN_TIME: Duration = Duration::from_secs(30);

/// A way to the door for somebody who lets as few bytes as these come before they read.
fn narrow(door: &Running, bytes: u32) -> Channel {
    let endpoint = kit::channel::endpoint(&format!("http://{}", door.addr)).expect("a URI");
    endpoint.initial_stream_window_size(bytes).connect_lazy()
}

/// The answer of `path` to somebody called `subject`, which nobody has read yet.
async fn begun(
    channel: &Channel,
    subject: &str,
    path: &'static str,
) -> Result<Streaming<String>, Status> {
    let mut client = Grpc::new(channel.clone());
    client.ready().await.expect("the door is open");
    let path = PathAndQuery::from_static(path);
    let request = signed_by(subject, "a text".to_owned());
    let answer = client.server_streaming(request, path, Codec::default());
    let answer = timeout(IN_TIME, answer).await.expect("in time");
    Ok(answer?.into_inner())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_nobody_reads_share_a_connection_with_calls_that_are_answered() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Flow).await;
    let set = |config: &mut gateway::Config| {
        config.connections_per_upstream = 1;
        config.max_watches_per_caller = 200;
    };
    let (door, channel) = door_set(service.addr, set).await;
    let narrow = narrow(&door, 1);
    let opened = join_all((0..200).map(|_| begun(&narrow, "ill", DOWN))).await;
    let unread: Vec<_> = opened.into_iter().map(|one| one.expect("begins")).collect();
    for number in 0..100 {
        let text = number.to_string();
        let answer = timeout(IN_TIME, call(&channel, signed(text.clone()))).await;
        assert_eq!(answer.expect("in time").expect("answered"), text);
    }
    assert_eq!(unread.len(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_nobody_reads_take_up_no_room_of_the_service() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Flow).await;
    let set = |config: &mut gateway::Config| {
        config.shedding = SheddingConfig {
            least: 4,
            most: 4,
            ..SheddingConfig::default()
        };
    };
    let (door, channel) = door_set(service.addr, set).await;
    let narrow = narrow(&door, 1);
    let mut unread = Vec::new();
    for _ in 0..20 {
        unread.push(begun(&narrow, "ill", UNARY).await.expect("answered"));
    }
    let answer = call(&channel, signed("a".to_owned())).await;
    assert_eq!(answer.expect("there is room"), "a");
    drop(unread);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_nobody_reads_is_given_up_with_its_place() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Flow).await;
    let set = |config: &mut gateway::Config| {
        config.max_in_flight_per_caller = 2;
        config.server = ServerConfig {
            reader_patience: Duration::from_millis(400),
            ..ServerConfig::loopback()
        };
    };
    let (door, _) = door_set(service.addr, set).await;
    let narrow = narrow(&door, 64 << 10);
    let mut unread = [
        begun(&narrow, "a", DOWN).await.expect("begins"),
        begun(&narrow, "a", DOWN).await.expect("begins"),
    ];
    let again = async {
        loop {
            match begun(&narrow, "a", DOWN).await {
                Ok(_) => return,
                Err(refused) => assert_eq!(reason(&refused), "OVERLOADED"),
            }
        }
    };
    timeout(IN_TIME, again)
        .await
        .expect("there is a place again");
    // Whoever comes back is told to begin again, where they left off.
    let end = async {
        loop {
            if let Err(status) = unread[0].message().await {
                return status;
            }
        }
    };
    let end = timeout(IN_TIME, end).await.expect("it ends");
    assert_eq!(
        (end.code(), &*reason(&end)),
        (Code::Unavailable, "UNAVAILABLE")
    );
}

#[tokio::test]
async fn a_stream_has_an_age_at_the_door() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Half).await;
    let set = |config: &mut gateway::Config| {
        config.server = ServerConfig {
            max_stream_age: Duration::from_millis(200),
            ..ServerConfig::loopback()
        };
    };
    let (door, _) = door_set(service.addr, set).await;
    let channel = narrow(&door, 64 << 10);
    for _ in 0..2 {
        let mut watching = begun(&channel, "a", DOWN).await.expect("begins");
        let first = watching.message().await.expect("a text");
        assert_eq!(first.as_deref(), Some("half"));
        let end = timeout(IN_TIME, watching.message()).await.expect("it ends");
        let end = end.expect_err("of old age");
        assert_eq!(
            (end.code(), &*reason(&end)),
            (Code::Unavailable, "UNAVAILABLE")
        );
    }
}

/// How a call ends whose caller sends a text and then nothing, without an end.
async fn uploaded(channel: &Channel, path: &'static str) -> (Option<String>, Status) {
    let mut client = Grpc::new(channel.clone());
    client.ready().await.expect("the door is open");
    let texts = stream::iter(["a".to_owned()]).chain(stream::pending());
    let (texts, path) = (signed(texts), PathAndQuery::from_static(path));
    let ended = async {
        let answer = client.streaming(texts, path, Codec::default()).await;
        let mut echoes: Streaming<String> = match answer {
            Ok(answer) => answer.into_inner(),
            Err(end) => return (None, end),
        };
        let first = echoes.message().await.expect("a text");
        (first, echoes.message().await.expect_err("of old age"))
    };
    timeout(IN_TIME, ended).await.expect("it ends")
}

#[tokio::test]
async fn whoever_sends_a_stream_is_told_at_the_same_age_to_go_on() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Real).await;
    let set = |config: &mut gateway::Config| {
        config.server = ServerConfig {
            max_stream_age: Duration::from_millis(500),
            request_within: Duration::from_millis(10),
            ..ServerConfig::loopback()
        };
    };
    let (_door, channel) = door_set(service.addr, set).await;
    for (path, expected) in [(UP, None), (BOTH, Some("a"))] {
        let (first, end) = uploaded(&channel, path).await;
        assert_eq!(first.as_deref(), expected, "{path}");
        let told = (end.code(), &*reason(&end));
        assert_eq!(told, (Code::Unavailable, "UNAVAILABLE"), "{path}");
        let retry = end.get_details_retry_info().expect("when to come back");
        assert!(retry.retry_delay.expect("a time") < Duration::from_secs(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_give_up_again_and_again_break_no_call_of_others() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Real).await;
    let set = |config: &mut gateway::Config| config.connections_per_upstream = 1;
    let (door, channel) = door_set(service.addr, set).await;
    let narrow = narrow(&door, 64 << 10);
    let ill = tokio::spawn(async move {
        for _ in 0..100 {
            let calls = (0..64).map(|_| {
                let narrow = narrow.clone();
                tokio::spawn(async move { begun(&narrow, "ill", UNARY).await.is_ok() })
            });
            let calls: Vec<_> = calls.collect();
            tokio::task::yield_now().await;
            calls.iter().for_each(tokio::task::JoinHandle::abort);
        }
    });
    let mut answered = 0;
    while !ill.is_finished() || answered < 20 {
        let answer = timeout(IN_TIME, call(&channel, signed("a".to_owned()))).await;
        assert_eq!(answer.expect("in time").expect("answered"), "a");
        answered += 1;
    }
    ill.await.expect("it went on");
}
