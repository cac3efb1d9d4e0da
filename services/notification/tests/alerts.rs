//! Alerts as a school sees them. Roster and sampling are away all the time.

mod town;

use chrono::Duration;
use kit::auth::Role;
use kit::scratch::Scratch;
use prost::Message;
use proto::notification as pb;
use proto::notification::alert::State;
use proto::sampling::hold::State as HoldState;
use tonic::{Code, Status};
use uuid::Uuid;

use town::doctors::Act;
use town::world::{World, by, reason, told};
use town::{
    BUREAU, BUREAU_PATH, CITY, OTHER, OTHER_PATH, SCHOOL, SCHOOL_PATH, SISTER_PATH, hold, morning,
    placed, released, sampling, staff, student,
};

on_both!(
    the_school_sees_whom_to_call_and_until_when,
    an_alert_is_seen_taken_and_ended_by_the_release,
    a_person_ends_what_is_left_when_singles_were_positive,
    every_illegal_move_is_refused_with_its_state,
    a_repeat_returns_the_first_answer,
    nobody_sees_or_moves_the_alerts_of_another_place,
    alerts_are_listed_page_by_page,
    an_alert_that_nobody_sees_in_time_is_escalated,
    malformed_requests_are_explained,
);

async fn held(scratch: Scratch) -> World {
    let world = World::new(scratch).await;
    sampling(&world.db, &world.clock, &[placed(SCHOOL_PATH, "T1", 1)], 1).await;
    world
}

async fn the_school_sees_whom_to_call_and_until_when(scratch: Scratch) {
    let mut world = held(scratch).await;
    let alert = world.the_alert().await;
    let expected = pb::Alert {
        name: alert.name.clone(),
        kind: pb::alert::Kind::HoldPlaced.into(),
        severity: pb::alert::Severity::Critical.into(),
        state: State::Open.into(),
        escalated: false,
        title: "一管混采结果需复核，同管 9 人暂缓入校，请立即落实单人复检".to_owned(),
        basis: "holds/T1".to_owned(),
        subjects: vec![
            format!("{SCHOOL}/classGroups/p2019-01"),
            "tubes/T1".to_owned(),
        ],
        people_count: 9,
        owner: staff(1),
        rule: "2.19".to_owned(),
        occur_time: Some(kit::field::to_timestamp(morning())),
        create_time: Some(kit::field::to_timestamp(morning())),
        due_time: Some(kit::field::to_timestamp(morning() + Duration::minutes(10))),
        acknowledged: None,
        taken: None,
        resolved: None,
        fact_stands: true,
    };
    assert_eq!(alert, expected);
    // Numbers of people only: nobody who is held is named anywhere in it.
    let bytes = alert.encode_to_vec();
    for number in 1..=9 {
        let person = student(number);
        assert!(
            !bytes
                .windows(person.len())
                .any(|part| part == person.as_bytes())
        );
    }
}

async fn an_alert_is_seen_taken_and_ended_by_the_release(scratch: Scratch) {
    let mut world = held(scratch).await;
    let name = world.the_alert().await.name;
    let seen = world
        .act(Act::Acknowledge, &name, SCHOOL_PATH)
        .await
        .expect("seen");
    assert_eq!(seen.state(), State::Acknowledged);
    assert_eq!(seen.acknowledged.expect("a step").subject, "doctor-1");
    let taken = world
        .act(Act::Take, &name, SCHOOL_PATH)
        .await
        .expect("taken");
    assert_eq!(taken.state(), State::Taken);
    let refused = world
        .act(Act::Resolve, &name, SCHOOL_PATH)
        .await
        .expect_err("stands");
    let (code, reason, zh) = told(&refused);
    assert_eq!(
        (code, &*reason),
        (Code::FailedPrecondition, "ALERT_FACT_STANDS")
    );
    assert_eq!(zh, "holds/T1 尚未解除，预警不能办结");
    world.clock.advance(Duration::hours(3));
    sampling(
        &world.db,
        &world.clock,
        &[released(SCHOOL_PATH, "T1", 2)],
        1,
    )
    .await;
    let ended = world.the_alert().await;
    assert_eq!((ended.state(), ended.fact_stands), (State::Resolved, false));
    let step = ended.resolved.expect("a step");
    assert_eq!(step.subject, "fact");
    let at = kit::field::to_timestamp(morning() + Duration::hours(3));
    assert_eq!(step.time, Some(at));
}

