//! Every kind of call through the door, before a real service and before one that breaks off.

mod door;
#[path = "../../kit/tests/wire/mod.rs"]
mod wire;

use std::time::{Duration, Instant};

use futures_util::stream;
use kit::server::ServerConfig;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use door::{
    BOTH, Behaviour, Codec, DOWN, Stalled, UNARY, UP, call, door, door_set, reason, signed,
    signed_by, upstream,
};
use wire::Target;

fn path(text: &'static str) -> PathAndQuery {
    PathAndQuery::from_static(text)
}

/// The header `x-deadline` with the deadline that the service was told.
async fn told_deadline(
    client: &mut Grpc<tonic::transport::Channel>,
    asked: Option<&str>,
) -> String {
    let mut request = signed("a".to_owned());
    if let Some(asked) = asked {
        request
            .metadata_mut()
            .insert("grpc-timeout", asked.parse().expect("a header"));
    }
    client.ready().await.expect("ready");
    let answer = client
        .unary::<_, String, _>(request, path(UNARY), Codec::default())
        .await;
    let answer = answer.expect("answered");
    let told = answer.metadata().get("x-deadline").expect("a deadline");
    told.to_str().expect("a text").to_owned()
}

/// A peer gives a connection up after a hundred empty frames that end nothing: one after another,
/// over one connection on each side, so that every call would count.
#[tokio::test]
async fn hundreds_of_calls_leave_the_one_connection_intact() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Real).await;
    let (_door, channel) =
        door_set(service.addr, |config| config.connections_per_upstream = 1).await;
    for number in 0..500 {
        let text = format!("call {number}");
        assert_eq!(
            call(&channel, signed(text.clone()))
                .await
                .expect("answered"),
            text
        );
        // An empty message is an empty frame's best friend.
        assert_eq!(
            call(&channel, signed(String::new()))
                .await
                .expect("answered"),
            ""
        );
    }
}

#[tokio::test]
async fn each_kind_of_stream_passes() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Real).await;
    let (_door, channel) = door(service.addr).await;
    let mut client = Grpc::new(channel);
    for _ in 0..150 {
        client.ready().await.expect("ready");
        let texts = stream::iter((0..7).map(|number| number.to_string()));
        let counted = client
            .client_streaming(signed(texts), path(UP), Codec::default())
            .await;
        assert_eq!(counted.expect("answered").into_inner(), "7 texts");

        client.ready().await.expect("ready");
        let down = signed("text".to_owned());
        let down = client
            .server_streaming(down, path(DOWN), Codec::default())
            .await;
        let mut down = down.expect("answered").into_inner();
        for number in 0..3 {
            assert_eq!(
                down.message().await.expect("a text"),
                Some(format!("text {number}"))
            );
        }
        let end = down.message().await.expect_err("the service's own end");
        assert_eq!((end.code(), end.message()), (Code::DataLoss, "the end"));

        client.ready().await.expect("ready");
        let texts = stream::iter(["a", "b"].map(str::to_owned));
        let both = client
            .streaming(signed(texts), path(BOTH), Codec::default())
            .await;
        let mut both = both.expect("answered").into_inner();
        assert_eq!(both.message().await.expect("a text").as_deref(), Some("a"));
        assert_eq!(both.message().await.expect("a text").as_deref(), Some("b"));
        assert_eq!(both.message().await.expect("the end"), None);
    }
}

#[tokio::test]
async fn a_stream_whose_service_goes_away_says_so_with_words() {
    let listen = ServerConfig {
        drain: Duration::from_millis(50),
        ..ServerConfig::loopback()
    };
    let service = upstream(listen, Behaviour::Half).await;
    let (_door, channel) = door(service.addr).await;
    let mut client = Grpc::new(channel);
    client.ready().await.expect("ready");
    let down = client
        .server_streaming(signed(String::new()), path(DOWN), Codec::default())
        .await;
    let mut down: tonic::Streaming<String> = down.expect("answered").into_inner();
    assert_eq!(
        down.message().await.expect("a text").as_deref(),
        Some("half")
    );
    service.stop().await.expect("stopped");
    let broken = down.message().await.expect_err("the service is gone");
    assert_eq!(
        (broken.code(), &*reason(&broken)),
        (Code::Unavailable, "UNAVAILABLE")
    );
    let words = broken.get_details_localized_message().expect("words");
    assert_eq!(words.message, "服务暂时不可用，请稍后再试");
}

