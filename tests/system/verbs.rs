//! What people and machines do, in as few words as a test wants.

use kit::clock::{Clock, SystemClock};
use kit::field::to_date;
use proto::safety::check_entry_request::Identity;
use proto::safety::gate_observation::Colour;
use proto::safety::{CheckEntryRequest, GateObservation, TravelCard};
use proto::sampling::draw_service_client::DrawServiceClient;
use proto::sampling::{
    Assignment, CreatePlanRequest, DrawDayRequest, DrawDayResponse, ExportDrawRequest,
    ListAssignmentsRequest, SamplingPlan, sampling_plan,
};
use tests::city::Door;
use tests::town::{CITY, school};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

/// A new id of a request.
pub(crate) fn request_id() -> String {
    Uuid::new_v4().to_string()
}

/// A plan for the whole city from today on.
pub(crate) fn create_plan(id: &str, request_id: &str) -> CreatePlanRequest {
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
pub(crate) async fn draw_city(door: Door, plan: &str) -> Result<DrawDayResponse, Status> {
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
pub(crate) async fn assignments(door: Door, draw: &str) -> Result<Vec<Assignment>, Status> {
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
pub(crate) async fn export(
    door: Door,
    plan: &str,
    day: Option<proto::Date>,
) -> Result<Vec<u8>, Status> {
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
pub(crate) fn check_entry(at: u32, person: &str, request_id: &str) -> CheckEntryRequest {
    CheckEntryRequest {
        parent: format!("organizations/{}", school(at)),
        identity: Some(Identity::Person(person.to_owned())),
        observation: Some(GateObservation {
            temperature_decidegrees: Some(365),
            colour: Colour::Green.into(),
            travel_card: Some(TravelCard {
                show_date: Some(to_date(SystemClock.today())),
                starred: false,
            }),
        }),
        device: "south gate".to_owned(),
        request_id: request_id.to_owned(),
        ..CheckEntryRequest::default()
    }
}

/// Code and reason of an error, whose sentence for people must be Chinese.
pub(crate) fn told(refused: &Status) -> (Code, String) {
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
pub(crate) fn expect<T>(what: &str, answer: Result<T, Status>, code: Code, reason: &str) {
    match answer {
        Ok(_) => panic!("{what}: not refused"),
        Err(refused) => assert_eq!(told(&refused), (code, reason.to_owned()), "{what}"),
    }
}
