//! Wrong requests about people's health.

use kit::auth::Role;
use kit::field::to_date;
use proto::roster::check_policy::Slot;
use proto::sampling::absence_service_client::AbsenceServiceClient;
use proto::sampling::case_service_client::CaseServiceClient;
use proto::sampling::cluster_service_client::ClusterServiceClient;
use proto::sampling::coverage_service_client::CoverageServiceClient;
use proto::sampling::health_service_client::HealthServiceClient;
use proto::sampling::{
    CheckFinding, CheckSubmission, GetAbsenceRequest, GetCaseRequest, GetClusterRequest,
    GetHealthCoverageRequest, ObservePersonRequest, OpenCaseRequest, ReferPersonRequest,
};
use tests::city::City;
use tests::town::{CITY, school_path};
use tonic::Code;
use uuid::Uuid;

use crate::checks::{reporter, submit, three_fevers, zero};
use crate::verbs::expect;

const DENIED: (Code, &str) = (Code::PermissionDenied, "SCOPE_DENIED");
const MISSING: (Code, &str) = (Code::NotFound, "NOT_FOUND");
const INVALID: (Code, &str) = (Code::InvalidArgument, "INVALID_FIELD");

pub(super) async fn wrong(city: &City) {
    checks(city).await;
    people(city).await;
    names(city).await;
    let figures = GetHealthCoverageRequest {
        scope: format!("organizations/{CITY}"),
        check_date: Some(to_date(city.town.today)),
    };
    let mut coverage = CoverageServiceClient::new(city.door(Role::CityOfficer, CITY));
    let told = coverage.get_health_coverage(figures).await;
    let told = told.expect("figures").into_inner();
    assert!(
        told.checks.iter().all(|one| one.submitted_count == 0),
        "no wrong check is kept"
    );
}

async fn checks(city: &City) {
    let own = reporter(city, 1, 1);
    let good = zero(&city.town, 1, 1, Slot::Morning);
    let fevers = three_fevers(city, 1, 1, Slot::Morning);
    let stranger = CheckFinding {
        person: city.student(1, 2, 1).to_owned(),
        ..fevers.findings[0].clone()
    };
    let healthy = CheckFinding {
        symptoms: Vec::new(),
        temperature_tenths: 366,
        ..fevers.findings[0].clone()
    };
    let listed = |finding: CheckFinding| CheckSubmission {
        findings: vec![finding],
        ..good.clone()
    };
    let tomorrow = city.town.today + chrono::Days::new(1);
    let wrong = [
        (
            "heads that do not agree",
            CheckSubmission {
                absent_count: 1,
                ..good.clone()
            },
        ),
        (
            "no id of the device",
            CheckSubmission {
                client_id: String::new(),
                ..good.clone()
            },
        ),
        (
            "no check of the day",
            CheckSubmission {
                slot: Slot::Unspecified.into(),
                ..good.clone()
            },
        ),
        ("a pupil of another class group", listed(stranger)),
        ("a finding that says nothing", listed(healthy)),
    ];
    for (what, check) in wrong {
        expect(what, submit(&own, &check).await, INVALID.0, INVALID.1);
    }
    let ahead = CheckSubmission {
        check_date: Some(to_date(tomorrow)),
        ..good.clone()
    };
    let answer = submit(&own, &ahead).await;
    let day = (Code::FailedPrecondition, "CHECK_DAY");
    expect("a day ahead", answer, day.0, day.1);
    for class in [2, 77] {
        let other = zero(&city.town, 1, class, Slot::Morning);
        let answer = submit(&own, &other).await;
        expect("another class group", answer, DENIED.0, DENIED.1);
    }
    let guard = city.door(Role::Guard, &school_path(1));
    let answer = submit(&guard, &good).await;
    expect("a guard checks nobody", answer, DENIED.0, DENIED.1);
}

async fn people(city: &City) {
    let name = format!("{}/health", city.student(1, 1, 1));
    let mut doctor = HealthServiceClient::new(city.door(Role::SchoolDoctor, &school_path(1)));
    let request = ReferPersonRequest {
        name: name.clone(),
        ..ReferPersonRequest::default()
    };
    let answer = doctor.refer_person(request).await;
    let state = (Code::FailedPrecondition, "MEDICAL_STATE");
    expect("who is well is not referred", answer, state.0, state.1);
    let observe = |name: String| ObservePersonRequest {
        name,
        ..ObservePersonRequest::default()
    };
    let answer = doctor.observe_person(observe(name.clone())).await;
    expect("no room", answer, INVALID.0, INVALID.1);
    for role in [Role::Guard, Role::ClassReporter, Role::DistrictOfficer] {
        let mut client = HealthServiceClient::new(city.door(role, &school_path(1)));
        let answer = client.observe_person(observe(name.clone())).await;
        expect("only a doctor observes", answer, DENIED.0, DENIED.1);
    }
}

/// Who may see everything is told that something is missing.
async fn names(city: &City) {
    let control = city.door(Role::DiseaseControl, "");
    let mut clusters = ClusterServiceClient::new(control.clone());
    let mut cases = CaseServiceClient::new(control.clone());
    let mut absences = AbsenceServiceClient::new(control);
    let id = Uuid::new_v4();
    for (name, (code, reason)) in [
        (format!("clusters/{id}"), MISSING),
        (format!("cases/{id}"), INVALID),
        (String::new(), INVALID),
    ] {
        let answer = clusters.get_cluster(GetClusterRequest { name }).await;
        expect("a cluster", answer, code, reason);
    }
    for (name, (code, reason)) in [
        (format!("cases/{id}"), MISSING),
        (format!("clusters/{id}"), INVALID),
    ] {
        let answer = cases.get_case(GetCaseRequest { name }).await;
        expect("a case", answer, code, reason);
    }
    for (name, (code, reason)) in [
        (format!("absences/{id}"), MISSING),
        (format!("students/{id}"), INVALID),
    ] {
        let answer = absences.get_absence(GetAbsenceRequest { name }).await;
        expect("an absence", answer, code, reason);
    }
    let answer = cases.open_case(OpenCaseRequest::default()).await;
    expect("a case of nobody", answer, INVALID.0, INVALID.1);
}
