//! Data of minors beyond daily work, through the gateway: asked for, approved by somebody else, used, on
//! record, and told in the report of the year.

use kit::auth::{PURPOSE, Role};
use kit::clock::{Clock, SystemClock};
use kit::field::to_timestamp;
use proto::audit::AuditFilter;
use proto::audit::audit_record::Kind;
use proto::roster as pb;
use proto::roster::access_approval_service_client::AccessApprovalServiceClient;
use proto::roster::student_service_client::StudentServiceClient;
use standalone::audit::access::collected;
use tests::city::{City, Door, Store, caller};
use tests::town::{CITY, DISTRICT, Town};
use tests::until;
use tonic::{Code, Request};

use crate::audit::search;
use crate::verbs::told;

/// Somebody by name.
fn door(city: &City, subject: &str, role: Role, scope: &str) -> Door {
    city.door_of(kit::auth::Caller {
        subject: subject.to_owned(),
        ..caller(role, scope)
    })
}

/// All pupils of the district, for an audit.
fn everybody() -> Request<pb::ListStudentsRequest> {
    let mut request = Request::new(pb::ListStudentsRequest {
        parent: format!("organizations/{DISTRICT}"),
        page_size: 1000,
        ..pb::ListStudentsRequest::default()
    });
    let purpose = "audit".parse().expect("a header");
    request.metadata_mut().insert(PURPOSE, purpose);
    request
}

async fn approved_used_and_told(store: Store) {
    let Some(city) = City::open(store, Town::of(2)).await else {
        return;
    };
    let district = format!("{CITY}/{DISTRICT}");
    let officer = door(&city, "ann", Role::DistrictOfficer, &district);
    let mut students = StudentServiceClient::new(officer.clone());
    let refused = students.list_students(everybody()).await;
    let refused = told(&refused.expect_err("nobody approved"));
    let not_approved = (Code::PermissionDenied, "ACCESS_NOT_APPROVED".to_owned());
    assert_eq!(refused, not_approved);

    let mut asks = AccessApprovalServiceClient::new(officer);
    let until_then = SystemClock.now() + chrono::Duration::days(7);
    let request = pb::RequestAccessRequest {
        parent: format!("organizations/{DISTRICT}"),
        access_approval: Some(pb::AccessApproval {
            data: vec![pb::MinorData::Register.into()],
            purpose: "audit".to_owned(),
            reason: "年度个人信息合规审计".to_owned(),
            expire_time: Some(to_timestamp(until_then)),
            ..pb::AccessApproval::default()
        }),
        request_id: String::new(),
    };
    let asked = asks.request_access(request).await.expect("asked for");
    let name = asked.into_inner().name;
    let approve = pb::ApproveAccessRequest {
        name: name.clone(),
        ..pb::ApproveAccessRequest::default()
    };
    let own = asks.approve_access(approve.clone()).await;
    assert_eq!(told(&own.expect_err("their own")).1, "ACCESS_SAME_PERSON");
    let security = door(&city, "eve", Role::SecurityAdmin, CITY);
    let mut decides = AccessApprovalServiceClient::new(security);
    decides.approve_access(approve).await.expect("approved");

    let seen = students.list_students(everybody()).await.expect("seen");
    let seen = seen.into_inner().students.len();
    assert_eq!(seen as u32, city.town.everybody());
    let revoke = pb::RevokeAccessRequest {
        name: name.clone(),
        reason: "审计结束".to_owned(),
        request_id: String::new(),
    };
    decides.revoke_access(revoke).await.expect("revoked");
    let late = students.list_students(everybody()).await;
    assert_eq!(told(&late.expect_err("revoked")), not_approved);

    let auditor = city.door(Role::AuditAdmin, CITY);
    let reported = collected(auditor, DISTRICT, (None, None)).await;
    let reported = reported.expect("a report");
    let [one] = reported.as_slice() else {
        panic!("one approval: {reported:?}");
    };
    assert_eq!((&one.approval, &*one.requester), (&name, "ann"));
    assert_eq!((&*one.approver, &*one.state), ("eve", "REVOKED"));
    let methods: Vec<&str> = one.uses.iter().map(|used| &*used.method).collect();
    assert_eq!(methods, ["StudentService.ListStudents"]);
    on_record(&city).await;
}

/// The read, the refusals and the decision stand in the log of the register.
async fn on_record(city: &City) {
    let logs = proto::gateway::audit_service_client::AuditServiceClient::new(
        city.door(Role::AuditAdmin, ""),
    );
    for (subject, method, kind) in [
        ("ann", "StudentService/ListStudents", Kind::Read),
        ("ann", "StudentService/ListStudents", Kind::Refused),
        ("ann", "AccessApprovalService/RequestAccess", Kind::Act),
        ("eve", "AccessApprovalService/ApproveAccess", Kind::Act),
        ("eve", "AccessApprovalService/RevokeAccess", Kind::Act),
    ] {
        let filter = AuditFilter {
            subject: subject.to_owned(),
            method: format!("/campus.roster.v1.{method}"),
            kind: kind.into(),
            ..AuditFilter::default()
        };
        let found = until(&format!("{method} of {subject} is on record"), || async {
            search(&logs, filter.clone()).await.pop()
        });
        let found = found.await;
        if kind == Kind::Read {
            assert_eq!(found.purpose, "audit");
        }
        assert!(!found.beside, "{method} is not recorded with its effect");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_pupils_at_once_are_seen_by_approval_alone_sqlite() {
    approved_used_and_told(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_pupils_at_once_are_seen_by_approval_alone_postgres() {
    approved_used_and_told(Store::Postgres).await;
}
