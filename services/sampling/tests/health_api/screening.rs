//! Checks that are submitted, merged, late and missing.

use kit::field::to_date;
use kit::scratch::Scratch;
use proto::roster::Symptom;
use proto::roster::check_policy::Slot;
use proto::roster::class_group_roll::TeachingMode;
use proto::sampling::check::State;
use proto::sampling::submit_check_response::Verdict;
use proto::sampling::{
    AbsenceReason, CheckAbsence, CheckReading, CheckSubmission, CorrectCheckRequest,
    ListChecksRequest, ScreeningDay,
};
use sampling::domain::health::rules::Slot as DomainSlot;
use sampling::domain::health::symptom::Symptom as DomainSymptom;

use super::screening_site::{FIRST, SECOND, Site, finding, group, room, teacher};
use super::town::{
    CITY, OTHER_SCHOOL, SCHOOL, class, on_both_databases, person, school_path, student,
};

on_both_databases!(
    a_zero_report_is_not_missing,
    who_submits_late_is_late,
    what_is_overdue_is_announced_once,
    staff_are_checked_where_the_policy_says_so,
    boarders_are_checked_by_room_in_the_evening,
    a_batch_that_comes_twice_is_stored_once,
    the_check_taken_first_stands_and_contradictions_show,
    the_order_of_submissions_says_nothing,
    symptoms_become_signs_and_are_counted,
    who_is_not_taught_in_person_is_not_expected,
);

fn timestamp(time: chrono::DateTime<chrono::Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: time.timestamp(),
        nanos: 0,
    }
}

fn minutes(count: i64) -> chrono::Duration {
    chrono::Duration::minutes(count)
}

async fn a_zero_report_is_not_missing(database: Scratch) {
    let site = Site::open(database).await;
    let school = format!("organizations/{SCHOOL}");
    let staff = group(SCHOOL, "staff-03");
    let expected = [group(SCHOOL, FIRST), group(SCHOOL, SECOND), staff.clone()];
    assert_eq!(site.missing_scopes(&school, Slot::Morning).await, expected);
    let city = format!("organizations/{CITY}");
    assert_eq!(site.missing_scopes(&city, Slot::Morning).await.len(), 4);

    let zero = site.zero(&group(SCHOOL, FIRST), Slot::Morning);
    let (verdict, check) = site.submit(&zero).await;
    assert_eq!(verdict, Verdict::Stored);
    assert_eq!(check.state(), State::Zero);
    assert_eq!(
        check.name,
        format!("{}/checks/20220328-morning", zero.scope)
    );
    assert_eq!(
        (
            check.roll_count,
            check.finding_count.and_then(|findings| findings.count),
            check.version
        ),
        (45, Some(0), 1)
    );
    assert!(!check.late);
    assert_eq!(site.get(&check.name).await.expect("stored"), check);

    let second = group(SCHOOL, SECOND);
    let missing = site.missing(&school, Slot::Morning).await;
    let scopes: Vec<&str> = missing.iter().map(|one| one.scope.as_str()).collect();
    assert_eq!(scopes, [second.as_str(), staff.as_str()]);
    assert_eq!((missing[0].expected_count, missing[0].overdue), (40, false));
    // A missing check has no resource that could be taken for a zero report.
    let name = format!("{second}/checks/20220328-morning");
    let status = site.get(&name).await.expect_err("missing");
    assert_eq!(status.code(), tonic::Code::NotFound);
    assert_eq!(site.missing_scopes(&second, Slot::Morning).await, [second]);
    let tally = site.tally().await;
    let slot = tally.slot(DomainSlot::Morning);
    assert_eq!((slot.submitted, slot.zero, slot.frozen), (1, 1, false));

    let request = ListChecksRequest {
        scope: school,
        slot: Slot::Morning.into(),
        ..ListChecksRequest::default()
    };
    let page = site.doctor().list_checks(request).await.expect("a page");
    assert_eq!(page.into_inner().checks, [check]);
}

