//! Serious bullying and sexual assault (rule 5.34): never concealed, and never shown to many.

use proto::safety as pb;
use proto::safety::incident::{Confidential, State};
use proto::safety::incident_clock::Duty;
use proto::safety::incident_step::{Medium, Receiver};

use crate::city::on_both;
use crate::city::tree::{self, enacted};
use crate::city::world::World;
use crate::city::{SCHOOL, roster};
use crate::desk::{
    CITY, COMMAND, DISTRICT, Desk, GUARD, HEAD, OFFICER, Who, call, id, reason, report, review,
    said, why,
};

on_both!(
    few_open_it_and_lists_tell_nothing,
    it_is_not_closed_before_police_and_education_know,
    few_of_them_are_not_counted,
    it_may_be_found_to_be_one_later,
    while_it_is_responded_to_it_may_still_become_one,
);

fn bullying(desk: &Desk) -> pb::CreateIncidentRequest {
    let mut request = desk.accident(pb::Casualties::default());
    if let Some(incident) = &mut request.incident {
        incident.category = pb::incident::Category::SocialSecurity.into();
        incident.hazard_category = 0;
        incident.confidential = Confidential::SeriousBullying.into();
        incident.summary = "数名学生长期欺凌同学".to_owned();
        incident.place = "宿舍".to_owned();
    }
    request
}

fn at(parent: &str) -> pb::ListIncidentsRequest {
    pb::ListIncidentsRequest {
        parent: parent.to_owned(),
        ..Default::default()
    }
}

async fn few_open_it_and_lists_tell_nothing(world: World) {
    let desk = Desk::new(world).await;
    let noticed = call!(desk, create_incident, GUARD, bullying(&desk));
    let name = noticed.expect("anybody may notice it").name;
    let get = || pb::GetIncidentRequest { name: name.clone() };
    for who in [OFFICER, COMMAND] {
        assert_eq!(
            reason(call!(desk, get_incident, who, get())),
            "SCOPE_DENIED"
        );
        let history = pb::ListIncidentEventsRequest {
            parent: name.clone(),
            ..Default::default()
        };
        let history = call!(desk, list_incident_events, who, history);
        assert_eq!(reason(history), "SCOPE_DENIED");
    }
    assert_eq!(desk.list(OFFICER, at(SCHOOL)).await, []);
    let written = call!(
        desk,
        write_incident_report,
        OFFICER,
        report(&name, pb::incident_report::Kind::First)
    );
    assert_eq!(reason(written), "SCOPE_DENIED");
    for who in [HEAD, DISTRICT, CITY] {
        let opened = desk.get(who, &name).await;
        assert_eq!((opened.masked, &*opened.place), (false, "宿舍"));
    }
    for (who, parent) in [(HEAD, SCHOOL), (DISTRICT, tree::BUREAU), (CITY, tree::CITY)] {
        let listed = desk.list(who, at(parent)).await;
        let [masked] = &listed[..] else {
            panic!("{listed:?}");
        };
        assert!(masked.masked);
        let words = [
            &masked.place,
            &masked.summary,
            &masked.detector,
            &masked.over_level_reason,
        ];
        assert_eq!(words, [""; 4]);
        assert_eq!((masked.casualties, masked.occur_time), (None, None));
        assert_eq!(masked.state(), State::Detected);
    }
}

async fn confidential_to(desk: &Desk, who: Who, state: i32) -> String {
    let name = call!(desk, create_incident, GUARD, bullying(desk))
        .expect("noticed")
        .name;
    let kind = |kind| report(&name, kind);
    use pb::incident_report::Kind;
    call!(desk, write_incident_report, who, kind(Kind::First)).expect("written");
    desk.step(&name, 3).await;
    let respond = said!(RespondIncidentRequest, name, measures);
    call!(desk, respond_incident, who, respond).expect("responded");
    call!(desk, write_incident_report, who, kind(Kind::FollowUp)).expect("written");
    let control = said!(ControlIncidentRequest, name, measures);
    call!(desk, control_incident, who, control).expect("controlled");
    call!(desk, write_incident_report, who, kind(Kind::Final)).expect("written");
    if state > 7 {
        desk.step(&name, 8).await;
    }
    name
}

