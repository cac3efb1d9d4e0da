//! What is told of hazards, visits, drills, duty, incidents, protection and supplies.

use chrono::Duration;
use kit::auth::Role;
use kit::clock::Clock;
use kit::field::to_timestamp;
use proto::safety as pb;
use proto::safety::incident_service_client::IncidentServiceClient;
use proto::safety::safety_event::State;
use proto::safety::supply_movement::Kind;
use proto::safety::visit::State as Stage;

use crate::book::Book;
use crate::city::hazards::{Desk, OFFICER, control, verify};
use crate::city::tree::{CITY_PATH, SISTER, SISTER_PATH, TEACHER};
use crate::city::world::{World, on_both};
use crate::city::{SCHOOL, SCHOOL_PATH};
use crate::follower::{listen, settled, standing};
use crate::ground;
use crate::protected::{self, day, issue, masks, no, three};
use crate::recount::{holds, kept};

on_both!(
    a_hazard_is_told_until_it_is_closed,
    an_overdue_hazard_says_so_and_where_it_went,
    visitors_are_told_while_they_are_inside,
    a_drill_counts_once_it_is_archived,
    what_was_not_drilled_is_missed_over_the_end_of_the_month,
    a_shift_without_anybody_is_told_until_it_is_over,
    an_incident_is_told_with_its_clocks,
    a_confidential_incident_tells_nothing_of_itself,
    protection_and_supplies_tell_what_is_missing,
);

async fn a_hazard_is_told_until_it_is_closed(world: World) {
    let mut desk = Desk::new(world).await;
    settled(&desk.world).await;
    let mut follower = listen(&desk.world).await;
    let name = desk.found("building-3/floor-3").await;
    desk.rectifying(&name, pb::hazard::Grade::Major).await;
    desk.closed(&name).await;
    let heard = follower
        .until(|event| event.removed && event.entity == name)
        .await;
    let own: Vec<_> = heard.iter().filter(|event| event.entity == name).collect();
    let told: Vec<_> = own
        .iter()
        .filter_map(|event| match &event.state {
            Some(State::Hazard(hazard)) => Some((hazard.state(), hazard.grade())),
            _ => None,
        })
        .collect();
    use pb::hazard::{Grade, State as Stage};
    assert_eq!(
        told,
        [
            (Stage::Reported, Grade::Unspecified),
            (Stage::Verified, Grade::Major),
            (Stage::InterimControl, Grade::Major),
            (Stage::Assigned, Grade::Major),
            (Stage::Rectifying, Grade::Major),
            (Stage::Submitted, Grade::Major),
            (Stage::Reviewing, Grade::Major),
        ]
    );
    let versions: Vec<_> = own.iter().map(|event| event.version).collect();
    assert_eq!(versions, Vec::from_iter(1..=8));
    assert!(own.iter().all(|event| event.org_path == SCHOOL_PATH));
    for event in own {
        if let Some(State::Hazard(hazard)) = &event.state {
            let silent = pb::Hazard {
                description: String::new(),
                finder: String::new(),
                place: String::new(),
                fixes: None,
                control: None,
                ..hazard.clone()
            };
            assert_eq!(*hazard, silent, "nothing that people wrote");
        }
    }
}

async fn an_overdue_hazard_says_so_and_where_it_went(world: World) {
    use pb::hazard::Escalation;
    let mut desk = Desk::new(world).await;
    let name = desk.found("building-3/floor-3").await;
    desk.verify(OFFICER, verify(&name, pb::hazard::Grade::General))
        .await
        .expect("verified");
    desk.control(OFFICER, control(&name))
        .await
        .expect("controlled");
    settled(&desk.world).await;
    let mut follower = listen(&desk.world).await;
    for escalation in [Escalation::District, Escalation::City] {
        desk.world.clock.advance(Duration::days(20));
        let told = follower.first(|state| match state {
            State::Hazard(hazard) if hazard.escalation() == escalation => Some(hazard.clone()),
            _ => None,
        });
        let told = told.await;
        assert!(told.overdue && told.name == name);
    }
}