async fn who_submits_late_is_late(database: Scratch) {
    let site = Site::open(database).await;
    let (first, second) = (group(SCHOOL, FIRST), group(SCHOOL, SECOND));
    // The deadline itself, 08:30, is in time.
    site.0.clock.advance(minutes(30));
    let (_, check) = site.submit(&site.zero(&first, Slot::Morning)).await;
    assert!(!check.late);
    site.0.clock.advance(minutes(1));
    // Taken in time and submitted late: both times show.
    let captured = site.0.now() - minutes(20);
    let offline = CheckSubmission {
        capture_time: Some(timestamp(captured)),
        ..site.zero(&second, Slot::Morning)
    };
    let (_, check) = site.submit(&offline).await;
    assert!(check.late);
    assert_eq!(check.capture_time, Some(timestamp(captured)));
    assert_eq!(check.submit_time, Some(timestamp(site.0.now())));
    // A correction does not make an earlier submission late.
    let correction = CorrectCheckRequest {
        name: format!("{first}/checks/20220328-morning"),
        check: Some(CheckSubmission {
            roll_count: 45,
            present_count: 45,
            client_id: uuid::Uuid::new_v4().to_string(),
            ..CheckSubmission::default()
        }),
        correction_reason: "多算一人".to_owned(),
    };
    let answer = site
        .doctor()
        .correct_check(correction)
        .await
        .expect("corrected");
    let check = answer.into_inner().check.expect("a check");
    assert!(!check.late && check.correction);
    assert_eq!((check.present_count, check.version), (45, 2));
    let slot = *site.tally().await.slot(DomainSlot::Morning);
    assert_eq!((slot.submitted, slot.late, slot.present), (2, 1, 45 + 44));
}

async fn what_is_overdue_is_announced_once(database: Scratch) {
    let mut site = Site::open(database).await;
    site.submit(&site.zero(&group(SCHOOL, FIRST), Slot::Morning))
        .await;
    site.0.clock.advance(minutes(31));
    let days = site.overdue_schools(2).await;
    let own = days.iter().find(|day| day.organization.ends_with(SCHOOL));
    let own = own.expect("the school").clone();
    let counts = (own.expected_count, own.submitted_count, own.missing_count);
    assert_eq!(counts, (3, 1, 2));
    assert_eq!(own.check_date, Some(site.0.date()));
    let tally = site.tally().await;
    let slot = tally.slot(DomainSlot::Morning);
    assert_eq!((slot.frozen, slot.expected, slot.missing()), (true, 3, 2));
    // The same deadline again, after a restart, changes nothing.
    let events = site.overdue_events().await;
    site.0.restart().await;
    site.submit(&site.zero(&group(SCHOOL, FIRST), Slot::Morning))
        .await;
    assert_eq!(site.overdue_events().await, events);
    assert_eq!(site.tally().await.slot(DomainSlot::Morning).expected, 3);
    // Late checks are told, and nothing is overdue once the last one is there.
    site.submit(&site.zero(&group(SCHOOL, SECOND), Slot::Morning))
        .await;
    let late = |day: &ScreeningDay| {
        let counts = (day.submitted_count, day.late_count, day.missing_count);
        day.organization.ends_with(SCHOOL) && counts == (2, 1, 1)
    };
    site.overdue_until(|days| days.iter().any(late)).await;
    let staff = site.zero(&group(SCHOOL, "staff-03"), Slot::Morning);
    site.submit(&staff).await;
    let days = site.overdue_schools(1).await;
    assert!(days[0].organization.ends_with(OTHER_SCHOOL));
    // When no checks are taken of that day any more, nothing of it is overdue.
    site.0.clock.advance(chrono::Duration::days(8));
    let day = Some(to_date(super::town::monday()));
    site.overdue_until(|days| days.iter().all(|one| one.check_date != day))
        .await;
}

async fn staff_are_checked_where_the_policy_says_so(database: Scratch) {
    let site = Site::open(database).await;
    let staff = group(SCHOOL, "staff-03");
    let ill = finding(teacher(1), &[Symptom::Cough]);
    let (_, check) = site
        .submit(&site.ill(&staff, Slot::Morning, vec![ill]))
        .await;
    assert_eq!(check.state(), State::Symptoms);
    assert_eq!(check.findings[0].person, teacher(1));
    site.0.clock.advance(minutes(300));
    let school = format!("organizations/{SCHOOL}");
    let expected = [group(SCHOOL, FIRST), group(SCHOOL, SECOND)];
    assert_eq!(site.missing_scopes(&school, Slot::Noon).await, expected);
}

