//! The exercise: a whole district prepares, grades 12 and 9 return first, then the rest; and teaching
//! is suspended again from a class to the district.

use kit::auth::Role;
use proto::roster::class_group_roll::TeachingMode;
use proto::safety as pb;
use proto::safety::hazard_service_client::HazardServiceClient;
use proto::safety::resumption::{Decision, State};
use proto::safety::resumption_answer::Value;
use proto::safety::resumption_block::Kind;
use proto::safety::resumption_suspension::Scope;

use crate::city::tree::{BUREAU, KINDERGARTEN_PATH, SISTER_PATH};
use crate::city::{SCHOOL, SCHOOL_PATH};
use crate::ground::{
    Ground, JUNIOR_PATH, SENIOR_PATH, cities, day, items, name, outbreak, refused, request_id,
    resumption,
};

cities!(a_district_returns_in_batches_and_is_suspended_again);

/// Who is of which batch.
const FIRST: [&str; 3] = [SCHOOL_PATH, JUNIOR_PATH, SENIOR_PATH];
const REST: [&str; 2] = [SCHOOL_PATH, SISTER_PATH];

async fn a_district_returns_in_batches_and_is_suspended_again(mut ground: Ground) {
    plan_all(&mut ground).await;
    prepare_all(&mut ground).await;
    let hazard = major_hazard(&mut ground, JUNIOR_PATH).await;
    one_is_blocked_by_its_hazard(&mut ground).await;
    one_has_a_red_item(&mut ground).await;
    the_others_are_approved(&mut ground).await;
    the_first_batch_returns_at_once_and_is_told_once(&mut ground).await;
    the_rest_follows(&mut ground).await;
    the_blocked_one_follows_when_its_hazard_is_gone(&mut ground, &hazard).await;
    watching_ends(&mut ground).await;
    from_a_class_to_the_district(&mut ground).await;
}

async fn plan_all(ground: &mut Ground) {
    refused(ground.plan(2, day(4, 11)).await, "RESUMPTION_ORDER");
    let first = ground.plan(1, day(4, 7)).await.expect("planned");
    assert_eq!(first.grades, [9, 12]);
    assert!(first.policy_version.starts_with("fuzhou-2022-04"));
    let counts: Vec<_> = first
        .counts
        .iter()
        .map(|one| (one.state(), one.resumption_count))
        .collect();
    assert_eq!(counts, [(State::Suspended, 3)]);
    refused(ground.plan(2, day(4, 6)).await, "RESUMPTION_ORDER");
    let rest = ground.plan(2, day(4, 11)).await.expect("planned");
    assert_eq!(rest.counts[0].resumption_count, 2);
    let last = ground.plan(3, day(4, 18)).await.expect("planned");
    assert!(last.kindergarten && last.grades.is_empty());
    assert_eq!(last.counts[0].resumption_count, 1);
    refused(ground.plan(4, day(4, 18)).await, "RESUMPTION_NOBODY");
    assert_eq!(ground.get(SCHOOL_PATH, 2).await.grades, [3, 10]);
}

async fn prepare_all(ground: &mut Ground) {
    for path in FIRST.into_iter().chain([SISTER_PATH, KINDERGARTEN_PATH]) {
        ground.stock(path).await;
    }
}

/// A major hazard is found at a school, and verified.
async fn major_hazard(ground: &mut Ground, path: &str) -> String {
    let mut hazards = HazardServiceClient::new(ground.world.channel.clone());
    let request = pb::ReportHazardRequest {
        parent: name(path),
        hazard: Some(pb::Hazard {
            category: pb::HazardCategory::Fire.into(),
            place: "lab-1".to_owned(),
            description: "实验楼消防水池无水".to_owned(),
            photos: vec![ground.photo("水池")],
            ..Default::default()
        }),
        request_id: request_id(),
    };
    let request = ground.officer(path, request);
    let hazard = hazards.report_hazard(request).await.expect("reported");
    let hazard = hazard.into_inner().name;
    let verify = crate::city::hazards::verify(&hazard, pb::hazard::Grade::Major);
    let verify = ground.district(verify);
    hazards.verify_hazard(verify).await.expect("verified");
    hazard
}

