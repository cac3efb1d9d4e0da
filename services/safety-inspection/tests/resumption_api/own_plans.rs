//! Universities are in no batch: each reports its own plan, and the headquarters decides (rule 4.2).

use proto::roster as roster_pb;
use proto::roster::class_group_roll::TeachingMode;
use proto::safety as pb;
use proto::safety::resumption::{Decision, State};

use crate::city::tree::CITY;
use crate::city::{SCHOOL_PATH, event, roster};
use crate::ground::{
    Answer, Ground, cities, day, denied, invalid, name, outbreak, refused, request_id,
};

cities!(
    a_university_that_says_nothing_is_seen,
    its_plan_is_reported_put_right_approved_and_carried_out,
    nobody_takes_the_way_of_the_others,
);

const UNIVERSITY_PATH: &str = "fz/4135010384";

fn own() -> String {
    format!("{}/resumptions/own-plan", name(UNIVERSITY_PATH))
}

/// The city plans the first batch, with a university in its tree.
async fn planned(ground: &mut Ground) {
    let organization = roster_pb::Organization {
        name: name(UNIVERSITY_PATH),
        kind: roster_pb::organization::Kind::University.into(),
        display_name: "闽江口大学".to_owned(),
        org_path: UNIVERSITY_PATH.to_owned(),
        ..Default::default()
    };
    let state = roster_pb::roster_event::State::Organization(organization);
    let told = event(&name(UNIVERSITY_PATH), UNIVERSITY_PATH, 2, state);
    roster(&ground.world.db, &[told], 2).await;
    let request = ground.city(pb::PlanResumptionBatchRequest {
        parent: CITY.to_owned(),
        position: 1,
        planned_date: Some(day(4, 7)),
        request_id: request_id(),
    });
    let planned = ground.client.plan_resumption_batch(request).await;
    planned.expect("planned");
}

async fn get(ground: &mut Ground) -> pb::Resumption {
    let request = ground.city(pb::GetResumptionRequest { name: own() });
    let found = ground.client.get_resumption(request).await;
    found.expect("a resumption").into_inner()
}

fn report(name: &str) -> pb::ReportOwnPlanRequest {
    pb::ReportOwnPlanRequest {
        name: name.to_owned(),
        plan: "毕业年级先行返校，其余分三批错峰返校".to_owned(),
        proposed_date: Some(day(4, 8)),
        request_id: request_id(),
    }
}

async fn reported(ground: &mut Ground, ask: pb::ReportOwnPlanRequest) -> Answer<pb::Resumption> {
    let request = ground.principal(UNIVERSITY_PATH, ask);
    Ok(ground.client.report_own_plan(request).await?.into_inner())
}

fn decide(decision: Decision, opinion: &str) -> pb::DecideOwnPlanRequest {
    pb::DecideOwnPlanRequest {
        name: own(),
        decision: decision.into(),
        opinion: opinion.to_owned(),
        request_id: request_id(),
    }
}

async fn decided(ground: &mut Ground, ask: pb::DecideOwnPlanRequest) -> Answer<pb::Resumption> {
    let request = ground.city(ask);
    Ok(ground.client.decide_own_plan(request).await?.into_inner())
}

