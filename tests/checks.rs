//! Checks as reporters submit them.

use kit::auth::Role;
use kit::field::to_date;
use proto::roster::Symptom;
use proto::roster::check_policy::Slot;
use proto::sampling::coverage_service_client::CoverageServiceClient;
use proto::sampling::screening_service_client::ScreeningServiceClient;
use proto::sampling::{
    CheckFinding, CheckSubmission, GetHealthCoverageRequest, HealthCoverage, SubmitCheckRequest,
    SubmitCheckResponse,
};
use tonic::Status;

use crate::city::{City, Door};
use crate::town::{Town, school_path};
use crate::verbs::request_id;

/// The reporter of one class group.
pub fn reporter(city: &City, at: u32, class: u32) -> Door {
    let place = format!("{}/{}", school_path(at), city.town.class_id(class));
    city.door(Role::ClassReporter, &place)
}

/// A check of the town's day: everybody is there and well. It has another identifier each time.
pub fn zero(town: &Town, at: u32, class: u32, slot: Slot) -> CheckSubmission {
    let everybody = town.students as i32;
    CheckSubmission {
        scope: town.class_group(at, class),
        check_date: Some(to_date(town.today)),
        slot: slot.into(),
        roll_count: everybody,
        present_count: everybody,
        client_id: request_id(),
        ..CheckSubmission::default()
    }
}

/// Somebody with a symptom, and a temperature in tenths of a degree unless it is 0.
pub fn finding(person: &str, symptom: Symptom, tenths: i32) -> CheckFinding {
    CheckFinding {
        person: person.to_owned(),
        symptoms: vec![symptom.into()],
        temperature_tenths: tenths,
        ..CheckFinding::default()
    }
}

/// The first three of a class group have a fever, which makes a cluster (rule 1.15).
pub fn three_fevers(city: &City, at: u32, class: u32, slot: Slot) -> CheckSubmission {
    let fever = |place| finding(city.student(at, class, place), Symptom::Fever, 378);
    CheckSubmission {
        findings: (1..=3).map(fever).collect(),
        ..zero(&city.town, at, class, slot)
    }
}

/// Submits a check.
///
/// # Errors
/// As the service says.
pub async fn submit(door: &Door, check: &CheckSubmission) -> Result<SubmitCheckResponse, Status> {
    let request = SubmitCheckRequest {
        check: Some(check.clone()),
    };
    let mut client = ScreeningServiceClient::new(door.clone());
    Ok(client.submit_check(request).await?.into_inner())
}

/// What a place has said of the town's day, as somebody sees it.
///
/// # Panics
/// When figures are not told.
pub async fn figures(city: &City, door: Door, place: &str) -> HealthCoverage {
    let request = GetHealthCoverageRequest {
        scope: format!("organizations/{place}"),
        check_date: Some(to_date(city.town.today)),
    };
    let mut client = CoverageServiceClient::new(door);
    let read = client.get_health_coverage(request).await;
    read.expect("figures").into_inner()
}
