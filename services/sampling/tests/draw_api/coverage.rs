//! Coverage, and what the draw hears of the roster and of holds.

use std::collections::BTreeSet;

use proto::sampling::sampling_plan::Kind;
use proto::sampling::{GetCoverageRequest, ListCoverageRequest, VerifyDrawRequest};

use super::town::roster::member;
use super::town::{
    CITY, DISTRICT, OTHER_SCHOOL, Roster, SCHOOL, Town, class, on_both_databases, student,
};
use super::{CLASS, group_path, with_class_of};

on_both_databases!(
    coverage_tells_the_late,
    joiners_leavers_and_the_held_are_heard,
);

async fn coverage_tells_the_late(database: kit::scratch::Scratch) {
    let town = with_class_of(45, database).await;
    let scope = format!("organizations/{CITY}");
    let get = |scope: String| async {
        let request = GetCoverageRequest { scope };
        town.coverage()
            .get_coverage(request)
            .await
            .expect("an answer")
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
            .expect("an answer")
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
            roll.members.push(member(student(90)));
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
            .expect("an answer");
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
