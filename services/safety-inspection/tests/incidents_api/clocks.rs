//! The clocks of rule 5.33 through the contract: what was late is seen late for ever.

use proto::safety as pb;
use proto::safety::incident_clock::Duty;
use proto::safety::incident_report::Kind;
use proto::safety::incident_step::{Medium, Receiver};

use crate::city::on_both;
use crate::city::world::World;
use crate::desk::{
    CITY, COMMAND, DISTRICT, Desk, FIRE, HEAD, OFFICER, POLICE, VENDOR, call, deaths, reason,
    receipt, report, why, with_casualties,
};

on_both!(
    each_hop_has_its_clock_and_its_receipt,
    lateness_survives_everything,
    the_city_hears_over_the_district_with_a_reason_only,
    follow_ups_are_daily_for_grave_incidents,
    a_level_answers_for_itself_only,
);

fn due(incident: &pb::Incident, duty: Duty) -> Vec<(i32, bool, bool)> {
    let clocks = incident.clocks.iter().filter(|clock| clock.duty() == duty);
    clocks
        .map(|clock| (clock.to_receiver, clock.done_time.is_some(), clock.late))
        .collect()
}

async fn first(desk: &Desk, name: &str, harm: pb::Casualties) -> pb::IncidentReport {
    let first = with_casualties(report(name, Kind::First), harm);
    call!(desk, write_incident_report, OFFICER, first).expect("written")
}

async fn each_hop_has_its_clock_and_its_receipt(world: World) {
    let desk = Desk::new(world).await;
    let noticed = desk.noticed(deaths(3)).await;
    let name = noticed.name;
    let phone = receipt(&name, Receiver::District, Medium::Phone);
    desk.wait(30);
    let told = call!(desk, acknowledge_incident, DISTRICT, phone).expect("told");
    assert_eq!(due(&told, Duty::Phone), [(0, true, false)]);
    desk.wait(30);
    let written = first(&desk, &name, deaths(3)).await;
    assert!(!written.late, "an hour is within the hour");
    for (who, receiver) in [
        (DISTRICT, Receiver::District),
        (CITY, Receiver::City),
        (COMMAND, Receiver::Government),
    ] {
        desk.wait(120);
        desk.receive(who, &name, receiver).await;
    }
    let read = desk.get(HEAD, &name).await;
    assert_eq!(
        due(&read, Duty::Hop),
        [(2, true, false), (3, true, false), (4, true, false)]
    );
    assert!(!read.overdue);
    let receivers: Vec<Receiver> = read.steps.iter().map(pb::IncidentStep::receiver).collect();
    assert_eq!(
        receivers,
        [
            Receiver::District,
            Receiver::District,
            Receiver::City,
            Receiver::Government
        ]
    );
    assert!(read.steps.iter().all(|step| step.step_time.is_some()));
}

async fn lateness_survives_everything(world: World) {
    let desk = Desk::new(world).await;
    let name = desk.noticed(pb::Casualties::default()).await.name;
    desk.wait(61);
    // Said at first: nobody hurt, a day to report. The report tells of deaths: it had an hour.
    let written = first(&desk, &name, deaths(1)).await;
    assert!(written.late);
    let noticed = desk.get(HEAD, &name).await.detect_time.expect("an instant");
    assert_eq!(
        written.due_time.map(|due| due.seconds),
        Some(noticed.seconds + 3600)
    );
    for state in 3..=9 {
        desk.step(&name, state).await;
    }
    let closed = desk.get(CITY, &name).await;
    assert!(closed.overdue);
    let overdue = pb::ListIncidentsRequest {
        parent: crate::city::tree::CITY.to_owned(),
        overdue: true,
        ..Default::default()
    };
    let listed = desk.list(CITY, overdue).await;
    assert_eq!(
        listed.iter().map(|of| &*of.name).collect::<Vec<_>>(),
        [&*name]
    );
}

