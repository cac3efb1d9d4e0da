//! What is told of rechecks at the gate, of shelters and rooms, and of what a growing roll takes away.

use chrono::Duration;
use kit::auth::Role;
use kit::clock::Clock;
use kit::field::to_date;
use proto::safety as pb;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::safety_event::State;
use proto::safety::shelter::Cause;
use proto::safety::supply_movement::Kind;

use crate::book::{Book, check_of};
use crate::city::tree::{BUREAU, BUREAU_PATH, group, tree};
use crate::city::world::{World, heard, on_both, with_temperature};
use crate::city::{SCHOOL, SCHOOL_PATH, roster, student};
use crate::follower::{listen, settled};
use crate::ground;
use crate::protected::{Desk, day, issue, masks, three};

on_both!(
    those_kept_out_at_the_gate_are_counted_until_the_day_is_over_and_nobody_is_named,
    red_codes_are_counted_until_the_day_is_over_and_nobody_is_named,
    contradicted_decisions_are_counted_until_a_human_sets_them_right,
    a_growing_roll_takes_supplies_below_and_asks_for_guards_and_rooms,
    a_shelter_that_takes_fewer_than_are_inside_says_so_until_they_are_placed,
);

const AT: (&str, &str) = (SCHOOL, SCHOOL_PATH);

fn kept_out(state: &State) -> Option<pb::GateRecheckStanding> {
    match state {
        State::GateRecheckStanding(standing) => Some(standing.clone()),
        _ => None,
    }
}

fn red(state: &State) -> Option<pb::GateRedCodeStanding> {
    match state {
        State::GateRedCodeStanding(standing) => Some(standing.clone()),
        _ => None,
    }
}

fn contradicted(state: &State) -> Option<pb::GateConflictStanding> {
    match state {
        State::GateConflictStanding(standing) => Some(standing.clone()),
        _ => None,
    }
}

fn supplies(state: &State) -> Option<pb::SupplyStanding> {
    match state {
        State::SupplyStanding(standing) => Some(standing.clone()),
        _ => None,
    }
}

fn room(state: &State) -> Option<pb::ShelterStanding> {
    match state {
        State::ShelterStanding(standing) => Some(standing.clone()),
        _ => None,
    }
}

fn guarded(state: &State) -> Option<pb::ProtectionStanding> {
    match state {
        State::ProtectionStanding(standing) => Some(standing.clone()),
        _ => None,
    }
}

/// Somebody with a temperature, in tenths of a degree, and a travel card of today.
fn seen(world: &World, number: u128, tenths: i32) -> pb::CheckEntryRequest {
    let mut request = with_temperature(&student(number), tenths);
    let card = request.observation.as_mut();
    let card = card.and_then(|seen| seen.travel_card.as_mut());
    card.expect("a card").show_date = Some(to_date(world.clock.today()));
    request
}

/// Sends somebody to observation, and keeps them out a quarter of an hour later.
async fn feverish(world: &mut World, numbers: &[u128]) -> Vec<pb::GateDecision> {
    let mut observed = Vec::new();
    for number in numbers {
        let first = seen(world, *number, 378);
        let first = world.check(first).await.expect("decided");
        assert_eq!(first.result(), Outcome::Observe);
        observed.push(first);
    }
    world.clock.advance(Duration::minutes(15));
    heard(&world.db, &world.clock).await;
    let mut denied = Vec::new();
    for (number, first) in numbers.iter().zip(observed) {
        let again = pb::CheckEntryRequest {
            recheck_of: first.name,
            request_id: ground::id(),
            ..seen(world, *number, 379)
        };
        let decision = world.check(again.clone()).await.expect("decided");
        assert_eq!(decision.result(), Outcome::Deny);
        // A repeat is the same person.
        assert_eq!(world.check(again).await.expect("repeated"), decision);
        denied.push(decision);
    }
    denied
}

async fn those_kept_out_at_the_gate_are_counted_until_the_day_is_over_and_nobody_is_named(
    mut world: World,
) {
    roster(&world.db, &tree(), 2).await;
    settled(&world).await;
    let mut follower = listen(&world).await;
    // Whoever is measured for the first time is not told of.
    let denied = feverish(&mut world, &[1]).await;
    let first = follower.first(kept_out).await;
    assert_eq!(
        (first.kept_out_count, first.date),
        (1, Some(day(2022, 4, 6)))
    );
    let bytes = State::GateRecheckStanding(first.clone());
    let mut encoded = Vec::new();
    bytes.encode(&mut encoded);
    let names = |part: &[u8]| part == b"students/";
    assert!(!encoded.windows(9).any(names));
    feverish(&mut world, &[2]).await;
    let second = follower.first(kept_out).await;
    assert_eq!(second.kept_out_count, 2);
    assert_eq!(second.first_time, first.first_time);
    assert!(second.last_time.expect("set").seconds > first.last_time.expect("set").seconds);
    // A human who lets one in takes back what followed.
    let admit = pb::OverrideDecisionRequest {
        name: denied[0].name.clone(),
        result: Outcome::Admit.into(),
        reason: "医院证明为非传染性发热".to_owned(),
        request_id: ground::id(),
    };
    let admit = world.as_role(Role::Principal, SCHOOL_PATH, admit);
    world.client.override_decision(admit).await.expect("done");
    assert_eq!(follower.first(kept_out).await.kept_out_count, 1);
    world.clock.advance(Duration::hours(24));
    let entity = format!("{SCHOOL}/gateRecheckStanding");
    let events = follower.until(|event| event.removed && event.entity == entity);
    events.await;
    // The next day counts anew.
    heard(&world.db, &world.clock).await;
    feverish(&mut world, &[3]).await;
    let next = follower.first(kept_out).await;
    assert_eq!((next.kept_out_count, next.date), (1, Some(day(2022, 4, 7))));
}

