//! What must stand beside the checklist, evidence, and the joint inspection.

use proto::safety as pb;
use proto::safety::resumption::{Decision, State};
use proto::safety::resumption_answer::Value;
use proto::safety::resumption_block::Kind;
use safety_inspection::domain::drill;
use sha2::{Digest, Sha256};

use crate::city::tree::SISTER_PATH;
use crate::city::{SCHOOL, SCHOOL_PATH};
use crate::ground::{
    Ground, cities, day, inspectors, invalid, items, opinion, refused, request_id, resumption,
};

cities!(
    each_guard_blocks_until_its_facts_are_there,
    a_guard_that_blocks_on_the_day_holds_the_school_back,
    evidence_is_asked_for_and_shown_to_whoever_inspects,
    an_account_signs_once_for_its_own_department_and_never_for_its_own_school,
    a_batch_never_overtakes_another_at_its_school,
    a_batch_that_is_postponed_takes_along_whoever_has_a_day,
    the_city_schedules_all_districts_at_once_and_nobody_past_what_is_missing,
    a_repeated_request_acts_once,
);

async fn kinds(ground: &mut Ground, path: &str, position: i32) -> Vec<Kind> {
    let blocks = ground.readiness(path, position).await.blocks;
    let kinds = blocks.iter().map(pb::ResumptionBlock::kind);
    kinds
        .filter(|kind| !matches!(kind, Kind::ItemMissing | Kind::ItemUnmet))
        .collect()
}

async fn planned(ground: &mut Ground) {
    ground.plan(1, day(4, 6)).await.expect("planned");
    ground.plan(2, day(4, 6)).await.expect("planned");
}

async fn each_guard_blocks_until_its_facts_are_there(mut ground: Ground) {
    planned(&mut ground).await;
    let path = SISTER_PATH;
    let nothing = [Kind::Drill, Kind::Supplies, Kind::IsolationRoom];
    assert_eq!(kinds(&mut ground, path, 2).await, nothing);
    // A drill that is not in the archive, because nobody was counted, does not count.
    ground.drill(path, 3, drill::State::Ended).await;
    ground.drill(path, 31, drill::State::Archived).await;
    assert_eq!(kinds(&mut ground, path, 2).await, nothing);
    ground.drill(path, 30, drill::State::Archived).await;
    let two = [Kind::Supplies, Kind::IsolationRoom];
    assert_eq!(kinds(&mut ground, path, 2).await, two);
    ground.supply(path).await;
    ground.room(path, false).await;
    assert_eq!(kinds(&mut ground, path, 2).await, [Kind::IsolationRoom]);
    ground.room(path, true).await;
    assert_eq!(kinds(&mut ground, path, 2).await, []);
    ground.approved(path, 2).await;
    // Tomorrow the drill is too old.
    let zh = refused(
        ground.schedule((path, 2), day(4, 7)).await,
        "RESUMPTION_BLOCKED",
    );
    assert_eq!(zh, "有 1 项复课条件不满足：DRILL");
    // Scheduled with its batch it is judged for the same day.
    let request = ground.district(pb::ScheduleResumptionBatchRequest {
        name: format!("{}/resumptionBatches/2", crate::city::tree::BUREAU),
        date: Some(day(4, 7)),
        request_id: request_id(),
    });
    let answer = ground.client.schedule_resumption_batch(request).await;
    let answer = answer.expect("answered").into_inner();
    let left = answer.left_out.iter();
    let mut left = left.filter(|one| one.resumption == resumption(path, 2));
    let blocks = left.next().map(|one| one.blocks.clone());
    assert_eq!(
        (answer.scheduled_count, blocks),
        (0, Some(vec![i32::from(Kind::Drill)]))
    );
    ground.schedule((path, 2), day(4, 6)).await.expect("today");
}