async fn the_city_hears_over_the_district_with_a_reason_only(world: World) {
    let desk = Desk::new(world).await;
    let name = desk.noticed(deaths(1)).await.name;
    first(&desk, &name, deaths(1)).await;
    let early = receipt(&name, Receiver::City, Medium::Written);
    let refused = call!(desk, acknowledge_incident, CITY, early);
    let sentence = "DISTRICT 尚未签收；如需越级上报，请在初报中写明理由";
    assert_eq!(
        why(refused),
        ("INCIDENT_OVER_LEVEL".to_owned(), sentence.to_owned())
    );

    let name = desk.noticed(deaths(1)).await.name;
    let urgent = pb::WriteIncidentReportRequest {
        over_level_reason: "道路中断，区局联系不上".to_owned(),
        ..with_casualties(report(&name, Kind::First), deaths(1))
    };
    call!(desk, write_incident_report, OFFICER, urgent).expect("written");
    let received = desk.receive(CITY, &name, Receiver::City).await;
    let passed = received
        .clocks
        .iter()
        .find(|clock| clock.to_receiver() == Receiver::District)
        .expect("the district's hop");
    assert!(passed.over_level && passed.done_time.is_some());
    let seen = desk.get(DISTRICT, &name).await;
    assert_eq!(seen.over_level_reason, "道路中断，区局联系不上");
    let event = &desk.events(DISTRICT, &name).await[1];
    assert_eq!(
        event.reason, "道路中断，区局联系不上",
        "the district sees who went over its head"
    );
}

async fn follow_ups_are_daily_for_grave_incidents(world: World) {
    let desk = Desk::new(world).await;
    let name = desk.noticed(deaths(1)).await.name;
    first(&desk, &name, deaths(1)).await;
    for state in 3..=4 {
        desk.step(&name, state).await;
    }
    desk.wait(24 * 60);
    let follow_up = desk.write(OFFICER, &name, Kind::FollowUp).await;
    assert!(!follow_up.late, "{follow_up:?}");
    desk.wait(24 * 60 + 1);
    let before = desk.get(HEAD, &name).await;
    assert_eq!(due(&before, Duty::FollowUp), [(0, false, true)]);
    assert!(desk.write(OFFICER, &name, Kind::FollowUp).await.late);
    let after = desk.get(HEAD, &name).await;
    assert_eq!(due(&after, Duty::FollowUp), [(0, false, false)]);
    desk.step(&name, 6).await;
    let controlled = desk.get(HEAD, &name).await;
    assert_eq!(due(&controlled, Duty::FollowUp), []);
    assert!(controlled.overdue, "the late one stays late");
}

async fn a_level_answers_for_itself_only(world: World) {
    let desk = Desk::new(world).await;
    let name = desk.noticed(deaths(3)).await.name;
    let ask = |receiver| receipt(&name, receiver, Medium::Phone);
    for (who, receiver) in [
        (CITY, Receiver::District),
        (DISTRICT, Receiver::City),
        (CITY, Receiver::Government),
        (DISTRICT, Receiver::Police),
        (COMMAND, Receiver::District),
        (FIRE, Receiver::Police),
        (FIRE, Receiver::Government),
        (POLICE, Receiver::Fire),
        (COMMAND, Receiver::Police),
        (COMMAND, Receiver::Health),
        (VENDOR, Receiver::Police),
        (VENDOR, Receiver::Government),
        (OFFICER, Receiver::District),
        (HEAD, Receiver::City),
    ] {
        let refused = call!(desk, acknowledge_incident, who, ask(receiver));
        assert_eq!(reason(refused), "SCOPE_DENIED", "{who:?} as {receiver:?}");
    }
    let guardians = call!(
        desk,
        acknowledge_incident,
        COMMAND,
        ask(Receiver::Guardians)
    );
    assert_eq!(reason(guardians), "INCIDENT_RECEIVER");
    let written = receipt(&name, Receiver::District, Medium::Written);
    let unwritten = call!(desk, acknowledge_incident, DISTRICT, written);
    assert_eq!(reason(unwritten), "INCIDENT_STATE");
    let police = call!(desk, acknowledge_incident, POLICE, ask(Receiver::Police));
    assert_eq!(police.expect("the police").steps.len(), 1);
    let fire = call!(desk, acknowledge_incident, FIRE, ask(Receiver::Fire));
    assert_eq!(fire.expect("the fire brigade").steps.len(), 2);
}
