//! Alerts as a school sees them. Roster and sampling are away all the time.

use crate::town::on_both;
use chrono::Duration;
use kit::auth::Role;
use kit::scratch::Scratch;
use prost::Message;
use proto::notification as pb;
use proto::notification::alert::State;
use proto::sampling::hold::State as HoldState;
use tonic::Code;
use uuid::Uuid;

use crate::town::doctors::{Act, held};
use crate::town::world::{by, reason, told};
use crate::town::{BUREAU, SCHOOL, SCHOOL_PATH, hold, morning, released, sampling, staff, student};

on_both!(
    the_school_sees_whom_to_call_and_until_when,
    an_alert_is_seen_taken_and_ended_by_the_release,
    a_person_ends_what_is_left_when_singles_were_positive,
    every_illegal_move_is_refused_with_its_state,
    a_repeat_returns_the_first_answer,
    an_alert_that_nobody_sees_in_time_is_escalated,
);

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
        title_en:
            "A pooled tube needs a recheck: 9 people of the tube are not admitted; sample each \
                   of them at once"
                .to_owned(),
        upper_organization: String::new(),
        escalation_level: 0,
        inhibited_by: String::new(),
        silenced_by: String::new(),
        rule_version: "shipped".to_owned(),
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
        let escalated = answer.alerts.into_iter().find(|alert| alert.escalated);
        if let Some(alert) = escalated {
            assert_eq!(
                (alert.escalation_level, &*alert.upper_organization),
                (1, BUREAU)
            );
            return;
        }
    }
}
