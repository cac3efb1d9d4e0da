//! What bureaus and schools are told of the completeness of checks.

use kit::auth::Role;
use kit::field::to_timestamp;
use kit::scratch::Scratch;
use proto::roster::Symptom;
use proto::roster::check_policy::Slot;
use proto::sampling::class_check::State;
use proto::sampling::{
    CheckSubmission, GetHealthCoverageRequest, HealthCoverage, ListClassSymptomsRequest,
    ListHealthCoverageRequest,
};
use tonic::Code;

use super::coverage_site::{Counted, FIRST, SECOND, district, group, hidden, ill, shown, slot};
use super::town::{
    CITY, DISTRICT, OTHER_SCHOOL, SCHOOL, on_both_databases, reason, school_path, student,
};

on_both_databases!(
    zero_and_missing_differ_for_bureaus,
    a_corrected_check_counts_once_beside_what_was_submitted,
    the_most_silent_come_first,
    a_school_sees_its_class_groups,
    without_school_nothing_is_expected,
    who_may_not_see_is_told_nothing,
    wrong_requests_are_refused,
);

/// T10.
async fn zero_and_missing_differ_for_bureaus(database: Scratch) {
    let site = Counted::open(database).await;
    for id in [FIRST, SECOND] {
        let zero = site.zero(&group(SCHOOL, id), Slot::Morning);
        site.submit(zero).await;
    }
    let city = (Role::CityOfficer, CITY);
    let early = site.figures(city, CITY).await.expect("figures");
    let morning = slot(&early, Slot::Morning);
    assert_eq!(
        (morning.expected_count, morning.answered_count),
        (3, 2),
        "of two schools"
    );
    assert_eq!((morning.zero_count, morning.missing_count), (2, 1));
    assert_eq!((morning.overdue_count, early.silent_school_count), (0, 0));
    assert_eq!((morning.roll_count, morning.present_count), (60, 60));
    assert_eq!(morning.expected_people_count, 115);
    assert_eq!(morning.ill_absent_count, Some(shown(0)));
    assert_eq!((early.school_day, early.school_count), (true, 2));
    assert_eq!(early.ill_count, Some(shown(0)));
    assert_eq!(
        (early.hidden_below, early.policy_version.is_empty()),
        (10, false)
    );
    assert!(early.data_time.is_some());
    site.minutes(31);
    let late = site.figures(city, CITY).await.expect("figures");
    let morning = slot(&late, Slot::Morning);
    assert_eq!((morning.zero_count, morning.missing_count), (2, 1));
    assert_eq!((morning.overdue_count, late.silent_school_count), (1, 1));
    let noon = slot(&late, Slot::Noon);
    assert_eq!((noon.missing_count, noon.overdue_count), (3, 0));
    let own = school_path(OTHER_SCHOOL);
    let own = site.figures((Role::Principal, &own), OTHER_SCHOOL).await;
    let own = own.expect("figures");
    let morning = slot(&own, Slot::Morning);
    assert_eq!((morning.zero_count, morning.missing_count), (0, 1));
    // Late is said beside what was said.
    site.submit(site.zero(&group(OTHER_SCHOOL, FIRST), Slot::Morning))
        .await;
    let done = site.figures(city, CITY).await.expect("figures");
    let morning = slot(&done, Slot::Morning);
    assert_eq!((morning.late_count, morning.missing_count), (1, 0));
    assert_eq!(done.silent_school_count, 0);
}

