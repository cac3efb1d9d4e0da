//! A drill from the plan to the archive.

use proto::safety as pb;
use proto::safety::drill::State;
use safety_inspection::domain::hazard::entry::Hazard;
use safety_inspection::domain::hazard::report::{Category, Source};
use safety_inspection::store::Store;

use crate::city::tree::{self, HEAD, WARDEN};
use crate::city::world::World;
use crate::city::{SCHOOL, on_both, roster, staff, student};
use crate::ground::{
    all_out, archive, archived, deputy, drills, ended, everybody, fire_drill, head, id, invalid,
    later, planned, refused, review, running, settle, steps,
};

on_both!(
    a_drill_goes_from_the_plan_to_the_archive,
    a_school_without_a_stage_is_given_the_time_of_its_youngest,
    a_headcount_leaves_no_class_out_and_finds_the_missing,
    problems_become_hazards_with_the_review,
    a_drill_is_put_off_or_broken_off,
    refusals_change_nothing,
    malformed_plans_are_explained,
    a_repeat_has_one_effect,
);

async fn a_drill_goes_from_the_plan_to_the_archive(world: World) {
    settle(&world).await;
    let running = running(&world, fire_drill(&world, SCHOOL)).await;
    // The junior and senior school of grades 7 to 12: two minutes (rule 5.19).
    assert_eq!(
        running.evacuation_target.map(|target| target.seconds),
        Some(120)
    );
    let sizes: Vec<_> = running
        .groups
        .iter()
        .map(|one| one.expected_count)
        .collect();
    assert_eq!(sizes, [5, 45, 42, 40, 5], "four class groups and the staff");
    assert_eq!((running.expected_count, running.present_count), (137, None));

    let done = archived(&world, fire_drill(&world, SCHOOL)).await;
    assert_eq!((done.state(), done.counts), (State::Archived, true));
    assert_eq!((done.present_count, done.missing_count), (Some(137), 0));
    let expected = [
        "CREATE",
        "APPROVE",
        "ANNOUNCE",
        "START",
        "ALL_OUT",
        "HEADCOUNT",
        "END",
        "REVIEW",
        "ARCHIVE",
    ];
    assert_eq!(steps(&done.history), expected);
    let last = done.history.last().expect("a move");
    assert_eq!(
        (&*last.from_state, &*last.to_state),
        ("REVIEWED", "ARCHIVED")
    );
    assert_eq!(last.actor, staff(HEAD));
}

/// Rules 5.18 to 5.20: what the register leaves out follows from who is taught.
async fn a_school_without_a_stage_is_given_the_time_of_its_youngest(world: World) {
    use proto::roster::roster_event::State as Told;
    settle(&world).await;
    let mut register = tree::tree();
    let school = register.iter_mut().find(|event| event.entity == SCHOOL);
    let school = school.expect("the school");
    if let Some(Told::Organization(organization)) = &mut school.state {
        organization.stages.clear();
    }
    school.version += 10;
    let school = school.clone();
    roster(&world.db, &[school], 2).await;
    // The youngest are in grade 3: three minutes, as if the register said so.
    let running = running(&world, fire_drill(&world, SCHOOL)).await;
    let target = running.evacuation_target.map(|target| target.seconds);
    assert_eq!(target, Some(180));
}

async fn a_headcount_leaves_no_class_out_and_finds_the_missing(world: World) {
    settle(&world).await;
    let mut client = drills(&world);
    let drill = running(&world, fire_drill(&world, SCHOOL)).await;
    all_out(&world, &drill.name).await;
    let mut count = everybody(&drill);
    let class = count.counts.pop().expect("a group");
    let short = client.record_headcount(deputy(&world, count.clone())).await;
    refused(short, "DRILL_HEADCOUNT");
    count.counts.push(class);
    count.counts[1].present_count -= 1;
    let unnamed = client.record_headcount(deputy(&world, count.clone())).await;
    refused(unnamed, "DRILL_HEADCOUNT_NUMBERS");
    count.counts[1].missing = vec![student(1000)];
    let counted = client.record_headcount(deputy(&world, count)).await;
    let counted = counted.expect("counted").into_inner();
    assert_eq!(
        (counted.present_count, counted.missing_count),
        (Some(136), 1)
    );

    let early = client.end_drill(deputy(&world, ended(&drill.name))).await;
    refused(early, "DRILL_STILL_MISSING");
    let found = |person: String| pb::RecordFoundRequest {
        name: drill.name.clone(),
        person,
        ..Default::default()
    };
    let stranger = client
        .record_found(deputy(&world, found(student(1001))))
        .await;
    refused(stranger, "DRILL_NOT_MISSING");
    let back = client
        .record_found(deputy(&world, found(student(1000))))
        .await;
    let back = back.expect("found").into_inner();
    assert_eq!(back.missing_count, 0);
    assert!(back.groups[1].missing[0].find_time.is_some());
    let over = client.end_drill(deputy(&world, ended(&drill.name))).await;
    assert_eq!(over.expect("ended").into_inner().state(), State::Ended);
}

