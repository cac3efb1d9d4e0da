//! What bureaus and schools are told of the completeness and the content of checks.

use kit::auth::Role;
use kit::scratch::Scratch;
use proto::roster::Symptom;
use proto::roster::check_policy::Slot;
use proto::sampling::absence::State as Stands;
use proto::sampling::absence_service_client::AbsenceServiceClient;
use proto::sampling::class_check::State;
use proto::sampling::trace::Outcome;
use proto::sampling::{
    AbsenceReason, CheckAbsence, CheckSubmission, GetHealthCoverageRequest, HealthCoverage,
    ListAbsencesRequest, ListClassSymptomsRequest, ListHealthCoverageRequest, PrivateCount,
    TraceAbsenceRequest,
};
use tonic::Code;

use super::coverage_site::{Counted, FIRST, SECOND, district, group, ill, slot};
use super::town::{
    CITY, DISTRICT, OTHER_SCHOOL, SCHOOL, on_both_databases, reason, school_path, student,
};

on_both_databases!(
    zero_and_missing_differ_for_bureaus,
    the_most_silent_come_first,
    small_counts_are_hidden_from_who_may_not_read_health,
    three_days_count_each_person_once,
    who_is_away_ill_counts_each_day_until_it_turns_out_otherwise,
    a_school_sees_its_class_groups,
    absences_stand_beside_the_checks,
    absences_end_by_a_later_check_that_names_all_who_are_absent,
    clusters_are_told_to_who_may_read_them,
    without_school_nothing_is_expected,
    who_may_not_see_is_told_nothing,
    wrong_requests_are_refused,
);

fn shown(count: i32) -> PrivateCount {
    PrivateCount {
        count: Some(count),
        hidden: false,
    }
}

fn hidden() -> PrivateCount {
    PrivateCount {
        count: None,
        hidden: true,
    }
}

/// Symptoms with the counts of the day and of three days.
fn symptoms(coverage: &HealthCoverage) -> Vec<(Symptom, Option<i32>, Option<i32>)> {
    let count = |count: &Option<PrivateCount>| count.as_ref().and_then(|count| count.count);
    let all = coverage.symptoms.iter();
    all.map(|one| {
        (
            one.symptom(),
            count(&one.day_count),
            count(&one.three_day_count),
        )
    })
    .collect()
}

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

async fn small_counts_are_hidden_from_who_may_not_read_health(database: Scratch) {
    let site = Counted::open(database).await;
    let place = school_path(SCHOOL);
    let bureau = district();
    let fever = |number| ill(student(number), &[Symptom::Fever]);
    let submission = CheckSubmission {
        present_count: 28,
        absent_count: 2,
        ill_absent_count: 2,
        findings: vec![fever(0)],
        ..site.zero(&group(SCHOOL, FIRST), Slot::Morning)
    };
    site.submit(submission).await;
    let officer = (Role::DistrictOfficer, bureau.as_str());
    let seen = site.figures(officer, SCHOOL).await.expect("figures");
    assert_eq!((seen.hidden_below, seen.ill_count), (10, Some(hidden())));
    assert_eq!(symptoms(&seen), [(Symptom::Fever, None, None)]);
    let morning = slot(&seen, Slot::Morning);
    assert_eq!(morning.ill_absent_count, Some(hidden()));
    assert_eq!((morning.absent_count, morning.zero_count), (2, 0));
    let doctor = (Role::SchoolDoctor, place.as_str());
    let seen = site.figures(doctor, SCHOOL).await.expect("figures");
    assert_eq!((seen.hidden_below, seen.ill_count), (0, Some(shown(1))));
    assert_eq!(symptoms(&seen), [(Symptom::Fever, Some(1), Some(1))]);
    assert_eq!(slot(&seen, Slot::Morning).ill_absent_count, Some(shown(2)));
    // Disease control reads people's health, so it sees every count.
    let control = (Role::DiseaseControl, bureau.as_str());
    let seen = site.figures(control, DISTRICT).await.expect("figures");
    assert_eq!(seen.ill_count, Some(shown(1)));
    // From the policy's k on, a count tells of nobody.
    let submission = CheckSubmission {
        findings: (100..109).map(fever).collect(),
        ..site.zero(&group(SCHOOL, SECOND), Slot::Morning)
    };
    site.submit(submission).await;
    let seen = site.figures(officer, SCHOOL).await.expect("figures");
    assert_eq!(seen.ill_count, Some(shown(10)));
}

