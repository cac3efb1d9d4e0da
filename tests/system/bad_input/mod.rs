//! Wrong requests get the right code, reason and Chinese sentence, and leave nothing behind.

mod health;
mod imports;
mod roster;
mod safety;

use std::time::Duration;

use chrono::Days;
use futures_util::stream;
use kit::auth::{Issuer, Role};
use kit::clock::{Clock, SystemClock};
use kit::org::OrgPath;
use proto::safety::gate_service_client::GateServiceClient;
use proto::safety::{GetGateDecisionRequest, ListGateDecisionsRequest};
use proto::sampling::draw_service_client::DrawServiceClient;
use proto::sampling::plan_service_client::PlanServiceClient;
use proto::sampling::{
    EndPlanRequest, GetDrawRequest, GetPlanRequest, ListPlansRequest, SamplingPlan,
};
use tests::city::{City, Door, Store};
use tests::town::{CITY, Town, school, school_path};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};

use crate::verbs::{check_entry, create_plan, draw_city, expect, told};

const CREATE_PLAN: &str = "/campus.sampling.v1.PlanService/CreatePlan";

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_are_told_apart_sqlite() {
    wrong_requests(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_are_told_apart_postgres() {
    wrong_requests(Store::Postgres).await;
}

async fn wrong_requests(store: Store) {
    let Some(city) = City::open(store, Town::of(2)).await else {
        return;
    };
    let before = roster::everything(&city).await;
    nobody_in_particular(&city).await;
    the_wrong_place(&city).await;
    plans(&city).await;
    gates(&city).await;
    health::wrong(&city).await;
    safety::wrong(&city).await;
    bytes(&city).await;
    queues(&city).await;
    roster::another_school(&city).await;
    roster::unknown_and_malformed(&city).await;
    roster::rules(&city).await;
    imports::streams(&city).await;
    imports::rows(&city).await;
    imports::states(&city).await;
    imports::another_school(&city).await;
    nothing_is_left(&city).await;
    assert_eq!(
        roster::everything(&city).await,
        before,
        "the register is as it was"
    );
}

async fn get_plan(door: Door, name: &str) -> Result<(), Status> {
    let request = GetPlanRequest {
        name: name.to_owned(),
    };
    PlanServiceClient::new(door)
        .get_plan(request)
        .await
        .map(|_| ())
}

async fn nobody_in_particular(city: &City) {
    let yesterday = SystemClock
        .now()
        .checked_sub_days(Days::new(1))
        .expect("a day before");
    let issuer = Issuer::development();
    let (roles, scope) = ([Role::CityOfficer], OrgPath::root());
    let late = issuer.token(
        "test",
        &roles,
        &scope,
        None,
        yesterday,
        Duration::from_secs(60),
    );
    let good = issuer.token(
        "test",
        &roles,
        &scope,
        None,
        SystemClock.now(),
        Duration::from_secs(60),
    );
    let (head, signature) = good.rsplit_once('.').expect("a signed token");
    let turned: String = signature.chars().rev().collect();
    let forged = format!("{head}.{turned}");
    for (token, reason) in [
        ("", "TOKEN_INVALID"),
        ("none", "TOKEN_INVALID"),
        (&late, "TOKEN_EXPIRED"),
        (&forged, "TOKEN_INVALID"),
    ] {
        let answer = get_plan(city.door_with(token), "plans/none").await;
        expect(reason, answer, Code::Unauthenticated, reason);
    }
}

/// T24: who may not is told so, whether the thing exists or not.
async fn the_wrong_place(city: &City) {
    let denied = (Code::PermissionDenied, "SCOPE_DENIED");
    let mut elsewhere = GateServiceClient::new(city.door(Role::Guard, &school_path(2)));
    let nobody = format!("students/{}", uuid::Uuid::new_v4());
    for person in [city.student(1, 1, 1), &nobody] {
        let answer = elsewhere
            .check_entry(check_entry(1, person, ""))
            .await
            .map(|_| ());
        expect("another school's gate", answer, denied.0, denied.1);
    }
    let decision = uuid::Uuid::new_v4();
    let name = format!("organizations/{}/gateDecisions/{decision}", school(1));
    let answer = elsewhere
        .get_gate_decision(GetGateDecisionRequest { name })
        .await
        .map(|_| ());
    expect("another school's decision", answer, denied.0, denied.1);
    let mut guard = PlanServiceClient::new(city.door(Role::Guard, &school_path(1)));
    let answer = guard
        .create_plan(create_plan("guard", ""))
        .await
        .map(|_| ());
    expect("a guard makes no plan", answer, denied.0, denied.1);
    let laboratory = city.door(Role::Laboratory, CITY);
    let answer = draw_city(laboratory, "none").await.map(|_| ());
    expect("a laboratory draws nobody", answer, denied.0, denied.1);
}

async fn plans(city: &City) {
    let officer = city.door(Role::CityOfficer, CITY);
    let mut plans = PlanServiceClient::new(officer.clone());
    let answer = get_plan(officer.clone(), "plans/none").await;
    expect("an unknown plan", answer, Code::NotFound, "NOT_FOUND");
    let answer = get_plan(officer.clone(), "schools/1").await;
    expect(
        "another kind of name",
        answer,
        Code::InvalidArgument,
        "INVALID_FIELD",
    );
    let answer = draw_city(officer.clone(), "none").await.map(|_| ());
    expect(
        "a draw of an unknown plan",
        answer,
        Code::NotFound,
        "NOT_FOUND",
    );
    let name = format!("draws/none~20220401~{}", school(1));
    let request = GetDrawRequest { name };
    let answer = DrawServiceClient::new(officer.clone())
        .get_draw(request)
        .await
        .map(|_| ());
    expect("an unknown draw", answer, Code::NotFound, "NOT_FOUND");

    let mut bad = create_plan("bad", "");
    let plan = bad.plan.as_mut().expect("a plan");
    (plan.ratio_basis_points, plan.cycle_days) = (10_001, 61);
    let refused = plans
        .create_plan(bad)
        .await
        .expect_err("impossible numbers");
    assert_eq!(
        told(&refused),
        (Code::InvalidArgument, "INVALID_FIELD".to_owned())
    );
    let request = ListPlansRequest {
        page_size: -1,
        page_token: String::new(),
    };
    let answer = plans.list_plans(request).await.map(|_| ());
    expect(
        "a negative page",
        answer,
        Code::InvalidArgument,
        "INVALID_FIELD",
    );
    let request = ListPlansRequest {
        page_size: 0,
        page_token: "forged".to_owned(),
    };
    let answer = plans.list_plans(request).await.map(|_| ());
    expect(
        "a forged page token",
        answer,
        Code::InvalidArgument,
        "INVALID_PAGE_TOKEN",
    );

    let id = uuid::Uuid::new_v4().to_string();
    plans
        .create_plan(create_plan("once", &id))
        .await
        .expect("a plan is made");
    plans
        .create_plan(create_plan("once", &id))
        .await
        .expect("is answered again");
    let answer = plans
        .create_plan(create_plan("other", &id))
        .await
        .map(|_| ());
    expect(
        "the same id for another plan",
        answer,
        Code::InvalidArgument,
        "REQUEST_ID_REUSED",
    );
    let answer = plans.create_plan(create_plan("once", "")).await.map(|_| ());
    expect(
        "a name that is taken",
        answer,
        Code::AlreadyExists,
        "ALREADY_EXISTS",
    );
    let answer = plans
        .create_plan(create_plan("badly", "not a uuid"))
        .await
        .map(|_| ());
    expect(
        "an id that is none",
        answer,
        Code::InvalidArgument,
        "INVALID_FIELD",
    );

    let end = EndPlanRequest {
        name: "plans/once".to_owned(),
        ..EndPlanRequest::default()
    };
    plans.end_plan(end.clone()).await.expect("ends");
    let answer = plans.end_plan(end).await.map(|_| ());
    expect(
        "ended twice",
        answer,
        Code::FailedPrecondition,
        "PLAN_NOT_ACTIVE",
    );
    let answer = draw_city(officer, "once").await.map(|_| ());
    expect(
        "a draw of an ended plan",
        answer,
        Code::FailedPrecondition,
        "PLAN_NOT_ACTIVE",
    );
}

async fn gates(city: &City) {
    let mut gate = GateServiceClient::new(city.door(Role::Guard, &school_path(1)));
    let mut feverish = check_entry(1, city.student(1, 1, 1), "");
    let observation = feverish.observation.as_mut().expect("an observation");
    observation.temperature_decidegrees = Some(999);
    let answer = gate.check_entry(feverish).await.map(|_| ());
    expect(
        "no human is that hot",
        answer,
        Code::InvalidArgument,
        "INVALID_FIELD",
    );
    let named = check_entry(1, "students/张三", "");
    let answer = gate.check_entry(named).await.map(|_| ());
    expect(
        "a name is no resource",
        answer,
        Code::InvalidArgument,
        "INVALID_FIELD",
    );
    let mut blind = check_entry(1, city.student(1, 1, 1), "");
    blind.observation = None;
    let answer = gate.check_entry(blind).await.map(|_| ());
    expect(
        "nothing was observed",
        answer,
        Code::InvalidArgument,
        "INVALID_FIELD",
    );
}

/// Sends a string where CreatePlan expects a plan: the same wire type, other bytes.
pub(super) async fn send(door: Door, path: &'static str, text: String) -> Result<(), Status> {
    let mut client = Grpc::new(door);
    client
        .ready()
        .await
        .map_err(|_| Status::unavailable("the gateway is closed"))?;
    let codec = tonic_prost::ProstCodec::<String, SamplingPlan>::default();
    let path = PathAndQuery::from_static(path);
    client
        .unary(Request::new(text), path, codec)
        .await
        .map(|_| ())
}

async fn bytes(city: &City) {
    let officer = city.door(Role::CityOfficer, CITY);
    let answer = send(officer.clone(), CREATE_PLAN, "\u{7}\u{7}\u{7}".to_owned()).await;
    expect(
        "bytes that are no message",
        answer,
        Code::InvalidArgument,
        "MESSAGE_MALFORMED",
    );
    let answer = send(officer.clone(), CREATE_PLAN, "x".repeat(5 << 20)).await;
    expect(
        "more than a message may have",
        answer,
        Code::ResourceExhausted,
        "MESSAGE_TOO_LARGE",
    );
    let unknown = "/campus.sampling.v1.PlanService/Forget";
    let answer = send(officer.clone(), unknown, String::new()).await;
    expect(
        "a method that is none",
        answer,
        Code::Unimplemented,
        "UNKNOWN_METHOD",
    );
    let answer = get_plan(officer, "plans/once").await;
    answer.expect("the connection is still good");
}

/// A queue ends at a message that is none: what stood before it was answered, what stands behind it is not
/// read.
async fn queues(city: &City) {
    let add_swabs = "/campus.sampling.v1.TubeService/AddSwabs";
    let submit_results = "/campus.sampling.v1.ResultService/SubmitResults";
    for (door, path) in [
        (city.door(Role::Sampler, &school_path(1)), add_swabs),
        (city.laboratory("lab-01"), submit_results),
    ] {
        let (answers, end) = queue(door, path).await;
        expect(path, end, Code::InvalidArgument, "MESSAGE_MALFORMED");
        assert_eq!(answers, 1, "{path}");
    }
}

/// Sends an empty message, bytes that are none, and another empty one; gives how many were answered, and the
/// end.
async fn queue(door: Door, path: &'static str) -> (usize, Result<(), Status>) {
    let mut client = Grpc::new(door);
    client.ready().await.expect("the gateway is open");
    let codec = tonic_prost::ProstCodec::<String, ()>::default();
    let texts = stream::iter(["", "\u{7}\u{7}\u{7}", ""].map(str::to_owned));
    let path = PathAndQuery::from_static(path);
    let answers = client.streaming(Request::new(texts), path, codec).await;
    let mut answers = answers.expect("a stream").into_inner();
    let mut count = 0;
    loop {
        match answers.message().await {
            Ok(Some(())) => count += 1,
            Ok(None) => return (count, Ok(())),
            Err(status) => return (count, Err(status)),
        }
    }
}

/// Of everything above, only the one good plan was made.
async fn nothing_is_left(city: &City) {
    let mut plans = PlanServiceClient::new(city.door(Role::CityOfficer, CITY));
    let listed = plans
        .list_plans(ListPlansRequest::default())
        .await
        .expect("plans")
        .into_inner();
    let names: Vec<&str> = listed.plans.iter().map(|plan| plan.name.as_str()).collect();
    assert_eq!(names, ["plans/once"]);
    let mut gate = GateServiceClient::new(city.door(Role::Guard, &school_path(1)));
    let request = ListGateDecisionsRequest {
        parent: format!("organizations/{}", school(1)),
        ..Default::default()
    };
    let listed = gate
        .list_gate_decisions(request)
        .await
        .expect("decisions")
        .into_inner();
    assert_eq!(listed.gate_decisions, []);
}