async fn a_person_ends_what_is_left_when_singles_were_positive(scratch: Scratch) {
    let mut world = held(scratch).await;
    let name = world.the_alert().await.name;
    world
        .act(Act::Acknowledge, &name, SCHOOL_PATH)
        .await
        .expect("seen");
    world
        .act(Act::Take, &name, SCHOOL_PATH)
        .await
        .expect("taken");
    let decided = hold(SCHOOL_PATH, "T1", 2, HoldState::ResolvedPositive);
    sampling(&world.db, &world.clock, &[decided], 1).await;
    let left = world.the_alert().await;
    assert_eq!((left.state(), left.fact_stands), (State::Taken, false));
    assert!(left.title.contains("管控尚未全部解除"), "{}", left.title);
    let ended = world
        .act(Act::Resolve, &name, SCHOOL_PATH)
        .await
        .expect("ended");
    assert_eq!(ended.state(), State::Resolved);
    let step = ended.resolved.clone().expect("a step");
    assert_eq!((&*step.subject, &*step.comment), ("doctor-1", "已安排复检"));
    // The release of the hold changes nothing any more.
    sampling(
        &world.db,
        &world.clock,
        &[released(SCHOOL_PATH, "T1", 3)],
        1,
    )
    .await;
    assert_eq!(world.the_alert().await, ended);
}

async fn every_illegal_move_is_refused_with_its_state(scratch: Scratch) {
    let mut world = held(scratch).await;
    let name = world.the_alert().await.name;
    let mut refused = async |acts: &[Act], state: &str, zh: &str| {
        for act in acts {
            let status = world
                .act(*act, &name, SCHOOL_PATH)
                .await
                .expect_err("illegal");
            let (code, reason, words) = told(&status);
            assert_eq!(
                (code, &*reason),
                (Code::FailedPrecondition, "ALERT_STATE"),
                "{act:?} {state}"
            );
            assert_eq!(words, zh);
        }
        match state {
            "OPEN" => drop(
                world
                    .act(Act::Acknowledge, &name, SCHOOL_PATH)
                    .await
                    .expect("seen"),
            ),
            "ACKNOWLEDGED" => drop(
                world
                    .act(Act::Take, &name, SCHOOL_PATH)
                    .await
                    .expect("taken"),
            ),
            "TAKEN" => {
                sampling(
                    &world.db,
                    &world.clock,
                    &[released(SCHOOL_PATH, "T1", 2)],
                    1,
                )
                .await
            }
            _ => {}
        }
    };
    let words = |state: &str| format!("预警当前状态为 {state}，不能进行该操作");
    refused(&[Act::Take, Act::Resolve], "OPEN", &words("OPEN")).await;
    let (state, again) = ("ACKNOWLEDGED", [Act::Acknowledge, Act::Resolve]);
    refused(&again, state, &words(state)).await;
    refused(&[Act::Acknowledge, Act::Take], "TAKEN", &words("TAKEN")).await;
    let all = [Act::Acknowledge, Act::Take, Act::Resolve];
    refused(&all, "RESOLVED", &words("RESOLVED")).await;
}

async fn a_repeat_returns_the_first_answer(scratch: Scratch) {
    let mut world = held(scratch).await;
    let name = world.the_alert().await.name;
    let id = Uuid::new_v4().to_string();
    let first = world
        .act_once(Act::Acknowledge, &name, SCHOOL_PATH, &id)
        .await
        .expect("seen");
    world
        .act(Act::Take, &name, SCHOOL_PATH)
        .await
        .expect("taken");
    let again = world
        .act_once(Act::Acknowledge, &name, SCHOOL_PATH, &id)
        .await
        .expect("repeated");
    assert_eq!(again, first);
    let other = world
        .act_once(Act::Take, &name, SCHOOL_PATH, &id)
        .await
        .expect_err("another");
    assert_eq!(reason(&other), "REQUEST_ID_REUSED");
}

/// Golden test T24 for alerts.
async fn nobody_sees_or_moves_the_alerts_of_another_place(scratch: Scratch) {
    let mut world = held(scratch).await;
    let elsewhere = placed(OTHER_PATH, "T2", 1);
    sampling(&world.db, &world.clock, &[elsewhere], 1).await;
    let name = world.the_alert().await.name;
    let denied = |status: Status| {
        let (code, reason, zh) = told(&status);
        assert_eq!((code, &*reason), (Code::PermissionDenied, "SCOPE_DENIED"));
        assert_eq!(zh, "您无权在此范围内进行该操作");
    };
    for scope in [SISTER_PATH, OTHER_PATH, "fz/350103"] {
        denied(
            world
                .list(Role::Principal, scope, SCHOOL)
                .await
                .expect_err("list"),
        );
        let get = pb::GetAlertRequest { name: name.clone() };
        let get = by("reader-1", Role::Principal, scope, get);
        denied(world.alerts.get_alert(get).await.expect_err("get"));
        for act in [Act::Acknowledge, Act::Take, Act::Resolve] {
            denied(world.act(act, &name, scope).await.expect_err("act"));
        }
        let watch = pb::WatchAlertsRequest {
            parent: SCHOOL.to_owned(),
            ..Default::default()
        };
        let watch = by("reader-1", Role::Principal, scope, watch);
        denied(world.alerts.watch_alerts(watch).await.expect_err("watch"));
    }
    // The id of another school's alert below one's own name is nothing.
    let id = name.rsplit('/').next().expect("an id");
    let get = pb::GetAlertRequest {
        name: format!("{OTHER}/alerts/{id}"),
    };
    let get = by("reader-1", Role::Principal, OTHER_PATH, get);
    let status = world.alerts.get_alert(get).await.expect_err("not its own");
    assert_eq!(reason(&status), "NOT_FOUND");
    // Whom it does not concern, whatever the place.
    for role in [Role::Guard, Role::Laboratory, Role::ClassReporter] {
        denied(
            world
                .list(role, SCHOOL_PATH, SCHOOL)
                .await
                .expect_err("role"),
        );
    }
    // What does not exist looks the same from below.
    denied(
        world
            .list(Role::Principal, SCHOOL_PATH, "organizations/nowhere")
            .await
            .expect_err("no"),
    );
    let bases = async |world: &mut World, scope: &str, parent: &str| {
        let alerts = world
            .list(Role::CityOfficer, scope, parent)
            .await
            .expect("listed");
        alerts
            .into_iter()
            .map(|alert| alert.basis)
            .collect::<Vec<_>>()
    };
    assert_eq!(bases(&mut world, BUREAU_PATH, BUREAU).await, ["holds/T1"]);
    assert_eq!(
        bases(&mut world, "fz", CITY).await,
        ["holds/T2", "holds/T1"]
    );
}

