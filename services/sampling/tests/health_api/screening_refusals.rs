//! Checks that are refused: by whom, of what, and with which content.

use kit::auth::Role;
use kit::scratch::Scratch;
use proto::roster::Symptom;
use proto::roster::check_policy::Slot;
use proto::sampling::{
    AbsenceReason, CheckAbsence, CheckReading, CheckSubmission, GetCheckRequest,
    ListMissingRequest, ListReporterExamsRequest, RecordReporterExamRequest, SubmitCheckRequest,
};
use tonic::Code;
use tonic_types::StatusExt;

use super::screening_site::{FIRST, SECOND, Site, finding, group, teacher};
use super::town::roster::policy;
use super::town::{
    CITY, DISTRICT, OTHER_SCHOOL, SCHOOL, on_both_databases, reason, school_path, student,
};

on_both_databases!(
    each_submits_in_their_own_place_only,
    only_who_may_sees_whom_a_check_lists,
    class_reporters_report_after_their_examination,
    what_cannot_be_is_refused,
    no_check_is_held_there_or_then,
);

fn class_scope(id: &str) -> String {
    format!("{}/{id}", school_path(SCHOOL))
}

async fn each_submits_in_their_own_place_only(database: Scratch) {
    let site = Site::open(database).await;
    let own = group(SCHOOL, FIRST);
    let submits = async |role: Role, scope: &str, of: &str| {
        let request = SubmitCheckRequest {
            check: Some(site.zero(of, Slot::Morning)),
        };
        let answer = site.client(&[role], scope).submit_check(request).await;
        answer.map_or_else(|status| reason(&status).1, |_| "STORED".to_owned())
    };
    let class = class_scope(FIRST);
    let school = school_path(SCHOOL);
    let district = format!("{CITY}/{DISTRICT}");
    assert_eq!(submits(Role::ClassReporter, &class, &own).await, "STORED");
    let other = group(SCHOOL, SECOND);
    assert_eq!(
        submits(Role::ClassReporter, &class, &other).await,
        "SCOPE_DENIED"
    );
    // What may not be seen does not exist either.
    let nowhere = group("2135019999", FIRST);
    assert_eq!(
        submits(Role::ClassReporter, &class, &nowhere).await,
        "SCOPE_DENIED"
    );
    assert_eq!(
        submits(Role::EpidemicReporter, &school, &other).await,
        "STORED"
    );
    let unknown = group(SCHOOL, "p1999-01");
    assert_eq!(
        submits(Role::SchoolDoctor, &school, &unknown).await,
        "NOT_FOUND"
    );
    let elsewhere = group(OTHER_SCHOOL, FIRST);
    assert_eq!(
        submits(Role::SchoolDoctor, &school, &elsewhere).await,
        "SCOPE_DENIED"
    );
    for role in [Role::DistrictOfficer, Role::Guard, Role::Principal] {
        assert_eq!(
            submits(role, &district, &own).await,
            "SCOPE_DENIED",
            "{role}"
        );
    }
    // A district reads.
    let request = ListMissingRequest {
        scope: format!("organizations/{DISTRICT}"),
        slot: Slot::Morning.into(),
        ..ListMissingRequest::default()
    };
    let mut officer = site.client(&[Role::DistrictOfficer], &district);
    let missing = officer.list_missing(request.clone()).await.expect("read");
    assert_eq!(missing.into_inner().missing_checks.len(), 2);
    let mut reporter = site.client(&[Role::ClassReporter], &class);
    let status = reporter.list_missing(request).await.expect_err("refused");
    assert_eq!(status.code(), Code::PermissionDenied);
    let request = ListMissingRequest {
        scope: own,
        slot: Slot::Noon.into(),
        ..ListMissingRequest::default()
    };
    let missing = reporter.list_missing(request).await.expect("read");
    assert_eq!(missing.into_inner().missing_checks.len(), 1);
}

async fn only_who_may_sees_whom_a_check_lists(database: Scratch) {
    let site = Site::open(database).await;
    let ill = vec![finding(student(3), &[Symptom::Cough])];
    let (_, check) = site
        .submit(&site.ill(&group(SCHOOL, FIRST), Slot::Morning, ill))
        .await;
    let sees = async |role: Role, scope: &str| {
        let request = GetCheckRequest {
            name: check.name.clone(),
        };
        let read = site.client(&[role], scope).get_check(request).await;
        let check = read.expect("read").into_inner();
        let count = check.finding_count.expect("a count");
        (count.count, count.hidden, check.findings.len())
    };
    let (school, district) = (school_path(SCHOOL), format!("{CITY}/{DISTRICT}"));
    let class = class_scope(FIRST);
    for (role, scope) in [
        (Role::ClassReporter, &*class),
        (Role::SchoolDoctor, &*school),
        (Role::DiseaseControl, CITY),
    ] {
        assert_eq!(sees(role, scope).await, (Some(1), false, 1), "{role:?}");
    }
    for (role, scope) in [
        (Role::SchoolClerk, &*school),
        (Role::DistrictOfficer, &*district),
    ] {
        assert_eq!(sees(role, scope).await, (None, true, 0), "{role:?}");
    }
    assert_eq!(sees(Role::CityOfficer, CITY).await, (None, true, 0));
}

