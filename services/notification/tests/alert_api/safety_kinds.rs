//! Every kind of fact that safety-inspection tells raises its alert and ends it, and nothing is lost while
//! the service was down.

use chrono::Duration;
use kit::projection::Projection;
use kit::scratch::Scratch;
use notification::SafetyProjection;
use notification::domain::fact::{Kind, Source};
use proto::notification as pb;
use proto::notification::alert::{Severity, State};
use proto::safety;
use proto::safety::safety_event::State as Told;

use crate::raised::{self, Said, alerts_of, only, until};
use crate::town::classes::answers;
use crate::town::doctors::Act;
use crate::town::examples::examples;
use crate::town::inspected::{inspections, spot_check};
use crate::town::neighbours::Neighbours;
use crate::town::provision::{conflicts, kept_out, protection, supplies};
use crate::town::safe::{Danger, dangers, hazard, hop, incident, of_school, weather};
use crate::town::world::World;
use crate::town::{self, SCHOOL, SCHOOL_PATH, on_both, sampling};

on_both!(
    each_kind_of_danger_is_raised_once_and_ended_by_its_fact,
    a_hazard_goes_up_to_the_city_and_weighs_more,
    a_school_that_forgot_weighs_more_than_one_that_is_late,
    an_incident_is_due_then_late_then_received,
    those_kept_out_are_one_alert_a_day_that_grows_and_weighs_more,
    contradicted_gates_weigh_more_once_somebody_is_inside,
    what_a_campus_lacks_is_corrected_and_ends_by_itself,
    a_school_where_nobody_inspects_weighs_more,
    a_spot_check_that_nobody_answered_is_ended_by_a_person_and_stays_ended,
    a_snapshot_of_one_feed_ends_nothing_of_another,
    every_danger_arrives_while_the_service_was_down,
);

fn projection(world: &World) -> SafetyProjection {
    SafetyProjection::new(
        std::sync::Arc::new(world.clock.clone()),
        std::sync::Arc::default(),
    )
}

async fn hear(world: &World, event: safety::SafetyEvent) {
    let tx = world.db.begin().await.expect("a transaction");
    let projection = projection(world);
    projection.apply(&tx, &[event], 1).await.expect("applied");
    tx.commit().await.expect("committed");
}

fn told(entity: String, version: i64, state: Told) -> safety::SafetyEvent {
    safety::SafetyEvent {
        entity,
        version,
        org_path: SCHOOL_PATH.to_owned(),
        removed: false,
        state: Some(state),
    }
}

async fn each_kind_of_danger_is_raised_once_and_ended_by_its_fact(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let duties = [
        "OVERALL_HEAD",
        "SAFETY",
        "SECURITY",
        "WEATHER",
        "EPIDEMIC_CONTROL",
    ];
    let duties = duties.map(|duty| (duty, "", 1));
    town::roster(&world.db, &[answers(SCHOOL_PATH, 2, &duties)], 1).await;
    world.clock.advance(Duration::seconds(30));
    let dangers = dangers();
    let kinds: Vec<Kind> = dangers.iter().map(|danger| danger.kind).collect();
    let of_safety = Kind::ALL.iter().copied();
    let of_safety = of_safety.filter(|kind| kind.source() == Source::Safety);
    assert_eq!(kinds, Vec::from_iter(of_safety), "one of each");
    for danger in dangers {
        is_raised_once(&mut world, &danger).await;
        hear(&world, danger.over(3)).await;
        let alert = only(&mut world, danger.kind).await;
        assert_eq!(alert.state(), State::Resolved, "{:?}", danger.kind);
        let step = alert.resolved.expect("a step");
        assert_eq!(step.subject, "fact");
        // It comes back, and its entity leaves the feed.
        hear(&world, danger.stands(4)).await;
        hear(&world, danger.gone(5)).await;
        let alerts = alerts_of(&mut world, danger.kind).await;
        let states: Vec<_> = alerts.iter().map(pb::Alert::state).collect();
        assert_eq!(states, [State::Resolved; 2], "{:?}", danger.kind);
    }
}

