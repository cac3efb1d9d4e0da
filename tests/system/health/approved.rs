//! Health beyond daily work (rule 6.8): disease control audits it once somebody else approved, and no
//! longer than the approval stands.

use chrono::TimeDelta;
use kit::auth::{PURPOSE, Role};
use kit::clock::{Clock, SystemClock};
use kit::field::to_timestamp;
use proto::roster::access_approval_service_client::AccessApprovalServiceClient;
use proto::roster::{
    AccessApproval, ApproveAccessRequest, ListAccessUsesRequest, MinorData, RequestAccessRequest,
    RevokeAccessRequest,
};
use proto::sampling::health_service_client::HealthServiceClient;
use proto::sampling::{GetHealthStateRequest, HealthState};
use tests::city::{City, Door};
use tests::town::{CITY, DISTRICT, school};
use tonic::{Code, Request, Status};

use super::{FEVERISH, HERE};
use crate::verbs::{expect, request_id};

/// Pupils of whom nothing else is told: one who is audited, and one who is not.
const AUDITED: u32 = 13;
const OTHER: u32 = 14;

fn disease_control(city: &City) -> Door {
    city.door(Role::DiseaseControl, &format!("{CITY}/{DISTRICT}"))
}

/// What disease control reads of a pupil for an audit.
async fn audit(city: &City, place: u32) -> Result<HealthState, Status> {
    let pupil = city.student(HERE, FEVERISH, place);
    let mut request = Request::new(GetHealthStateRequest {
        name: format!("{pupil}/health"),
    });
    let purpose = "audit".parse().expect("a header");
    request.metadata_mut().insert(PURPOSE, purpose);
    let mut health = HealthServiceClient::new(disease_control(city));
    let read = health.get_health_state(request).await;
    read.map(tonic::Response::into_inner)
}

fn not_approved<T>(what: &str, answer: Result<T, Status>) {
    let reason = "ACCESS_NOT_APPROVED";
    expect(what, answer, Code::PermissionDenied, reason);
}

/// Disease control asks to audit the health of one pupil.
async fn asked(city: &City) -> AccessApproval {
    let wanted = AccessApproval {
        data: vec![MinorData::Health.into()],
        persons: vec![city.student(HERE, FEVERISH, AUDITED).to_owned()],
        purpose: "audit".to_owned(),
        reason: "未成年人网络保护条例第三十七条年度合规审计".to_owned(),
        expire_time: Some(to_timestamp(SystemClock.now() + TimeDelta::days(1))),
        ..AccessApproval::default()
    };
    let request = RequestAccessRequest {
        parent: format!("organizations/{}", school(HERE)),
        access_approval: Some(wanted),
        request_id: request_id(),
    };
    let mut approvals = AccessApprovalServiceClient::new(disease_control(city));
    let asked = approvals.request_access(request).await;
    asked.expect("is asked for").into_inner()
}

/// An audit is refused, asked for, approved by somebody else, made, and refused once the approval is
/// revoked.
pub(super) async fn an_audit_takes_an_approval(city: &City) {
    not_approved("nobody asked", audit(city, AUDITED).await);
    let name = asked(city).await.name;
    not_approved("nobody approved", audit(city, AUDITED).await);

    let security = city.door(Role::SecurityAdmin, CITY);
    let mut approvals = AccessApprovalServiceClient::new(security);
    let request = ApproveAccessRequest {
        name: name.clone(),
        request_id: request_id(),
        ..ApproveAccessRequest::default()
    };
    approvals
        .approve_access(request)
        .await
        .expect("is approved");
    audit(city, AUDITED).await.expect("is approved");
    not_approved("another pupil", audit(city, OTHER).await);

    let request = ListAccessUsesRequest {
        parent: name.clone(),
        ..ListAccessUsesRequest::default()
    };
    let uses = approvals.list_access_uses(request).await.expect("uses");
    let uses = uses.into_inner().access_uses;
    let uses: Vec<_> = uses
        .iter()
        .map(|one| (&*one.method, &*one.person))
        .collect();
    let pupil = city.student(HERE, FEVERISH, AUDITED);
    assert_eq!(uses, [("HealthService.GetHealthState", pupil)]);

    let request = RevokeAccessRequest {
        name,
        reason: "审计已经结束".to_owned(),
        request_id: request_id(),
    };
    approvals.revoke_access(request).await.expect("is revoked");
    not_approved("it was revoked", audit(city, AUDITED).await);
}
