//! What a gate without a network is held to: the facts that it had, the waits of rule 3.3, and the code or
//! card that somebody shows.

use chrono::{DateTime, Duration, Utc};
use hmac::{Hmac, KeyInit, Mac};
use kit::auth::Role;
use kit::clock::Clock;
use kit::field::to_timestamp;
use proto::safety as pb;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_observation::Symptoms;
use proto::safety::offline_verdict::{Basis, Outcome as Became};
use sha2::Sha256;
use uuid::Uuid;

use crate::city::world::{World, on_both, told, well, with_temperature};
use crate::city::{SCHOOL, SCHOOL_PATH, clearance_at, held, released, student};

on_both!(
    a_decision_is_judged_by_the_facts_of_its_time,
    how_people_of_other_schools_were_is_not_told,
    a_decision_is_as_stale_as_the_snapshot,
    a_recheck_without_a_network_waits_as_well,
    a_fever_is_not_taken_back_without_a_network,
    conflicts_are_kept_and_listed,
    a_gate_without_a_network_knows_codes_and_cards,
);

/// A decision made so many minutes ago.
fn entry(
    world: &World,
    number: u128,
    seen: pb::CheckEntryRequest,
    (result, ago): (Outcome, i64),
) -> pb::OfflineDecision {
    let decided = world.clock.now() - Duration::minutes(ago);
    let person = match seen.identity {
        Some(pb::check_entry_request::Identity::Person(person)) => person,
        _ => String::new(),
    };
    pb::OfflineDecision {
        client_id: Uuid::from_u128(number).to_string(),
        person,
        observation: seen.observation,
        result: result.into(),
        decide_time: Some(to_timestamp(decided)),
        snapshot_facts_time: Some(to_timestamp(decided - Duration::minutes(5))),
        ..Default::default()
    }
}

fn again(of: u128, tenths: &[i32]) -> impl Fn(pb::OfflineDecision) -> pb::OfflineDecision {
    let tenths = tenths.to_vec();
    move |mut decision| {
        if let Some(seen) = &mut decision.observation {
            seen.temperature_decidegrees = tenths.first().copied();
            seen.further_temperatures_decidegrees = tenths[1..].to_vec();
            seen.symptoms = Symptoms::None.into();
        }
        decision.recheck_of_id = Uuid::from_u128(of).to_string();
        decision
    }
}

async fn record(world: &World, decisions: Vec<pb::OfflineDecision>) -> Vec<pb::OfflineVerdict> {
    let batch = pb::RecordBatchRequest {
        parent: SCHOOL.to_owned(),
        device: "后门".to_owned(),
        decisions,
    };
    let batch = world.as_role(Role::Guard, SCHOOL_PATH, batch);
    let answer = world.client.clone().record_batch(batch).await;
    answer.expect("recorded").into_inner().verdicts
}

async fn read(world: &World, name: &str) -> pb::GateDecision {
    let get = pb::GetGateDecisionRequest {
        name: name.to_owned(),
    };
    let get = world.as_role(Role::Guard, SCHOOL_PATH, get);
    let read = world.client.clone().get_gate_decision(get).await;
    read.expect("read").into_inner()
}

fn became(verdicts: &[pb::OfflineVerdict]) -> Vec<(Became, Outcome)> {
    let of = |one: &pb::OfflineVerdict| (one.outcome(), one.expected_result());
    verdicts.iter().map(of).collect()
}

/// Held since five minutes ago: whoever was let in before that was let in rightly.
async fn a_decision_is_judged_by_the_facts_of_its_time(mut world: World) {
    let ago = |minutes| -> DateTime<Utc> { world.clock.now() - Duration::minutes(minutes) };
    let (hold, release) = (ago(20), ago(5));
    clearance_at(&world.db, &[held(&student(2), 1)], 1, hold).await;
    world.until(well(&student(2)), Outcome::Deny).await;
    clearance_at(&world.db, &[released(&student(2), 2)], 1, release).await;
    world.until(well(&student(2)), Outcome::Admit).await;
    let at = |number, minutes| {
        let seen = well(&student(2));
        entry(&world, number, seen, (Outcome::Admit, minutes))
    };
    let verdicts = record(&world, vec![at(1, 30), at(2, 10), at(3, 1)]).await;
    assert_eq!(
        became(&verdicts),
        [
            (Became::Recorded, Outcome::Admit),
            (Became::Conflict, Outcome::Deny),
            (Became::Recorded, Outcome::Admit),
        ]
    );
    let bases: Vec<Basis> = verdicts.iter().map(pb::OfflineVerdict::basis).collect();
    assert_eq!(
        bases,
        [Basis::DecideTime, Basis::DecideTime, Basis::Present]
    );
}

