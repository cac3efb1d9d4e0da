//! The door as a client sees it.

mod door;

use std::time::Duration;

use futures_util::{StreamExt, stream};
use kit::auth::Role;
use kit::server::ServerConfig;
use tokio::sync::mpsc;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request};
use tonic_types::StatusExt;

use door::{
    Behaviour, Codec, METHOD, Stalled, call, door, door_with, reason, signed, signed_as, upstream,
};

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
async fn whoever_could_never_call_a_method_is_refused_at_the_door() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Echo).await;
    let (_door, channel) = door(service.addr).await;
    let as_guard = |path: &'static str| {
        let mut client = Grpc::new(channel.clone());
        async move {
            client.ready().await.unwrap();
            let request = signed_as("g", &[Role::Guard], String::new());
            let path = PathAndQuery::from_static(path);
            client.unary(request, path, Codec::default()).await
        }
    };
    let refused = as_guard("/campus.notification.v1.SupportService/GetSupportCase").await;
    let refused = refused.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::PermissionDenied, "SCOPE_DENIED")
    );
    assert!(
        as_guard("/campus.safety.v1.GateService/CheckEntry")
            .await
            .is_ok()
    );
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
    let (tells, mut told) = mpsc::unbounded_channel();
    let service = upstream(ServerConfig::loopback(), Behaviour::Stall(tells)).await;
    let (_door, channel) = door(service.addr).await;
    let mut request = signed(String::new());
    request
        .metadata_mut()
        .insert("grpc-timeout", "2S".parse().unwrap());
    let refused = call(&channel, request).await.unwrap_err();
    assert!(
        matches!(refused.code(), Code::DeadlineExceeded | Code::Cancelled),
        "{refused:?}"
    );
    assert_eq!(told.recv().await, Some(Stalled::Came));
    assert_eq!(told.recv().await, Some(Stalled::GivenUp));
}

#[tokio::test]
async fn a_call_that_its_caller_drops_is_dropped_by_the_service() {
    let (tells, mut told) = mpsc::unbounded_channel();
    let service = upstream(ServerConfig::loopback(), Behaviour::Stall(tells)).await;
    let (_door, channel) = door(service.addr).await;
    let calling = tokio::spawn(async move { call(&channel, signed(String::new())).await });
    assert_eq!(told.recv().await, Some(Stalled::Came));
    calling.abort();
    assert_eq!(told.recv().await, Some(Stalled::GivenUp));
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