async fn a_guard_that_blocks_on_the_day_holds_the_school_back(mut ground: Ground) {
    planned(&mut ground).await;
    let path = SISTER_PATH;
    ground.drill(path, 29, drill::State::Archived).await;
    ground.supply(path).await;
    ground.room(path, true).await;
    ground.approved(path, 2).await;
    ground
        .schedule((path, 2), day(4, 7))
        .await
        .expect("in time");
    // The service sleeps over the day, and the drill is too old when it looks again.
    ground.set("2022-04-08T01:00:00Z");
    for _ in 0..200 {
        if !ground.get(path, 2).await.blocks.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let held = ground.get(path, 2).await;
    assert_eq!(
        (held.state(), held.blocks),
        (State::Scheduled, vec![Kind::Drill.into()])
    );
    assert!(ground.heard().is_empty());
    ground.drill(path, 0, drill::State::Archived).await;
    ground.set("2022-04-08T01:10:01Z");
    ground.until(path, 2, State::Monitoring).await;
    assert_eq!(ground.heard().len(), 1);
}

async fn evidence_is_asked_for_and_shown_to_whoever_inspects(mut ground: Ground) {
    planned(&mut ground).await;
    let path = SISTER_PATH;
    ground.start(path, 2).await.expect("started");
    let list = items();
    let item = |code: &str| list.iter().find(|item| item.code == code).expect("an item");
    let bare = pb::ResumptionAnswer {
        photos: Vec::new(),
        ..ground.good(path, item("r02-emergency-plan"))
    };
    invalid(
        ground.answer((path, 2), vec![bare.clone()]).await,
        "no document",
    );
    let admitted = pb::ResumptionAnswer {
        value: Some(Value::Good(false)),
        ..bare.clone()
    };
    ground
        .answer((path, 2), vec![admitted])
        .await
        .expect("honest");
    let none = pb::ResumptionAnswer {
        value: Some(Value::NotApplicable(true)),
        ..bare.clone()
    };
    invalid(ground.answer((path, 2), vec![none]).await, "mandatory");
    let unknown = pb::ResumptionAnswer {
        item: "r99-nothing".to_owned(),
        ..ground.good(path, item("r05-route"))
    };
    let good = ground.good(path, item("r05-route"));
    let mixed = vec![good.clone(), unknown];
    invalid(ground.answer((path, 2), mixed).await, "unknown");
    invalid(
        ground.answer((path, 2), vec![good.clone(), good]).await,
        "twice",
    );
    let number = pb::ResumptionAnswer {
        value: Some(Value::NumberThousandths(14_000)),
        ..ground.good(path, item("r05-route"))
    };
    invalid(ground.answer((path, 2), vec![number]).await, "no number");
    ground.answer_all(path, 2).await;
    let request = pb::ListResumptionAnswersRequest {
        parent: resumption(path, 2),
        page_size: 40,
        page_token: String::new(),
    };
    let first = ground.health(request.clone());
    let first = ground.client.list_resumption_answers(first).await;
    let first = first.expect("answers").into_inner();
    let second = ground.health(pb::ListResumptionAnswersRequest {
        page_token: first.next_page_token,
        ..request
    });
    let second = ground.client.list_resumption_answers(second).await;
    let second = second.expect("answers").into_inner();
    assert!(second.next_page_token.is_empty());
    let answers = [first.answers, second.answers].concat();
    assert_eq!(answers.len(), list.len());
    for answer in &answers {
        let hash = Sha256::digest(format!("{path} {}", answer.item)).to_vec();
        assert_eq!(answer.photos.len(), 1);
        assert_eq!(answer.photos[0].sha256, hash);
        assert!(answer.actor.starts_with("safety-"));
    }
}

async fn an_account_signs_once_for_its_own_department_and_never_for_its_own_school(
    mut ground: Ground,
) {
    planned(&mut ground).await;
    let path = SISTER_PATH;
    ground.stock(path).await;
    ground.start(path, 2).await.expect("started");
    ground.answer_all(path, 2).await;
    ground.sign(path, 2).await.expect("signed");
    ground.apply(path, 2).await.expect("applied");
    let head = pb::StartJointInspectionRequest {
        market_inspector: "principal-2135010003".to_owned(),
        ..inspectors(path, 2)
    };
    let request = ground.district(head);
    let answer = ground.client.start_joint_inspection(request).await;
    refused(answer, "RESUMPTION_OWN_SCHOOL");
    let same = pb::StartJointInspectionRequest {
        market_inspector: "education-1".to_owned(),
        ..inspectors(path, 2)
    };
    let request = ground.district(same);
    invalid(
        ground.client.start_joint_inspection(request).await,
        "one account",
    );
    ground.name_inspectors(path, 2).await.expect("named");
    let approve = opinion(path, 2, Decision::Approve);
    let stranger = ground.district(approve.clone());
    let answer = ground.client.sign_joint_inspection(stranger).await;
    refused(answer, "RESUMPTION_INSPECTOR");
    // The account that was named for market regulation comes with the role of a bureau.
    let role = kit::auth::Role::DistrictOfficer;
    let bureau = ("market-1", role, crate::city::tree::BUREAU_PATH);
    let disguised = ground
        .world
        .by(bureau.0, bureau.1, bureau.2, approve.clone());
    let answer = ground.client.sign_joint_inspection(disguised).await;
    refused(answer, "RESUMPTION_INSPECTOR");
    let first = ground.health(approve.clone());
    ground
        .client
        .sign_joint_inspection(first)
        .await
        .expect("signed");
    let twice = ground.health(opinion(path, 2, Decision::Reject));
    refused(
        ground.client.sign_joint_inspection(twice).await,
        "RESUMPTION_SIGNED",
    );
    let itemless = pb::SignJointInspectionRequest {
        items: Vec::new(),
        ..opinion(path, 2, Decision::Rectify)
    };
    let itemless = ground.market(itemless);
    invalid(
        ground.client.sign_joint_inspection(itemless).await,
        "no items",
    );
    let unknown = pb::SignJointInspectionRequest {
        items: vec!["r99-nothing".to_owned()],
        ..opinion(path, 2, Decision::Rectify)
    };
    let unknown = ground.market(unknown);
    invalid(
        ground.client.sign_joint_inspection(unknown).await,
        "unknown item",
    );
    let state = ground.get(path, 2).await;
    let signed = state
        .signatures
        .iter()
        .filter(|one| one.sign_time.is_some());
    assert_eq!((state.state(), signed.count()), (State::Inspecting, 1));
}

async fn a_batch_never_overtakes_another_at_its_school(mut ground: Ground) {
    planned(&mut ground).await;
    ground.stock(SCHOOL_PATH).await;
    ground.approved(SCHOOL_PATH, 2).await;
    let second = (SCHOOL_PATH, 2);
    refused(ground.schedule(second, day(4, 7)).await, "RESUMPTION_ORDER");
    let request = pb::ScheduleResumptionBatchRequest {
        name: format!("{}/resumptionBatches/2", crate::city::tree::BUREAU),
        date: Some(day(4, 7)),
        request_id: request_id(),
    };
    let request = ground.district(request);
    let answer = ground.client.schedule_resumption_batch(request).await;
    let answer = answer.expect("scheduled").into_inner();
    assert_eq!((answer.scheduled_count, answer.left_out_count), (0, 2));
    let own = answer
        .left_out
        .iter()
        .find(|one| one.resumption.starts_with(SCHOOL));
    assert_eq!(own.expect("left out").blocks, [i32::from(Kind::Order)]);
    ground.approved(SCHOOL_PATH, 1).await;
    let first = (SCHOOL_PATH, 1);
    ground.schedule(first, day(4, 8)).await.expect("scheduled");
    refused(ground.schedule(second, day(4, 7)).await, "RESUMPTION_ORDER");
    ground.schedule(second, day(4, 8)).await.expect("scheduled");
    refused(ground.schedule(first, day(4, 11)).await, "RESUMPTION_ORDER");
    ground.set("2022-04-08T00:30:00Z");
    ground.until(SCHOOL_PATH, 2, State::Monitoring).await;
    let grades: Vec<_> = ground
        .heard()
        .into_iter()
        .map(|(_, grades, _)| grades)
        .collect();
    assert_eq!(
        grades,
        [vec![9, 12], vec![3, 10]],
        "on one day, but in their order"
    );
    invalid(ground.plan(3, day(4, 9)).await, "a Saturday");
    invalid(ground.plan(3, day(4, 7)).await, "the past");
}

async fn a_batch_that_is_postponed_takes_along_whoever_has_a_day(mut ground: Ground) {
    planned(&mut ground).await;
    let at = (SISTER_PATH, 2);
    ground.stock(at.0).await;
    ground.approved(at.0, at.1).await;
    ground.schedule(at, day(4, 7)).await.expect("scheduled");
    ground.plan(at.1, day(4, 11)).await.expect("postponed");
    let moved = ground.get(at.0, at.1).await;
    let day_of = |one: &pb::Resumption| (one.state(), one.scheduled_date);
    assert_eq!(day_of(&moved), (State::Scheduled, Some(day(4, 11))));
    let last = moved.history.last().expect("a history");
    assert_eq!(
        (&*last.step, &*last.actor),
        ("SCHEDULE", "district-officer")
    );
    // A batch that is brought forward leaves the days of schools alone.
    ground.plan(at.1, day(4, 8)).await.expect("brought forward");
    let kept = ground.get(at.0, at.1).await;
    assert_eq!(day_of(&kept), (State::Scheduled, Some(day(4, 11))));
    ground.set("2022-04-11T00:30:00Z");
    ground.until(at.0, at.1, State::Monitoring).await;
    assert_eq!(ground.heard_of(at.0).len(), 1);
}

async fn the_city_schedules_all_districts_at_once_and_nobody_past_what_is_missing(
    mut ground: Ground,
) {
    for position in 1..=2 {
        let request = ground.city(pb::PlanResumptionBatchRequest {
            parent: crate::city::tree::CITY.to_owned(),
            position,
            planned_date: Some(day(4, 7)),
            request_id: request_id(),
        });
        let planned = ground.client.plan_resumption_batch(request).await;
        planned.expect("planned");
    }
    // A district plans its own before the city's day of the batch that goes first.
    refused(ground.plan(2, day(4, 6)).await, "RESUMPTION_ORDER");
    ground.stock(SISTER_PATH).await;
    ground.approved(SISTER_PATH, 2).await;
    let request = ground.city(pb::ScheduleResumptionBatchRequest {
        name: format!("{}/resumptionBatches/2", crate::city::tree::CITY),
        date: None,
        request_id: request_id(),
    });
    let answer = ground.client.schedule_resumption_batch(request).await;
    let answer = answer.expect("scheduled").into_inner();
    assert_eq!((answer.scheduled_count, answer.left_out_count), (1, 2));
    let left: Vec<_> = answer
        .left_out
        .iter()
        .map(|one| (one.display_name.as_str(), one.state(), one.silent))
        .collect();
    let expected = [
        ("榕城第一中学", State::Suspended, true),
        ("台屿中心小学", State::Suspended, true),
    ];
    assert_eq!(left, expected);
    assert_eq!(ground.get(SISTER_PATH, 2).await.state(), State::Scheduled);
}

async fn a_repeated_request_acts_once(mut ground: Ground) {
    planned(&mut ground).await;
    ground.stock(SISTER_PATH).await;
    ground.approved(SISTER_PATH, 2).await;
    let request = pb::ScheduleResumptionRequest {
        name: resumption(SISTER_PATH, 2),
        date: Some(day(4, 6)),
        request_id: request_id(),
    };
    let first = ground.district(request.clone());
    let first = ground.client.schedule_resumption(first).await;
    let first = first.expect("scheduled").into_inner();
    ground.until(SISTER_PATH, 2, State::Monitoring).await;
    let again = ground.district(request.clone());
    let again = ground.client.schedule_resumption(again).await;
    assert_eq!(again.expect("the same answer").into_inner(), first);
    assert_eq!(ground.get(SISTER_PATH, 2).await.state(), State::Monitoring);
    assert_eq!(ground.heard().len(), 1);
    let other = ground.district(pb::ScheduleResumptionRequest {
        date: Some(day(4, 7)),
        ..request
    });
    let other = ground.client.schedule_resumption(other).await;
    let told = crate::city::world::told(&other.expect_err("another request"));
    assert_eq!(told.1, "REQUEST_ID_REUSED");
}