async fn one_is_blocked_by_its_hazard(ground: &mut Ground) {
    ground.inspecting(JUNIOR_PATH, 1).await;
    let last = ground.inspect((JUNIOR_PATH, 1), Decision::Approve).await;
    let zh = refused(last, "RESUMPTION_BLOCKED");
    assert_eq!(zh, "有 1 项复课条件不满足：MAJOR_HAZARD");
    let blocks = ground.readiness(JUNIOR_PATH, 1).await.blocks;
    let why: Vec<_> = blocks
        .iter()
        .map(|block| (block.kind(), &*block.explanation, &*block.rule))
        .collect();
    let hazard = (Kind::MajorHazard, "有 1 项重大隐患未销号", "4.10");
    assert_eq!(why, [hazard]);
    let state = ground.get(JUNIOR_PATH, 1).await;
    assert_eq!(state.state(), State::Inspecting, "nothing was signed");
    assert_eq!(state.signatures[2].sign_time, None);
}

async fn one_has_a_red_item(ground: &mut Ground) {
    ground.start(SENIOR_PATH, 1).await.expect("started");
    ground.answer_all(SENIOR_PATH, 1).await;
    let list = items();
    let masks = list.iter().find(|item| item.code == "r07-mask-days");
    let mut few = ground.good(SENIOR_PATH, masks.expect("an item"));
    few.value = Some(Value::NumberThousandths(13_000));
    let ready = ground.answer((SENIOR_PATH, 1), vec![few]).await;
    let ready = ready.expect("answered");
    assert!((95..100).contains(&ready.score), "{}", ready.score);
    let supplies = &ready.categories[6];
    assert_eq!((supplies.category, supplies.met_count), (7, 5));
    assert_eq!(supplies.missing_items, ["r07-mask-days"]);
    let zh = refused(ground.sign(SENIOR_PATH, 1).await, "RESUMPTION_BLOCKED");
    assert_eq!(zh, "有 1 项复课条件不满足：ITEM_UNMET r07-mask-days");
    // Masks come, and the head signs.
    ground.answer_all(SENIOR_PATH, 1).await;
    ground.sign(SENIOR_PATH, 1).await.expect("signed");
    ground.apply(SENIOR_PATH, 1).await.expect("applied");
    ground.name_inspectors(SENIOR_PATH, 1).await.expect("named");
    let rectify = ground.inspect((SENIOR_PATH, 1), Decision::Rectify).await;
    let rectify = rectify.expect("signed");
    assert_eq!(rectify.state(), State::Rectify);
    assert_eq!(rectify.demanded_items, ["r07-gowns"]);
    let again = ground.start(SENIOR_PATH, 1).await.expect("again");
    assert!(again.signatures.is_empty() && again.signer.is_empty());
    // What was shown stands, but for what is to be put right.
    let zh = refused(ground.sign(SENIOR_PATH, 1).await, "RESUMPTION_BLOCKED");
    assert_eq!(zh, "有 1 项复课条件不满足：ITEM_MISSING r07-gowns");
}

async fn the_others_are_approved(ground: &mut Ground) {
    ground.approved(SCHOOL_PATH, 1).await;
    let state = ground.get(SCHOOL_PATH, 1).await;
    let steps: Vec<&str> = state.history.iter().map(|one| &*one.step).collect();
    let signed = ["SIGN_INSPECTION"; 3];
    let before = [
        "PLAN",
        "START_SELF_CHECK",
        "SIGN_SELF_CHECK",
        "APPLY",
        "START_INSPECTION",
    ];
    assert_eq!(steps, [&before[..], &signed[..]].concat());
    assert!(state.signatures.iter().all(|one| one.sign_time.is_some()));
    for path in REST {
        ground.approved(path, 2).await;
    }
}

async fn the_first_batch_returns_at_once_and_is_told_once(ground: &mut Ground) {
    let request = pb::ScheduleResumptionBatchRequest {
        name: format!("{BUREAU}/resumptionBatches/1"),
        date: None,
        request_id: request_id(),
    };
    // The same approval comes three times.
    for _ in 0..3 {
        let again = ground.district(request.clone());
        let answer = ground.client.schedule_resumption_batch(again).await;
        let answer = answer.expect("scheduled").into_inner();
        assert_eq!((answer.scheduled_count, answer.left_out_count), (1, 2));
        let left: Vec<_> = answer
            .left_out
            .iter()
            .map(|one| (&*one.resumption, one.state()))
            .collect();
        let (junior, senior) = (resumption(JUNIOR_PATH, 1), resumption(SENIOR_PATH, 1));
        let expected = [
            (&*junior, State::Inspecting),
            (&*senior, State::SelfChecking),
        ];
        assert_eq!(left, expected);
        assert_eq!(answer.left_out[1].open_categories, [7]);
    }
    assert!(ground.heard().is_empty(), "the day has not come");
    ground.set("2022-04-07T00:30:00Z");
    ground.until(SCHOOL_PATH, 1, State::Monitoring).await;
    let expected = [(SCHOOL.to_owned(), vec![9, 12], TeachingMode::InPerson)];
    assert_eq!(ground.heard(), expected, "once, and nobody else");
    let state = ground.get(SCHOOL_PATH, 1).await;
    assert_eq!(state.monitor_until_date, Some(day(4, 21)));
}