async fn visitors_are_told_while_they_are_inside(world: World) {
    let mut book = Book::of(&world).await;
    settled(&world).await;
    let mut follower = listen(&world).await;
    let (name, _) = book.bring(&world, Stage::Overstay).await;
    book.leave(&name, 1).await.expect("left");
    let heard = follower
        .until(|event| event.removed && event.entity == name)
        .await;
    let visits: Vec<_> = heard
        .iter()
        .filter_map(|event| match &event.state {
            Some(State::Visit(visit)) => Some(visit.clone()),
            _ => None,
        })
        .collect();
    let states: Vec<_> = visits.iter().map(pb::Visit::state).collect();
    assert_eq!(states, [Stage::Admitted, Stage::Overstay]);
    for visit in visits {
        assert!(visit.visitor.is_none() && visit.check.is_none());
        let written = [
            &visit.purpose,
            &visit.host,
            &visit.badge,
            &visit.responsible,
        ];
        assert!(written.iter().all(|text| text.is_empty()), "{visit:?}");
        assert_eq!(visit.entered_companion_count, 1);
    }
    let emergency = book.emergency().await.expect("admitted");
    let told = follower.first(|state| match state {
        State::Visit(visit) => Some(visit.clone()),
        _ => None,
    });
    let told = told.await;
    assert_eq!(told.name, emergency.name);
    assert_eq!(told.state(), Stage::AdmittedEmergency);
}

async fn a_drill_counts_once_it_is_archived(world: World) {
    ground::settle(&world).await;
    settled(&world).await;
    let mut follower = listen(&world).await;
    let done = |standing: &pb::DrillStanding| {
        let done = standing.obligations.iter().map(|one| one.done_count);
        done.sum::<i32>()
    };
    let before = follower
        .snapshot
        .iter()
        .find_map(|event| match &event.state {
            Some(State::DrillStanding(standing)) if event.org_path == SCHOOL_PATH => {
                Some(standing.clone())
            }
            _ => None,
        });
    let before = before.expect("what the school owes");
    // Nothing was drilled in March either.
    assert_eq!((done(&before), before.pressing), (0, true));
    let drill = ground::archived(&world, ground::fire_drill(&world, SCHOOL)).await;
    let told = follower.first(|state| match state {
        State::DrillStanding(standing) if done(standing) > 0 => Some(standing.clone()),
        _ => None,
    });
    let told = told.await;
    assert_eq!((done(&told), &*told.name), (1, &*before.name));
    let (left, _) = standing(&world, Role::Service, "").await.expect("read");
    assert!(!left.iter().any(|event| event.entity == drill.name));
}

async fn what_was_not_drilled_is_missed_over_the_end_of_the_month(world: World) {
    use pb::drill_obligation::{Kind as Owed, State as Stage};
    ground::settle(&world).await;
    // Two minutes would have been enough.
    let took = Duration::seconds(121);
    let fire = ground::fire_drill(&world, SCHOOL);
    let slow = ground::archived_after(&world, fire, took).await;
    assert!(slow.slow);
    ground::archived(&world, ground::fire_drill(&world, SCHOOL)).await;
    settled(&world).await;
    let drills = kept(&world, SCHOOL_PATH).await.drills.expect("drills");
    assert_eq!(
        (drills.slow_drill_count, drills.counted_drill_count),
        (1, 2)
    );
    let mut follower = listen(&world).await;
    world.clock.advance(Duration::days(26));
    let evacuations = |standing: &pb::DrillStanding| {
        let those = standing.obligations.iter();
        let those = those.filter(|one| one.kind() == Owed::Evacuation);
        let mut those: Vec<_> = those
            .map(|one| (one.start_date.map_or(0, |day| day.month), one.state()))
            .collect();
        those.sort_unstable();
        those
    };
    let mut told = async |school: &str| {
        let name = format!("{school}/drillStanding");
        let told = follower.first(|state| match state {
            State::DrillStanding(standing) if standing.name == name => Some(standing.clone()),
            _ => None,
        });
        told.await
    };
    // The sister school, which comes later in the tree, never drilled.
    let school = told(SCHOOL).await;
    assert_eq!(evacuations(&school), [(4, Stage::Done), (5, Stage::Due)]);
    let sister = told(SISTER).await;
    assert_eq!(evacuations(&sister), [(4, Stage::Missed), (5, Stage::Due)]);
    assert!(sister.pressing);
    settled(&world).await;
    let drills = kept(&world, SISTER_PATH).await.drills.expect("drills");
    assert_eq!(drills.missed_count, 1);
    for path in [SISTER_PATH, SCHOOL_PATH, CITY_PATH] {
        holds(&world, path).await;
    }
}