async fn class_reporters_report_after_their_examination(database: Scratch) {
    let mut strict = policy();
    if let Some(check) = &mut strict.check {
        check.reporter_exam = true;
    }
    let site = Site::open_under(database, strict).await;
    let class = class_scope(FIRST);
    let submit = async |roles: &[Role]| {
        let request = SubmitCheckRequest {
            check: Some(site.zero(&group(SCHOOL, FIRST), Slot::Morning)),
        };
        let answer = site.client(roles, &class).submit_check(request).await;
        answer.map_or_else(|status| reason(&status).1, |_| "STORED".to_owned())
    };
    let reporter = [Role::ClassReporter];
    assert_eq!(submit(&reporter).await, "REPORTER_NOT_EXAMINED");
    assert_eq!(
        submit(&[Role::ClassReporter, Role::SchoolDoctor]).await,
        "STORED"
    );
    let exam = |school: &str, until: u64| RecordReporterExamRequest {
        parent: format!("organizations/{school}"),
        account: "tester".to_owned(),
        valid_until_date: Some(kit::field::to_date(
            site.0.today() + chrono::Days::new(until),
        )),
        request_id: uuid::Uuid::new_v4().to_string(),
        ..RecordReporterExamRequest::default()
    };
    let mut examiner = site.client(&[Role::EpidemicReporter], &school_path(SCHOOL));
    let elsewhere = examiner.record_reporter_exam(exam(OTHER_SCHOOL, 90)).await;
    assert_eq!(
        elsewhere.expect_err("refused").code(),
        Code::PermissionDenied
    );
    let status = examiner.record_reporter_exam(exam(SCHOOL, 300)).await;
    assert_eq!(status.expect_err("too long").code(), Code::InvalidArgument);
    let mut doctor = site.doctor();
    let status = doctor.record_reporter_exam(exam(SCHOOL, 90)).await;
    assert_eq!(status.expect_err("refused").code(), Code::PermissionDenied);
    let request = exam(SCHOOL, 1);
    let recorded = examiner
        .record_reporter_exam(request.clone())
        .await
        .expect("recorded");
    let again = examiner
        .record_reporter_exam(request)
        .await
        .expect("repeated");
    assert_eq!(recorded.into_inner(), again.into_inner());
    assert_eq!(submit(&reporter).await, "STORED");
    let request = ListReporterExamsRequest {
        parent: format!("organizations/{SCHOOL}"),
        ..ListReporterExamsRequest::default()
    };
    let exams = doctor
        .list_reporter_exams(request)
        .await
        .expect("a page")
        .into_inner();
    assert_eq!(exams.reporter_exams.len(), 1);
    assert_eq!(exams.reporter_exams[0].account, "tester");
    // The day after its last day it counts no more.
    site.0.clock.advance(chrono::Duration::days(2));
    assert_eq!(submit(&reporter).await, "REPORTER_NOT_EXAMINED");
}

