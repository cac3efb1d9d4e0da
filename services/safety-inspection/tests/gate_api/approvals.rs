//! What is read of pupils beyond daily work takes an approval that the roster keeps (rule 6.8).

use std::sync::atomic::Ordering;

use kit::approvals::{Answer, StandIn};
use kit::auth::{PURPOSE, Role};
use kit::scratch::Scratch;
use proto::roster::{MinorData, UseAccessRequest};
use proto::safety as pb;
use tonic::{Code as Grpc, Status};

use crate::city::world::{World, told};
use crate::city::{SCHOOL, SCHOOL_PATH, student};

/// What the principal is told of the decisions on a pupil for a purpose.
async fn decisions(
    world: &mut World,
    purpose: &'static str,
) -> Result<pb::ListGateDecisionsResponse, Status> {
    let list = pb::ListGateDecisionsRequest {
        parent: SCHOOL.to_owned(),
        person: student(1),
        ..Default::default()
    };
    let mut list = world.as_role(Role::Principal, SCHOOL_PATH, list);
    let purpose = purpose.parse().expect("a header");
    list.metadata_mut().insert(PURPOSE, purpose);
    let listed = world.client.list_gate_decisions(list).await;
    listed.map(tonic::Response::into_inner)
}

async fn an_audit_reads_only_what_somebody_approved(scratch: Scratch) {
    let roster = StandIn::default();
    let address = roster.serve().await.expect("a port");
    let mut world = World::beside(scratch, &address).await;
    decisions(&mut world, "safety").await.expect("daily work");
    assert!(roster.heard().is_empty(), "daily work asks nobody");

    roster.say(SCHOOL, Answer::NotApproved);
    let refused = decisions(&mut world, "audit").await.expect_err("refused");
    let (code, reason, _) = told(&refused);
    assert_eq!(
        (code, &*reason),
        (Grpc::PermissionDenied, "ACCESS_NOT_APPROVED")
    );

    roster.say(SCHOOL, Answer::Approved);
    decisions(&mut world, "audit").await.expect("approved");
    let used = UseAccessRequest {
        parent: SCHOOL.to_owned(),
        data: MinorData::Safety.into(),
        person: student(1),
        method: "GateService.ListGateDecisions".to_owned(),
        request_id: String::new(),
    };
    let used = (used, "audit".to_owned());
    assert_eq!(roster.heard(), [used.clone(), used]);

    roster.down.store(true, Ordering::SeqCst);
    let refused = decisions(&mut world, "audit").await.expect_err("refused");
    assert_eq!(told(&refused).0, Grpc::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_reads_only_what_somebody_approved_sqlite() {
    an_audit_reads_only_what_somebody_approved(kit::scratch::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_reads_only_what_somebody_approved_postgres() {
    let Some(scratch) = kit::scratch::postgres().await else {
        return;
    };
    an_audit_reads_only_what_somebody_approved(scratch).await;
}