async fn is_raised_once(world: &mut World, danger: &Danger) {
    for version in [1, 1, 2] {
        hear(world, danger.stands(version)).await;
    }
    let said = Said {
        kind: danger.kind,
        severity: danger.severity,
        title: danger.title,
        upper: danger.upper,
        basis: danger.entity(),
        rule: danger.rule,
        people: danger.people,
        due: danger.due,
        // What nobody answered has happened: a person says what came of it.
        stands: danger.kind != Kind::SpotCheckUnanswered,
    };
    said.by(&only(world, danger.kind).await);
}

async fn a_hazard_goes_up_to_the_city_and_weighs_more(scratch: Scratch) {
    use safety::hazard::{Escalation, Grade, State as Stage};
    let mut world = World::new(scratch).await;
    for (version, escalation, severity) in [
        (1, Escalation::District, Severity::Warning),
        (2, Escalation::City, Severity::Critical),
    ] {
        let overdue = safety::Hazard {
            overdue: true,
            escalation: escalation.into(),
            ..hazard(Stage::Rectifying, Grade::General)
        };
        hear(
            &world,
            told(of_school("hazards"), version, Told::Hazard(overdue)),
        )
        .await;
        let alert = only(&mut world, Kind::HazardOverdue).await;
        assert_eq!((alert.state(), alert.severity()), (State::Open, severity));
    }
}

async fn a_school_that_forgot_weighs_more_than_one_that_is_late(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    for (number, done, severity) in [(1, 3, Severity::Warning), (2, 0, Severity::Critical)] {
        let entity = format!("{SCHOOL}/weatherState/{number}");
        let late = safety::WeatherStanding {
            open_task_count: 4,
            overdue_task_count: 4,
            done_task_count: done,
            ..weather(safety::weather_state::State::Alerted)
        };
        hear(&world, told(entity.clone(), 1, Told::WeatherStanding(late))).await;
        let alerts = alerts_of(&mut world, Kind::WeatherTasksOverdue).await;
        let alert = alerts.iter().find(|alert| alert.basis == entity);
        assert_eq!(alert.expect("an alert").severity(), severity);
    }
}

async fn an_incident_is_due_then_late_then_received(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let states = [
        (vec![hop(false, false)], (true, false)),
        (vec![hop(true, false)], (false, true)),
        (vec![hop(true, false), hop(false, false)], (true, true)),
        (vec![hop(true, true)], (false, false)),
    ];
    for (version, (clocks, expected)) in (1..).zip(states) {
        let event = told(
            of_school("incidents"),
            version,
            Told::Incident(incident(clocks)),
        );
        hear(&world, event).await;
        let mut stands = async |kind| {
            let alerts = alerts_of(&mut world, kind).await;
            alerts.iter().any(|alert| alert.state() == State::Open)
        };
        let found = (
            stands(Kind::IncidentReportDue).await,
            stands(Kind::IncidentReportOverdue).await,
        );
        assert_eq!(found, expected, "{version}");
    }
}

async fn those_kept_out_are_one_alert_a_day_that_grows_and_weighs_more(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let entity = format!("{SCHOOL}/gateRecheckStanding");
    for (version, count, severity) in [
        (1, 1, Severity::Warning),
        (2, 2, Severity::Warning),
        (3, 3, Severity::Critical),
        (4, 2, Severity::Warning),
    ] {
        let standing = Told::GateRecheckStanding(kept_out(count));
        hear(&world, told(entity.clone(), version, standing)).await;
        let alert = only(&mut world, Kind::GateRecheckFailed).await;
        assert_eq!((alert.people_count, alert.severity()), (count, severity));
    }
    // The day is over; who is kept out on the next one is another alert.
    let over = safety::SafetyEvent {
        removed: true,
        state: None,
        ..told(entity.clone(), 5, Told::GateRecheckStanding(kept_out(0)))
    };
    hear(&world, over).await;
    let standing = Told::GateRecheckStanding(kept_out(1));
    hear(&world, told(entity, 6, standing)).await;
    let alerts = alerts_of(&mut world, Kind::GateRecheckFailed).await;
    let states: Vec<_> = alerts.iter().map(pb::Alert::state).collect();
    assert_eq!(states, [State::Open, State::Resolved]);
}

