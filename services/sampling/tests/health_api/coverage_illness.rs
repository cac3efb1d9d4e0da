//! What bureaus and schools are told of illness and absence, and what is hidden from them.

use kit::auth::Role;
use kit::scratch::Scratch;
use proto::privacy::PrivateCount;
use proto::roster::Symptom;
use proto::roster::check_policy::Slot;
use proto::sampling::absence::State as Stands;
use proto::sampling::absence_service_client::AbsenceServiceClient;
use proto::sampling::trace::Outcome;
use proto::sampling::{
    AbsenceReason, CheckAbsence, CheckSubmission, GetHealthCoverageRequest, HealthCoverage,
    ListAbsencesRequest, TraceAbsenceRequest,
};

use super::coverage_site::{Counted, FIRST, SECOND, district, group, hidden, ill, shown, slot};
use super::town::{DISTRICT, OTHER_SCHOOL, SCHOOL, on_both_databases, school_path, student};

on_both_databases!(
    small_counts_are_hidden_from_who_may_not_read_health,
    none_is_computed_from_the_places_around_it,
    three_days_count_each_person_once,
    who_is_away_ill_counts_each_day_until_it_turns_out_otherwise,
    absences_stand_beside_the_checks,
    absences_end_by_a_later_check_that_names_all_who_are_absent,
    clusters_are_told_to_who_may_read_them,
);

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
    assert_eq!(symptoms(&seen), [], "nor which symptoms there are");
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

async fn none_is_computed_from_the_places_around_it(database: Scratch) {
    let site = Counted::open(database).await;
    let fever = |number| ill(student(number), &[Symptom::Fever]);
    let with = |school, class, from: u32, count: u32| CheckSubmission {
        findings: (from..from + count).map(fever).collect(),
        ..site.zero(&group(school, class), Slot::Morning)
    };
    site.submit(with(SCHOOL, FIRST, 0, 12)).await;
    site.submit(with(OTHER_SCHOOL, FIRST, 200, 3)).await;
    let bureau = district();
    let officer = (Role::DistrictOfficer, bureau.as_str());
    let all = site.figures(officer, DISTRICT).await.expect("figures");
    assert_eq!(all.ill_count, Some(shown(15)));
    // Three are hidden, and so are the twelve that the fifteen would give them away by.
    for school in [SCHOOL, OTHER_SCHOOL] {
        let seen = site.figures(officer, school).await.expect("figures");
        assert_eq!(seen.ill_count, Some(hidden()), "{school}");
        assert_eq!(seen.ill_three_day_count, Some(hidden()), "{school}");
        assert_eq!(symptoms(&seen), [], "{school}");
    }
    let listed = site.places("").await;
    let counts: Vec<_> = listed.iter().map(|place| place.ill_count).collect();
    assert_eq!(counts, [Some(hidden()); 2]);
    // Whoever sees the school alone may see its twelve, and in which class group they are.
    let place = school_path(SCHOOL);
    let principal = (Role::Principal, place.as_str());
    let own = site.figures(principal, SCHOOL).await.expect("figures");
    assert_eq!(own.ill_count, Some(shown(12)));
    let ill_in_classes = async || -> Vec<Option<PrivateCount>> {
        let classes = site.classes(Role::Principal).await;
        classes.iter().map(|line| line.ill_count).collect()
    };
    assert_eq!(ill_in_classes().await, [Some(shown(12)), Some(shown(0))]);
    site.submit(with(SCHOOL, SECOND, 100, 1)).await;
    let own = site.figures(principal, SCHOOL).await.expect("figures");
    assert_eq!(own.ill_count, Some(shown(13)));
    assert_eq!(ill_in_classes().await, [Some(hidden()); 2]);
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
