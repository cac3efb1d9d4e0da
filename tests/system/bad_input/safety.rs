//! Wrong requests about the safety of a campus.

use kit::auth::Role;
use prost_reflect::Value;
use proto::safety::drill_service_client::DrillServiceClient;
use proto::safety::duty_service_client::DutyServiceClient;
use proto::safety::hazard_service_client::HazardServiceClient;
use proto::safety::incident_service_client::IncidentServiceClient;
use proto::safety::inspection_service_client::InspectionServiceClient;
use proto::safety::visitor_service_client::VisitorServiceClient;
use proto::safety::weather_service_client::WeatherServiceClient;
use proto::safety::{
    CreateDrillRequest, CreateDutyRosterRequest, CreateIncidentRequest, CreateInspectionRequest,
    CreateVisitRequest, DecideWeatherSuspensionRequest, Hazard, HazardCategory, HazardFact,
    ListHazardsRequest, Photo, ReportHazardRequest,
};
use tests::city::City;
use tests::town::{CITY, school, school_path};
use tonic::Code;
use uuid::Uuid;

use crate::verbs::{expect, request_id, told};
use crate::walk::methods;

const INVALID: (Code, &str) = (Code::InvalidArgument, "INVALID_FIELD");
const PACKAGE: &str = "campus.safety.v1";

pub(super) async fn wrong(city: &City) {
    lists(city).await;
    names(city).await;
    nothing_was_said(city).await;
    hazards(city).await;
}

/// Every list refuses a page that is none, and a token that it did not give out.
async fn lists(city: &City) {
    let door = city.door(Role::CityOfficer, CITY);
    let mut asked = 0;
    for method in methods(PACKAGE).iter().filter(|one| one.lists_below()) {
        let mut negative = method.about(&school(1), "");
        negative.set_field_by_name("page_size", Value::I32(-1));
        let refused = method.call(door.clone(), negative).await;
        expect(&method.name(), refused, INVALID.0, INVALID.1);
        let mut forged = method.about(&school(1), "");
        forged.set_field_by_name("page_token", Value::String("forged".to_owned()));
        let refused = method
            .call(door.clone(), forged)
            .await
            .map_err(|err| told(&err));
        let Err((code, why)) = refused else {
            panic!("{}: a forged token is taken", method.name());
        };
        assert_eq!(code, Code::InvalidArgument, "{}", method.name());
        // Lists that also ask for days refuse their absence first.
        assert!(
            why == "INVALID_PAGE_TOKEN" || why == INVALID.1,
            "{}: {why}",
            method.name()
        );
        asked += 1;
    }
    assert!(asked >= 15, "{asked} lists");
}

/// What was never made is not found, and another kind of name is no name.
async fn names(city: &City) {
    let officer = city.door(Role::CityOfficer, CITY);
    let id = Uuid::new_v4().to_string();
    let mut asked = 0;
    for method in methods(PACKAGE).iter().filter(|one| one.gets_one()) {
        // The day of a patrol is its name: one far ahead is none.
        let unknown = match &*method.name() {
            "DutyService.GetPatrolDay" => (Code::InvalidArgument, INVALID.1),
            _ => (Code::NotFound, "NOT_FOUND"),
        };
        let id = match unknown.0 {
            Code::InvalidArgument => "9999-01-01",
            _ => &id,
        };
        let answer = method
            .call(officer.clone(), method.about(&school(1), id))
            .await;
        expect(&method.name(), answer, unknown.0, unknown.1);
        for name in ["", "schools/1", "organizations/../hazards/1"] {
            let answer = method.call(officer.clone(), method.named(name)).await;
            expect(&method.name(), answer, INVALID.0, INVALID.1);
        }
        asked += 1;
    }
    assert!(asked >= 8, "{asked} reads");
}

