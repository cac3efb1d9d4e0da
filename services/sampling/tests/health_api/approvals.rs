//! What is read of pupils beyond daily work takes an approval that the roster keeps (rule 6.8).

use std::sync::atomic::Ordering;

use kit::approvals::Answer;
use kit::auth::{PURPOSE, Role};
use proto::roster::{MinorData, UseAccessRequest};
use proto::sampling::{GetHealthStateRequest, HealthState};
use tonic::{Code, Request, Status};

use super::clinic::{Clinic, health_of};
use super::town::{SCHOOL, on_both_databases, reason, student};

on_both_databases!(an_audit_reads_only_what_somebody_approved);

/// What the doctor is told of a pupil for a purpose.
async fn state(clinic: &Clinic, purpose: &'static str, number: u32) -> Result<HealthState, Status> {
    let name = health_of(number);
    let mut request = Request::new(GetHealthStateRequest { name });
    let purpose = purpose.parse().expect("a header");
    request.metadata_mut().insert(PURPOSE, purpose);
    let mut client = clinic.health(Role::SchoolDoctor);
    let read = client.get_health_state(request).await;
    read.map(tonic::Response::into_inner)
}

async fn an_audit_reads_only_what_somebody_approved(database: kit::scratch::Scratch) {
    let clinic = Clinic::open(database).await;
    let roster = &clinic.0.0.roster.approvals;
    let school = format!("organizations/{SCHOOL}");
    state(&clinic, "care", 3).await.expect("daily work");
    assert!(roster.heard().is_empty(), "daily work asks nobody");

    roster.say(&school, Answer::NotApproved);
    let refused = state(&clinic, "audit", 3).await.expect_err("refused");
    let not_approved = (Code::PermissionDenied, "ACCESS_NOT_APPROVED".to_owned());
    assert_eq!(reason(&refused), not_approved);

    roster.say(&school, Answer::Approved);
    let read = state(&clinic, "audit", 3).await.expect("approved");
    assert_eq!(read.name, health_of(3));
    let used = UseAccessRequest {
        parent: school,
        data: MinorData::Health.into(),
        person: student(3),
        method: "HealthService.GetHealthState".to_owned(),
        request_id: String::new(),
    };
    assert_eq!(roster.heard().last(), Some(&(used, "audit".to_owned())));

    roster.down.store(true, Ordering::SeqCst);
    let refused = state(&clinic, "audit", 3).await.expect_err("refused");
    assert_eq!(reason(&refused).0, Code::Unavailable);
}
