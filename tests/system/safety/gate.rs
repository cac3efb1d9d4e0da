//! A gate whose network is away for a while (rules 3.1 to 3.9): what it takes along, what it decides by
//! that, and what becomes of it when the network is back.

use chrono::Duration;
use hmac::{Hmac, KeyInit, Mac};
use kit::auth::Role;
use kit::clock::civil_date;
use kit::field::{to_date, to_timestamp};
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_observation::Colour;
use proto::safety::gate_service_client::GateServiceClient;
use proto::safety::offline_verdict::Outcome as Became;
use proto::safety::{
    BindCardRequest, GateObservation, GateSnapshot, GetSnapshotRequest, IssuePersonCodeRequest,
    ListGateDecisionsRequest, OfflineDecision, OverrideDecisionRequest, RecordBatchRequest,
    TravelCard,
};
use sha2::Sha256;
use tests::town::school_path;
use tonic::Code;
use uuid::Uuid;

use super::people::{call, organization};
use crate::region::Region;
use crate::verbs::{denied, expect, request_id};

const CARD: &str = "04A1B2C3";
const REFUSED: Code = Code::FailedPrecondition;

/// A clerk issues a code and binds a card; a guard takes along what the gate needs.
pub(super) async fn takes_a_snapshot_along(region: &Region) -> (GateSnapshot, String) {
    let clerk = region.city.door(Role::SchoolClerk, &school_path(1));
    let ask = IssuePersonCodeRequest {
        person: region.city.student(1, 1, 1).to_owned(),
    };
    let next_door = region.city.door(Role::SchoolClerk, &school_path(2));
    let foreign = call!(GateServiceClient, next_door, issue_person_code, ask.clone());
    denied("a code for another school's pupil", foreign);
    let code = call!(GateServiceClient, clerk.clone(), issue_person_code, ask);
    let code = code.expect("is issued").person_code;
    let bind = BindCardRequest {
        person: region.city.student(1, 1, 2).to_owned(),
        card: CARD.to_owned(),
        request_id: request_id(),
    };
    let guard = call!(GateServiceClient, region.guard(), bind_card, bind.clone());
    denied("a guard binds a card", guard);
    let bound = call!(GateServiceClient, clerk, bind_card, bind);
    bound.expect("is bound");
    let take = GetSnapshotRequest {
        name: format!("{}/gateSnapshot", organization(1)),
    };
    let next_door = region.city.door(Role::Guard, &school_path(2));
    let foreign = call!(GateServiceClient, next_door, get_snapshot, take.clone());
    denied("another school's gate", foreign);
    let snapshot = call!(GateServiceClient, region.guard(), get_snapshot, take);
    (snapshot.expect("is taken along"), code)
}

fn keyed(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("any key");
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

/// Who shows a code or card, as the gate finds it in what it took along.
fn known(snapshot: &GateSnapshot, shown: &str) -> String {
    let credential = keyed(&snapshot.credential_key, shown.as_bytes());
    let hash = keyed(&snapshot.credential_salt, &credential);
    let mut known = snapshot.credentials.iter();
    let found = known.find(|one| one.hash[..] == hash[..16]);
    let place = found.map_or(usize::MAX, |one| one.member_index as usize);
    snapshot.members.get(place).cloned().unwrap_or_default()
}

/// The gate decides by itself: a pupil with a fever slips in, another one is well, a stranger is sent away.
pub(super) async fn decides_by_itself(region: &Region, (snapshot, code): &(GateSnapshot, String)) {
    let decided = region.now() + Duration::minutes(10);
    let seen = |tenths| GateObservation {
        temperature_decidegrees: Some(tenths),
        colour: Colour::Green.into(),
        travel_card: Some(TravelCard {
            show_date: Some(to_date(civil_date(decided))),
            ..TravelCard::default()
        }),
        ..GateObservation::default()
    };
    let decision = |person: String, tenths, result: Outcome| OfflineDecision {
        client_id: Uuid::new_v4().to_string(),
        person,
        observation: Some(seen(tenths)),
        result: result.into(),
        decide_time: Some(to_timestamp(decided)),
        snapshot_facts_time: snapshot.facts_time,
        ..OfflineDecision::default()
    };
    let (feverish, healthy) = (known(snapshot, code), known(snapshot, CARD));
    assert_eq!(feverish, region.city.student(1, 1, 1));
    assert_eq!(healthy, region.city.student(1, 1, 2));
    let stranger = known(snapshot, "FFFFFFFF");
    let batch = RecordBatchRequest {
        parent: organization(1),
        device: "后门".to_owned(),
        decisions: vec![
            decision(feverish.clone(), 378, Outcome::Admit),
            decision(healthy, 366, Outcome::Admit),
            decision(stranger, 366, Outcome::Deny),
        ],
    };
    region.at(6, 9, 0);
    let next_door = region.city.door(Role::Guard, &school_path(2));
    let foreign = call!(GateServiceClient, next_door, record_batch, batch.clone());
    denied("another school's gate", foreign);
    let recorded = call!(GateServiceClient, region.guard(), record_batch, batch);
    let verdicts = recorded.expect("is recorded").verdicts;
    let became: Vec<_> = verdicts.iter().map(|one| one.outcome()).collect();
    let all = [Became::Conflict, Became::Recorded, Became::Recorded];
    assert_eq!(became, all);
    assert_eq!(verdicts[0].expected_result(), Outcome::Observe);

    let conflicts = ListGateDecisionsRequest {
        parent: organization(1),
        conflict: true,
        ..ListGateDecisionsRequest::default()
    };
    let listed = call!(
        GateServiceClient,
        region.head(),
        list_gate_decisions,
        conflicts
    );
    let listed = listed.expect("are listed").gate_decisions;
    let people: Vec<_> = listed.iter().map(|one| &*one.person).collect();
    assert_eq!(people, [&*feverish]);

    let word = |name: &str, result: Outcome| OverrideDecisionRequest {
        name: name.to_owned(),
        result: result.into(),
        reason: "已请家长接回".to_owned(),
        request_id: request_id(),
    };
    let deny = word(&listed[0].name, Outcome::Deny);
    let guard = call!(
        GateServiceClient,
        region.guard(),
        override_decision,
        deny.clone()
    );
    denied("the guard's word", guard);
    let done = call!(GateServiceClient, region.head(), override_decision, deny);
    assert_eq!(
        done.expect("is set right").effective_result(),
        Outcome::Deny
    );
    let admit = word(&verdicts[2].gate_decision, Outcome::Admit);
    let admitted = call!(GateServiceClient, region.head(), override_decision, admit);
    expect("a stranger", admitted, REFUSED, "GATE_OVERRIDE_UNRELATED");
}