async fn alerts_are_listed_page_by_page(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    for number in 1..=3 {
        let event = placed(SCHOOL_PATH, &format!("T{number}"), 1);
        sampling(&world.db, &world.clock, &[event], 1).await;
    }
    sampling(
        &world.db,
        &world.clock,
        &[released(SCHOOL_PATH, "T2", 2)],
        1,
    )
    .await;
    let mut ask = pb::ListAlertsRequest {
        parent: SCHOOL.to_owned(),
        page_size: 2,
        ..Default::default()
    };
    let mut list = async |ask: &pb::ListAlertsRequest| {
        let ask = by("reader-1", Role::Principal, SCHOOL_PATH, ask.clone());
        let listed = world
            .alerts
            .list_alerts(ask)
            .await
            .map(tonic::Response::into_inner);
        listed.map(|page| {
            let bases = page.alerts.into_iter().map(|alert| alert.basis);
            (bases.collect::<Vec<_>>(), page.next_page_token)
        })
    };
    let (bases, token) = list(&ask).await.expect("listed");
    assert_eq!(bases, ["holds/T3", "holds/T2"]);
    ask.page_token = token;
    assert_eq!(
        list(&ask).await.expect("listed"),
        (vec!["holds/T1".to_owned()], String::new())
    );
    ask.state = State::Open.into();
    assert_eq!(
        reason(&list(&ask).await.expect_err("another list")),
        "INVALID_PAGE_TOKEN"
    );
    ask.page_token.clear();
    let (bases, token) = list(&ask).await.expect("listed");
    assert_eq!(
        (bases, &*token),
        (vec!["holds/T3".to_owned(), "holds/T1".to_owned()], "")
    );
}

async fn an_alert_that_nobody_sees_in_time_is_escalated(scratch: Scratch) {
    let mut world = held(scratch).await;
    world.clock.advance(Duration::minutes(10));
    assert!(!world.the_alert().await.escalated);
    world.clock.advance(Duration::seconds(1));
    let watch = pb::WatchAlertsRequest {
        parent: SCHOOL.to_owned(),
        ..Default::default()
    };
    let watch = by("reader-1", Role::Principal, SCHOOL_PATH, watch);
    let mut news = world
        .alerts
        .watch_alerts(watch)
        .await
        .expect("watched")
        .into_inner();
    loop {
        let answer = news.message().await.expect("news").expect("goes on");
        if answer.alerts.iter().any(|alert| alert.escalated) {
            return;
        }
    }
}

async fn malformed_requests_are_explained(scratch: Scratch) {
    let mut world = held(scratch).await;
    for name in [
        "",
        "alerts/1",
        "organizations/1/alerts/x",
        "organizations/福州/alerts/1",
    ] {
        let status = world
            .act(Act::Take, name, SCHOOL_PATH)
            .await
            .expect_err("malformed");
        assert_eq!(told(&status).0, Code::InvalidArgument, "{name}");
    }
    let name = world.the_alert().await.name;
    let mut acknowledge = async |comment: &str, request_id: &str| {
        let ask = pb::AcknowledgeAlertRequest {
            name: name.clone(),
            comment: comment.to_owned(),
            request_id: request_id.to_owned(),
        };
        let ask = by("doctor-1", Role::SchoolDoctor, SCHOOL_PATH, ask);
        let status = world
            .alerts
            .acknowledge_alert(ask)
            .await
            .expect_err("malformed");
        reason(&status)
    };
    assert_eq!(acknowledge(&"长".repeat(501), "").await, "INVALID_FIELD");
    assert_eq!(acknowledge("", "1").await, "INVALID_FIELD");
    let ask = pb::ResolveAlertRequest {
        name,
        ..Default::default()
    };
    let ask = by("doctor-1", Role::SchoolDoctor, SCHOOL_PATH, ask);
    let status = world
        .alerts
        .resolve_alert(ask)
        .await
        .expect_err("without a word");
    assert_eq!(reason(&status), "INVALID_FIELD");
}
