//! The way of one incident from the minute it is noticed to its end.

use proto::roster::incident_policy::Level;
use proto::safety as pb;
use proto::safety::incident::State;
use proto::safety::incident_clock::Duty;
use proto::safety::incident_event::Kind as Done;
use proto::safety::incident_step::Receiver;

use crate::city::on_both;
use crate::city::world::World;
use crate::desk::{
    CITY, COMMAND, DISTRICT, Desk, GUARD, HEAD, OFFICER, call, deaths, reason, said,
};

on_both!(
    an_incident_goes_its_whole_way_and_its_history_says_so,
    a_false_alarm_ends_it_and_who_noticed_it_does_not_say_so,
    the_policy_chooses_the_table,
);

async fn an_incident_goes_its_whole_way_and_its_history_says_so(world: World) {
    let desk = Desk::new(world).await;
    let noticed = desk.noticed(pb::Casualties::default()).await;
    assert_eq!(noticed.state(), State::Detected);
    assert_eq!(noticed.level(), Level::Iv);
    assert_eq!(noticed.detector, GUARD.0);
    let name = noticed.name;
    desk.bring_to(&name, 2).await;
    desk.receive(DISTRICT, &name, Receiver::District).await;
    for state in 3..=9 {
        desk.wait(1);
        desk.step(&name, state).await;
        assert_eq!(desk.get(HEAD, &name).await.state, state);
    }
    let kinds: Vec<Done> = desk
        .events(HEAD, &name)
        .await
        .iter()
        .map(pb::IncidentEvent::kind)
        .collect();
    assert_eq!(
        kinds,
        [
            Done::Detected,
            Done::FirstReported,
            Done::Received,
            Done::Confirmed,
            Done::Responded,
            Done::FollowedUp,
            Done::Controlled,
            Done::FinalReported,
            Done::Reviewed,
            Done::Closed,
        ]
    );
    let events = desk.events(CITY, &name).await;
    assert!(
        events
            .windows(2)
            .all(|pair| pair[0].to_state == pair[1].from_state)
    );
    assert!(
        events
            .windows(2)
            .all(|pair| pair[0].sequence + 1 == pair[1].sequence)
    );
    assert!(events.iter().all(|event| !event.actor.is_empty()));
    let request = pb::ListIncidentReportsRequest {
        parent: name.clone(),
        ..Default::default()
    };
    let reports = call!(desk, list_incident_reports, COMMAND, request).expect("listed");
    let names: Vec<String> = reports
        .incident_reports
        .iter()
        .map(|report| report.name.clone())
        .collect();
    assert_eq!(
        names,
        [1, 2, 3].map(|number| format!("{name}/reports/{number}"))
    );
}

async fn a_false_alarm_ends_it_and_who_noticed_it_does_not_say_so(world: World) {
    let desk = Desk::new(world).await;
    let request = desk.accident(pb::Casualties::default());
    let name = call!(desk, create_incident, DISTRICT, request)
        .expect("noticed")
        .name;
    let dismiss = || said!(DismissIncidentRequest, name, reason);
    let own = call!(desk, dismiss_incident, DISTRICT, dismiss());
    assert_eq!(reason(own), "INCIDENT_SECOND_PERSON");
    let school = call!(desk, dismiss_incident, HEAD, dismiss());
    assert_eq!(reason(school), "SCOPE_DENIED");
    let over = call!(desk, dismiss_incident, CITY, dismiss()).expect("dismissed");
    assert_eq!(over.state(), State::FalseAlarm);
    assert_eq!(over.next_due_time, None);
    let hurt = desk.noticed(deaths(1)).await.name;
    let dismiss = said!(DismissIncidentRequest, hurt, reason);
    let refused = call!(desk, dismiss_incident, CITY, dismiss);
    assert_eq!(reason(refused), "INCIDENT_HAS_CASUALTIES");
}

async fn the_policy_chooses_the_table(world: World) {
    use proto::roster::incident_policy::LevelTable;
    let desk = Desk::new(world).await;
    let by_plan = desk.noticed(deaths(3)).await;
    assert_eq!(
        (by_plan.level(), by_plan.level_table()),
        (Level::I, LevelTable::Education)
    );
    let policy = crate::city::tree::enacted("fz/350102", 3, |profile| {
        if let Some(incident) = &mut profile.incident {
            incident.level_table = LevelTable::Regulation.into();
        }
    });
    crate::city::roster(&desk.world.db, &[policy], 2).await;
    let by_law = desk.noticed(deaths(3)).await;
    assert_eq!(
        (by_law.level(), by_law.level_table()),
        (Level::Iii, LevelTable::Regulation)
    );
    // Art. 9: an accident with deaths is told within an hour, whatever its level.
    let accident = desk.noticed(deaths(1)).await;
    assert_eq!(accident.level(), Level::Iv);
    let phone = accident
        .clocks
        .iter()
        .find(|clock| clock.duty() == Duty::Phone);
    let phone = phone.expect("told by telephone");
    let seconds = |time: Option<prost_types::Timestamp>| time.expect("set").seconds;
    assert_eq!(
        seconds(phone.due_time) - seconds(accident.detect_time),
        3600
    );
    let slight = desk.noticed(pb::Casualties::default()).await;
    assert!(
        slight
            .clocks
            .iter()
            .all(|clock| clock.duty() != Duty::Phone)
    );
    let kept = desk
        .write(OFFICER, &by_plan.name, pb::incident_report::Kind::First)
        .await;
    assert_eq!(
        kept.level(),
        Level::I,
        "the table stays that of the day it was noticed"
    );
}