/// Who may do something, and says nothing of what, is told what is missing.
async fn nothing_was_said(city: &City) {
    let parent = format!("organizations/{}", school(1));
    let (deputy, head) = (
        city.door(Role::SafetyOfficer, &school_path(1)),
        city.door(Role::Principal, &school_path(1)),
    );
    macro_rules! empty {
        ($what:literal, $client:ident($door:expr).$method:ident, $request:ident) => {{
            let request = $request {
                parent: parent.clone(),
                ..$request::default()
            };
            let answer = $client::new($door.clone()).$method(request).await;
            expect($what, answer, INVALID.0, INVALID.1);
        }};
    }
    empty!(
        "a visit",
        VisitorServiceClient(deputy).create_visit,
        CreateVisitRequest
    );
    empty!(
        "a hazard",
        HazardServiceClient(deputy).report_hazard,
        ReportHazardRequest
    );
    empty!(
        "an inspection",
        InspectionServiceClient(deputy).create_inspection,
        CreateInspectionRequest
    );
    empty!(
        "a drill",
        DrillServiceClient(deputy).create_drill,
        CreateDrillRequest
    );
    empty!(
        "a roster",
        DutyServiceClient(deputy).create_duty_roster,
        CreateDutyRosterRequest
    );
    empty!(
        "an incident",
        IncidentServiceClient(deputy).create_incident,
        CreateIncidentRequest
    );
    empty!(
        "a suspension",
        WeatherServiceClient(head).decide_weather_suspension,
        DecideWeatherSuspensionRequest
    );
}

/// Hazards that cannot be are refused, a repeat has one effect, and nothing else is left.
async fn hazards(city: &City) {
    let mut guard = HazardServiceClient::new(city.door(Role::Guard, &school_path(1)));
    let good = Hazard {
        category: HazardCategory::Fire.into(),
        place: "building-1".to_owned(),
        description: "安全出口堆放杂物".to_owned(),
        ..Hazard::default()
    };
    let report = |hazard: Hazard, id: &str| ReportHazardRequest {
        parent: format!("organizations/{}", school(1)),
        hazard: Some(hazard),
        request_id: id.to_owned(),
    };
    let fact = HazardFact {
        key: "no-such-fact".to_owned(),
        value: None,
    };
    let wrong = [
        (
            "no field",
            Hazard {
                category: 0,
                ..good.clone()
            },
        ),
        (
            "a field that is none",
            Hazard {
                category: 999,
                ..good.clone()
            },
        ),
        (
            "no words",
            Hazard {
                description: " ".to_owned(),
                ..good.clone()
            },
        ),
        (
            "more words than fit",
            Hazard {
                description: "长".repeat(1001),
                ..good.clone()
            },
        ),
        (
            "a place that is none",
            Hazard {
                place: "三楼".to_owned(),
                ..good.clone()
            },
        ),
        (
            "a picture without a hash",
            Hazard {
                photos: vec![Photo::default()],
                ..good.clone()
            },
        ),
        (
            "a fact that is none",
            Hazard {
                facts: vec![fact],
                ..good.clone()
            },
        ),
    ];
    for (what, hazard) in wrong {
        let answer = guard.report_hazard(report(hazard, &request_id())).await;
        expect(what, answer, INVALID.0, INVALID.1);
    }
    let answer = guard.report_hazard(report(good.clone(), "no uuid")).await;
    expect("an id that is none", answer, INVALID.0, INVALID.1);
    let id = request_id();
    let first = guard.report_hazard(report(good.clone(), &id)).await;
    let again = guard.report_hazard(report(good.clone(), &id)).await;
    let first = first.expect("is reported").into_inner();
    assert_eq!(again.expect("is reported once").into_inner(), first);
    let other = Hazard {
        place: "building-2".to_owned(),
        ..good
    };
    let reused = guard.report_hazard(report(other, &id)).await;
    let reason = "REQUEST_ID_REUSED";
    expect("the same id", reused, Code::InvalidArgument, reason);
    let list = ListHazardsRequest {
        parent: format!("organizations/{CITY}"),
        ..ListHazardsRequest::default()
    };
    let mut officer = HazardServiceClient::new(city.door(Role::CityOfficer, CITY));
    let listed = officer.list_hazards(list).await.expect("listed");
    let names = listed.into_inner().hazards;
    let names: Vec<String> = names.into_iter().map(|one| one.name).collect();
    assert_eq!(names, [first.name], "only the good one is kept");
}
