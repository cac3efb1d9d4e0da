//! What the gateway tells operators of calls that it makes again, and of refusals that nobody records.

mod door;

use kit::auth::Role;
use kit::server::ServerConfig;
use kit::telemetry::{Looker, TelemetryConfig};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request};

use door::{Behaviour, Codec, door_set, signed, signed_as, upstream};

/// A unary method that changes nothing, so that it may be called again.
const READ: &str = "/campus.safety.v1.GateService/GetSnapshot";
/// A method that a guard may not call.
const CLOSED: &str = "/campus.roster.v1.GuardianService/RevealGuardianPhone";

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_made_again_and_refusals_that_nobody_records_are_counted() {
    const REPEATS: &str = "campus_upstream_repeats_total";
    const SAFETY: &str = "upstream=\"safety-inspection\"";
    const DROPPED: &str = "campus_audit_refusals_dropped_total";
    let told = TelemetryConfig {
        filter: "error".to_owned(),
        listen: Some("127.0.0.1:0".parse().expect("an address")),
        ..TelemetryConfig::default()
    };
    let _told = kit::telemetry::start("gateway", &told).expect("telemetry");
    let live = upstream(ServerConfig::loopback(), Behaviour::Real).await;
    let away = upstream(ServerConfig::loopback(), Behaviour::Away).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let nowhere = nobody.local_addr().expect("an address");
    drop(nobody);
    let (door, channel) = door_set(live.addr, |config| {
        config.upstreams.roster = format!("http://{nowhere}");
        config.upstreams.safety_inspection = format!("http://{},http://{}", live.addr, away.addr);
        config.telemetry = told.clone();
    })
    .await;
    let look = Looker::at(door.page.expect("a page"));
    let mut client = Grpc::new(channel);
    // Each finds one of the two at random, until the one that is away is left out.
    for number in 0..64 {
        client.ready().await.expect("the door is open");
        let request: Request<String> = signed(number.to_string());
        let path = PathAndQuery::from_static(READ);
        let answer = client.unary(request, path, Codec::default()).await;
        assert_eq!(answer.expect("answered").into_inner(), number.to_string());
    }
    look.until(REPEATS, SAFETY, |count| count >= 1.0).await;
    client.ready().await.expect("the door is open");
    let request = signed_as("guard", &[Role::Guard], String::new());
    let path = PathAndQuery::from_static(CLOSED);
    let refused = client.unary(request, path, Codec::default()).await;
    let refused = refused.expect_err("refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
    look.all(&[(DROPPED, "service=\"gateway\"", 1.0)]).await;
    door.stop().await.expect("stops");
}