#[tokio::test]
async fn a_deadline_also_ends_an_answer_that_has_begun() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Half).await;
    let set = |config: &mut gateway::Config| config.default_deadline = Duration::from_millis(300);
    let (_door, channel) = door_set(service.addr, set).await;
    let began = Instant::now();
    let late = call(&channel, signed(String::new()))
        .await
        .expect_err("never ends by itself");
    assert_eq!(
        (late.code(), &*reason(&late)),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED")
    );
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn deadlines_are_set_kept_and_shortened() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Echo).await;
    let set = |config: &mut gateway::Config| {
        config.default_deadline = Duration::from_secs(30);
        config.max_deadline = Duration::from_secs(40);
    };
    let (_door, channel) = door_set(service.addr, set).await;
    let mut client = Grpc::new(channel);
    // The service hears what is left, so that it gives up no later than the caller.
    for (asked, seconds) in [
        (None, 30),
        (Some("39S"), 39),
        (Some("2H"), 40),
        (Some("99999999H"), 40),
        (Some("soon"), 30),
        (Some("-1S"), 30),
        (Some("123456789S"), 30),
    ] {
        let told = told_deadline(&mut client, asked).await;
        let millis = told.strip_suffix('m').expect("milliseconds");
        let millis: u64 = millis.parse().expect("a number");
        let (most, least) = (seconds * 1000, (seconds - 20) * 1000);
        assert!((least..=most).contains(&millis), "{asked:?}: {told}");
    }
    // A stream goes on as long as its caller wants.
    client.ready().await.expect("ready");
    let down = signed("a".to_owned());
    let down = client
        .server_streaming::<_, String, _>(down, path(DOWN), Codec::default())
        .await;
    assert!(
        down.expect("answered")
            .metadata()
            .get("x-deadline")
            .is_none()
    );
}

#[tokio::test]
async fn absurd_deadlines_end_a_call_or_are_bounded() {
    let (told, mut stalled) = tokio::sync::mpsc::unbounded_channel();
    let service = upstream(ServerConfig::loopback(), Behaviour::Stall(told)).await;
    let set = |config: &mut gateway::Config| {
        config.default_deadline = Duration::from_millis(200);
        config.max_deadline = Duration::from_millis(200);
    };
    let (door, _) = door_set(service.addr, set).await;
    let target = Target {
        addr: door.addr,
        path: UNARY,
        bearer: door::http::bearer(),
        tls: None,
    };
    let (none, some) = (
        ["", "1", "-1S", "S1", "soon"],
        ["99999999H", "99999999S", "0m", "1n"],
    );
    for asked in none.into_iter().chain(some) {
        let body = door::http::framed(&[]);
        let told = target.answer(&[("grpc-timeout", asked)], body).await;
        let told = told.and_then(|code| code.parse().ok()).map(Code::from_i32);
        let ended = matches!(told, Some(Code::DeadlineExceeded | Code::Cancelled));
        assert!(ended, "{asked:?}: {told:?}");
    }
    // Whatever came to the service was given up there.
    let (mut came, mut given_up) = (0, 0);
    while came == 0 || given_up < came {
        let told = tokio::time::timeout(Duration::from_secs(10), stalled.recv()).await;
        match told.expect("in time").expect("told") {
            Stalled::Came => came += 1,
            Stalled::GivenUp => given_up += 1,
        }
    }
}

#[tokio::test]
async fn one_caller_does_not_take_the_place_of_others() {
    let service = upstream(ServerConfig::loopback(), Behaviour::Half).await;
    let set = |config: &mut gateway::Config| config.max_in_flight_per_caller = 2;
    let (_door, channel) = door_set(service.addr, set).await;
    let mut client = Grpc::new(channel);
    let mut watch = async |subject: &str| -> Result<tonic::Streaming<String>, Status> {
        client.ready().await.expect("ready");
        let down = signed_by(subject, String::new());
        let down = client
            .server_streaming(down, path(DOWN), Codec::default())
            .await;
        Ok(down?.into_inner())
    };
    let _first = watch("a").await.expect("answered");
    let second = watch("a").await.expect("answered");
    let refused = watch("a").await.expect_err("a third");
    assert_eq!(
        (refused.code(), &*reason(&refused)),
        (Code::ResourceExhausted, "OVERLOADED")
    );
    let _other = watch("b").await.expect("answered");
    // The place is free again once the stream has ended here.
    drop(second);
    let again = async {
        while watch("a").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), again)
        .await
        .expect("a place");
}

#[tokio::test]
async fn health_and_reflection_answer_at_the_door_without_a_token() {
    use tonic_reflection::pb::v1::ServerReflectionRequest;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

    let service = upstream(ServerConfig::loopback(), Behaviour::Echo).await;
    let (_door, channel) = door(service.addr).await;
    let mut health = HealthClient::new(channel.clone());
    for name in ["", "readiness", "liveness"] {
        let serving = async {
            loop {
                let service = name.to_owned();
                match health.check(HealthCheckRequest { service }).await {
                    Ok(found) if found.get_ref().status() == ServingStatus::Serving => return,
                    _ => tokio::task::yield_now().await,
                }
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(10), serving).await;
        assert!(in_time.is_ok(), "{name} never served");
    }
    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut reflection = ServerReflectionClient::new(channel.clone());
    let answers = reflection.server_reflection_info(stream::iter([ask])).await;
    let answer = answers
        .expect("answered")
        .into_inner()
        .message()
        .await
        .expect("an answer");
    let Some(MessageResponse::ListServicesResponse(list)) = answer.expect("one").message_response
    else {
        panic!("a list")
    };
    let names: Vec<_> = list
        .service
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    for behind in [
        "campus.safety.v1.GateService",
        "campus.notification.v1.AlertService",
        "campus.notification.v1.NotificationFeed",
    ] {
        assert!(names.contains(&behind), "{names:?}");
    }
    let nobody = call(&channel, Request::new(String::new())).await;
    assert_eq!(reason(&nobody.expect_err("nobody")), "TOKEN_INVALID");
}