async fn three_days_count_each_person_once(database: Scratch) {
    let site = Counted::open(database).await;
    let place = school_path(SCHOOL);
    let doctor = (Role::SchoolDoctor, place.as_str());
    let first = group(SCHOOL, FIRST);
    let check = |findings| CheckSubmission {
        findings,
        ..site.zero(&first, Slot::Morning)
    };
    let monday = check(vec![ill(student(1), &[Symptom::Fever])]);
    site.submit(monday).await;
    // The noon check says it of the same person again, with more.
    let noon = CheckSubmission {
        findings: vec![ill(student(1), &[Symptom::Fever, Symptom::Rash])],
        ..site.zero(&first, Slot::Noon)
    };
    site.submit(noon).await;
    site.0.next_day();
    let tuesday = check(vec![
        ill(student(1), &[Symptom::Fever]),
        ill(student(2), &[Symptom::Cough]),
    ]);
    site.submit(tuesday).await;
    let seen = site.figures(doctor, SCHOOL).await.expect("figures");
    let expected = [
        (Symptom::Fever, Some(1), Some(1)),
        (Symptom::Cough, Some(1), Some(1)),
        (Symptom::Rash, Some(0), Some(1)),
    ];
    assert_eq!(symptoms(&seen), expected);
    assert_eq!(seen.ill_three_day_count, Some(shown(2)));
    // The school's summary counts alike.
    let classes = site.classes(Role::SchoolDoctor).await;
    assert_eq!(classes[0].symptoms, seen.symptoms);
    assert_eq!(classes[0].ill_three_day_count, Some(shown(2)));
    assert_eq!(classes[1].ill_three_day_count, Some(shown(0)));
    // On Thursday Monday is out of the window, and on Friday Tuesday is.
    site.0.next_day();
    site.0.next_day();
    let seen = site.figures(doctor, SCHOOL).await.expect("figures");
    let expected = [
        (Symptom::Fever, Some(0), Some(1)),
        (Symptom::Cough, Some(0), Some(1)),
    ];
    assert_eq!(symptoms(&seen), expected);
    site.0.next_day();
    let seen = site.figures(doctor, SCHOOL).await.expect("figures");
    assert_eq!(seen.ill_three_day_count, Some(shown(0)));
    // The past is told as it was.
    let monday = super::town::monday();
    let request = GetHealthCoverageRequest {
        scope: format!("organizations/{SCHOOL}"),
        check_date: Some(kit::field::to_date(monday)),
    };
    let past = site.coverage(doctor).get_health_coverage(request).await;
    let past = past.expect("figures").into_inner();
    let expected = [
        (Symptom::Fever, Some(1), Some(1)),
        (Symptom::Rash, Some(1), Some(1)),
    ];
    assert_eq!(symptoms(&past), expected);
    assert_eq!(
        past.open_matters, None,
        "what stands now did not stand then"
    );
}