async fn boarders_are_checked_by_room_in_the_evening(database: Scratch) {
    let site = Site::open(database).await;
    site.0.clock.advance(minutes(11 * 60));
    let school = format!("organizations/{SCHOOL}");
    let missing = site.missing(&school, Slot::Evening).await;
    let mut rooms: Vec<(String, String, i32)> = missing
        .into_iter()
        .map(|one| (one.room, one.scope, one.expected_count))
        .collect();
    rooms.sort();
    let (one, two) = (room("3-201"), room("3-202"));
    let expected = [
        ("3-201".to_owned(), one.clone(), 3),
        ("3-202".to_owned(), two.clone(), 2),
    ];
    assert_eq!(rooms, expected);
    // A room holds boarders of two class groups; each one's sign says both.
    let ill = vec![
        finding(student(0), &[Symptom::Vomiting]),
        finding(student(100), &[Symptom::Vomiting]),
    ];
    let (_, check) = site.submit(&site.ill(&one, Slot::Evening, ill)).await;
    assert_eq!(check.name, format!("{one}/checks/20220328-evening"));
    assert_eq!(site.missing_scopes(&school, Slot::Evening).await, [two]);
    let signs = site.signs().await;
    let id = one.rsplit('/').next().expect("an identifier");
    let mut groups: Vec<(&str, &str)> = signs
        .iter()
        .map(|sign| (sign.group.as_str(), sign.dormitory.as_str()))
        .collect();
    groups.sort_unstable();
    let at = |group| format!("{}/{group}", school_path(SCHOOL));
    let (first, second) = (at(FIRST), at(SECOND));
    assert_eq!(groups, [(first.as_str(), id), (second.as_str(), id)]);
    // Who lives elsewhere is not of this room.
    let stranger = vec![finding(student(101), &[Symptom::Cough])];
    let stranger = site.ill(&one, Slot::Evening, stranger);
    let refused = site.batch(vec![stranger]).await;
    assert_eq!(refused[0].error_field, "findings[0].person");
}

async fn a_batch_that_comes_twice_is_stored_once(database: Scratch) {
    let site = Site::open(database).await;
    let ill = finding(student(3), &[Symptom::Rash]);
    let checks = vec![
        site.zero(&group(SCHOOL, FIRST), Slot::Morning),
        site.ill(&group(SCHOOL, FIRST), Slot::Noon, vec![ill]),
        site.zero(&group(OTHER_SCHOOL, FIRST), Slot::Morning),
        site.zero(&group(SCHOOL, SECOND), Slot::Evening),
    ];
    let first = site.batch(checks.clone()).await;
    let verdicts: Vec<Verdict> = first.iter().map(|one| one.verdict()).collect();
    let (stored, refused) = (Verdict::Stored, Verdict::Refused);
    assert_eq!(verdicts, [stored, stored, refused, refused]);
    let reasons: Vec<&str> = first.iter().map(|one| one.error_reason.as_str()).collect();
    assert_eq!(reasons, ["", "", "SCOPE_DENIED", "CHECK_SLOT"]);
    let (tally, signs) = (site.tally().await, site.signs().await);
    let second = site.batch(checks).await;
    let verdicts: Vec<Verdict> = second.iter().map(|one| one.verdict()).collect();
    let repeated = Verdict::Repeated;
    assert_eq!(verdicts, [repeated, repeated, refused, refused]);
    assert_eq!(first[1].check, second[1].check);
    assert_eq!(second[1].version, 1);
    assert_eq!(site.tally().await, tally);
    assert_eq!(site.signs().await, signs);
}