/// Rule 3.4: a red code is reported to the community, whoever shows it.
async fn red_codes_are_counted_until_the_day_is_over_and_nobody_is_named(mut world: World) {
    use proto::safety::gate_observation::Colour;
    roster(&world.db, &tree(), 2).await;
    settled(&world).await;
    let mut follower = listen(&world).await;
    let coloured = |world: &World, number, colour: Colour| {
        let mut request = seen(world, number, 365);
        let observation = request.observation.as_mut().expect("an observation");
        observation.colour = colour.into();
        request
    };
    // Yellow must not enter either, and is nothing to report.
    for (number, colour) in [(1, Colour::Yellow), (2, Colour::Red)] {
        let request = coloured(&world, number, colour);
        let denied = world.check(request).await.expect("decided");
        assert_eq!(denied.result(), Outcome::Deny);
    }
    let first = follower.first(red).await;
    assert_eq!((first.red_count, first.date), (1, Some(day(2022, 4, 6))));
    let mut encoded = Vec::new();
    State::GateRedCodeStanding(first.clone()).encode(&mut encoded);
    let names = |part: &[u8]| part == b"students/";
    assert!(!encoded.windows(9).any(names));
    // A visitor with a companion, both red.
    let mut book = Book::of(&world).await;
    let (name, _) = book.bring(&world, pb::visit::State::Arrived).await;
    let mut check = check_of(&world, &name);
    check.companion_observations[0].colour = Colour::Red.into();
    check.observation.as_mut().expect("seen").colour = Colour::Red.into();
    let denied = book.check(check).await.expect("checked");
    assert_eq!(denied.state(), pb::visit::State::Denied);
    let second = follower.first(red).await;
    assert_eq!((second.red_count, second.first_time), (3, first.first_time));
    world.clock.advance(Duration::hours(24));
    let entity = format!("{SCHOOL}/gateRedCodeStanding");
    let events = follower.until(|event| event.removed && event.entity == entity);
    events.await;
}

/// Rule 3.9: what a gate without a network decided otherwise is told, not only to the gate.
async fn contradicted_decisions_are_counted_until_a_human_sets_them_right(mut world: World) {
    roster(&world.db, &tree(), 2).await;
    settled(&world).await;
    let mut follower = listen(&world).await;
    let now = kit::field::to_timestamp(world.clock.now());
    let offline = |number, tenths, result: Outcome| pb::OfflineDecision {
        client_id: ground::id(),
        person: student(number),
        observation: seen(&world, number, tenths).observation,
        result: result.into(),
        decide_time: Some(now),
        ..Default::default()
    };
    let batch = pb::RecordBatchRequest {
        parent: SCHOOL.to_owned(),
        device: "后门".to_owned(),
        decisions: vec![
            offline(1, 378, Outcome::Admit),
            offline(2, 365, Outcome::Deny),
            offline(3, 365, Outcome::Admit),
        ],
    };
    let batch = world.as_role(Role::Guard, SCHOOL_PATH, batch);
    let recorded = world.client.record_batch(batch).await.expect("recorded");
    let name = recorded.into_inner().verdicts[0].gate_decision.clone();
    let first = follower.first(contradicted).await;
    assert_eq!((first.conflict_count, first.admitted_count), (2, 1));
    let mut encoded = Vec::new();
    State::GateConflictStanding(first).encode(&mut encoded);
    let names = |part: &[u8]| part == b"students/";
    assert!(!encoded.windows(9).any(names));
    let deny = pb::OverrideDecisionRequest {
        name,
        result: Outcome::Deny.into(),
        reason: "已请家长接回".to_owned(),
        request_id: ground::id(),
    };
    let deny = world.as_role(Role::Principal, SCHOOL_PATH, deny);
    world.client.override_decision(deny).await.expect("done");
    let second = follower.first(contradicted).await;
    assert_eq!((second.conflict_count, second.admitted_count), (1, 0));
}

async fn attended(desk: &mut Desk) -> Vec<String> {
    let request = pb::ListSupplyAlertsRequest {
        parent: BUREAU.to_owned(),
        ..Default::default()
    };
    let request = desk.bureau(BUREAU_PATH, request);
    let page = desk.supply.list_supply_alerts(request).await;
    let alerts = page.expect("listed").into_inner().supply_alerts;
    alerts.into_iter().map(|alert| alert.organization).collect()
}

