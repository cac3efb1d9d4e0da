//! The service as a client sees it, on both databases.

mod town;

use std::collections::BTreeSet;

use kit::auth::Role;
use proto::sampling::sampling_plan::Kind;
use proto::sampling::{
    CloseDayRequest, DrawDayRequest, EvaluateRequest, GetCoverageRequest, GetDrawRequest,
    GetVerificationKeyRequest, ListCoverageRequest, ListDrawsRequest, ReplaceAssignmentRequest,
    VerifyDrawRequest, assignment, draw, evaluate_request,
};
use sampling::domain::commitment::PublicKey;
use tonic::Code;
use tonic_types::StatusExt;
use town::{CITY, DISTRICT, OTHER_SCHOOL, Roster, SCHOOL, Town, class, school_path, student};

macro_rules! on_both_databases {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(kit::scratch::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let Some(database) = kit::scratch::postgres().await else { return };
                super::$test(database).await;
            })+
        }
    };
}

on_both_databases!(
    a_week_covers_a_class_of_45,
    the_absent_are_replaced_and_come_first,
    a_draw_twice_is_the_same_and_verifies,
    a_class_of_51_shares_two_tubes,
    staff_at_the_gate_are_swabbed_every_other_day,
    coverage_tells_the_late,
    wrong_requests_get_the_right_answers,
    evaluation_answers_for_a_class_and_a_city,
    joiners_leavers_and_the_held_are_heard,
    two_calls_at_once_draw_once,
    a_cut_draw_goes_on,
);

const CLASS: &str = "p2019-01";

fn group_path() -> String {
    format!("{}/{CLASS}", school_path(SCHOOL))
}

fn reason(status: &tonic::Status) -> (Code, String) {
    let info = status
        .get_error_details()
        .error_info()
        .map(|info| info.reason.clone());
    (status.code(), info.unwrap_or_default())
}

async fn with_class_of(size: u32, database: kit::scratch::Scratch) -> Town {
    let roster = Roster::town();
    roster.class(class(SCHOOL, CLASS, 0, size));
    let town = Town::start(database, roster).await;
    town.plan("students", Kind::StudentRotation).await;
    town
}

async fn a_week_covers_a_class_of_45(database: kit::scratch::Scratch) {
    let town = with_class_of(45, database).await;
    let mut covered = BTreeSet::new();
    for _ in 0..5 {
        let drawn = town.draw("students", CITY).await;
        let draw = drawn.draw.expect("one school has one draw");
        assert_eq!(
            (draw.quota, draw.pick_count, draw.eligible_count),
            (9, 9, 45)
        );
        let called = town.assignments(&draw.name, "").await;
        let people: Vec<String> = called.iter().map(|one| one.person.clone()).collect();
        assert!(
            called.iter().all(|one| one.tube_number == 1),
            "nine share one tube"
        );
        town.swab(&group_path(), &people).await;
        covered.extend(people);
        town.next_day();
    }
    assert_eq!(covered.len(), 45, "five days cover all");
    // Saturday, 2 April is made up; Sunday to Tuesday there is no school.
    assert_eq!(town.draw("students", CITY).await.pick_count, 9);
    town.next_day();
    let refused = town.try_draw("students", CITY).await.expect_err("a Sunday");
    assert_eq!(
        reason(&refused),
        (Code::FailedPrecondition, "NO_SCHOOL_DAY".to_owned())
    );
}