async fn the_rest_follows(ground: &mut Ground) {
    let early = ground.schedule((SISTER_PATH, 2), day(4, 8)).await;
    refused(early, "RESUMPTION_DAY");
    let request = pb::ScheduleResumptionBatchRequest {
        name: format!("{BUREAU}/resumptionBatches/2"),
        date: None,
        request_id: request_id(),
    };
    let request = ground.district(request);
    let answer = ground.client.schedule_resumption_batch(request).await;
    let answer = answer.expect("scheduled").into_inner();
    assert_eq!((answer.scheduled_count, answer.left_out_count), (2, 0));
    ground.set("2022-04-11T00:30:00Z");
    for path in REST {
        ground.until(path, 2, State::Monitoring).await;
    }
    let sister = [(name(SISTER_PATH), vec![3], TeachingMode::InPerson)];
    assert_eq!(ground.heard_of(SISTER_PATH), sister);
    let second = (SCHOOL.to_owned(), vec![3, 10], TeachingMode::InPerson);
    assert_eq!(ground.heard_of(SCHOOL_PATH)[1], second);
}

async fn the_blocked_one_follows_when_its_hazard_is_gone(ground: &mut Ground, hazard: &str) {
    close(ground, hazard).await;
    let last = crate::ground::opinion(JUNIOR_PATH, 1, Decision::Approve);
    let last = ground.market(last);
    let approved = ground.client.sign_joint_inspection(last).await;
    let approved = approved.expect("approved").into_inner();
    assert_eq!(approved.state(), State::Approved);
    let scheduled = ground.schedule((JUNIOR_PATH, 1), day(4, 11)).await;
    scheduled.expect("scheduled");
    ground.until(JUNIOR_PATH, 1, State::Monitoring).await;
    let junior = [(name(JUNIOR_PATH), vec![9], TeachingMode::InPerson)];
    assert_eq!(ground.heard_of(JUNIOR_PATH), junior);
    let counts = pb::GetResumptionBatchRequest {
        name: format!("{BUREAU}/resumptionBatches/1"),
    };
    let counts = ground.district(counts);
    let counts = ground.client.get_resumption_batch(counts).await;
    let counts: Vec<_> = counts
        .expect("a batch")
        .into_inner()
        .counts
        .iter()
        .map(|one| (one.state(), one.resumption_count))
        .collect();
    let expected = [(State::SelfChecking, 1), (State::Monitoring, 2)];
    assert_eq!(counts, expected);
}

/// The hazard came to the end of its loop, which the wing of hazards tests.
async fn close(ground: &mut Ground, hazard: &str) {
    use safety_inspection::domain::hazard::state;
    use sea_orm::ConnectionTrait;
    let closed = state::State::Closed as i16;
    let id: uuid::Uuid = hazard
        .rsplit('/')
        .next()
        .and_then(|id| id.parse().ok())
        .expect("an id");
    let tx = ground.world.db.begin().await.expect("a transaction");
    let sql = "UPDATE hazards SET state = $1 WHERE id = $2";
    let statement = kit::db::statement(&tx, sql, [closed.into(), id.into()]);
    tx.execute_raw(statement).await.expect("closed");
    tx.commit().await.expect("committed");
}

async fn watching_ends(ground: &mut Ground) {
    ground.set("2022-04-21T12:00:00Z");
    ground.until(SCHOOL_PATH, 1, State::Monitoring).await;
    ground.set("2022-04-21T16:00:01Z");
    ground.until(SCHOOL_PATH, 1, State::Stable).await;
    ground.until(JUNIOR_PATH, 1, State::Monitoring).await;
}