async fn a_corrected_check_counts_once_beside_what_was_submitted(database: Scratch) {
    let site = Counted::open(database).await;
    for id in [FIRST, SECOND] {
        site.submit(site.zero(&group(SCHOOL, id), Slot::Morning))
            .await;
    }
    let city = (Role::CityOfficer, CITY);
    let before = site.figures(city, CITY).await.expect("figures");
    let before = slot(&before, Slot::Morning);
    assert_eq!(
        (before.corrected_count, before.last_correct_time),
        (0, None)
    );
    for present in [29, 28] {
        site.minutes(1);
        site.correct(FIRST, present).await;
    }
    let corrected_at = to_timestamp(site.0.now());
    for (role, scope, organization) in [
        (Role::CityOfficer, CITY.to_owned(), CITY),
        (Role::DistrictOfficer, district(), DISTRICT),
        (Role::Principal, school_path(SCHOOL), SCHOOL),
    ] {
        let after = site.figures((role, &scope), organization).await;
        let after = after.expect("figures");
        let morning = slot(&after, Slot::Morning);
        assert_eq!((morning.submitted_count, morning.absent_count), (2, 2));
        assert_eq!(
            (morning.corrected_count, morning.last_correct_time),
            (1, Some(corrected_at)),
            "{organization}"
        );
        assert_eq!(slot(&after, Slot::Noon).corrected_count, 0);
    }
}

async fn the_most_silent_come_first(database: Scratch) {
    let site = Counted::open(database).await;
    let names = |places: &[HealthCoverage]| -> Vec<String> {
        places.iter().map(|place| place.scope.clone()).collect()
    };
    let (first, other) = (
        format!("organizations/{SCHOOL}"),
        format!("organizations/{OTHER_SCHOOL}"),
    );
    site.submit(site.zero(&group(SCHOOL, FIRST), Slot::Morning))
        .await;
    let before = site.places("silence").await;
    assert_eq!(names(&before), [first.as_str(), &other], "nothing is over");
    site.minutes(31);
    let ranked = site.places("silence").await;
    assert_eq!(
        names(&ranked),
        [other.as_str(), &first],
        "silent before half"
    );
    assert_eq!(names(&site.places("").await), [first.as_str(), &other]);
    assert_eq!(ranked[0].silent_school_count, 1);
    let bureau = (Role::DistrictOfficer, district());
    let sum = site.figures((bureau.0, &bureau.1), DISTRICT).await;
    let sum = slot(&sum.expect("figures"), Slot::Morning);
    let parts: i32 = ranked
        .iter()
        .map(|place| slot(place, Slot::Morning).missing_count)
        .sum();
    assert_eq!((sum.missing_count, parts), (2, 2));
    // A school has no organisations below it.
    let request = ListHealthCoverageRequest {
        parent: first,
        ..ListHealthCoverageRequest::default()
    };
    let mut client = site.coverage((bureau.0, &bureau.1));
    let page = client.list_health_coverage(request).await.expect("a page");
    assert!(page.into_inner().health_coverages.is_empty());
}

async fn a_school_sees_its_class_groups(database: Scratch) {
    let site = Counted::open(database).await;
    let check = CheckSubmission {
        findings: vec![ill(student(1), &[Symptom::Cough])],
        ..site.zero(&group(SCHOOL, FIRST), Slot::Morning)
    };
    site.submit(check).await;
    let states = |classes: &[proto::sampling::ClassSymptoms]| -> Vec<Vec<State>> {
        let states = |line: &proto::sampling::ClassSymptoms| {
            line.checks.iter().map(|check| check.state()).collect()
        };
        classes.iter().map(states).collect()
    };
    let classes = site.classes(Role::Principal).await;
    let names: Vec<&str> = classes
        .iter()
        .map(|line| line.class_group.as_str())
        .collect();
    assert_eq!(names, [group(SCHOOL, FIRST), group(SCHOOL, SECOND)]);
    assert_eq!(classes[0].enrolled_count, 45);
    // The principal does not read people's health.
    assert_eq!(classes[0].ill_count, Some(hidden()));
    assert_eq!(classes[1].ill_count, Some(shown(0)));
    assert_eq!(
        states(&classes),
        [
            [State::Symptoms, State::Awaited],
            [State::Awaited, State::Awaited]
        ]
    );
    site.minutes(31);
    let late = site.zero(&group(SCHOOL, SECOND), Slot::Morning);
    let before = site.classes(Role::Principal).await;
    assert_eq!(before[1].checks[0].state(), State::Missing);
    assert_eq!(before[1].checks[0].ill_absent_count, None);
    site.submit(late).await;
    let after = site.classes(Role::Principal).await;
    let check = &after[1].checks[0];
    assert_eq!((check.state(), check.late), (State::Zero, true));
    assert_eq!((check.roll_count, check.present_count), (30, 30));
    assert_eq!(check.ill_absent_count, Some(shown(0)));
}