async fn a_shift_without_anybody_is_told_until_it_is_over(world: World) {
    use pb::duty_standing::State as Watch;
    ground::settle(&world).await;
    let shifts = ground::published(&world).await;
    settled(&world).await;
    let mut follower = listen(&world).await;
    let standing = |wanted: Watch| {
        move |state: &State| match state {
            State::DutyStanding(standing) if standing.state() == wanted => Some(standing.clone()),
            _ => None,
        }
    };
    world.clock.set(ground::hour(0) + Duration::minutes(16));
    let name = shifts[0].name.clone();
    let told = follower.first(|state| match state {
        State::DutyShift(shift) => Some(shift.clone()),
        _ => None,
    });
    let told = told.await;
    assert_eq!(told.name, name);
    assert!(told.leader.is_empty() && told.staff.is_empty() && told.posts.is_empty());
    let unattended = follower.first(standing(Watch::Alert)).await;
    assert_eq!((&*unattended.shift, &*unattended.leader), (&*name, ""));
    // The next shift begins, and somebody is there in time.
    world.clock.set(ground::hour(24) - Duration::minutes(5));
    let next = ground::check_in(&shifts[1].name);
    let next = ground::on_duty(&world, TEACHER, next);
    ground::duty(&world)
        .check_in_duty_shift(next)
        .await
        .expect("there");
    world.clock.set(ground::hour(24));
    let heard = follower.until(|event| event.removed && event.entity == name);
    heard.await;
    settled(&world).await;
    let (events, _) = standing_of(&world).await;
    let now = events.iter().find_map(standing(Watch::OnDuty));
    assert_eq!(now.expect("on duty").shift, shifts[1].name);
    // After the last shift there is a gap.
    world.clock.set(ground::hour(49));
    settled(&world).await;
    let (events, _) = standing_of(&world).await;
    assert!(
        events
            .iter()
            .any(|state| standing(Watch::Gap)(state).is_some())
    );
}

/// The states that stand, and where to go on.
async fn standing_of(world: &World) -> (Vec<State>, String) {
    let (events, token) = standing(world, Role::Service, "").await.expect("read");
    (
        events.into_iter().filter_map(|event| event.state).collect(),
        token,
    )
}

/// A request for an incident at the first school.
pub(crate) fn accident(world: &World, confidential: bool) -> pb::CreateIncidentRequest {
    let confidential = if confidential {
        pb::incident::Confidential::SexualAssault
    } else {
        pb::incident::Confidential::Unspecified
    };
    let category = if confidential == pb::incident::Confidential::Unspecified {
        pb::incident::Category::Accident
    } else {
        pb::incident::Category::SocialSecurity
    };
    let hazard_category = if category == pb::incident::Category::Accident {
        pb::HazardCategory::Building
    } else {
        pb::HazardCategory::Unspecified
    };
    pb::CreateIncidentRequest {
        parent: SCHOOL.to_owned(),
        incident: Some(pb::Incident {
            category: category.into(),
            hazard_category: hazard_category.into(),
            confidential: confidential.into(),
            place: "操场看台".to_owned(),
            summary: "看台一段护栏坠落".to_owned(),
            occur_time: Some(to_timestamp(world.clock.now())),
            ..Default::default()
        }),
        request_id: ground::id(),
    }
}

/// An incident is noticed.
pub(crate) async fn noticed(world: &World, confidential: bool) -> pb::Incident {
    let mut client = IncidentServiceClient::new(world.channel.clone());
    let request = world.as_role(Role::Principal, SCHOOL_PATH, accident(world, confidential));
    let created = client.create_incident(request).await;
    created.expect("noticed").into_inner()
}

