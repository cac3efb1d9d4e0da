//! A crew that a gate lets in is a visit from that moment on (rules 3.1 and 3.7), with and without a
//! network.

use kit::auth::Role;
use kit::field::to_timestamp;
use proto::safety as pb;
use proto::safety::check_entry_request::Emergency;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::offline_verdict::Outcome as Became;
use proto::safety::safety_figures_service_client::SafetyFiguresServiceClient;
use proto::safety::visit::State;
use proto::safety::visitor_service_client::VisitorServiceClient;
use uuid::Uuid;

use crate::city::tree::{self, BUREAU, BUREAU_PATH};
use crate::city::world::{World, on_both, told, well};
use crate::city::{SCHOOL, SCHOOL_PATH, roster, student};

on_both!(
    a_crew_at_a_gate_opens_its_visit_once,
    nobody_of_the_school_comes_as_a_crew,
    a_crew_that_came_without_a_network_opens_its_visit,
);

/// The fire brigade at the gate.
fn crew() -> pb::CheckEntryRequest {
    pb::CheckEntryRequest {
        identity: None,
        observation: None,
        emergency: Emergency::Fire.into(),
        emergency_people_count: 6,
        emergency_plate: "闽A119119".to_owned(),
        request_id: Uuid::new_v4().to_string(),
        ..well("")
    }
}

async fn visit(world: &World, name: &str) -> pb::Visit {
    let get = pb::GetVisitRequest {
        name: name.to_owned(),
    };
    let get = world.as_role(Role::Guard, SCHOOL_PATH, get);
    let mut client = VisitorServiceClient::new(world.channel.clone());
    let read = client.get_visit(get).await.expect("a visit");
    read.into_inner()
}

async fn visits(world: &World) -> usize {
    let list = pb::ListVisitsRequest {
        parent: SCHOOL.to_owned(),
        ..Default::default()
    };
    let list = world.as_role(Role::Guard, SCHOOL_PATH, list);
    let mut client = VisitorServiceClient::new(world.channel.clone());
    let listed = client.list_visits(list).await.expect("listed");
    listed.into_inner().visits.len()
}

async fn a_crew_at_a_gate_opens_its_visit_once(mut world: World) {
    roster(&world.db, &tree::tree(), 2).await;
    let request = crew();
    let decided = world.check(request.clone()).await.expect("decided");
    assert_eq!(decided.result(), Outcome::Admit);
    let opened = visit(&world, &decided.visit).await;
    assert_eq!(opened.state(), State::AdmittedEmergency);
    assert_eq!(
        (opened.emergency(), opened.entered_companion_count),
        (Emergency::Fire, 5)
    );
    assert_eq!(opened.enter_time, decided.decide_time);
    let due = opened.after_entry_due_time.expect("due").seconds;
    assert_eq!(due - opened.enter_time.expect("entered").seconds, 24 * 3600);
    assert_eq!(world.check(request.clone()).await.expect("again"), decided);
    let mut other = request;
    other.emergency_people_count = 7;
    let reused = world.check(other).await.expect_err("another request");
    assert_eq!(told(&reused).1, "REQUEST_ID_REUSED");
    assert_eq!(visits(&world).await, 1);
    // The district counts them as inside.
    let mut figures = SafetyFiguresServiceClient::new(world.channel.clone());
    let mut counted = (0, 0);
    for _ in 0..400 {
        let get = pb::GetSafetyFiguresRequest {
            name: format!("{BUREAU}/safetyFigures"),
        };
        let get = world.as_role(Role::DistrictOfficer, BUREAU_PATH, get);
        let read = figures.get_safety_figures(get).await.expect("read");
        let found = read.into_inner().visitors.expect("visitors");
        counted = (found.inside_count, found.emergency_count);
        if counted == (6, 1) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(counted, (6, 1));
}

async fn nobody_of_the_school_comes_as_a_crew(mut world: World) {
    let person = pb::CheckEntryRequest {
        emergency: Emergency::Medical.into(),
        ..well(&student(1))
    };
    let many = pb::CheckEntryRequest {
        emergency_people_count: 52,
        ..crew()
    };
    let none = pb::CheckEntryRequest {
        emergency: 0,
        ..crew()
    };
    for (request, field) in [
        (person, "emergency"),
        (many, "emergency_people_count"),
        (none, "emergency"),
    ] {
        let refused = world.check(request).await.expect_err("refused");
        assert_eq!(told(&refused).1, "INVALID_FIELD");
        assert!(refused.message().contains(field), "{}", refused.message());
    }
}

async fn a_crew_that_came_without_a_network_opens_its_visit(mut world: World) {
    roster(&world.db, &tree::tree(), 2).await;
    use kit::clock::Clock;
    let came = world.clock.now() - chrono::Duration::hours(3);
    let entry = |result: Outcome| pb::OfflineDecision {
        client_id: Uuid::from_u128(7).to_string(),
        result: result.into(),
        decide_time: Some(to_timestamp(came)),
        emergency: Emergency::Medical.into(),
        emergency_people_count: 2,
        ..Default::default()
    };
    let mut record = async |entry: pb::OfflineDecision| {
        let batch = pb::RecordBatchRequest {
            parent: SCHOOL.to_owned(),
            device: "后门".to_owned(),
            decisions: vec![entry],
        };
        let batch = world.as_role(Role::Guard, SCHOOL_PATH, batch);
        let answer = world.client.record_batch(batch).await.expect("recorded");
        answer.into_inner().verdicts.remove(0)
    };
    let refused = record(entry(Outcome::Deny)).await;
    assert_eq!(refused.outcome(), Became::Refused);
    let recorded = record(entry(Outcome::Admit)).await;
    assert_eq!(recorded.outcome(), Became::Recorded);
    let again = record(entry(Outcome::Admit)).await;
    assert_eq!(again.outcome(), Became::Repeated);
    assert_eq!(again.gate_decision, recorded.gate_decision);
    let name = recorded.gate_decision.replace("gateDecisions", "visits");
    let opened = visit(&world, &name).await;
    assert_eq!(opened.state(), State::AdmittedEmergency);
    assert_eq!(opened.enter_time, Some(to_timestamp(came)));
    assert_eq!(visits(&world).await, 1);
}
