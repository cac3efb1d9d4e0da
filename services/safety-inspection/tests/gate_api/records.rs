//! What is kept of decisions, and what a gate without a network takes along and brings back.

use crate::city::on_both;
use kit::auth::Role;
use kit::clock::Clock;
use proto::safety as pb;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_reason::Code;
use proto::safety::gate_service_client::GateServiceClient;
use proto::safety::safety_figures::Gates;
use proto::safety::safety_figures_service_client::SafetyFiguresServiceClient;
use uuid::Uuid;

use crate::city::tree::{self, BUREAU, BUREAU_PATH};
use crate::city::world::{World, codes, serve, told, well};
use crate::city::{SCHOOL, SCHOOL_PATH, clearance, held, roster, student};

on_both!(
    offline_decisions_are_recorded_once,
    a_recheck_without_a_network_is_weighed_as_one,
    the_snapshot_can_be_verified,
    old_facts_are_said_to_be_old,
    decisions_survive_a_restart,
    decisions_are_listed_page_by_page,
    what_gates_decided_today_is_counted_with_what_was_overridden,
);

async fn offline_decisions_are_recorded_once(mut world: World) {
    use pb::offline_verdict::Outcome as Became;
    clearance(&world.db, &[held(&student(2), 1)], 1).await;
    world.until(well(&student(2)), Outcome::Deny).await;
    let now = kit::field::to_timestamp(world.clock.now());
    let entry = |person: u128| pb::OfflineDecision {
        client_id: Uuid::from_u128(person).to_string(),
        person: student(person),
        observation: well("").observation,
        result: Outcome::Admit.into(),
        decide_time: Some(now),
        ..Default::default()
    };
    let long_ago = world.clock.now() - chrono::Duration::days(8);
    let old = pb::OfflineDecision {
        decide_time: Some(kit::field::to_timestamp(long_ago)),
        ..entry(5)
    };
    let hot = pb::OfflineDecision {
        observation: Some(pb::GateObservation {
            temperature_decidegrees: Some(500),
            ..Default::default()
        }),
        ..entry(4)
    };
    let batch = |decisions: Vec<pb::OfflineDecision>| pb::RecordBatchRequest {
        parent: SCHOOL.to_owned(),
        device: "后门".to_owned(),
        decisions,
    };
    let mut record = async |decisions| {
        let ask = world.as_role(Role::Guard, SCHOOL_PATH, batch(decisions));
        world
            .client
            .record_batch(ask)
            .await
            .expect("recorded")
            .into_inner()
            .verdicts
    };
    let became = |verdicts: &[pb::OfflineVerdict]| {
        verdicts
            .iter()
            .map(pb::OfflineVerdict::outcome)
            .collect::<Vec<_>>()
    };
    let first = record(vec![entry(1), entry(2), hot, old]).await;
    let all = [
        Became::Recorded,
        Became::Conflict,
        Became::Refused,
        Became::Refused,
    ];
    assert_eq!(became(&first), all);
    assert_eq!(first[1].expected_result(), Outcome::Deny);
    assert!(
        first[2].message.contains("体温读数不可信"),
        "{}",
        first[2].message
    );
    let changed = pb::OfflineDecision {
        result: Outcome::Observe.into(),
        ..entry(1)
    };
    let again = record(vec![entry(2), changed, entry(1)]).await;
    assert_eq!(
        became(&again),
        [Became::Repeated, Became::Differs, Became::Repeated]
    );
    assert_eq!(again[0].gate_decision, first[1].gate_decision);
}