async fn problems_become_hazards_with_the_review(world: World) {
    settle(&world).await;
    let mut client = drills(&world);
    let drill = running(&world, fire_drill(&world, SCHOOL)).await;
    all_out(&world, &drill.name).await;
    let count = deputy(&world, everybody(&drill));
    client.record_headcount(count).await.expect("counted");
    let photo = |first: u8| pb::Photo {
        sha256: vec![first; 32].into(),
        take_time: later(&world, 0),
        ..Default::default()
    };
    let end = pb::EndDrillRequest {
        photos: vec![photo(1)],
        injury_count: 1,
        plan_changes: "改走西楼梯".to_owned(),
        ..ended(&drill.name)
    };
    let over = client
        .end_drill(deputy(&world, end))
        .await
        .expect("ended")
        .into_inner();
    assert_eq!((over.injury_count, over.photos.len()), (1, 1));

    let judge = pb::ReviewDrillRequest {
        problems: vec![pb::review_drill_request::Problem {
            category: pb::HazardCategory::Fire.into(),
            place: "building-3/floor-2".to_owned(),
            description: "安全出口堆放杂物".to_owned(),
            photos: vec![photo(1)],
        }],
        ..review(&drill.name)
    };
    // The leader does not judge, and what was found is not kept either.
    let leader = deputy(&world, judge.clone());
    refused(client.review_drill(leader).await, "DRILL_REVIEWER");
    let opened = async || {
        let found = Store::open_hazards(world.db.read(), "2135010001", 10).await;
        found.expect("read")
    };
    assert_eq!(opened().await, []);
    let judged = client.review_drill(head(&world, judge)).await;
    let judged = judged.expect("reviewed").into_inner();
    let made = judged.review.expect("a review");
    assert_eq!((made.score, made.reviewer), (88, staff(HEAD)));
    let found = opened().await;
    let names: Vec<_> = found.iter().map(Hazard::name).collect();
    assert_eq!(made.hazards, names);
    assert_eq!(
        (found[0].source, found[0].category),
        (Source::Drill, Category::Fire)
    );
    assert_eq!(found[0].origin, drill.name);
    // The picture was shown as evidence of the hazard too.
    assert_eq!(judged.photos[0].seen_before, names);
    assert_eq!(judged.photos[0].seen_elsewhere_count, 0);
}

async fn a_drill_is_put_off_or_broken_off(world: World) {
    settle(&world).await;
    let mut client = drills(&world);
    let name = planned(&world, fire_drill(&world, SCHOOL)).await.name;
    let postpone = |reason: &str, minutes| pb::PostponeDrillRequest {
        name: name.clone(),
        plan_time: later(&world, minutes),
        reason: reason.to_owned(),
        ..Default::default()
    };
    let past = client
        .postpone_drill(deputy(&world, postpone("暴雨", -5)))
        .await;
    invalid(past, "a plan in the past");
    let silent = client
        .postpone_drill(deputy(&world, postpone(" ", 60)))
        .await;
    invalid(silent, "no reason");
    let off = client
        .postpone_drill(deputy(&world, postpone("暴雨", 600)))
        .await;
    let off = off.expect("postponed").into_inner();
    assert_eq!(off.state(), State::Postponed);
    assert_eq!(off.history.last().map(|one| &*one.note), Some("暴雨"));
    let approve = pb::ApproveDrillRequest {
        name: name.clone(),
        ..Default::default()
    };
    client
        .approve_drill(head(&world, approve))
        .await
        .expect("approved anew");

    let broken = running(&world, fire_drill(&world, SCHOOL)).await;
    let abort = pb::AbortDrillRequest {
        name: broken.name.clone(),
        reason: "真实火情".to_owned(),
        ..Default::default()
    };
    let broken = client.abort_drill(deputy(&world, abort)).await;
    let broken = broken.expect("aborted").into_inner();
    assert_eq!((broken.state(), broken.counts), (State::Aborted, false));
}