/// Held at another school ten minutes ago: this one is told neither that nor that it changed.
async fn how_people_of_other_schools_were_is_not_told(mut world: World) {
    let ago = |minutes| -> DateTime<Utc> { world.clock.now() - Duration::minutes(minutes) };
    let told = [held(&student(11), 1), held(&student(2), 1)];
    let (hold, release) = (ago(20), ago(5));
    clearance_at(&world.db, &told, 1, hold).await;
    world.until(well(&student(2)), Outcome::Deny).await;
    let told = [released(&student(11), 2), released(&student(2), 2)];
    clearance_at(&world.db, &told, 1, release).await;
    world.until(well(&student(2)), Outcome::Admit).await;
    let at = |number, minutes| {
        let seen = well(&student(11));
        entry(&world, number, seen, (Outcome::Deny, minutes))
    };
    let verdicts = record(&world, vec![at(1, 30), at(2, 10), at(3, 1)]).await;
    let denied = (Became::Recorded, Outcome::Deny);
    assert_eq!(became(&verdicts), [denied, denied, denied]);
    let bases: Vec<Basis> = verdicts.iter().map(pb::OfflineVerdict::basis).collect();
    assert_eq!(bases, [Basis::Unspecified; 3]);
}

async fn a_decision_is_as_stale_as_the_snapshot(world: World) {
    let decided = world.clock.now() - Duration::minutes(60);
    let facts = |minutes| Some(to_timestamp(decided - Duration::minutes(minutes)));
    let of = |number, facts_time| pb::OfflineDecision {
        snapshot_facts_time: facts_time,
        ..entry(&world, number, well(&student(1)), (Outcome::Admit, 60))
    };
    let batch = vec![
        of(1, facts(29)),
        of(2, facts(31)),
        of(3, None),
        of(4, facts(-1)),
    ];
    let verdicts = record(&world, batch).await;
    assert_eq!(verdicts[3].outcome(), Became::Refused);
    assert!(verdicts[3].message.contains("snapshot_facts_time"));
    let mut stale = Vec::new();
    for (verdict, told) in verdicts.iter().zip([facts(29), facts(31), None]) {
        let decision = read(&world, &verdict.gate_decision).await;
        assert_eq!(decision.facts_time, told);
        stale.push(decision.stale);
    }
    assert_eq!(stale, [false, true, true]);
}

async fn a_recheck_without_a_network_waits_as_well(mut world: World) {
    let fever = |number, ago| {
        let seen = with_temperature(&student(number), 378);
        entry(&world, number, seen, (Outcome::Observe, ago))
    };
    let good = |number: u128, of: u128, ago| {
        let seen = well(&student(of));
        let decision = entry(&world, number, seen, (Outcome::Admit, ago));
        again(of, &[365, 366, 365])(decision)
    };
    let batch = vec![fever(1, 40), good(11, 1, 30), fever(2, 40), good(12, 2, 25)];
    assert_eq!(
        became(&record(&world, batch).await),
        [
            (Became::Recorded, Outcome::Observe),
            (Became::Conflict, Outcome::Observe),
            (Became::Recorded, Outcome::Observe),
            (Became::Recorded, Outcome::Admit),
        ]
    );
    // It did not end the wait.
    let refused = world.check(well(&student(1))).await;
    let refused = refused.expect_err("waits");
    assert_eq!(told(&refused).1, "GATE_OBSERVATION_OPEN");
    let other = world.check(well(&student(2))).await.expect("decided");
    assert_eq!(other.result(), Outcome::Admit);
}