async fn the_check_taken_first_stands_and_contradictions_show(database: Scratch) {
    let site = Site::open(database).await;
    let scope = group(SCHOOL, FIRST);
    let at = |check: CheckSubmission, before: i64| CheckSubmission {
        capture_time: Some(timestamp(site.0.now() - minutes(before))),
        ..check
    };
    let later = at(site.zero(&scope, Slot::Morning), 5);
    let ill = vec![finding(student(3), &[Symptom::Rash])];
    let earlier = at(site.ill(&scope, Slot::Morning, ill), 10);
    let agreeing = at(
        CheckSubmission {
            client_id: uuid::Uuid::new_v4().to_string(),
            ..earlier.clone()
        },
        1,
    );
    assert_eq!(site.submit(&later).await.0, Verdict::Stored);
    let (verdict, check) = site.submit(&earlier).await;
    assert_eq!(verdict, Verdict::Stored);
    assert_eq!((check.conflict_count, check.version), (1, 2));
    assert_eq!(site.submit(&agreeing).await.0, Verdict::Superseded);
    assert_eq!(site.submit(&later).await.0, Verdict::Superseded);
    assert_eq!(site.submit(&earlier).await.0, Verdict::Repeated);
    let check = site.get(&check.name).await.expect("stored");
    assert_eq!(
        (check.conflict_count, check.client_id.clone()),
        (1, earlier.client_id)
    );
    let shown: Vec<(String, bool)> = check
        .superseded
        .into_iter()
        .map(|one| (one.client_id, one.different))
        .collect();
    assert_eq!(shown.len(), 2);
    assert!(shown.contains(&(later.client_id.clone(), true)));
    assert!(shown.contains(&(agreeing.client_id, false)));
    assert_eq!(site.signs().await.len(), 1);
    // Another content under the same identifier is refused.
    let forged = CheckSubmission {
        present_count: 45,
        absent_count: 0,
        ..later
    };
    let status = site.try_submit(&forged).await.expect_err("refused");
    assert_eq!(super::town::reason(&status).1, "CHECK_CLIENT_ID_REUSED");
    // A correction settles it, and takes back what the check said of people.
    let correction = CorrectCheckRequest {
        name: check.name.clone(),
        check: Some(CheckSubmission {
            scope: String::new(),
            check_date: None,
            slot: 0,
            ..site.zero("", Slot::Morning)
        }),
        correction_reason: "看错了人".to_owned(),
    };
    let answer = site.doctor().correct_check(correction.clone()).await;
    let check = answer
        .expect("corrected")
        .into_inner()
        .check
        .expect("a check");
    assert_eq!((check.state(), check.conflict_count), (State::Zero, 0));
    assert_eq!(check.correction_reason, "看错了人");
    assert_eq!(site.signs().await, []);
    assert_eq!(site.tally().await.ill, 0);
    let again = site
        .doctor()
        .correct_check(correction)
        .await
        .expect("repeated");
    assert_eq!(again.into_inner().verdict(), Verdict::Repeated);
    let missing = CorrectCheckRequest {
        name: format!("{}/checks/20220328-morning", group(SCHOOL, SECOND)),
        check: Some(site.zero("", Slot::Morning)),
        correction_reason: "无".to_owned(),
    };
    let status = site
        .doctor()
        .correct_check(missing)
        .await
        .expect_err("missing");
    assert_eq!(status.code(), tonic::Code::NotFound);
}

async fn the_order_of_submissions_says_nothing(database: Scratch) {
    let site = Site::open(database).await;
    // The same four submissions of two class groups, in opposite orders, one group's in one batch.
    let of = |scope: &str, someone: u32| {
        let at = |check: CheckSubmission, before: i64, reason: &str| CheckSubmission {
            capture_time: Some(timestamp(site.0.now() - minutes(before))),
            correction_reason: reason.to_owned(),
            ..check
        };
        let ill = |symptom| vec![finding(student(someone), &[symptom])];
        [
            at(site.zero(scope, Slot::Morning), 9, ""),
            at(site.ill(scope, Slot::Morning, ill(Symptom::Cough)), 12, ""),
            at(
                site.ill(scope, Slot::Morning, ill(Symptom::Rash)),
                20,
                "更正",
            ),
            at(
                site.ill(scope, Slot::Morning, ill(Symptom::Vomiting)),
                3,
                "再更正",
            ),
        ]
    };
    let (first, second) = (
        of(&group(SCHOOL, FIRST), 3),
        of(&group(SCHOOL, SECOND), 103),
    );
    for check in &first {
        site.submit(check).await;
    }
    let mut backwards = second.to_vec();
    backwards.reverse();
    backwards.extend(second.to_vec());
    site.batch(backwards).await;
    let mut checks = Vec::new();
    for (id, people) in [(FIRST, 0), (SECOND, 100)] {
        let name = format!("{}/checks/20220328-morning", group(SCHOOL, id));
        let mut check = site.get(&name).await.expect("stored");
        assert_eq!(check.findings[0].person, student(people + 3));
        assert_eq!(check.superseded.len(), 3);
        assert_eq!(check.findings[0].symptoms, [i32::from(Symptom::Vomiting)]);
        check.findings.clear();
        check.superseded.clear();
        checks.push((check.state, check.conflict_count, check.capture_time));
    }
    assert_eq!(checks[0], checks[1]);
    let signs = site.signs().await;
    let vomiting = |sign: &sampling::domain::health::sign::Sign| {
        sign.symptoms.has(DomainSymptom::Vomiting) && sign.symptoms.iter().count() == 1
    };
    assert!(signs.len() == 2 && signs.iter().all(vomiting));
    let tally = site.tally().await;
    assert_eq!(
        (tally.ill, tally.slot(DomainSlot::Morning).submitted),
        (2, 2)
    );
}

