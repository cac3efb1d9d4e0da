//! No method of any contract answers without a token, neither at the gateway nor at the service; and no
//! method of campus safety reaches into another school.

use kit::auth::{Caller, Role};
use prost_reflect::{DescriptorPool, DynamicMessage};
use tests::city::{City, Store, caller};
use tests::town::{DISTRICT, Town, school, school_path};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::verbs::told;
use crate::walk::{Method, methods};

/// Contracts that others answer, and none of our processes.
const OF_OTHERS: &str = "campus.provider.";

/// How many times a method is asked for at a process that answers it, over all methods and processes.
const ASKED: usize = 1_120;

/// Which processes answer a package.
pub(crate) const ANSWERS: [(&str, &[&str]); 7] = [
    (
        "campus.audit.",
        &["roster", "sampling", "safety-inspection", "notification"],
    ),
    ("campus.gateway.", &["gateway"]),
    ("campus.roster.", &["gateway", "roster"]),
    ("campus.sampling.", &["gateway", "sampling"]),
    ("campus.safety.", &["gateway", "safety-inspection"]),
    ("campus.notification.", &["gateway", "notification"]),
    (
        "campus.subject.",
        &["sampling", "safety-inspection", "notification"],
    ),
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
            let name = service.full_name();
            assert!(name.starts_with(OF_OTHERS), "nobody answers {name}");
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
    assert_eq!(asked, ASKED, "methods that were asked for");
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

/// Everybody who works at schools and bureaus, in one person: nothing is refused to them for want of a role.
const HATS: [Role; 12] = [
    Role::ClassReporter,
    Role::SchoolDoctor,
    Role::EpidemicReporter,
    Role::SafetyOfficer,
    Role::Guard,
    Role::Principal,
    Role::Sampler,
    Role::SchoolClerk,
    Role::Counsellor,
    Role::DistrictOfficer,
    Role::CityOfficer,
    Role::DiseaseControl,
];

/// What of the register, of sampling and of messages everybody may read who may read anything of the kind.
/// The list only shrinks.
const OPEN_TO_ALL: [&str; 3] = [
    "CalendarService.GetCalendarYear",
    "DivisionService.GetDivision",
    "DivisionService.ResolveDivision",
];

/// As with campus safety, for whoever holds every role at a school. What is of no organisation by its name
/// may be answered as if it were not there.
#[tokio::test(flavor = "multi_thread")]
async fn no_method_of_other_packages_looks_at_a_request_before_it_asks_for_the_place() {
    let city = City::open(Store::Sqlite, Town::of(2))
        .await
        .expect("SQLite is always there");
    let door = city.door_of(Caller {
        roles: HATS.to_vec(),
        ..caller(Role::Principal, &school_path(1))
    });
    let (mut first, mut open, mut asked) = (Vec::new(), Vec::new(), 0);
    for package in [
        "campus.roster.v1",
        "campus.sampling.v1",
        "campus.notification.v1",
    ] {
        let all = methods(package).into_iter();
        for method in all.filter(|method| !method.pattern().is_empty()) {
            let name = method.name();
            if OPEN_TO_ALL.contains(&&*name) {
                open.push(name);
                continue;
            }
            asked += 1;
            let request = method.named(&of_the_next_school(&city, &method));
            let answer = method.call(door.clone(), request).await;
            let answer = answer.map_err(|refused| told(&refused));
            let of_organization = method.pattern().starts_with("organizations/");
            let asks_first = match &answer {
                Err((Code::PermissionDenied, reason)) => reason == "SCOPE_DENIED",
                Err((Code::NotFound, _)) => !of_organization,
                _ => false,
            };
            if !asks_first {
                first.push((name, answer));
            }
        }
    }
    assert!(first.is_empty(), "{first:#?}");
    open.sort();
    assert_eq!(open, OPEN_TO_ALL, "methods that are there");
    assert!(asked > 150, "{asked} methods were asked");
}

/// The name of something of the second school, or of nothing that is there, which is well formed.
fn of_the_next_school(city: &City, method: &Method) -> String {
    let mut collection = "";
    let parts = method.pattern().split('/').map(|part| {
        let named = match (part, collection) {
            ("*" | "**", "organizations" | "recipients") => school(2),
            ("*", "classGroups") => city.town.class_id(1),
            ("*", "checks") => "20220406-morning".to_owned(),
            ("*", "tubes" | "holds") => "M1-0001".to_owned(),
            ("*", "reportingSignals") => "20220406-0a".to_owned(),
            ("*", "draws") => format!("daily~20220406~{}", school(2)),
            ("*", "attendances") => format!("{}~principal", school(2)),
            ("*", "reports") => "2".to_owned(),
            ("*", "policyProfiles") => "nobody-1".to_owned(),
            ("*", "plans" | "templates" | "channels" | "sharedGroups") => "nobody".to_owned(),
            ("*", "calendarYears") => "2022".to_owned(),
            ("*", "divisions") => DISTRICT.to_owned(),
            ("*", _) => uuid::Uuid::new_v4().to_string(),
            (fixed, _) => fixed.to_owned(),
        };
        collection = part;
        named
    });
    parts.collect::<Vec<_>>().join("/")
}
