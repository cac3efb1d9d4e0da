//! A repeated request has one effect.

use proto::safety as pb;
use proto::safety::incident_report::Kind;
use proto::safety::incident_step::{Medium, Receiver};

use crate::city::on_both;
use crate::city::world::World;
use crate::desk::{
    CITY, DISTRICT, Desk, GUARD, HEAD, OFFICER, REVIEWER, call, deaths, reason, receipt, report,
    review,
};

on_both!(
    repeats_get_the_first_answer_and_do_nothing,
    what_was_answered_outlives_the_process,
);

async fn repeats_get_the_first_answer_and_do_nothing(world: World) {
    let desk = Desk::new(world).await;
    let create = desk.accident(pb::Casualties::default());
    let first = call!(desk, create_incident, GUARD, create.clone()).expect("noticed");
    desk.wait(5);
    let again = call!(desk, create_incident, GUARD, create.clone()).expect("noticed");
    assert_eq!(again, first);
    let mut other = create;
    if let Some(incident) = &mut other.incident {
        incident.place = "校门".to_owned();
    }
    let reused = call!(desk, create_incident, GUARD, other);
    assert_eq!(reason(reused), "REQUEST_ID_REUSED");

    let name = first.name;
    let write = report(&name, Kind::First);
    let written = call!(desk, write_incident_report, OFFICER, write.clone()).expect("written");
    desk.wait(5);
    let again = call!(desk, write_incident_report, OFFICER, write).expect("written");
    assert_eq!(again, written);

    let ask = receipt(&name, Receiver::District, Medium::Written);
    call!(desk, acknowledge_incident, DISTRICT, ask.clone()).expect("received");
    desk.wait(5);
    // Under another request id it is one receipt all the same, at its first time.
    for ask in [ask, receipt(&name, Receiver::District, Medium::Written)] {
        let read = call!(desk, acknowledge_incident, DISTRICT, ask).expect("received");
        assert_eq!(read.steps.len(), 1);
    }
    for state in 3..=7 {
        desk.step(&name, state).await;
    }
    let ask = review(&name);
    let reviewed = call!(desk, review_incident, REVIEWER, ask.clone()).expect("reviewed");
    let again = call!(desk, review_incident, REVIEWER, ask).expect("reviewed");
    assert_eq!(again.causes, reviewed.causes, "the hazards are the same");
    let events = desk.events(HEAD, &name).await;
    assert_eq!(events.len(), 9);
}

async fn what_was_answered_outlives_the_process(world: World) {
    let mut desk = Desk::new(world).await;
    let name = desk.noticed(deaths(1)).await.name;
    desk.bring_to(&name, 5).await;
    let (before, events) = (desk.get(CITY, &name).await, desk.events(CITY, &name).await);
    drop(desk.world.running.take());
    let (channel, running) =
        crate::city::world::serve(&desk.world.scratch, &desk.world.clock).await;
    desk.world.running = Some(running);
    desk.client = pb::incident_service_client::IncidentServiceClient::new(channel);
    assert_eq!(desk.get(CITY, &name).await, before);
    assert_eq!(desk.events(CITY, &name).await, events);
}