/// Rule 3.9: of a gate without a network whoever answers for the school hears the same day.
async fn contradicted_gates_weigh_more_once_somebody_is_inside(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let entity = format!("{SCHOOL}/gateConflictStanding");
    for (version, (count, admitted), severity) in [
        (1, (1, 0), Severity::Warning),
        (2, (3, 1), Severity::Critical),
        (3, (2, 0), Severity::Warning),
    ] {
        let standing = Told::GateConflictStanding(conflicts(count, admitted));
        hear(&world, told(entity.clone(), version, standing)).await;
        let alert = only(&mut world, Kind::GateConflict).await;
        assert_eq!(alert.severity(), severity, "{version}");
        assert_eq!(alert.state(), State::Open, "{version}");
    }
    // A human overrode the last of them.
    let standing = Told::GateConflictStanding(conflicts(0, 0));
    hear(&world, told(entity, 4, standing)).await;
    let alert = only(&mut world, Kind::GateConflict).await;
    assert_eq!(alert.state(), State::Resolved);
}

async fn what_a_campus_lacks_is_corrected_and_ends_by_itself(scratch: Scratch) {
    use safety::protection_finding::Code;
    let mut world = World::new(scratch).await;
    let entity = format!("{SCHOOL}/supplyStanding");
    let tales = [
        (
            &["mask"][..],
            &[][..],
            Some(9),
            Some(Severity::Notice),
            None,
        ),
        (
            &["mask", "soap"],
            &["soap"],
            Some(0),
            Some(Severity::Warning),
            Some(Severity::Warning),
        ),
        (&[], &["soap"], Some(20), None, Some(Severity::Warning)),
        (&[], &[], None, None, None),
    ];
    for (version, (below, expired, cover_days, lacks, expires)) in (1..).zip(tales) {
        let standing = safety::SupplyStanding {
            cover_days,
            ..supplies(below, expired)
        };
        let event = told(entity.clone(), version, Told::SupplyStanding(standing));
        hear(&world, event).await;
        let found = (
            open_of(&mut world, Kind::SuppliesBelow).await,
            open_of(&mut world, Kind::SuppliesExpiring).await,
        );
        assert_eq!(found, (lacks, expires), "{version}");
    }
    let entity = format!("{SCHOOL}/protectionStanding");
    let tales = [
        (1, &[Code::BusLicenceExpired][..], true, true),
        (3, &[Code::BusLicenceExpired], false, true),
        (2, &[], true, false),
        (3, &[], false, false),
    ];
    for (version, (guards, codes, short, lacks)) in (1..).zip(tales) {
        let standing = Told::ProtectionStanding(protection(guards, codes));
        hear(&world, told(entity.clone(), version, standing)).await;
        let found = (
            open_of(&mut world, Kind::GuardsShort).await.is_some(),
            open_of(&mut world, Kind::ProtectionLacking).await.is_some(),
        );
        assert_eq!(found, (short, lacks), "{version}");
    }
}

/// How much the open alert of a kind matters; none when there is none.
async fn open_of(world: &mut World, kind: Kind) -> Option<Severity> {
    let alerts = alerts_of(world, kind).await;
    let open: Vec<_> = alerts
        .iter()
        .filter(|alert| alert.state() == State::Open)
        .collect();
    assert!(open.len() < 2, "{kind:?}");
    open.first().map(|alert| alert.severity())
}