/// A check that is wrong in one field.
type Wrong = (CheckSubmission, &'static str);

/// The same with one change.
fn changed(good: &CheckSubmission, change: &dyn Fn(&mut CheckSubmission)) -> CheckSubmission {
    let mut check = good.clone();
    change(&mut check);
    check
}

/// Wrong heads, and people who cannot be named.
fn wrong_heads(good: &CheckSubmission) -> Vec<Wrong> {
    let with = |change: &dyn Fn(&mut CheckSubmission)| changed(good, change);
    vec![
        (
            with(&|check| check.scope = "schools/1".to_owned()),
            "check.scope",
        ),
        (with(&|check| check.check_date = None), "check.check_date"),
        (with(&|check| check.slot = 9), "check.slot"),
        (
            with(&|check| check.client_id = "1".to_owned()),
            "check.client_id",
        ),
        (with(&|check| check.roll_count = 0), "check.roll_count"),
        (with(&|check| check.present_count = 50), "check.roll_count"),
        (
            with(&|check| check.present_count = -1),
            "check.present_count",
        ),
        (
            with(&|check| check.absent_count = i32::MAX),
            "check.absent_count",
        ),
        (
            with(&|check| check.ill_absent_count = 2),
            "check.ill_absent_count",
        ),
        (
            with(&|check| {
                check.absences = vec![CheckAbsence {
                    person: student(4),
                    reason: AbsenceReason::Illness.into(),
                }];
            }),
            "check.absences",
        ),
        (
            with(&|check| check.findings[0].person = "students/x".to_owned()),
            "check.findings[0].person",
        ),
        (
            with(&|check| check.findings[0].person = student(100)),
            "check.findings[0].person",
        ),
        (
            with(&|check| check.findings[0].person = teacher(1)),
            "check.findings[0].person",
        ),
        (
            with(&|check| check.findings.push(check.findings[0].clone())),
            "check.findings[1].person",
        ),
    ]
}

/// What cannot be said of people.
fn wrong_findings(site: &Site, good: &CheckSubmission) -> Vec<Wrong> {
    let with = |change: &dyn Fn(&mut CheckSubmission)| changed(good, change);
    vec![
        (
            with(&|check| check.findings[0].symptoms = vec![99]),
            "check.findings[0].symptoms[0]",
        ),
        (
            with(&|check| check.findings[0].symptoms = Vec::new()),
            "check.findings[0]",
        ),
        (
            with(&|check| check.findings[0].symptoms = vec![Symptom::Other.into()]),
            "check.findings[0].other_symptom",
        ),
        (
            with(&|check| check.findings[0].other_symptom = "耳痛".to_owned()),
            "check.findings[0].other_symptom",
        ),
        (
            with(&|check| check.findings[0].temperature_tenths = 900),
            "check.findings[0].temperature_tenths",
        ),
        (
            with(&|check| check.findings[0].temperature_tenths = i32::MIN),
            "check.findings[0].temperature_tenths",
        ),
        (
            with(&|check| {
                check.findings[0].onset_date =
                    Some(kit::field::to_date(site.0.today() + chrono::Days::new(1)));
            }),
            "check.findings[0].onset_date",
        ),
        (
            with(&|check| check.findings[0].preliminary_disease = 999),
            "check.findings[0].preliminary_disease",
        ),
        (
            with(&|check| check.findings[0].severe_signs = vec![7]),
            "check.findings[0].severe_signs[0]",
        ),
        (
            with(&|check| check.findings[0].onset_place = -3),
            "check.findings[0].onset_place",
        ),
        (
            with(&|check| {
                check.readings = vec![CheckReading {
                    person: student(4),
                    temperature_tenths: 380,
                }];
            }),
            "check.readings[0].temperature_tenths",
        ),
        (
            with(&|check| {
                check.capture_time = Some(prost_types::Timestamp {
                    seconds: 0,
                    nanos: 0,
                });
            }),
            "check.capture_time",
        ),
        (
            with(&|check| check.correction_reason = "长".repeat(201)),
            "check.correction_reason",
        ),
    ]
}

async fn what_cannot_be_is_refused(database: Scratch) {
    let site = Site::open(database).await;
    let someone = vec![finding(student(3), &[Symptom::Cough])];
    let good = site.ill(&group(SCHOOL, FIRST), Slot::Morning, someone);
    let mut wrong = wrong_heads(&good);
    wrong.extend(wrong_findings(&site, &good));
    for (check, field) in wrong {
        let status = site.try_submit(&check).await.expect_err(field);
        assert_eq!(status.code(), Code::InvalidArgument, "{field}");
        let details = status.get_error_details();
        let violations = details
            .bad_request()
            .map(|bad| bad.field_violations.clone());
        let fields: Vec<String> = violations
            .unwrap_or_default()
            .into_iter()
            .map(|violation| violation.field)
            .collect();
        assert!(
            fields.contains(&field.to_owned()),
            "{field} is not among {fields:?}"
        );
        // Nothing of a person stands in an error.
        assert!(!status.message().contains(&student(3)), "{field}");
    }
    assert_eq!(site.signs().await, []);
    assert_eq!(
        site.tally()
            .await
            .slot(sampling::domain::health::rules::Slot::Morning)
            .submitted,
        0
    );
    site.submit(&good).await;
}

async fn no_check_is_held_there_or_then(database: Scratch) {
    let site = Site::open(database).await;
    let refusal = async |check: CheckSubmission| {
        let status = site.try_submit(&check).await.expect_err("refused");
        reason(&status)
    };
    let on = |days: i64| {
        let date = site.0.today() + chrono::Duration::days(days);
        CheckSubmission {
            check_date: Some(kit::field::to_date(date)),
            ..site.zero(&group(SCHOOL, FIRST), Slot::Morning)
        }
    };
    let failed = |name: &str| (Code::FailedPrecondition, name.to_owned());
    assert_eq!(refusal(on(1)).await, failed("CHECK_DAY"));
    assert_eq!(refusal(on(-8)).await, failed("CHECK_DAY"));
    // The Sunday before.
    assert_eq!(refusal(on(-1)).await, failed("NO_SCHOOL_DAY"));
    let friday = site.try_submit(&on(-3)).await.expect("taken");
    assert!(friday.check.expect("a check").late);
    let evening = site.zero(&group(SCHOOL, FIRST), Slot::Evening);
    assert_eq!(refusal(evening).await, failed("CHECK_SLOT"));
    let room = site.zero(&super::screening_site::room("3-201"), Slot::Morning);
    assert_eq!(refusal(room).await, failed("CHECK_SLOT"));
    let staff = site.zero(&group(SCHOOL, "staff-03"), Slot::Noon);
    assert_eq!(refusal(staff).await, failed("CHECK_SLOT"));
    let unknown = site.zero(&super::screening_site::room("9-999"), Slot::Evening);
    assert_eq!(refusal(unknown).await.0, Code::NotFound);
}