async fn it_is_not_closed_before_police_and_education_know(world: World) {
    let desk = Desk::new(world).await;
    let name = confidential_to(&desk, HEAD, 8).await;
    let close = || said!(CloseIncidentRequest, name, reason);
    let refused = why(call!(desk, close_incident, DISTRICT, close()));
    let expected = (
        "INCIDENT_UNTOLD".to_owned(),
        "尚未告知 POLICE，不能结案".to_owned(),
    );
    assert_eq!(refused, expected);
    let notice = pb::RecordIncidentNoticeRequest {
        name: name.clone(),
        receiver: Receiver::Police.into(),
        medium: Medium::Phone.into(),
        reference: "JQ-2022-17".to_owned(),
        request_id: id(),
    };
    let told = call!(desk, record_incident_notice, HEAD, notice).expect("noted");
    let police = told
        .clocks
        .iter()
        .find(|clock| clock.duty() == Duty::Police);
    assert!(police.expect("a clock").done_time.is_some());
    let refused = why(call!(desk, close_incident, DISTRICT, close()));
    assert_eq!(refused.1, "尚未告知 DISTRICT，不能结案");
    desk.receive(DISTRICT, &name, Receiver::District).await;
    let closed = call!(desk, close_incident, DISTRICT, close()).expect("closed");
    assert_eq!(closed.state(), State::Closed);
}

async fn few_of_them_are_not_counted(world: World) {
    let desk = Desk::new(world).await;
    let policy = enacted("fz", 3, |profile| {
        if let Some(privacy) = &mut profile.privacy {
            privacy.k = 2;
        }
    });
    roster(&desk.world.db, &[policy], 2).await;
    let ask = || pb::GetIncidentCountsRequest {
        name: format!("{}/incidentCounts", tree::CITY),
        ..Default::default()
    };
    for expected in [None, None, Some(2), Some(3)] {
        let counts = call!(desk, get_incident_counts, CITY, ask()).expect("counted");
        let confidential = counts.confidential_count.expect("told");
        assert_eq!(confidential.count, expected);
        assert_eq!(
            confidential.hidden,
            expected.is_none(),
            "none looks like few"
        );
        assert_eq!(counts.counts, [], "they are in no other count");
        call!(desk, create_incident, GUARD, bullying(&desk)).expect("noticed");
    }
    // Two spans would give away what lies between.
    let span = pb::GetIncidentCountsRequest {
        end_time: Some(desk.now()),
        ..ask()
    };
    let counts = call!(desk, get_incident_counts, CITY, span).expect("counted");
    assert!(counts.confidential_count.expect("told").hidden);
}

async fn it_may_be_found_to_be_one_later(world: World) {
    let desk = Desk::new(world).await;
    let name = desk.noticed(pb::Casualties::default()).await.name;
    desk.bring_to(&name, 2).await;
    let confirm = pb::ConfirmIncidentRequest {
        confidential: Confidential::SexualAssault.into(),
        ..said!(ConfirmIncidentRequest, name, reason)
    };
    let found = call!(desk, confirm_incident, DISTRICT, confirm).expect("confirmed");
    assert_eq!(found.confidential(), Confidential::SexualAssault);
    let get = pb::GetIncidentRequest { name };
    assert_eq!(
        reason(call!(desk, get_incident, OFFICER, get)),
        "SCOPE_DENIED"
    );
    let again = call!(desk, review_incident, CITY, review(&found.name));
    assert_eq!(reason(again), "INCIDENT_STATE");
}

async fn while_it_is_responded_to_it_may_still_become_one(world: World) {
    let desk = Desk::new(world).await;
    let name = desk.noticed(pb::Casualties::default()).await.name;
    desk.bring_to(&name, 4).await;
    let ask = || pb::MakeIncidentConfidentialRequest {
        confidential: Confidential::SexualAssault.into(),
        ..said!(MakeIncidentConfidentialRequest, name, reason)
    };
    let unsaid = pb::MakeIncidentConfidentialRequest {
        confidential: 0,
        ..ask()
    };
    let unsaid = call!(desk, make_incident_confidential, OFFICER, unsaid);
    let code = unsaid.expect_err("malformed").code();
    assert_eq!(code, tonic::Code::InvalidArgument);
    let made = call!(desk, make_incident_confidential, OFFICER, ask()).expect("made");
    assert_eq!(
        (made.state(), made.confidential()),
        (State::Responding, Confidential::SexualAssault)
    );
    let police = made
        .clocks
        .iter()
        .find(|clock| clock.duty() == Duty::Police);
    assert_eq!(police.expect("a clock").start_time, Some(desk.now()));
    let get = pb::GetIncidentRequest { name: name.clone() };
    assert_eq!(
        reason(call!(desk, get_incident, OFFICER, get)),
        "SCOPE_DENIED",
        "it is read by few from now on"
    );
    let event = desk.events(HEAD, &name).await.pop().expect("an event");
    assert_eq!(event.kind(), pb::incident_event::Kind::MadeConfidential);
    let again = call!(desk, make_incident_confidential, HEAD, ask()).expect("made");
    assert_eq!(desk.events(HEAD, &name).await.len(), 5);
    assert_eq!(again.confidential(), Confidential::SexualAssault);
}