async fn without_school_nothing_is_expected(database: Scratch) {
    let site = Counted::open(database).await;
    // The first Sunday.
    site.0.clock.advance(chrono::Duration::days(6));
    let seen = site.figures((Role::CityOfficer, CITY), CITY).await;
    let seen = seen.expect("figures");
    let morning = slot(&seen, Slot::Morning);
    assert_eq!((morning.expected_count, morning.overdue_count), (0, 0));
    assert_eq!((seen.school_day, seen.school_count), (false, 0));
}

async fn who_may_not_see_is_told_nothing(database: Scratch) {
    let site = Counted::open(database).await;
    let (own, bureau) = (school_path(SCHOOL), district());
    let denied = (Code::PermissionDenied, "SCOPE_DENIED".to_owned());
    let asked = [
        ((Role::ClassReporter, own.as_str()), SCHOOL),
        ((Role::Guard, &own), SCHOOL),
        ((Role::Sampler, &own), SCHOOL),
        ((Role::SchoolDoctor, &own), OTHER_SCHOOL),
        ((Role::SchoolDoctor, &own), DISTRICT),
        ((Role::DistrictOfficer, &bureau), CITY),
        ((Role::DistrictOfficer, &bureau), "999999"),
    ];
    for (asker, organization) in asked {
        let refused = site.figures(asker, organization).await;
        let refused = refused.expect_err("may not see");
        assert_eq!(reason(&refused), denied, "{asker:?} {organization}");
    }
    let city = (Role::CityOfficer, CITY);
    let refused = site
        .figures(city, "999999")
        .await
        .expect_err("is not there");
    assert_eq!(refused.code(), Code::NotFound);
}

async fn wrong_requests_are_refused(database: Scratch) {
    let site = Counted::open(database).await;
    let mut city = site.coverage((Role::CityOfficer, CITY));
    let scope = format!("organizations/{CITY}");
    let tomorrow = site.0.today().succ_opt().map(kit::field::to_date);
    let ancient = chrono::NaiveDate::from_ymd_opt(1999, 12, 31).map(kit::field::to_date);
    let dates = [
        tomorrow,
        ancient,
        Some(proto::Date {
            year: 2022,
            month: 2,
            day: 30,
        }),
    ];
    for check_date in dates {
        let request = GetHealthCoverageRequest {
            scope: scope.clone(),
            check_date,
        };
        let refused = city.get_health_coverage(request).await;
        let refused = refused.expect_err("no such day");
        assert_eq!(refused.code(), Code::InvalidArgument, "{check_date:?}");
    }
    let asked = |order_by: &str, page_size, page_token: &str| ListHealthCoverageRequest {
        parent: scope.clone(),
        order_by: order_by.to_owned(),
        page_size,
        page_token: page_token.to_owned(),
        ..ListHealthCoverageRequest::default()
    };
    for request in [
        asked("noise", 0, ""),
        asked("", -1, ""),
        asked("", 0, "nonsense"),
        ListHealthCoverageRequest {
            parent: "schools/1".to_owned(),
            ..Default::default()
        },
    ] {
        let refused = city.list_health_coverage(request.clone()).await;
        let refused = refused.expect_err("wrong");
        assert_eq!(refused.code(), Code::InvalidArgument, "{request:?}");
    }
    let request = ListClassSymptomsRequest {
        school: scope,
        ..ListClassSymptomsRequest::default()
    };
    let answer = city.list_class_symptoms(request).await.expect("a page");
    assert!(answer.into_inner().class_symptoms.is_empty());
}