async fn a_growing_roll_takes_supplies_below_and_asks_for_guards_and_rooms(world: World) {
    let mut desk = Desk::open(world).await;
    let room_of = pb::CreateIsolationRoomRequest {
        parent: SCHOOL.to_owned(),
        isolation_room: Some(pb::IsolationRoom {
            display_name: "隔离观察室".to_owned(),
            access: "东门旁".to_owned(),
            capacity: 4,
            separate: true,
            ventilated: true,
            near_gate: true,
            own_route: true,
            own_toilet: true,
            ..Default::default()
        }),
        request_id: ground::id(),
    };
    let room_of = desk.officer(room_of);
    let created = desk.shelter.create_isolation_room(room_of).await;
    created.expect("created");
    let declaration = pb::ProtectionDeclaration {
        guards: Some(pb::GuardDeclaration::default()),
        ..three()
    };
    desk.declare(AT, declaration).await.expect("declared");
    desk.enter(AT, masks(Kind::Receipt, 100_000, day(2023, 1, 1)))
        .await
        .expect("entered");
    let minimum = desk.level(AT, "mask").await.minimum_quantity;
    desk.enter(AT, issue(100_000 - minimum))
        .await
        .expect("entered");
    settled(&desk.world).await;
    let mut follower = listen(&desk.world).await;
    let before = |wanted: fn(&State) -> bool| {
        let states = follower.snapshot.iter();
        states.filter_map(|event| event.state.clone()).find(wanted)
    };
    let stands = before(|state| supplies(state).is_some()).expect("a ledger");
    let stands = supplies(&stands).expect("a ledger");
    assert!(stands.items_below_minimum.is_empty());
    assert_eq!((stands.cover_days, stands.required_days), (None, 14));
    let enough = before(|state| room(state).is_some()).expect("a room");
    let enough = room(&enough).expect("a room");
    let rooms = (
        enough.required_isolation_room_count,
        enough.suitable_isolation_room_count,
    );
    assert_eq!(rooms, (1, 1));
    assert!(attended(&mut desk).await.is_empty());

    // Nobody enters anything: the register alone tells of more pupils.
    let more = group(SCHOOL_PATH, ("j2020-09", 8), 10_000, 1900);
    roster(&desk.world.db, &[more], 2).await;
    let (mut lacks, mut short, mut few) = (None, None, None);
    while lacks.is_none() || short.is_none() || few.is_none() {
        let event = follower.heard().await;
        let Some(state) = event.state else { continue };
        lacks = lacks.or(supplies(&state).filter(|one| !one.items_below_minimum.is_empty()));
        short = short.or(room(&state).filter(|one| one.required_isolation_room_count > 1));
        few = few.or(guarded(&state).filter(|one| one.required_guard_count > 2));
    }
    assert_eq!(lacks.expect("told").items_below_minimum, ["mask"]);
    assert_eq!(short.expect("told").suitable_isolation_room_count, 1);
    let few = few.expect("told");
    assert!(few.guard_count < few.required_guard_count);
    settled(&desk.world).await;
    assert_eq!(attended(&mut desk).await, [SCHOOL]);
}

async fn a_shelter_that_takes_fewer_than_are_inside_says_so_until_they_are_placed(world: World) {
    let mut desk = Desk::open(world).await;
    settled(&desk.world).await;
    let mut follower = listen(&desk.world).await;
    let create = desk.officer(pb::CreateShelterRequest {
        parent: SCHOOL.to_owned(),
        shelter: Some(pb::Shelter {
            display_name: "体育馆".to_owned(),
            access: "东门进入，沿主路 200 米".to_owned(),
            capacity: 300,
            ..Default::default()
        }),
        request_id: ground::id(),
    });
    let shelter = desk.shelter.create_shelter(create).await.expect("created");
    let name = shelter.into_inner().name;
    let closed = follower.first(room).await;
    let counts = |told: &pb::ShelterStanding| {
        (
            told.open_shelter_count,
            told.overfull_shelter_count,
            told.unplaced_count,
        )
    };
    assert_eq!(counts(&closed), (0, 0, 0));
    assert_eq!(closed.required_isolation_room_count, 1);
    assert_eq!(closed.suitable_isolation_room_count, 0);
    let open = desk.bureau(
        BUREAU_PATH,
        pb::OpenShelterRequest {
            name: name.clone(),
            cause: Cause::WeatherLevelI.into(),
            request_id: ground::id(),
        },
    );
    desk.shelter.open_shelter(open).await.expect("opened");
    assert_eq!(counts(&follower.first(room).await), (1, 0, 0));
    for (people, expected) in [(350, (1, 1, 50)), (300, (1, 0, 0))] {
        let count = desk.officer(pb::ReportShelterOccupancyRequest {
            name: name.clone(),
            occupant_count: people,
            request_id: ground::id(),
        });
        let counted = desk.shelter.report_shelter_occupancy(count).await;
        counted.expect("counted");
        assert_eq!(counts(&follower.first(room).await), expected);
    }
}