async fn the_absent_are_replaced_and_come_first(database: kit::scratch::Scratch) {
    let town = with_class_of(45, database).await;
    let name = town
        .draw("students", SCHOOL)
        .await
        .draw
        .expect("a draw")
        .name;
    let called = town.assignments(&name, "").await;
    let absent = called[3].person.clone();
    let request = ReplaceAssignmentRequest {
        draw: name.clone(),
        absent: absent.clone(),
        request_id: "3a0cf8a5-2f0e-4b4e-9f55-0c9d7d5b1a11".to_owned(),
    };
    let replaced = town
        .draws()
        .replace_assignment(request.clone())
        .await
        .unwrap()
        .into_inner();
    let again = town
        .draws()
        .replace_assignment(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(replaced, again, "a repeat has one effect");
    assert!(!called.iter().any(|one| one.person == replaced.replacement));

    let other = ReplaceAssignmentRequest {
        request_id: String::new(),
        ..request
    };
    let twice = town.draws().replace_assignment(other).await.unwrap_err();
    assert_eq!(
        reason(&twice),
        (Code::FailedPrecondition, "NOT_ASSIGNED".to_owned())
    );

    let now = town.assignments(&name, "").await;
    assert_eq!(now.len(), 10);
    let state = |person: &str| {
        now.iter()
            .find(|one| one.person == person)
            .map(|one| one.state())
    };
    assert_eq!(state(&absent), Some(assignment::State::Absent));
    assert_eq!(
        state(&replaced.replacement),
        Some(assignment::State::Assigned)
    );
    let there: Vec<String> = now
        .iter()
        .filter(|one| one.state() == assignment::State::Assigned)
        .map(|one| one.person.clone())
        .collect();
    town.swab(&group_path(), &there[1..]).await;
    let sampled = ReplaceAssignmentRequest {
        draw: name.clone(),
        absent: there[2].clone(),
        request_id: String::new(),
    };
    let late = town.draws().replace_assignment(sampled).await.unwrap_err();
    assert_eq!(
        reason(&late),
        (Code::FailedPrecondition, "ALREADY_SAMPLED".to_owned())
    );

    let verdict = town
        .draws()
        .verify_draw(VerifyDrawRequest { name: name.clone() })
        .await;
    assert_eq!(verdict.unwrap().into_inner().finding, "");

    // Nobody closes the day: the next draw does, and notes who gave no swab.
    town.next_day();
    let tomorrow = town.draw("students", SCHOOL).await.draw.expect("a draw");
    assert_eq!(tomorrow.pick_count, 9);
    let called = town.assignments(&tomorrow.name, "").await;
    for first in [&absent, &there[0]] {
        assert!(
            called.iter().any(|one| one.person == *first),
            "the absent come first"
        );
    }
    let yesterday = town
        .draws()
        .get_draw(GetDrawRequest { name })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(yesterday.state(), draw::State::Closed);
    assert_eq!((yesterday.replacement_count, yesterday.seed.len()), (1, 32));
}

async fn a_draw_twice_is_the_same_and_verifies(database: kit::scratch::Scratch) {
    let roster = Roster::town();
    roster.class(class(SCHOOL, CLASS, 0, 45));
    roster.class(class(SCHOOL, "p2019-02", 100, 38));
    roster.class(class(OTHER_SCHOOL, CLASS, 200, 51));
    let mut town = Town::start(database, roster).await;
    town.plan("students", Kind::StudentRotation).await;
    let first = town.draw("students", SCHOOL).await.draw.expect("a draw");
    let city = town.draw("students", CITY).await;
    assert_eq!(
        (
            city.school_count,
            city.drawn_school_count,
            city.class_group_count
        ),
        (2, 2, 1)
    );
    town.restart().await;
    let again = town.draw("students", SCHOOL).await.draw.expect("a draw");
    assert_eq!(first, draw_without_key(again), "frozen");

    let absent = town.assignments(&first.name, "").await[0].person.clone();
    let request = ReplaceAssignmentRequest {
        draw: first.name.clone(),
        absent,
        ..Default::default()
    };
    town.draws().replace_assignment(request).await.unwrap();
    let open = town.export("students", CITY).await;
    for school in [SCHOOL, OTHER_SCHOOL] {
        let name = town.draw_name("students", school);
        let verdict = town
            .draws()
            .verify_draw(VerifyDrawRequest { name: name.clone() })
            .await;
        assert!(verdict.unwrap().into_inner().valid);
        assert!(town.close(&name).await.seed.len() == 32);
        let verdict = town
            .draws()
            .verify_draw(VerifyDrawRequest { name: name.clone() })
            .await;
        assert!(verdict.unwrap().into_inner().valid);
        let request = CloseDayRequest {
            name,
            ..Default::default()
        };
        let twice = town.draws().close_day(request).await.unwrap_err();
        assert_eq!(
            reason(&twice),
            (Code::FailedPrecondition, "DRAW_CLOSED".to_owned())
        );
    }
    let key = town
        .draws()
        .get_verification_key(GetVerificationKeyRequest {})
        .await
        .unwrap();
    let key: [u8; 32] = key.into_inner().public_key.as_ref().try_into().unwrap();
    let key = PublicKey::from_bytes(&key).unwrap();
    let none = sampling::verify(open.as_slice(), &key).unwrap();
    assert_eq!(none.draws, 0, "open draws are not published");

    let file = town.export("students", CITY).await;
    assert_eq!(
        file,
        town.export("students", CITY).await,
        "the same bytes each time"
    );
    let report = sampling::verify(file.as_slice(), &key).unwrap();
    assert_eq!(
        (report.draws, report.class_groups, report.candidates),
        (2, 3, 45 + 38 + 51)
    );
    assert_eq!((report.picks, report.replacements), (9 + 8 + 11, 1));

    for place in 0..file.len() {
        let mut forged = file.clone();
        forged[place] ^= 1 << (place % 8);
        assert!(
            sampling::verify(forged.as_slice(), &key).is_err(),
            "byte {place} was changed"
        );
    }
    for cut in [0, 1, file.len() / 2, file.len() - 1] {
        assert!(
            sampling::verify(&file[..cut], &key).is_err(),
            "cut at {cut}"
        );
    }
    let longer = [file.as_slice(), &[0]].concat();
    assert!(sampling::verify(longer.as_slice(), &key).is_err());
    let stranger = sampling::domain::commitment::Signer::new(&[3; 32]).public_key();
    assert!(sampling::verify(file.as_slice(), &stranger).is_err());
}

fn draw_without_key(draw: proto::sampling::Draw) -> proto::sampling::Draw {
    proto::sampling::Draw {
        key_id: String::new(),
        ..draw
    }
}

async fn a_class_of_51_shares_two_tubes(database: kit::scratch::Scratch) {
    let town = with_class_of(51, database).await;
    let draw = town
        .draw("students", DISTRICT)
        .await
        .draw
        .expect("one school has one draw");
    assert_eq!((draw.quota, draw.pick_count), (11, 11));
    let group = format!("organizations/{SCHOOL}/classGroups/{CLASS}");
    let called = town.assignments(&draw.name, &group).await;
    let in_tube = |tube| called.iter().filter(|one| one.tube_number == tube).count();
    assert_eq!((in_tube(1), in_tube(2), called.len()), (6, 5, 11));
    assert!(called.iter().all(|one| one.class_group == group));
}

async fn staff_at_the_gate_are_swabbed_every_other_day(database: kit::scratch::Scratch) {
    let roster = Roster::town();
    roster.class(class(SCHOOL, CLASS, 0, 5));
    let staff = |number: u32| student(number).replace("students/", "staff/");
    let mut all: Vec<(String, &[&str], i32)> = (500..520)
        .map(|number| (staff(number), &["TEACHER"][..], 3))
        .collect();
    let guard = staff(900);
    all.push((guard.clone(), &["GUARD"], 0));
    all.extend((901..910).map(|number| (staff(number), &["ADMINISTRATION"][..], 0)));
    roster.staff(SCHOOL, &all);
    let town = Town::start(database, roster).await;
    town.plan("staff", Kind::StaffByPost).await;
    let mut days = Vec::new();
    for day in 0..5 {
        let draw = town
            .draw("staff", CITY)
            .await
            .draw
            .expect("one school has one draw");
        assert_eq!((draw.class_group_count, draw.quota), (2, 4 + 2));
        let called = town.assignments(&draw.name, "").await;
        for group in ["staff-00", "staff-03"] {
            let name = format!("organizations/{SCHOOL}/classGroups/{group}");
            let people: Vec<String> = called
                .iter()
                .filter(|one| one.class_group == name)
                .map(|one| one.person.clone())
                .collect();
            town.swab(&format!("{}/{group}", school_path(SCHOOL)), &people)
                .await;
        }
        if called.iter().any(|one| one.person == guard) {
            days.push(day);
        }
        town.next_day();
    }
    assert!(
        days.windows(2).all(|pair| pair[1] - pair[0] <= 2),
        "{days:?}"
    );
    assert!(days.len() >= 2, "{days:?}");
}

async fn coverage_tells_the_late(database: kit::scratch::Scratch) {
    let town = with_class_of(45, database).await;
    let scope = format!("organizations/{CITY}");
    let get = |scope: String| async {
        let request = GetCoverageRequest { scope };
        town.coverage()
            .get_coverage(request)
            .await
            .unwrap()
            .into_inner()
    };
    let before = get(scope.clone()).await;
    assert_eq!(
        (
            before.eligible_count,
            before.covered_count,
            before.due_count
        ),
        (45, 0, 45)
    );
    assert_eq!((before.school_count, before.drawn_school_count), (1, 0));
    town.draw("students", CITY).await;
    let name = town.draw_name("students", SCHOOL);
    let people: Vec<String> = town
        .assignments(&name, "")
        .await
        .iter()
        .map(|one| one.person.clone())
        .collect();
    town.swab(&group_path(), &people).await;
    let after = get(scope.clone()).await;
    assert_eq!(
        (
            after.covered_count,
            after.due_count,
            after.drawn_school_count
        ),
        (9, 36, 1)
    );
    // On Wednesday after Qingming, six school days later, everybody is late.
    for _ in 0..9 {
        town.next_day();
    }
    let late = get(scope).await;
    assert_eq!(
        (late.late_count, late.covered_count, late.longest_gap_days),
        (45, 0, 7)
    );
    assert_eq!(
        (late.due_count, late.debt_days, late.alert_count),
        (0, 36 * 2 + 9, 0)
    );
    let group = get(format!("organizations/{SCHOOL}/classGroups/{CLASS}")).await;
    assert_eq!(
        (group.late_count, group.debt_days),
        (late.late_count, late.debt_days)
    );
    for (parent, child) in [(CITY, DISTRICT), (DISTRICT, OTHER_SCHOOL)] {
        let request = ListCoverageRequest {
            parent: format!("organizations/{parent}"),
            ..Default::default()
        };
        let listed = town
            .coverage()
            .list_coverage(request)
            .await
            .unwrap()
            .into_inner();
        let scopes: Vec<_> = listed
            .coverages
            .iter()
            .map(|one| one.scope.as_str())
            .collect();
        assert!(
            scopes.contains(&format!("organizations/{child}").as_str()),
            "{scopes:?}"
        );
        let late_below: i64 = listed.coverages.iter().map(|one| one.late_count).sum();
        assert_eq!(late_below, late.late_count);
    }
}

async fn wrong_requests_get_the_right_answers(database: kit::scratch::Scratch) {
    let town = with_class_of(45, database).await;
    let draw = |town: &Town, plan: &str, organization: &str, as_: (Role, &str)| {
        let request = DrawDayRequest {
            plan: plan.to_owned(),
            organization: organization.to_owned(),
            draw_date: None,
        };
        let mut client = town.draws_as(&[as_.0], as_.1);
        async move { reason(&client.draw_day(request).await.map(|_| ()).unwrap_err()) }
    };
    let city = (Role::CityOfficer, CITY);
    let school = format!("organizations/{SCHOOL}");
    let plan = "plans/students";
    let elsewhere = (Role::EpidemicReporter, "fz/350102/2135010002");
    let denied = (Code::PermissionDenied, "SCOPE_DENIED".to_owned());
    assert_eq!(draw(&town, plan, &school, elsewhere).await, denied);
    assert_eq!(
        draw(&town, plan, "organizations/none", elsewhere).await,
        denied
    );
    assert_eq!(
        draw(&town, plan, &school, (Role::Laboratory, CITY)).await,
        denied
    );
    let not_found = (Code::NotFound, "NOT_FOUND".to_owned());
    assert_eq!(
        draw(&town, plan, "organizations/none", city).await,
        not_found
    );
    assert_eq!(draw(&town, "plans/none", &school, city).await, not_found);
    let invalid = (Code::InvalidArgument, "INVALID_FIELD".to_owned());
    assert_eq!(draw(&town, "none", &school, city).await, invalid);
    assert_eq!(draw(&town, plan, "schools/1", city).await, invalid);

    let tomorrow = DrawDayRequest {
        plan: plan.to_owned(),
        organization: school.clone(),
        draw_date: Some(proto::Date {
            year: 2022,
            month: 3,
            day: 29,
        }),
    };
    let refused = town
        .draws()
        .draw_day(tomorrow)
        .await
        .map(|_| ())
        .unwrap_err();
    assert_eq!(
        reason(&refused),
        (Code::FailedPrecondition, "DRAW_NOT_TODAY".to_owned())
    );
    let people = ReplaceAssignmentRequest {
        draw: town.draw_name("students", SCHOOL),
        absent: "张三".to_owned(),
        ..Default::default()
    };
    let refused = town.draws().replace_assignment(people).await.unwrap_err();
    assert_eq!(reason(&refused), invalid);
    let name = town.draw_name("students", SCHOOL);
    let missing = town
        .draws()
        .get_draw(GetDrawRequest { name: name.clone() })
        .await
        .unwrap_err();
    assert_eq!(reason(&missing), not_found);
    let mut stranger = town.draws_as(&[elsewhere.0], elsewhere.1);
    let hidden = stranger
        .get_draw(GetDrawRequest { name })
        .await
        .unwrap_err();
    assert_eq!(reason(&hidden), denied);
}

async fn evaluation_answers_for_a_class_and_a_city(database: kit::scratch::Scratch) {
    let town = with_class_of(45, database).await;
    let ask = |request: EvaluateRequest| {
        let mut plans = town.plans();
        async move { plans.evaluate(request).await.unwrap().into_inner() }
    };
    let class = EvaluateRequest {
        population: Some(evaluate_request::Population::ClassSize(45)),
        ..Default::default()
    };
    let answer = ask(class.clone()).await;
    let delays: Vec<f64> = answer
        .detection_delays
        .iter()
        .map(|delay| (delay.expected_days * 10.0).round() / 10.0)
        .collect();
    assert_eq!(delays, [3.0, 2.2, 1.8]);
    assert!(answer.exact && answer.longest_gap_days == 5.0 && answer.tubes_per_day == 1.0);
    assert_eq!(answer.people_held_per_positive, 9.0);
    let city = EvaluateRequest {
        population: Some(evaluate_request::Population::Organization(format!(
            "organizations/{CITY}"
        ))),
        absence_per_mille: 30,
        ..class
    };
    let answer = ask(city).await;
    assert_eq!(
        (answer.class_groups, answer.eligible, answer.exact),
        (1, 45, false)
    );
    assert!(
        (2.8..3.4).contains(&answer.detection_delays[0].expected_days),
        "{answer:?}"
    );
}

async fn joiners_leavers_and_the_held_are_heard(database: kit::scratch::Scratch) {
    let roster = Roster::town();
    let mut roll = class(SCHOOL, CLASS, 0, 10);
    roster.class(roll.clone());
    let town = Town::start(database, roster.clone()).await;
    town.plan("students", Kind::StudentRotation).await;
    let held = student(4);
    town.hold(&group_path(), &held).await;
    let mut called = BTreeSet::new();
    for day in 0..6 {
        if day == 2 {
            roll.members.retain(|one| one.person != student(0));
            roll.members.push(town::member(student(90)));
            roll.members[0].swab_exempt = true;
            roster.class(roll.clone());
            town.has_heard().await;
        }
        let draw = town
            .draw("students", CITY)
            .await
            .draw
            .expect("one school has one draw");
        let eligible = if day < 2 { 9 } else { 8 };
        assert_eq!(
            (draw.eligible_count, draw.quota),
            (eligible, 2),
            "day {day}"
        );
        let today = town.assignments(&draw.name, "").await;
        let today: Vec<String> = today.into_iter().map(|one| one.person).collect();
        town.swab(&group_path(), &today).await;
        called.extend(today.into_iter().filter(|_| day >= 2));
        let name = draw.name;
        let verdict = town
            .draws()
            .verify_draw(VerifyDrawRequest { name })
            .await
            .unwrap();
        assert_eq!(verdict.into_inner().finding, "");
        town.next_day();
        if day == 5 {
            break;
        }
    }
    assert!(called.contains(&student(90)), "the joiner had a turn");
    for gone in [student(0), held, roll.members[0].person.clone()] {
        assert!(!called.contains(&gone), "{gone} is not eligible");
    }
}

async fn two_calls_at_once_draw_once(database: kit::scratch::Scratch) {
    let roster = Roster::town();
    for number in 0..6 {
        let id = format!("21350100{number:02}");
        roster.organization(&id, &school_path(&id));
        roster.class(class(&id, CLASS, number * 50, 45));
    }
    let town = Town::start(database, roster).await;
    town.plan("students", Kind::StudentRotation).await;
    let calls = (0..6).map(|number| {
        let place = if number % 2 == 0 { CITY } else { DISTRICT };
        town.draw("students", place)
    });
    let all = futures_util::future::join_all(calls).await;
    let drawn: i32 = all.iter().map(|one| one.class_group_count).sum();
    assert_eq!(drawn, 6, "each class group once, whoever came first");
    assert!(all.iter().all(|one| one.drawn_school_count == 6));
}

async fn a_cut_draw_goes_on(database: kit::scratch::Scratch) {
    let roster = Roster::town();
    for school in 0..260 {
        let id = format!("2135{school:06}");
        roster.organization(&id, &school_path(&id));
        for number in 0..16 {
            let first = school * 100 + number * 3;
            roster.class(class(&id, &format!("p2019-{number:02}"), first, 2));
        }
    }
    let mut town = Town::start(database, roster).await;
    town.plan("students", Kind::StudentRotation).await;
    let request = DrawDayRequest {
        plan: "plans/students".to_owned(),
        organization: format!("organizations/{CITY}"),
        draw_date: None,
    };
    let mut progress = town.draws().draw_day(request).await.unwrap().into_inner();
    let first = progress.message().await.unwrap().expect("some progress");
    assert!(!first.finished);
    drop(progress);
    town.restart().await;
    let rest = town.draw("students", CITY).await;
    assert_eq!((rest.school_count, rest.drawn_school_count), (260, 260));
    assert!(rest.class_group_count <= 260 * 16 - first.class_group_count);
    let mut groups = 0;
    let mut page_token = String::new();
    loop {
        let request = ListDrawsRequest {
            organization: format!("organizations/{CITY}"),
            page_size: 100,
            page_token,
            ..Default::default()
        };
        let page = town.draws().list_draws(request).await.unwrap().into_inner();
        assert!(
            page.draws.iter().all(|one| one.class_group_count == 16),
            "whole schools"
        );
        groups += page.draws.len();
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(groups, 260);
}