async fn refusals_change_nothing(world: World) {
    settle(&world).await;
    let mut client = drills(&world);
    let drill = planned(&world, fire_drill(&world, SCHOOL)).await;
    let name = &drill.name;
    refused(
        client.archive_drill(head(&world, archive(name))).await,
        "DRILL_STATE",
    );
    refused(
        client.review_drill(head(&world, review(name))).await,
        "DRILL_STATE",
    );
    refused(
        client.end_drill(deputy(&world, ended(name))).await,
        "DRILL_STATE",
    );
    let count = pb::RecordHeadcountRequest {
        name: name.clone(),
        ..Default::default()
    };
    refused(
        client.record_headcount(deputy(&world, count)).await,
        "DRILL_STATE",
    );
    let get = pb::GetDrillRequest { name: name.clone() };
    let after = client.get_drill(head(&world, get)).await.expect("read");
    assert_eq!(after.into_inner(), drill);

    let bus = pb::CreateDrillRequest {
        drill: Some(pb::Drill {
            drill_type: pb::DrillType::NightDorm.into(),
            ..fire_drill(&world, SCHOOL).drill.expect("a drill")
        }),
        ..fire_drill(&world, SCHOOL)
    };
    // Nobody boards, as far as the rolls say.
    let night = planned(&world, bus).await.name;
    let approve = pb::ApproveDrillRequest {
        name: night.clone(),
        ..Default::default()
    };
    client
        .approve_drill(head(&world, approve))
        .await
        .expect("approved");
    let announce = pb::AnnounceDrillRequest {
        name: night.clone(),
        unannounced: true,
        ..Default::default()
    };
    let concealed = client.announce_drill(deputy(&world, announce)).await;
    assert_eq!(
        concealed.expect("concealed").into_inner().state(),
        State::Unannounced
    );
    let start = pb::StartDrillRequest {
        name: night,
        ..Default::default()
    };
    refused(
        client.start_drill(deputy(&world, start)).await,
        "DRILL_NO_PARTICIPANTS",
    );
}

async fn malformed_plans_are_explained(world: World) {
    settle(&world).await;
    let mut client = drills(&world);
    type Change = fn(&mut pb::Drill);
    let changes: [(&str, Change); 7] = [
        ("a type", |drill| drill.drill_type = 99),
        ("a scenario", |drill| drill.scenario = "  ".to_owned()),
        ("a leader who learns", |drill| drill.leader = student(1)),
        ("a height", |drill| drill.storeys = 0),
        ("no time", |drill| drill.plan_time = None),
        ("riders of no bus", |drill| {
            drill.riders = vec![pb::drill::Riders {
                class_group: format!("{SCHOOL}/classGroups/j2019-01"),
                rider_count: 1,
            }];
        }),
        ("a bus without riders", |drill| {
            drill.drill_type = pb::DrillType::Bus.into();
        }),
    ];
    for (what, change) in changes {
        let mut request = fire_drill(&world, SCHOOL);
        change(request.drill.as_mut().expect("a drill"));
        invalid(client.create_drill(deputy(&world, request)).await, what);
    }
    let mut past = fire_drill(&world, SCHOOL);
    past.drill.as_mut().expect("a drill").plan_time = later(&world, -1);
    invalid(
        client.create_drill(deputy(&world, past)).await,
        "a plan in the past",
    );
}

async fn a_repeat_has_one_effect(world: World) {
    settle(&world).await;
    let mut client = drills(&world);
    let request = fire_drill(&world, SCHOOL);
    let first = planned(&world, request.clone()).await;
    assert_eq!(planned(&world, request.clone()).await, first);
    let mut other = request;
    other.drill.as_mut().expect("a drill").leader = staff(WARDEN + 1);
    let reused = client.create_drill(deputy(&world, other)).await;
    let reused = crate::city::world::told(&reused.expect_err("another drill"));
    assert_eq!(reused.1, "REQUEST_ID_REUSED");
    let approve = pb::ApproveDrillRequest {
        name: first.name.clone(),
        request_id: id(),
    };
    let once = client.approve_drill(head(&world, approve.clone())).await;
    let once = once.expect("approved").into_inner();
    let again = client.approve_drill(head(&world, approve)).await;
    assert_eq!(again.expect("the same answer").into_inner(), once);
    let get = pb::GetDrillRequest { name: first.name };
    let read = client
        .get_drill(head(&world, get))
        .await
        .expect("read")
        .into_inner();
    assert_eq!(steps(&read.history), ["CREATE", "APPROVE"]);
    let list = pb::ListDrillsRequest {
        parent: SCHOOL.to_owned(),
        ..Default::default()
    };
    let listed = client
        .list_drills(head(&world, list))
        .await
        .expect("listed");
    assert_eq!(listed.into_inner().drills.len(), 1);
}
