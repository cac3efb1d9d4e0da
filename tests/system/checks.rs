//! Checks as reporters submit them.

use kit::auth::Role;
use kit::field::to_date;
use proto::roster::Symptom;
use proto::roster::check_policy::Slot;
use proto::sampling::screening_service_client::ScreeningServiceClient;
use proto::sampling::{CheckFinding, CheckSubmission, SubmitCheckRequest, SubmitCheckResponse};
use tests::city::{City, Door};
use tests::town::{Town, school_path};
use tonic::Status;

use crate::verbs::request_id;

/// The reporter of one class group.
pub(crate) fn reporter(city: &City, at: u32, class: u32) -> Door {
    let place = format!("{}/{}", school_path(at), city.town.class_id(class));
    city.door(Role::ClassReporter, &place)
}

/// A check of the town's day: everybody is there and well. It has another identifier each time.
pub(crate) fn zero(town: &Town, at: u32, class: u32, slot: Slot) -> CheckSubmission {
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
pub(crate) fn finding(person: &str, symptom: Symptom, tenths: i32) -> CheckFinding {
    CheckFinding {
        person: person.to_owned(),
        symptoms: vec![symptom.into()],
        temperature_tenths: tenths,
        ..CheckFinding::default()
    }
}

/// The first three of a class group have a fever, which makes a cluster (rule 1.15).
pub(crate) fn three_fevers(city: &City, at: u32, class: u32, slot: Slot) -> CheckSubmission {
    let fever = |place| finding(city.student(at, class, place), Symptom::Fever, 378);
    CheckSubmission {
        findings: (1..=3).map(fever).collect(),
        ..zero(&city.town, at, class, slot)
    }
}

/// Submits a check.
pub(crate) async fn submit(
    door: &Door,
    check: &CheckSubmission,
) -> Result<SubmitCheckResponse, Status> {
    let request = SubmitCheckRequest {
        check: Some(check.clone()),
    };
    let mut client = ScreeningServiceClient::new(door.clone());
    Ok(client.submit_check(request).await?.into_inner())
}