async fn a_fever_is_not_taken_back_without_a_network(mut world: World) {
    let fever = with_temperature(&student(1), 378);
    let fever = entry(&world, 1, fever, (Outcome::Observe, 40));
    let first = entry(&world, 2, well(&student(1)), (Outcome::Admit, 39));
    let denied = entry(&world, 3, well(&student(1)), (Outcome::Deny, 20));
    let denied = again(1, &[379])(denied);
    let last = entry(&world, 4, well(&student(1)), (Outcome::Admit, 10));
    let verdicts = record(&world, vec![fever, first, denied, last]).await;
    assert_eq!(
        became(&verdicts),
        [
            (Became::Recorded, Outcome::Observe),
            (Became::Conflict, Outcome::Observe),
            (Became::Recorded, Outcome::Deny),
            (Became::Conflict, Outcome::Deny),
        ]
    );
    // With a network it goes on from there.
    let now = world.check(well(&student(1))).await.expect("decided");
    assert_eq!(now.result(), Outcome::Deny);
    assert_eq!(now.recheck_of, verdicts[0].gate_decision);
}

async fn conflicts_are_kept_and_listed(mut world: World) {
    world.check(well(&student(3))).await.expect("decided");
    let good = entry(&world, 1, well(&student(1)), (Outcome::Admit, 3));
    let wrong = with_temperature(&student(2), 378);
    let wrong = entry(&world, 2, wrong, (Outcome::Admit, 2));
    let verdicts = record(&world, vec![good, wrong]).await;
    let kept = read(&world, &verdicts[1].gate_decision).await;
    assert!(kept.offline);
    let (did, should) = (kept.result(), kept.expected_result());
    assert_eq!((did, should), (Outcome::Admit, Outcome::Observe));
    let listed = async |offline, conflict| {
        let ask = pb::ListGateDecisionsRequest {
            parent: SCHOOL.to_owned(),
            offline,
            conflict,
            ..Default::default()
        };
        let ask = world.as_role(Role::Principal, SCHOOL_PATH, ask);
        let page = world.client.clone().list_gate_decisions(ask).await;
        page.expect("listed").into_inner().gate_decisions.len()
    };
    assert_eq!(listed(false, false).await, 3);
    assert_eq!(listed(true, false).await, 2);
    assert_eq!(listed(false, true).await, 1);
}

fn keyed(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("any key");
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

/// As a gate does it from the contract alone.
fn known(snapshot: &pb::GateSnapshot, shown: &str) -> Option<String> {
    let credential = keyed(&snapshot.credential_key, shown.as_bytes());
    let hash = keyed(&snapshot.credential_salt, &credential)[..16].to_vec();
    let credentials = &snapshot.credentials;
    let place = credentials
        .binary_search_by(|one| one.hash[..].cmp(&hash))
        .ok()?;
    let member = usize::try_from(credentials[place].member_index).ok()?;
    Some(snapshot.members[member].clone())
}

async fn a_gate_without_a_network_knows_codes_and_cards(mut world: World) {
    let bind = |number, card: &str| pb::BindCardRequest {
        person: student(number),
        card: card.to_owned(),
        ..Default::default()
    };
    for bind in [bind(2, "04A1B2C3"), bind(3, "04A1B2C4")] {
        let bind = world.as_role(Role::SchoolClerk, SCHOOL_PATH, bind);
        world.client.bind_card(bind).await.expect("bound");
    }
    let ask = pb::IssuePersonCodeRequest { person: student(1) };
    let ask = world.as_role(Role::SchoolClerk, SCHOOL_PATH, ask);
    let code = world.client.issue_person_code(ask).await.expect("issued");
    let code = code.into_inner().person_code;
    let mut take = async || {
        let ask = pb::GetSnapshotRequest {
            name: format!("{SCHOOL}/gateSnapshot"),
        };
        let ask = world.as_role(Role::Guard, SCHOOL_PATH, ask);
        let taken = world.client.get_snapshot(ask).await;
        taken.expect("taken").into_inner()
    };
    let snapshot = take().await;
    assert_eq!(known(&snapshot, "04A1B2C3"), Some(student(2)));
    assert_eq!(known(&snapshot, "04A1B2C4"), Some(student(3)));
    assert_eq!(known(&snapshot, &code), Some(student(1)));
    assert_eq!(known(&snapshot, "04A1B2C5"), None);
    let range = (
        snapshot.temperature_plausible_min_decidegrees,
        snapshot.temperature_plausible_max_decidegrees,
    );
    assert_eq!(range, (340, 425));
    assert!(!snapshot.admit_travel_unknown);
    // Nobody follows a card from one snapshot to the next.
    let next = take().await;
    assert_ne!(next.credential_salt, snapshot.credential_salt);
    assert_ne!(next.credentials[0].hash, snapshot.credentials[0].hash);
    assert_eq!(known(&next, "04A1B2C3"), Some(student(2)));
}
