//! What is read of pupils beyond daily work takes an approval that the roster keeps (rule 6.8).

use std::sync::atomic::Ordering;

use kit::approvals::{Answer, StandIn};
use kit::auth::PURPOSE;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::roster::{MinorData, UseAccessRequest};
use tonic::{Code, Status};

use crate::town;
use crate::town::SCHOOL;
use crate::town::on_both;
use crate::town::voices::principal;
use crate::town::world::{World, told};

on_both!(an_audit_reads_only_what_somebody_approved);

/// What the principal is told of the concerns of the school for a purpose.
async fn concerns(
    world: &World,
    purpose: &'static str,
) -> Result<pb::ListConcernsResponse, Status> {
    let list = pb::ListConcernsRequest {
        parent: SCHOOL.to_owned(),
        ..Default::default()
    };
    let mut list = principal().asks(list);
    let purpose = purpose.parse().expect("a header");
    list.metadata_mut().insert(PURPOSE, purpose);
    let listed = world.concerns().list_concerns(list).await;
    listed.map(tonic::Response::into_inner)
}

async fn an_audit_reads_only_what_somebody_approved(scratch: Scratch) {
    let roster = StandIn::default();
    let address = roster.serve().await.expect("a port");
    let world = World::beside(scratch, address).await;
    town::roster(&world.db, &town::town(), 1).await;
    concerns(&world, "administration")
        .await
        .expect("daily work");
    assert!(roster.heard().is_empty(), "daily work asks nobody");

    roster.say(SCHOOL, Answer::NotApproved);
    let refused = concerns(&world, "audit").await.expect_err("refused");
    let (code, reason, _) = told(&refused);
    assert_eq!(
        (code, &*reason),
        (Code::PermissionDenied, "ACCESS_NOT_APPROVED")
    );

    roster.say(SCHOOL, Answer::Approved);
    concerns(&world, "audit").await.expect("approved");
    let used = UseAccessRequest {
        parent: SCHOOL.to_owned(),
        data: MinorData::Messages.into(),
        person: String::new(),
        method: "ConcernService.ListConcerns".to_owned(),
        request_id: String::new(),
    };
    let used = (used, "audit".to_owned());
    assert_eq!(roster.heard(), [used.clone(), used]);

    roster.down.store(true, Ordering::SeqCst);
    let refused = concerns(&world, "audit").await.expect_err("refused");
    assert_eq!(told(&refused).0, Code::Unavailable);
}
