//! Who asks for access, who approves, and what they send.

use std::time::Duration;

use kit::auth::{Caller, Issuer, PURPOSE, Role};
use kit::clock::Clock;
use kit::field::to_timestamp;
use proto::roster as pb;
use proto::roster::MinorData;
use proto::roster::access_approval_service_client::AccessApprovalServiceClient;
use tonic::{Request, Status};

use crate::desk::{Desk, Door, reason};

pub(crate) type Approvals = AccessApprovalServiceClient<Door>;

/// The district whose minors are asked about, and its place.
pub(crate) const DISTRICT: &str = "organizations/350102";
pub(crate) const PLACE: &str = "fz/350102";

/// Somebody by name.
pub(crate) fn door(desk: &Desk, subject: &str, role: Role, scope: &str) -> Door {
    let caller = Caller {
        second_factor: true,
        ..Caller::new(subject, vec![role], scope.parse().expect("a place"))
    };
    let day = Duration::from_secs(60 * 24 * 3600);
    desk.door(&Issuer::development().issue(caller, desk.clock.now(), day))
}

pub(crate) fn approvals(desk: &Desk, subject: &str, role: Role, scope: &str) -> Approvals {
    AccessApprovalServiceClient::new(door(desk, subject, role, scope))
}

/// An officer of the district who wants to see something.
pub(crate) fn ann(desk: &Desk) -> Approvals {
    approvals(desk, "ann", Role::DistrictOfficer, PLACE)
}

/// The security administrator.
pub(crate) fn eve(desk: &Desk) -> Approvals {
    approvals(desk, "eve", Role::SecurityAdmin, "fz")
}

pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    reason(&answer.expect_err("refused"))
}

/// A call for a purpose.
pub(crate) fn with_purpose<T>(purpose: &'static str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let value = purpose.parse().expect("a header");
    request.metadata_mut().insert(PURPOSE, value);
    request
}

/// The register of the district for ten days, for an audit.
pub(crate) fn wanted(desk: &Desk) -> pb::AccessApproval {
    pb::AccessApproval {
        data: vec![MinorData::Register.into()],
        purpose: "audit".to_owned(),
        reason: "未成年人网络保护条例第三十七条年度合规审计".to_owned(),
        expire_time: in_days(desk, 10),
        ..pb::AccessApproval::default()
    }
}

/// The instant so many days from now.
pub(crate) fn in_days(desk: &Desk, days: i64) -> Option<prost_types::Timestamp> {
    Some(to_timestamp(
        desk.clock.now() + chrono::Duration::days(days),
    ))
}

pub(crate) async fn request(
    client: &mut Approvals,
    access_approval: pb::AccessApproval,
) -> Result<pb::AccessApproval, Status> {
    let request = pb::RequestAccessRequest {
        parent: DISTRICT.to_owned(),
        access_approval: Some(access_approval),
        request_id: String::new(),
    };
    Ok(client.request_access(request).await?.into_inner())
}

pub(crate) async fn approve(
    client: &mut Approvals,
    name: &str,
) -> Result<pb::AccessApproval, Status> {
    let request = pb::ApproveAccessRequest {
        name: name.to_owned(),
        ..pb::ApproveAccessRequest::default()
    };
    Ok(client.approve_access(request).await?.into_inner())
}

pub(crate) async fn revoke(
    client: &mut Approvals,
    name: &str,
) -> Result<pb::AccessApproval, Status> {
    let request = pb::RevokeAccessRequest {
        name: name.to_owned(),
        reason: "审计已经结束".to_owned(),
        request_id: String::new(),
    };
    Ok(client.revoke_access(request).await?.into_inner())
}

pub(crate) async fn reject(
    client: &mut Approvals,
    name: &str,
) -> Result<pb::AccessApproval, Status> {
    let request = pb::RejectAccessRequest {
        name: name.to_owned(),
        reason: "超出必要范围".to_owned(),
        request_id: String::new(),
    };
    Ok(client.reject_access(request).await?.into_inner())
}

pub(crate) async fn withdraw(
    client: &mut Approvals,
    name: &str,
) -> Result<pb::AccessApproval, Status> {
    let request = pb::WithdrawAccessRequest {
        name: name.to_owned(),
        request_id: String::new(),
    };
    Ok(client.withdraw_access(request).await?.into_inner())
}

/// An approval that somebody else gave.
pub(crate) async fn approved(desk: &Desk, wanted: pb::AccessApproval) -> pb::AccessApproval {
    let asked = request(&mut ann(desk), wanted).await.expect("asked for");
    approve(&mut eve(desk), &asked.name)
        .await
        .expect("approved")
}