async fn an_incident_is_told_with_its_clocks(world: World) {
    crate::city::roster(&world.db, &crate::city::tree::tree(), 2).await;
    settled(&world).await;
    let mut follower = listen(&world).await;
    let created = noticed(&world, false).await;
    let own = |late: bool| {
        let name = created.name.clone();
        move |state: &State| match state {
            State::Incident(incident) if incident.name == name && incident.overdue == late => {
                Some(incident.clone())
            }
            _ => None,
        }
    };
    let told = follower.first(own(false)).await;
    assert_eq!(told.category(), pb::incident::Category::Accident);
    assert!(told.summary.is_empty() && told.place.is_empty() && told.detector.is_empty());
    assert!(told.clocks.iter().any(|clock| clock.done_time.is_none()));
    // Nobody does anything: time alone says that it is late.
    world.clock.advance(Duration::hours(30));
    let late = follower.first(own(true)).await;
    assert!(late.clocks.iter().any(|clock| clock.late));
    let dismiss = pb::DismissIncidentRequest {
        name: created.name.clone(),
        reason: "经核实为误报".to_owned(),
        request_id: ground::id(),
    };
    let mut client = IncidentServiceClient::new(world.channel.clone());
    let dismiss = world.by("city-2", Role::CityOfficer, CITY_PATH, dismiss);
    client.dismiss_incident(dismiss).await.expect("dismissed");
    let gone = follower.until(|event| event.removed && event.entity == created.name);
    gone.await;
}

async fn a_confidential_incident_tells_nothing_of_itself(world: World) {
    crate::city::roster(&world.db, &crate::city::tree::tree(), 2).await;
    settled(&world).await;
    let mut follower = listen(&world).await;
    let created = noticed(&world, true).await;
    let told = follower.first(|state| match state {
        State::Incident(incident) => Some(incident.clone()),
        _ => None,
    });
    let told = told.await;
    assert_eq!((&*told.name, told.masked), (&*created.name, true));
    assert_eq!(told.category(), pb::incident::Category::Unspecified);
    assert_eq!(told.confidential(), pb::incident::Confidential::Unspecified);
    let written = [&told.summary, &told.place, &told.over_level_reason];
    assert!(written.iter().all(|text| text.is_empty()));
    assert!(told.steps.is_empty() && told.causes.is_empty() && told.casualties.is_none());
}

async fn protection_and_supplies_tell_what_is_missing(world: World) {
    use pb::protection_part::State as Part;
    let mut desk = protected::Desk::open(world).await;
    settled(&desk.world).await;
    let mut follower = listen(&desk.world).await;
    let at = (SCHOOL, SCHOOL_PATH);
    let declared = pb::ProtectionDeclaration {
        one_key_alarm: Some(no()),
        ..three()
    };
    desk.declare(at, declared).await.expect("declared");
    let told = follower.first(|state| match state {
        State::ProtectionStanding(standing) => Some(standing.clone()),
        _ => None,
    });
    let told = told.await;
    let demands: Vec<_> = told
        .demands
        .iter()
        .map(pb::protection_standing::Demand::state)
        .collect();
    assert_eq!(demands, [Part::Met, Part::Met, Part::NotMet]);
    let code = pb::protection_finding::Code::DeclaredNotMet;
    assert!(told.finding_codes().any(|found| found == code));

    let supplies = |state: &State| match state {
        State::SupplyStanding(standing) => Some(standing.clone()),
        _ => None,
    };
    let lots = masks(Kind::Receipt, 100_000, day(2023, 1, 1));
    desk.enter(at, lots).await.expect("entered");
    let told = follower.first(supplies).await;
    assert_eq!((told.item_count, &*told.items_below_minimum), (1, &[][..]));
    desk.enter(at, issue(99_990)).await.expect("entered");
    let told = follower.first(supplies).await;
    assert_eq!(told.items_below_minimum, ["mask"]);
}