async fn who_is_away_ill_counts_each_day_until_it_turns_out_otherwise(database: Scratch) {
    let site = Counted::open(database).await;
    let place = school_path(SCHOOL);
    let doctor = (Role::SchoolDoctor, place.as_str());
    let check = CheckSubmission {
        present_count: 29,
        absent_count: 1,
        ill_absent_count: 1,
        absences: vec![CheckAbsence {
            person: student(1),
            reason: AbsenceReason::Illness.into(),
        }],
        ..site.zero(&group(SCHOOL, FIRST), Slot::Morning)
    };
    site.submit(check).await;
    let ill = |seen: &HealthCoverage| (seen.ill_count, seen.ill_three_day_count);
    let both = |count| (Some(shown(count)), Some(shown(count)));
    let monday = site.figures(doctor, SCHOOL).await.expect("figures");
    assert_eq!(ill(&monday), both(1));
    // On Tuesday nobody says anything.
    site.0.next_day();
    let mut tuesday = site.figures(doctor, SCHOOL).await.expect("figures");
    for _ in 0..600 {
        if ill(&tuesday) == both(1) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        tuesday = site.figures(doctor, SCHOOL).await.expect("figures");
    }
    assert_eq!(ill(&tuesday), both(1));
    let classes = site.classes(Role::SchoolDoctor).await;
    assert_eq!(classes[0].ill_count, Some(shown(1)));
    // The guardian says that it was no illness: of no day.
    let mut absences = AbsenceServiceClient::new(site.0.authorised(&[doctor.0], doctor.1));
    let request = ListAbsencesRequest {
        scope: format!("organizations/{SCHOOL}"),
        ..ListAbsencesRequest::default()
    };
    let listed = absences.list_absences(request).await.expect("absences");
    let request = TraceAbsenceRequest {
        name: listed.into_inner().absences[0].name.clone(),
        outcome: Outcome::Reached.into(),
        reason: AbsenceReason::Personal.into(),
        note: "家中有事".to_owned(),
        ..TraceAbsenceRequest::default()
    };
    absences.trace_absence(request).await.expect("traced");
    let tuesday = site.figures(doctor, SCHOOL).await.expect("figures");
    assert_eq!(ill(&tuesday), both(0));
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

async fn absences_stand_beside_the_checks(database: Scratch) {
    let site = Counted::open(database).await;
    let place = school_path(SCHOOL);
    let absent = |number, reason: AbsenceReason| CheckAbsence {
        person: student(number),
        reason: reason.into(),
    };
    let check = CheckSubmission {
        present_count: 28,
        absent_count: 2,
        ill_absent_count: 1,
        absences: vec![
            absent(1, AbsenceReason::Illness),
            absent(2, AbsenceReason::Unknown),
        ],
        ..site.zero(&group(SCHOOL, FIRST), Slot::Morning)
    };
    site.submit(check).await;
    let of = |coverage: &HealthCoverage| -> Vec<(AbsenceReason, Option<PrivateCount>)> {
        let open = coverage.open_matters.as_ref().expect("of today");
        let untraced = open.absences.iter();
        untraced
            .map(|absence| (absence.reason(), absence.untraced_count))
            .collect()
    };
    let bureau = district();
    let officer = (Role::DistrictOfficer, bureau.as_str());
    let seen = site.figures(officer, DISTRICT).await.expect("figures");
    let expected = [
        (AbsenceReason::Illness, Some(shown(1))),
        (AbsenceReason::Unknown, Some(shown(1))),
    ];
    assert_eq!(of(&seen), expected);
    // Whoever may not read absences is not told how many are ill.
    let guardian = (Role::SafetyOfficer, place.as_str());
    let seen = site.figures(guardian, SCHOOL).await.expect("figures");
    let expected = [
        (AbsenceReason::Illness, Some(hidden())),
        (AbsenceReason::Unknown, Some(shown(1))),
    ];
    assert_eq!(of(&seen), expected);
    let open = seen.open_matters.expect("of today");
    assert_eq!(open.cluster_count, Some(shown(0)));
    assert_eq!(open.case_count, Some(shown(0)));
}

async fn absences_end_by_a_later_check_that_names_all_who_are_absent(database: Scratch) {
    let site = Counted::open(database).await;
    let place = school_path(SCHOOL);
    let check = |id: &str, count, named: &[(u32, AbsenceReason)]| CheckSubmission {
        present_count: 30 - count,
        absent_count: count,
        absences: named
            .iter()
            .map(|(number, reason)| CheckAbsence {
                person: student(*number),
                reason: (*reason).into(),
            })
            .collect(),
        ..site.zero(&group(SCHOOL, id), Slot::Morning)
    };
    let absences = || AbsenceServiceClient::new(site.0.authorised(&[Role::SchoolDoctor], &place));
    let list = async |state: Stands| {
        let request = ListAbsencesRequest {
            scope: format!("organizations/{SCHOOL}"),
            state: state.into(),
            ..ListAbsencesRequest::default()
        };
        let listed = absences().list_absences(request).await.expect("absences");
        listed.into_inner().absences
    };
    use AbsenceReason as R;
    let away = [(1, R::Personal), (2, R::Illness), (3, R::Unknown)];
    let mut monday = check(FIRST, 3, &away);
    monday.ill_absent_count = 1;
    site.submit(monday).await;
    site.submit(check(SECOND, 1, &[(100, R::Personal)])).await;
    site.0.next_day();
    // The first class names whom it misses; the second counts somebody whom it does not name.
    let captured = site.0.now();
    site.submit(check(FIRST, 1, &[(3, R::Unknown)])).await;
    site.submit(check(SECOND, 1, &[])).await;
    site.minutes(31);
    let mut ended = list(Stands::Ended).await;
    for _ in 0..600 {
        if !ended.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        ended = list(Stands::Ended).await;
    }
    let people: Vec<&str> = ended.iter().map(|one| one.person.as_str()).collect();
    assert_eq!(people, [student(1)], "nobody else is back");
    assert_eq!(
        ended[0].return_time,
        Some(kit::field::to_timestamp(captured))
    );
    let mut open: Vec<String> = list(Stands::Unspecified)
        .await
        .into_iter()
        .map(|one| one.person)
        .collect();
    open.sort();
    let mut expected = [2, 3, 100].map(student);
    expected.sort();
    // The doctor has not cleared the second yet (rule 1.13).
    assert_eq!(open, expected);
}

async fn clusters_are_told_to_who_may_read_them(database: Scratch) {
    let site = Counted::open(database).await;
    let (place, bureau) = (school_path(SCHOOL), district());
    // Rule 1.15: three similar illnesses in a class in a day.
    let fever = |number| ill(student(number), &[Symptom::Fever]);
    let check = CheckSubmission {
        findings: (0..3).map(fever).collect(),
        ..site.zero(&group(SCHOOL, FIRST), Slot::Morning)
    };
    site.submit(check).await;
    let officer = (Role::DistrictOfficer, bureau.as_str());
    let seen = site.figures(officer, DISTRICT).await.expect("figures");
    let count = seen.open_matters.and_then(|open| open.cluster_count);
    let count = count.and_then(|count| count.count).expect("not hidden");
    assert!(count > 0);
    let officer = (Role::SafetyOfficer, place.as_str());
    let seen = site.figures(officer, SCHOOL).await.expect("figures");
    let open = seen.open_matters.expect("of today");
    assert_eq!(open.cluster_count, Some(hidden()));
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