async fn from_a_class_to_the_district(ground: &mut Ground) {
    let before = ground.heard().len();
    let class = format!("{SCHOOL}/classGroups/s2019-01");
    let request = pb::ReSuspendRequest {
        class_group: class.clone(),
        ..outbreak(SCHOOL)
    };
    let principal = ground.principal(SCHOOL_PATH, request);
    let answer = ground.client.re_suspend(principal).await;
    let answer = answer.expect("suspended").into_inner();
    assert_eq!((answer.resumption_count, answer.school_count), (1, 1));
    let first = ground.get(SCHOOL_PATH, 1).await;
    assert_eq!(first.state(), State::ReSuspended);
    let suspension = first.suspension.expect("a suspension");
    assert_eq!(suspension.scope(), Scope::Class);
    assert_eq!(
        (suspension.class_groups, suspension.grades),
        (vec![class.clone()], vec![])
    );
    assert_eq!(ground.get(SCHOOL_PATH, 2).await.state(), State::Monitoring);
    let grade = pb::ReSuspendRequest {
        grades: vec![9],
        online: true,
        ..outbreak(SCHOOL)
    };
    let answer = ground.suspend(grade).await;
    assert_eq!((answer.resumption_count, answer.school_count), (1, 1));
    let answer = ground.suspend(outbreak(SCHOOL)).await;
    assert_eq!((answer.resumption_count, answer.school_count), (2, 1));
    // Two batches of one school, two schools more that returned, one that had begun to.
    let answer = ground.suspend(outbreak(BUREAU)).await;
    assert_eq!((answer.resumption_count, answer.school_count), (5, 5));
    ground.until_heard(before + 3 + 5).await;
    let told = &ground.heard_of(SCHOOL_PATH)[2..];
    let expected = [
        (class, vec![], TeachingMode::Suspended),
        (SCHOOL.to_owned(), vec![9], TeachingMode::Online),
        (SCHOOL.to_owned(), vec![], TeachingMode::Suspended),
        (SCHOOL.to_owned(), vec![], TeachingMode::Suspended),
    ];
    assert_eq!(told, expected, "in the order of the decisions");
    let kindergarten = [(name(KINDERGARTEN_PATH), vec![], TeachingMode::Suspended)];
    assert_eq!(ground.heard_of(KINDERGARTEN_PATH), kindergarten);
    for (path, position) in [(SCHOOL_PATH, 1), (SCHOOL_PATH, 2), (SISTER_PATH, 2)] {
        let state = ground.get(path, position).await;
        assert_eq!(state.state(), State::ReSuspended, "{path}");
        let scope = state.suspension.expect("a suspension").scope();
        assert_eq!(scope, Scope::District);
    }
    let untouched = ground.get(KINDERGARTEN_PATH, 3).await;
    assert_eq!(untouched.state(), State::Suspended);
    // Nothing leads back but the self-check.
    let past = ground.schedule((SISTER_PATH, 2), day(4, 25)).await;
    refused(past, "RESUMPTION_STATE");
    ground.set("2022-04-25T00:30:00Z");
    let doctor = pb::StartSelfCheckRequest {
        name: resumption(SISTER_PATH, 2),
        request_id: request_id(),
    };
    let role = Role::SchoolDoctor;
    let doctor = ground.world.by("doctor", role, SISTER_PATH, doctor);
    let started = ground.client.start_self_check(doctor).await;
    let started = started.expect("started").into_inner();
    assert_eq!(started.state(), State::SelfChecking);
    let ready = ground.readiness(SISTER_PATH, 2).await;
    assert!(ready.silent, "nothing of what was shown before counts");
    let today = day(4, 25);
    ground.answer_all(SISTER_PATH, 2).await;
    ground.sign(SISTER_PATH, 2).await.expect("signed");
    ground.apply(SISTER_PATH, 2).await.expect("applied");
    ground.name_inspectors(SISTER_PATH, 2).await.expect("named");
    let approved = ground.inspect((SISTER_PATH, 2), Decision::Approve).await;
    approved.expect("approved");
    let scheduled = ground.schedule((SISTER_PATH, 2), today).await;
    scheduled.expect("scheduled");
    ground.until(SISTER_PATH, 2, State::Monitoring).await;
    let last = ground.heard_of(SISTER_PATH).pop();
    let expected = (name(SISTER_PATH), vec![3], TeachingMode::InPerson);
    assert_eq!(last, Some(expected));
}
