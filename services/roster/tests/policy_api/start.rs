//! What the service begins with, and when it refuses to begin.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use crate::desk;
use crate::desk::Desk;
use crate::desk::desk_suite;
use crate::desk::follow::Follower;
use kit::auth::Role;
use kit::db::{Database, statement};
use prost::Message;
use proto::audit::VerifyChainRequest;
use proto::audit::audit_log_service_client::AuditLogServiceClient;
use proto::roster::PolicyProfile;
use proto::roster::policy_service_client::PolicyServiceClient;
use proto::roster::{ActivatePolicyProfileRequest, GetPolicyProfileRequest};
use proto::roster::{ProposePolicyProfileRequest, RosterEvent};
use sea_orm::ConnectionTrait;

const SHIPPED: [&str; 5] = [
    "calendarYears/2021",
    "calendarYears/2022",
    "calendarYears/2026",
    "policyProfiles/fuzhou-2022-04-1",
    "policyProfiles/multi-disease-routine-1",
];

/// Writes `days` of audit retention into a stored profile.
async fn retain(db: &Database, name: &str, days: i32) {
    let select = "SELECT body FROM policy_profiles WHERE name = $1";
    let row = db
        .read()
        .query_one_raw(statement(db.read(), select, [name.into()]));
    let row = row.await.expect("a query").expect("a profile");
    let body: Vec<u8> = row.try_get_by_index(0).expect("its numbers");
    let mut profile = PolicyProfile::decode(&*body).expect("a profile");
    profile
        .audit
        .as_mut()
        .expect("it is complete")
        .retention_days = days;
    let tx = db.begin().await.expect("a transaction");
    let update = "UPDATE policy_profiles SET body = $1 WHERE name = $2";
    let values = [profile.encode_to_vec().into(), name.into()];
    tx.execute_raw(statement(&tx, update, values))
        .await
        .expect("it is written");
    tx.commit().await.expect("a commit");
}

async fn following(desk: &Desk) -> Vec<RosterEvent> {
    let service = desk.caller(Role::Service, "");
    Follower::settled(desk, service).await.snapshot
}

async fn t20_a_retention_of_90_days_refuses_the_start(desk: Desk) {
    let db = desk.database().await;
    retain(&db, "fuzhou-2022-04-1", 90).await;
    let refused = desk.another().await.map(|_| ()).unwrap_err().to_string();
    assert!(
        refused.starts_with("policy profile fuzhou-2022-04@1: audit.retention_days: legal floor"),
        "{refused}"
    );
    retain(&db, "fuzhou-2022-04-1", 180).await;
    desk.another().await.unwrap();
}

async fn a_proposal_below_a_floor_refuses_its_activation_and_no_start(desk: Desk) {
    desk.plant().await;
    let mut client = PolicyServiceClient::new(desk.officer());
    let request = GetPolicyProfileRequest {
        name: SHIPPED[3].to_owned(),
    };
    let shipped = client.get_policy_profile(request).await.unwrap();
    let request = ProposePolicyProfileRequest {
        policy_profile: Some(shipped.into_inner()),
        request_id: String::new(),
    };
    let proposed = client.propose_policy_profile(request).await.unwrap();
    // As if the law had been tightened since.
    retain(&desk.database().await, "fuzhou-2022-04-2", 90).await;
    desk.another().await.unwrap();
    let request = ActivatePolicyProfileRequest {
        name: proposed.into_inner().name,
        ..ActivatePolicyProfileRequest::default()
    };
    let refused = client.activate_policy_profile(request).await.unwrap_err();
    assert_eq!(desk::reason(&refused), "POLICY_BELOW_FLOOR");
}

async fn what_is_shipped_is_added_once_however_many_start(desk: Desk) {
    let first = following(&desk).await;
    let entities: Vec<&str> = first.iter().map(|event| &*event.entity).collect();
    assert_eq!(entities, SHIPPED);
    assert!(
        first
            .iter()
            .all(|event| event.version == 1 && event.org_path.is_empty())
    );
    let (one, other) = tokio::join!(desk.another(), desk.another());
    one.unwrap();
    other.unwrap();
    assert_eq!(following(&desk).await, first);
}

async fn what_was_shipped_is_added_again_when_it_is_gone_only(desk: Desk) {
    let db = desk.database().await;
    let before = following(&desk).await;
    let tx = db.begin().await.unwrap();
    for sql in [
        "DELETE FROM policy_profiles WHERE profile = 'multi-disease-routine'",
        "UPDATE calendar_years SET version = 7 WHERE year = 2022",
    ] {
        tx.execute_raw(statement(&tx, sql, [])).await.unwrap();
    }
    tx.commit().await.unwrap();
    let (one, other) = tokio::join!(desk.another(), desk.another());
    one.unwrap();
    other.unwrap();
    assert_eq!(following(&desk).await, before);
    let versions = "SELECT CAST(SUM(version) AS BIGINT) FROM calendar_years";
    let row = db.read().query_one_raw(statement(db.read(), versions, []));
    let sum: i64 = row.await.unwrap().unwrap().try_get_by_index(0).unwrap();
    assert_eq!(sum, 1 + 7 + 1);
}

async fn an_audit_log_is_kept_for_as_long_as_the_policy_in_force_asks_for(desk: Desk) {
    let auditor = desk.caller(Role::AuditAdmin, "");
    let mut client = AuditLogServiceClient::new(auditor);
    let db = desk.database().await;
    // The other profile is not in force yet.
    retain(&db, "multi-disease-routine-1", 500).await;
    for (asked, kept) in [(180, 180), (400, 400)] {
        retain(&db, "fuzhou-2022-04-1", asked).await;
        let verdict = client.verify_chain(VerifyChainRequest::default()).await;
        let verdict = verdict.unwrap().into_inner();
        assert_eq!(
            (verdict.retention_days, verdict.partner_retention_days),
            (kept, 1096)
        );
    }
}

desk_suite!(
    t20_a_retention_of_90_days_refuses_the_start,
    an_audit_log_is_kept_for_as_long_as_the_policy_in_force_asks_for,
    a_proposal_below_a_floor_refuses_its_activation_and_no_start,
    what_is_shipped_is_added_once_however_many_start,
    what_was_shipped_is_added_again_when_it_is_gone_only,
);