async fn a_university_that_says_nothing_is_seen(mut ground: Ground) {
    planned(&mut ground).await;
    let opened = get(&mut ground).await;
    assert_eq!((opened.state(), &*opened.batch), (State::Suspended, ""));
    assert!(opened.own_plan.is_none());
    let silent = async |ground: &mut Ground| {
        let standings = ground.standings(CITY).await;
        let found = standings.into_iter().find(|one| one.resumption == own());
        found.expect("a standing").silent
    };
    assert!(silent(&mut ground).await);
    // Planning again opens nothing twice and takes nothing back.
    let told = reported(&mut ground, report(&own())).await;
    assert_eq!(told.expect("reported").state(), State::Reported);
    planned(&mut ground).await;
    assert_eq!(get(&mut ground).await.state(), State::Reported);
    for _ in 0..200 {
        if !silent(&mut ground).await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("it spoke, and nobody heard");
}

async fn its_plan_is_reported_put_right_approved_and_carried_out(mut ground: Ground) {
    planned(&mut ground).await;
    let ask = report(&own());
    let first = reported(&mut ground, ask.clone()).await.expect("reported");
    assert_eq!(first.state(), State::Reported);
    let plan = first.own_plan.clone().expect("a plan");
    assert_eq!(plan.plan, ask.plan);
    assert_eq!(plan.proposed_date, ask.proposed_date);
    assert_eq!(plan.decision(), Decision::Unspecified);
    assert_eq!(reported(&mut ground, ask).await.expect("repeated"), first);
    let again = reported(&mut ground, report(&own())).await;
    refused(again, "RESUMPTION_STATE");
    let bare = decided(&mut ground, decide(Decision::Rectify, "")).await;
    invalid(bare, "no opinion");
    let ask = decide(Decision::Rectify, "请补充隔离安排");
    let back = decided(&mut ground, ask).await.expect("decided");
    assert_eq!(back.state(), State::Rectify);
    let told = back.own_plan.expect("a plan");
    assert_eq!(
        (told.decision(), &*told.opinion),
        (Decision::Rectify, "请补充隔离安排")
    );
    let ask = decide(Decision::Approve, "");
    refused(decided(&mut ground, ask).await, "RESUMPTION_STATE");
    reported(&mut ground, report(&own()))
        .await
        .expect("put right");
    let approved = decided(&mut ground, decide(Decision::Approve, "")).await;
    assert_eq!(approved.expect("approved").state(), State::Approved);
    let request = ground.city(pb::ScheduleResumptionRequest {
        name: own(),
        date: Some(day(4, 6)),
        request_id: request_id(),
    });
    let scheduled = ground.client.schedule_resumption(request).await;
    assert_eq!(
        scheduled.expect("scheduled").into_inner().state(),
        State::Scheduled
    );
    for _ in 0..200 {
        if get(&mut ground).await.state() == State::Monitoring {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(get(&mut ground).await.state(), State::Monitoring);
    let all = (name(UNIVERSITY_PATH), Vec::new(), TeachingMode::InPerson);
    assert_eq!(ground.heard_of(UNIVERSITY_PATH), [all]);
    // What was approved once holds no more when it is closed again.
    ground.suspend(outbreak(&name(UNIVERSITY_PATH))).await;
    let closed = get(&mut ground).await;
    assert_eq!(closed.state(), State::ReSuspended);
    assert!(closed.own_plan.is_none());
}

async fn nobody_takes_the_way_of_the_others(mut ground: Ground) {
    planned(&mut ground).await;
    let school = format!("{}/resumptions/1", name(SCHOOL_PATH));
    let request = ground.principal(SCHOOL_PATH, report(&school));
    let passed_over = ground.client.report_own_plan(request).await;
    refused(passed_over, "RESUMPTION_STATE");
    let request = ground.officer(
        UNIVERSITY_PATH,
        pb::StartSelfCheckRequest {
            name: own(),
            request_id: request_id(),
        },
    );
    let started = ground.client.start_self_check(request).await;
    refused(started, "RESUMPTION_STATE");
    let past = pb::ReportOwnPlanRequest {
        proposed_date: Some(day(4, 5)),
        ..report(&own())
    };
    refused(reported(&mut ground, past).await, "RESUMPTION_DAY");
    let empty = pb::ReportOwnPlanRequest {
        plan: String::new(),
        ..report(&own())
    };
    invalid(reported(&mut ground, empty).await, "no plan");
    reported(&mut ground, report(&own()))
        .await
        .expect("reported");
    // Neither the university itself nor a district decides.
    let ask = decide(Decision::Approve, "");
    let request = ground.principal(UNIVERSITY_PATH, ask.clone());
    denied(ground.client.decide_own_plan(request).await, "its head");
    let request = ground.district(ask);
    denied(ground.client.decide_own_plan(request).await, "a district");
}