async fn symptoms_become_signs_and_are_counted(database: Scratch) {
    let site = Site::open(database).await;
    let mut hot = finding(student(0), &[Symptom::Cough]);
    hot.temperature_tenths = 385;
    hot.onset_date = Some(to_date(super::town::monday() - chrono::Days::new(2)));
    hot.seen_doctor = true;
    hot.preliminary_disease = proto::roster::Disease::Influenza.into();
    let check = CheckSubmission {
        readings: vec![
            CheckReading {
                person: student(0),
                temperature_tenths: 385,
            },
            CheckReading {
                person: student(1),
                temperature_tenths: 365,
            },
        ],
        absences: vec![CheckAbsence {
            person: student(5),
            reason: AbsenceReason::Unknown.into(),
        }],
        ..site.ill(&group(SCHOOL, FIRST), Slot::Morning, vec![hot.clone()])
    };
    let (_, stored) = site.submit(&check).await;
    assert_eq!(stored.findings, [hot]);
    assert_eq!((stored.readings.len(), stored.absences.len()), (2, 1));
    let signs = site.signs().await;
    let mut seen = signs
        .iter()
        .filter(|sign| !sign.source.starts_with("cases/"));
    let (Some(sign), None) = (seen.next(), seen.next()) else {
        panic!("the check says one thing of one person: {signs:?}")
    };
    assert_eq!(
        (sign.source.as_str(), sign.person),
        (stored.name.as_str(), person(&student(0)))
    );
    assert!(sign.symptoms.has(DomainSymptom::Fever) && sign.symptoms.has(DomainSymptom::Cough));
    assert_eq!((sign.temperature, sign.diagnosis.is_some()), (385, true));
    assert!(sign.began() < sign.day);
    assert!(sign.dormitory.starts_with('d'));
    let tally = site.tally().await;
    assert_eq!((tally.ill, tally.symptoms[0], tally.symptoms[1]), (1, 1, 1));
    // The same person at noon is one ill person of the day.
    let again = vec![finding(student(0), &[Symptom::Cough])];
    site.submit(&site.ill(&group(SCHOOL, FIRST), Slot::Noon, again))
        .await;
    let tally = site.tally().await;
    assert_eq!((tally.ill, tally.symptoms[1]), (1, 1));
}

async fn who_is_not_taught_in_person_is_not_expected(database: Scratch) {
    let site = Site::open(database).await;
    let school = format!("organizations/{SCHOOL}");
    let mut online = class(SCHOOL, FIRST, 0, 45);
    super::town::roster::board(&mut online, 0..2, "3-201");
    online.teaching_mode = TeachingMode::Online.into();
    site.0.roster.class(online);
    site.0.has_heard().await;
    let expected = [group(SCHOOL, SECOND), group(SCHOOL, "staff-03")];
    assert_eq!(site.missing_scopes(&school, Slot::Morning).await, expected);
    // The boarder from the other class group is still in the room.
    let rooms = site.missing(&school, Slot::Evening).await;
    let mut rooms: Vec<(String, i32)> = rooms
        .into_iter()
        .map(|one| (one.room, one.expected_count))
        .collect();
    rooms.sort();
    assert_eq!(rooms, [("3-201".to_owned(), 1), ("3-202".to_owned(), 2)]);
    // What was taken before is taken still, and does not stand for a check that is missing.
    site.submit(&site.zero(&group(SCHOOL, FIRST), Slot::Morning))
        .await;
    let slot = *site.tally().await.slot(DomainSlot::Morning);
    assert_eq!((slot.submitted, slot.answered), (1, 0));
    // On a Sunday nothing is missing.
    site.0.clock.advance(chrono::Duration::days(6));
    assert_eq!(site.missing(&school, Slot::Morning).await, []);
}
