//! What people and machines do, in as few words as a test wants.

use kit::clock::{Clock, SystemClock};
use kit::field::to_date;
use proto::safety::check_entry_request::Identity;
use proto::safety::gate_observation::Colour;
use proto::safety::{CheckEntryRequest, GateObservation};
use proto::sampling::draw_service_client::DrawServiceClient;
use proto::sampling::{
    CreatePlanRequest, DrawDayRequest, DrawDayResponse, SamplingPlan, sampling_plan,
};
use tests::city::Door;
use tests::register::{CITY, school};
use tonic::{Code, Status};
use tonic_types::StatusExt;

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

/// Somebody who looks well comes to the gate of a school.
pub(crate) fn check_entry(at: u32, person: &str, request_id: &str) -> CheckEntryRequest {
    CheckEntryRequest {
        parent: format!("organizations/{}", school(at)),
        identity: Some(Identity::Person(person.to_owned())),
        observation: Some(GateObservation {
            temperature_decidegrees: Some(365),
            colour: Colour::Green.into(),
            travel_card: None,
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