async fn a_school_where_nobody_inspects_weighs_more(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let entity = format!("{SCHOOL}/inspectionStanding");
    for (version, (inspected, missed), severity) in [
        (1, (0, 1), Some(Severity::Warning)),
        (2, (3, 2), Some(Severity::Notice)),
        (3, (4, 0), None),
    ] {
        let standing = Told::InspectionStanding(inspections(inspected, missed));
        hear(&world, told(entity.clone(), version, standing)).await;
        let found = open_of(&mut world, Kind::InspectionsMissed).await;
        assert_eq!(found, severity, "{version}");
    }
}

async fn a_spot_check_that_nobody_answered_is_ended_by_a_person_and_stays_ended(scratch: Scratch) {
    use safety::spot_check::Result as Found;
    let mut world = World::new(scratch).await;
    let check = |version, result: Found| {
        let check = Told::SpotCheck(spot_check(result));
        told(of_school("spotChecks"), version, check)
    };
    hear(&world, check(1, Found::Ok)).await;
    assert_eq!(open_of(&mut world, Kind::SpotCheckUnanswered).await, None);
    hear(&world, check(2, Found::NoAnswer)).await;
    let name = only(&mut world, Kind::SpotCheckUnanswered).await.name;
    for act in [Act::Acknowledge, Act::Take, Act::Resolve] {
        world.act(act, &name, SCHOOL_PATH).await.expect("moved on");
    }
    // The record stays in the feed for a week.
    hear(&world, check(3, Found::NoAnswer)).await;
    let alert = only(&mut world, Kind::SpotCheckUnanswered).await;
    assert_eq!(alert.state(), State::Resolved);
}

async fn a_snapshot_of_one_feed_ends_nothing_of_another(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let (danger, example) = (dangers().remove(0), examples().remove(0));
    hear(&world, danger.stands(1)).await;
    sampling(&world.db, &world.clock, &[example.stands(1)], 1).await;
    // The next snapshot of sampling does not mention anything of safety, and the other way round.
    let tx = world.db.begin().await.expect("a transaction");
    let facts = town::facts(&world.clock);
    facts
        .apply(&tx, &[example.stands(1)], 7)
        .await
        .expect("applied");
    facts.sweep(&tx, 7).await.expect("swept");
    tx.commit().await.expect("committed");
    for kind in [danger.kind, example.kind] {
        let alerts = alerts_of(&mut world, kind).await;
        assert_eq!(alerts[0].state(), State::Open, "{kind:?}");
    }
    let tx = world.db.begin().await.expect("a transaction");
    projection(&world).sweep(&tx, 2).await.expect("swept");
    tx.commit().await.expect("committed");
    let ended = alerts_of(&mut world, danger.kind).await;
    assert_eq!(ended[0].state(), State::Resolved);
    let stands = alerts_of(&mut world, example.kind).await;
    assert_eq!(stands[0].state(), State::Open);
}

async fn every_danger_arrives_while_the_service_was_down(scratch: Scratch) {
    let neighbours = Neighbours::start().await;
    neighbours.tell_roster(town::town()).await;
    let mut world = World::beside(scratch, neighbours.address()).await;
    world.stop().await;
    let dangers = dangers();
    for danger in &dangers {
        neighbours.tell_safety(vec![danger.stands(1)]).await;
    }
    world.start().await;
    for danger in &dangers {
        until(&mut world, danger.kind, State::Open).await;
    }
    world.stop().await;
    for danger in &dangers {
        neighbours.tell_safety(vec![danger.over(2)]).await;
    }
    world.start().await;
    for danger in &dangers {
        until(&mut world, danger.kind, State::Resolved).await;
        only(&mut world, danger.kind).await;
    }
    // Nobody was told twice of any, however often the service stopped.
    let (times, alerts) = raised::told(&world).await;
    assert!(times == alerts && times > 0, "{times} of {alerts}");
    neighbours.running.stop().await.expect("stopped");
}
