//! No method of any contract answers without a token, neither at the gateway nor at the service; and no
//! method of campus safety reaches into another school.

use kit::auth::Role;
use prost_reflect::{DescriptorPool, DynamicMessage};
use tests::city::{City, Store};
use tests::town::{Town, school, school_path};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::verbs::told;
use crate::walk::{Method, methods};

/// Which processes answer a package.
const ANSWERS: [(&str, &[&str]); 6] = [
    (
        "campus.audit.",
        &["roster", "sampling", "safety-inspection", "notification"],
    ),
    ("campus.gateway.", &["gateway"]),
    ("campus.roster.", &["gateway", "roster"]),
    ("campus.sampling.", &["gateway", "sampling"]),
    ("campus.safety.", &["gateway", "safety-inspection"]),
    ("campus.notification.", &["gateway", "notification"]),
];

async fn without_token(channel: Channel, path: &str) -> Result<(), Status> {
    let mut client = Grpc::new(channel);
    client
        .ready()
        .await
        .map_err(|_| Status::unavailable("nobody answers"))?;
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let path: PathAndQuery = path.parse().expect("a path");
    let call = client.server_streaming(Request::new(()), path, codec);
    call.await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_wants_a_token() {
    let city = City::open(Store::Sqlite, Town::of(1))
        .await
        .expect("SQLite is always there");
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts can be read");
    let mut asked = 0;
    for service in pool.services() {
        let Some((_, processes)) = ANSWERS
            .iter()
            .find(|(package, _)| service.full_name().starts_with(package))
        else {
            continue;
        };
        for process in *processes {
            let address = city.address(process).await;
            let channel = kit::channel::connect_lazy(&address).expect("an address");
            for method in service.methods() {
                let path = format!("/{}/{}", service.full_name(), method.name());
                let refused = without_token(channel.clone(), &path)
                    .await
                    .expect_err(&path);
                let expected = (Code::Unauthenticated, "TOKEN_INVALID".to_owned());
                assert_eq!(told(&refused), expected, "{path} at {process}");
                asked += 1;
            }
        }
    }
    assert!(asked > 100, "{asked} methods were asked");
}

/// What of campus safety everybody who works at a school may read, wherever they are. The list only shrinks.
const OPEN: [&str; 4] = [
    "HazardService.ListMajorRules",
    "SupplyService.ListSupplyItems",
    "WeatherService.GetWeatherSignal",
    "WeatherService.ListWeatherSignals",
];

/// T24: a principal asks each method about a resource of the school next door that does not exist, with
/// everything else left out. Who may not is told so before anything is looked for or looked at.
#[tokio::test(flavor = "multi_thread")]
async fn no_method_of_campus_safety_reaches_into_another_school() {
    let city = City::open(Store::Sqlite, Town::of(2))
        .await
        .expect("SQLite is always there");
    let door = city.door(Role::Principal, &school_path(1));
    let methods = methods("campus.safety.v1");
    assert!(methods.len() > 100, "{} methods", methods.len());
    let (mut reached, mut open) = (Vec::new(), Vec::new());
    for method in &methods {
        let name = method.name();
        if OPEN.contains(&&*name) {
            open.push(name);
            continue;
        }
        let answer = method.call(door.clone(), next_door(method)).await;
        let answer = answer.map_err(|refused| told(&refused));
        if answer != Err((Code::PermissionDenied, "SCOPE_DENIED".to_owned())) {
            reached.push((name, answer));
        }
    }
    assert!(reached.is_empty(), "{reached:#?}");
    open.sort();
    assert_eq!(open, OPEN, "methods that are there");
}

/// A request about a resource of the second school, or about somebody who is at no school.
fn next_door(method: &Method) -> DynamicMessage {
    let nobody = uuid::Uuid::new_v4().to_string();
    match method.pattern() {
        "organizations/*/patrolDays/*" => method.about(&school(2), "2022-04-06"),
        "checklistTemplates/*" => method.named(&format!("checklistTemplates/{}~own~1", school(2))),
        pattern if pattern.starts_with("students/") => method.named(&format!("students/{nobody}")),
        _ => method.about(&school(2), &nobody),
    }
}
