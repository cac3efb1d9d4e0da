//! What people and machines do, in as few words as a test wants.

use kit::auth::Role;
use kit::clock::{Clock, SystemClock};
use kit::field::to_date;
use proto::notification::alert_service_client::AlertServiceClient;
use proto::notification::{AcknowledgeAlertRequest, Alert, ListAlertsRequest};
use proto::safety::check_entry_request::Identity;
use proto::safety::gate_observation::Colour;
use proto::safety::gate_service_client::GateServiceClient;
use proto::safety::{CheckEntryRequest, GateDecision, GateObservation, TravelCard};
use proto::sampling::draw_service_client::DrawServiceClient;
use proto::sampling::{
    Assignment, CreatePlanRequest, DrawDayRequest, DrawDayResponse, ExportDrawRequest,
    ListAssignmentsRequest, SamplingPlan, sampling_plan,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::city::{City, Door};
use crate::town::{CITY, school, school_path};

/// A new id of a request.
pub fn request_id() -> String {
    Uuid::new_v4().to_string()
}

/// A plan for the whole city from today on.
pub fn create_plan(id: &str, request_id: &str) -> CreatePlanRequest {
    CreatePlanRequest {
        plan: Some(SamplingPlan {
            display_name: "每日抽样".to_owned(),
            kind: sampling_plan::Kind::StudentRotation.into(),
            organization: format!("organizations/{CITY}"),
            start_date: Some(to_date(SystemClock.today())),
            ..SamplingPlan::default()
        }),
        plan_id: id.to_owned(),
        request_id: request_id.to_owned(),
    }
}

/// Draws the whole city and gives the last word.
///
/// # Errors
/// As the service says.
pub async fn draw_city(door: Door, plan: &str) -> Result<DrawDayResponse, Status> {
    let request = DrawDayRequest {
        plan: format!("plans/{plan}"),
        organization: format!("organizations/{CITY}"),
        draw_date: None,
    };
    let mut progress = DrawServiceClient::new(door)
        .draw_day(request)
        .await?
        .into_inner();
    let mut last = None;
    while let Some(message) = progress.message().await? {
        last = Some(message);
    }
    // A stream that ends early without an error was cut.
    last.filter(|last| last.finished)
        .ok_or_else(|| Status::unavailable("the draw was cut"))
}

/// Who is called by a draw.
///
/// # Errors
/// As the service says.
pub async fn assignments(door: Door, draw: &str) -> Result<Vec<Assignment>, Status> {
    let request = ListAssignmentsRequest {
        draw: draw.to_owned(),
        page_size: 1000,
        ..ListAssignmentsRequest::default()
    };
    let mut client = DrawServiceClient::new(door);
    let listed = client.list_assignments(request).await?.into_inner();
    assert_eq!(listed.next_page_token, "", "a school is one page");
    Ok(listed.assignments)
}

/// The file that is published of a plan's day in the whole city.
///
/// # Errors
/// As the service says.
pub async fn export(door: Door, plan: &str, day: Option<proto::Date>) -> Result<Vec<u8>, Status> {
    let request = ExportDrawRequest {
        plan: format!("plans/{plan}"),
        organization: format!("organizations/{CITY}"),
        draw_date: day,
    };
    let mut parts = DrawServiceClient::new(door)
        .export_draw(request)
        .await?
        .into_inner();
    let mut file = Vec::new();
    while let Some(part) = parts.message().await? {
        file.extend(part.content);
    }
    Ok(file)
}

/// Somebody who looks well comes to the gate of a school.
pub fn check_entry(at: u32, person: &str, request_id: &str) -> CheckEntryRequest {
    CheckEntryRequest {
        parent: format!("organizations/{}", school(at)),
        identity: Some(Identity::Person(person.to_owned())),
        observation: Some(GateObservation {
            temperature_decidegrees: Some(365),
            colour: Colour::Green.into(),
            travel_card: Some(TravelCard {
                show_date: Some(to_date(SystemClock.today())),
                starred: false,
                ..Default::default()
            }),
            ..Default::default()
        }),
        device: "south gate".to_owned(),
        request_id: request_id.to_owned(),
        ..CheckEntryRequest::default()
    }
}

/// What the gate of a school decides on somebody who looks well.
///
/// # Panics
/// When the gate does not answer.
pub async fn enter(city: &City, at: u32, person: &str) -> GateDecision {
    let guard = city.door(Role::Guard, &school_path(at));
    let request = check_entry(at, person, &request_id());
    let decided = GateServiceClient::new(guard).check_entry(request).await;
    decided.expect("the gate decides").into_inner()
}

/// The alert about something, as the epidemic reporter of a school sees it.
///
/// # Panics
/// When alerts are not told.
pub async fn alert_about(city: &City, at: u32, basis: &str) -> Option<Alert> {
    let reporter = city.door(Role::EpidemicReporter, &school_path(at));
    let request = ListAlertsRequest {
        parent: format!("organizations/{}", school(at)),
        ..ListAlertsRequest::default()
    };
    let listed = AlertServiceClient::new(reporter).list_alerts(request).await;
    let alerts = listed.expect("alerts").into_inner().alerts;
    alerts.into_iter().find(|alert| alert.basis == basis)
}

/// The epidemic reporter of a school acknowledges an alert.
///
/// # Panics
/// When it is refused.
pub async fn acknowledge(city: &City, at: u32, alert: String) -> Alert {
    let reporter = city.door(Role::EpidemicReporter, &school_path(at));
    let request = AcknowledgeAlertRequest {
        name: alert,
        comment: "已收到".to_owned(),
        request_id: request_id(),
    };
    let mut alerts = AlertServiceClient::new(reporter);
    let seen = alerts.acknowledge_alert(request).await;
    seen.expect("is acknowledged").into_inner()
}

/// Code and reason of an error, whose sentence for people must be Chinese.
///
/// # Panics
/// When it is not.
pub fn told(refused: &Status) -> (Code, String) {
    let words = refused.get_details_localized_message();
    let words = words.map(|words| words.message).unwrap_or_default();
    let chinese = words
        .chars()
        .any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
    assert!(chinese, "no Chinese sentence: {refused:?}");
    let info = refused.get_details_error_info();
    (
        refused.code(),
        info.map(|info| info.reason).unwrap_or_default(),
    )
}

/// The answer must be a refusal with this code and reason.
///
/// # Panics
/// When it is another answer.
pub fn expect<T>(what: &str, answer: Result<T, Status>, code: Code, reason: &str) {
    match answer {
        Ok(_) => panic!("{what}: not refused"),
        Err(refused) => assert_eq!(told(&refused), (code, reason.to_owned()), "{what}"),
    }
}

/// The answer must be that the caller may not do this there.
///
/// # Panics
/// When it is another answer.
pub fn denied<T>(what: &str, answer: Result<T, Status>) {
    expect(what, answer, Code::PermissionDenied, "SCOPE_DENIED");
}