/// Rule 3.3 without a network: what a recheck found is no conflict, what was never observed is one.
async fn a_recheck_without_a_network_is_weighed_as_one(mut world: World) {
    use pb::offline_verdict::Outcome as Became;
    let now = world.clock.now();
    let at = |minutes| {
        let time = now - chrono::Duration::minutes(minutes);
        Some(kit::field::to_timestamp(time))
    };
    let seen = |number: u128, tenths: &[i32], result: Outcome, minutes| {
        let mut observation = well("").observation.expect("an observation");
        observation.temperature_decidegrees = tenths.first().copied();
        observation.further_temperatures_decidegrees = tenths[1..].to_vec();
        observation.symptoms = pb::gate_observation::Symptoms::None.into();
        pb::OfflineDecision {
            client_id: Uuid::from_u128(number).to_string(),
            person: student(1),
            observation: Some(observation),
            result: result.into(),
            decide_time: at(minutes),
            ..Default::default()
        }
    };
    let recheck = |of: u128, again: pb::OfflineDecision| pb::OfflineDecision {
        recheck_of_id: Uuid::from_u128(of).to_string(),
        ..again
    };
    let first = seen(1, &[378], Outcome::Observe, 40);
    let denied = recheck(1, seen(2, &[379], Outcome::Deny, 20));
    let other = pb::OfflineDecision {
        person: student(2),
        ..recheck(1, seen(4, &[379], Outcome::Deny, 10))
    };
    let batches = [
        vec![first.clone(), denied.clone()],
        vec![
            // Sent again: what was rechecked stands in an earlier batch.
            first,
            denied,
            recheck(1, seen(3, &[365, 366, 365], Outcome::Admit, 15)),
            other,
            // A first reading denies nobody.
            pb::OfflineDecision {
                person: student(3),
                ..seen(5, &[379], Outcome::Deny, 10)
            },
            // Nobody was sent to observation by a decision that is not known.
            pb::OfflineDecision {
                person: student(4),
                ..recheck(9, seen(6, &[379], Outcome::Deny, 10))
            },
            // Whom the fever clinic expects is denied, whatever the gate goes on from.
            recheck(9, seen(7, &[379], Outcome::Deny, 10)),
        ],
    ];
    let mut became = Vec::new();
    let mut decisions = Vec::new();
    for decisions_of in batches {
        let batch = pb::RecordBatchRequest {
            parent: SCHOOL.to_owned(),
            device: "后门".to_owned(),
            decisions: decisions_of,
        };
        let batch = world.as_role(Role::Guard, SCHOOL_PATH, batch);
        let answer = world.client.record_batch(batch).await.expect("recorded");
        for verdict in answer.into_inner().verdicts {
            became.push(verdict.outcome());
            decisions.push(verdict.gate_decision);
        }
    }
    assert_eq!(
        became,
        [
            Became::Recorded,
            Became::Recorded,
            Became::Repeated,
            Became::Repeated,
            // Whom the fever clinic expects is not let in.
            Became::Conflict,
            Became::Conflict,
            Became::Conflict,
            Became::Conflict,
            Became::Recorded,
        ]
    );
    let get = pb::GetGateDecisionRequest {
        name: decisions[1].clone(),
    };
    let get = world.as_role(Role::Guard, SCHOOL_PATH, get);
    let read = world.client.get_gate_decision(get).await.expect("read");
    assert_eq!(read.into_inner().recheck_of, decisions[0]);
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn the_snapshot_can_be_verified(mut world: World) {
    clearance(&world.db, &[held(&student(2), 1)], 1).await;
    world.until(well(&student(2)), Outcome::Deny).await;
    let ask = pb::GetSnapshotRequest {
        name: format!("{SCHOOL}/gateSnapshot"),
    };
    let ask = world.as_role(Role::Guard, SCHOOL_PATH, ask);
    let snapshot = world
        .client
        .get_snapshot(ask)
        .await
        .expect("taken")
        .into_inner();
    assert_eq!(snapshot.members.len(), 6);
    let [blocked] = &snapshot.blocked[..] else {
        panic!("{:?}", snapshot.blocked)
    };
    assert_eq!(blocked.person, student(2));
    // As a gate recomputes it from the contract alone.
    let seconds = |time: &Option<prost_types::Timestamp>| time.map_or(0, |time| time.seconds);
    let mut text = format!(
        "campus/gate-snapshot/v3\n{}\n{}\n373\n15\n3\n3,2,4\n14\n340,425\n0\n{}\n{}\n{}\n{}\n{}\n",
        snapshot.name,
        snapshot.policy_version,
        seconds(&snapshot.create_time),
        seconds(&snapshot.facts_time),
        seconds(&snapshot.expire_time),
        hexadecimal(&snapshot.credential_key),
        hexadecimal(&snapshot.credential_salt),
    );
    for member in &snapshot.members {
        text.push_str(&format!("+ {member}\n"));
    }
    text.push_str(&format!("- {} 41\n", blocked.person));
    // A code of each of them.
    assert_eq!(snapshot.credentials.len(), 6);
    for known in &snapshot.credentials {
        let hash = hexadecimal(&known.hash);
        text.push_str(&format!("* {hash} {}\n", known.member_index));
    }
    let digest: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(text).into();
    assert_eq!(snapshot.digest[..], digest);
    // By which a gate without a network rechecks.
    let recheck = (
        snapshot.recheck_wait_minutes,
        snapshot.recheck_reading_count,
    );
    assert_eq!(recheck, (15, 3));
    let key: [u8; 32] = snapshot.public_key[..].try_into().expect("32 bytes");
    let key = ed25519_dalek::VerifyingKey::from_bytes(&key).expect("a key");
    let signature = ed25519_dalek::Signature::from_slice(&snapshot.signature).expect("64 bytes");
    key.verify_strict(&digest, &signature).expect("signed");
    assert_eq!(
        seconds(&snapshot.expire_time) - seconds(&snapshot.facts_time),
        1800
    );
}

async fn old_facts_are_said_to_be_old(mut world: World) {
    world.clock.advance(chrono::Duration::minutes(31));
    let decision = world.check(well(&student(1))).await.expect("decided");
    assert_eq!(decision.result(), Outcome::Admit);
    assert!(decision.stale);
    assert_eq!(codes(&decision), [Code::FactsStale]);
    assert_eq!(decision.reasons[0].rule, "3.9");
}

async fn decisions_survive_a_restart(mut world: World) {
    let decision = world.check(well(&student(1))).await.expect("decided");
    world
        .running
        .take()
        .expect("running")
        .stop()
        .await
        .expect("stopped");
    let (channel, running) = serve(&world.scratch, &world.clock).await;
    let client = GateServiceClient::new(channel);
    (world.client, world.running) = (client, Some(running));
    let get = pb::GetGateDecisionRequest {
        name: decision.name.clone(),
    };
    let get = world.as_role(Role::Guard, SCHOOL_PATH, get);
    let read = world
        .client
        .get_gate_decision(get)
        .await
        .expect("read")
        .into_inner();
    assert_eq!(read, decision);
    assert_eq!(
        world
            .check(well(&student(1)))
            .await
            .expect("decided")
            .result(),
        Outcome::Admit
    );
}

async fn decisions_are_listed_page_by_page(mut world: World) {
    for number in [1, 2, 99, 3] {
        world.check(well(&student(number))).await.expect("decided");
        world.clock.advance(chrono::Duration::seconds(1));
    }
    let mut ask = pb::ListGateDecisionsRequest {
        parent: SCHOOL.to_owned(),
        page_size: 3,
        ..Default::default()
    };
    let list = world.as_role(Role::Principal, SCHOOL_PATH, ask.clone());
    let page = world
        .client
        .list_gate_decisions(list)
        .await
        .expect("listed")
        .into_inner();
    let people: Vec<_> = page
        .gate_decisions
        .iter()
        .map(|d| d.person.clone())
        .collect();
    assert_eq!(people, [student(3), student(99), student(2)]);
    ask.page_token = page.next_page_token;
    let list = world.as_role(Role::Principal, SCHOOL_PATH, ask.clone());
    let page = world
        .client
        .list_gate_decisions(list)
        .await
        .expect("listed")
        .into_inner();
    assert_eq!((page.gate_decisions.len(), &*page.next_page_token), (1, ""));
    ask.result = Outcome::Deny.into();
    let list = world.as_role(Role::Principal, SCHOOL_PATH, ask.clone());
    let refused = world
        .client
        .list_gate_decisions(list)
        .await
        .expect_err("another list");
    assert_eq!(told(&refused).1, "INVALID_PAGE_TOKEN");
    ask.page_token.clear();
    let list = world.as_role(Role::Principal, SCHOOL_PATH, ask);
    let page = world
        .client
        .list_gate_decisions(list)
        .await
        .expect("listed")
        .into_inner();
    assert_eq!(page.gate_decisions.len(), 1);
}

/// What the gates of a district or a school decided today, as a role there is told.
async fn gates(world: &World, role: Role) -> Gates {
    let (place, path) = match role {
        Role::DistrictOfficer => (BUREAU, BUREAU_PATH),
        _ => (SCHOOL, SCHOOL_PATH),
    };
    let get = pb::GetSafetyFiguresRequest {
        name: format!("{place}/safetyFigures"),
    };
    let get = world.as_role(role, path, get);
    let mut client = SafetyFiguresServiceClient::new(world.channel.clone());
    let read = client.get_safety_figures(get).await.expect("read");
    read.into_inner().gates.expect("gates")
}

async fn what_gates_decided_today_is_counted_with_what_was_overridden(mut world: World) {
    roster(&world.db, &tree::tree(), 2).await;
    clearance(&world.db, &[held(&student(2), 1)], 1).await;
    let denied = world.until(well(&student(2)), Outcome::Deny).await;
    let before = gates(&world, Role::DistrictOfficer).await;
    assert!(before.decision_count >= 1 && before.stopped_count.unwrap_or_default() >= 1);
    assert_eq!(before.overridden_count, 0);
    let clerk = gates(&world, Role::SchoolClerk).await;
    assert_eq!(
        (clerk.decision_count, clerk.stopped_count),
        (before.decision_count, None),
        "who may not read decisions is not told how many were not let in"
    );

    let entry = pb::CheckEntryRequest {
        request_id: Uuid::new_v4().to_string(),
        ..well(&student(1))
    };
    for _ in 0..2 {
        let decision = world.check(entry.clone()).await.expect("decided");
        assert_eq!(decision.result(), Outcome::Admit);
    }
    let offline = pb::OfflineDecision {
        client_id: Uuid::from_u128(7).to_string(),
        person: student(1),
        observation: well("").observation,
        result: Outcome::Admit.into(),
        decide_time: Some(kit::field::to_timestamp(world.clock.now())),
        ..Default::default()
    };
    for _ in 0..2 {
        let batch = pb::RecordBatchRequest {
            parent: SCHOOL.to_owned(),
            device: "后门".to_owned(),
            decisions: vec![offline.clone()],
        };
        let batch = world.as_role(Role::Guard, SCHOOL_PATH, batch);
        world.client.record_batch(batch).await.expect("recorded");
    }
    let word = pb::OverrideDecisionRequest {
        name: denied.name.clone(),
        result: Outcome::Admit.into(),
        reason: "单检阴性，纸质报告已核".to_owned(),
        request_id: Uuid::new_v4().to_string(),
    };
    for _ in 0..2 {
        let word = world.as_role(Role::Principal, SCHOOL_PATH, word.clone());
        let overridden = world.client.override_decision(word).await;
        overridden.expect("overridden, once");
    }
    let after = gates(&world, Role::DistrictOfficer).await;
    let expected = Gates {
        decision_count: before.decision_count + 2,
        offline_count: before.offline_count + 1,
        overridden_count: 1,
        last_override_time: Some(kit::field::to_timestamp(world.clock.now())),
        ..before
    };
    assert_eq!(after, expected, "a repeat counts for nothing");
    // Of another day nothing is told.
    world.clock.advance(chrono::Duration::days(1));
    let tomorrow = gates(&world, Role::DistrictOfficer).await;
    assert_eq!((tomorrow.decision_count, tomorrow.overridden_count), (0, 0));
}
