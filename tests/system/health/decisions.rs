//! What people decide on the day of health, and what comes of it.

use kit::auth::Role;
use proto::roster::check_policy::Slot;
use proto::roster::class_group_roll::TeachingMode;
use proto::roster::class_group_service_client::ClassGroupServiceClient;
use proto::roster::report_policy::Level;
use proto::roster::{Disease, GetClassGroupRequest, Symptom};
use proto::safety::gate_reason::Code as Why;
use proto::sampling::absence_service_client::AbsenceServiceClient;
use proto::sampling::case_service_client::CaseServiceClient;
use proto::sampling::decide_suspension_request::Decision;
use proto::sampling::report_service_client::ReportServiceClient;
use proto::sampling::suspension_service_client::SuspensionServiceClient;
use proto::sampling::{
    AbsenceReason, AcknowledgeReportRequest, CaseReport, CheckFinding, CheckSubmission,
    ConfirmUploadRequest, DecideSuspensionRequest, ExportCaseRequest, ExportFormat, GetCaseRequest,
    GetSuspensionRequest, Illness, ListAbsencesRequest, ListCaseExportsRequest, ListCasesRequest,
    ListSuspensionsRequest, OpenCaseRequest, TraceAbsenceRequest, WriteReportRequest, absence,
    case, case_report, report_step, suspension, trace,
};
use tests::city::{City, Door};
use tests::town::{CITY, DISTRICT, school, school_path};
use tests::until;

use super::{FEVERISH, HERE, SUSPENDED, district, doctor, missing};
use crate::checks::{finding, reporter, submit, zero};
use crate::verbs::{enter, request_id};

/// The reporter reaches the family of the pupil who was away: ill, which the doctor uploads. Gives
/// the absence.
pub(super) async fn an_absence_is_traced(city: &City) -> String {
    let mut own = AbsenceServiceClient::new(reporter(city, HERE, FEVERISH));
    let request = ListAbsencesRequest {
        scope: city.town.class_group(HERE, FEVERISH),
        ..ListAbsencesRequest::default()
    };
    let listed = own.list_absences(request).await.expect("absences");
    let [away] = &listed.into_inner().absences[..] else {
        panic!("one absence");
    };
    assert_eq!(away.person, city.student(HERE, FEVERISH, 20));
    assert_eq!(
        (away.state(), away.reason()),
        (absence::State::Open, AbsenceReason::Unknown)
    );
    let request = TraceAbsenceRequest {
        name: away.name.clone(),
        outcome: trace::Outcome::Reached.into(),
        reason: AbsenceReason::Illness.into(),
        illness: Some(Illness {
            symptoms: vec![Symptom::Cough.into()],
            ..Illness::default()
        }),
        note: "电话联系".to_owned(),
        request_id: request_id(),
    };
    let traced = own.trace_absence(request).await.expect("is traced");
    let traced = traced.into_inner();
    assert_eq!(traced.state(), absence::State::Traced);
    assert_eq!(traced.illness, None, "the class sees no illness");
    let request = ConfirmUploadRequest {
        name: away.name.clone(),
        request_id: request_id(),
    };
    let mut doctor = AbsenceServiceClient::new(doctor(city));
    let uploaded = doctor.confirm_upload(request).await;
    let uploaded = uploaded.expect("is uploaded").into_inner();
    assert!(uploaded.illness.is_some() && uploaded.upload_time.is_some());
    away.name.clone()
}

/// Two of a class group with hand, foot and mouth disease: a rule proposes to suspend it, the
/// district approves, and every service hears of it (rules 1.21, 1.22). Gives the suspension.
pub(super) async fn a_suspension_is_approved(city: &City) -> String {
    let class_group = city.town.class_group(HERE, SUSPENDED);
    let hfmd = |place| CheckFinding {
        preliminary_disease: Disease::Hfmd.into(),
        ..finding(city.student(HERE, SUSPENDED, place), Symptom::Rash, 0)
    };
    let check = CheckSubmission {
        findings: vec![hfmd(1), hfmd(2)],
        ..zero(&city.town, HERE, SUSPENDED, Slot::Morning)
    };
    let submitted = submit(&reporter(city, HERE, SUSPENDED), &check).await;
    submitted.expect("submitted");
    assert_eq!(missing(city, Slot::Morning).await, Vec::<String>::new());

    let mut above = SuspensionServiceClient::new(district(city));
    let request = ListSuspensionsRequest {
        organization: format!("organizations/{DISTRICT}"),
        state: suspension::State::Proposed.into(),
        ..ListSuspensionsRequest::default()
    };
    let listed = above.list_suspensions(request).await.expect("suspensions");
    let [proposed] = &listed.into_inner().suspensions[..] else {
        panic!("one proposal");
    };
    assert_eq!(proposed.rule, "suspend-4-class");
    assert_eq!(
        (proposed.class_group.as_str(), proposed.suspend_days),
        (class_group.as_str(), 10)
    );
    assert_eq!(
        teaching_mode(city).await,
        TeachingMode::InPerson,
        "a human decides"
    );
    let name = proposed.name.clone();
    let request = DecideSuspensionRequest {
        name: name.clone(),
        decision: Decision::Approve.into(),
        decided_by: "王主任".to_owned(),
        reason: "手足口病聚集".to_owned(),
        advice: "县疾控建议停课".to_owned(),
        request_id: request_id(),
        ..DecideSuspensionRequest::default()
    };
    let decided = above.decide_suspension(request.clone()).await;
    let decided = decided.expect("is decided").into_inner();
    let again = above.decide_suspension(request).await;
    assert_eq!(decided, again.expect("is answered again").into_inner());

    until("the roster suspends the class group", || async {
        (teaching_mode(city).await == TeachingMode::Suspended).then_some(())
    })
    .await;
    until("the suspension is in force", || async {
        let request = GetSuspensionRequest { name: name.clone() };
        let read = above.clone().get_suspension(request).await;
        let read = read.expect("a suspension").into_inner();
        (read.state() == suspension::State::InForce).then_some(())
    })
    .await;
    until("the gate keeps the class group out", || async {
        let decision = enter(city, HERE, city.student(HERE, SUSPENDED, 3)).await;
        let mut reasons = decision.reasons.iter();
        reasons
            .any(|why| why.code() == Why::ClassNotInPerson)
            .then_some(())
    })
    .await;
    until("nothing is expected of the class group", || async {
        let missing = missing(city, Slot::Noon).await;
        (missing == [city.town.class_group(HERE, FEVERISH)]).then_some(())
    })
    .await;
    name
}

async fn teaching_mode(city: &City) -> TeachingMode {
    let request = GetClassGroupRequest {
        name: city.town.class_group(HERE, SUSPENDED),
    };
    let mut client = ClassGroupServiceClient::new(city.door(Role::CityOfficer, CITY));
    let read = client.get_class_group(request).await;
    read.expect("a class group").into_inner().teaching_mode()
}

/// The check that named a disease opened a case, so that nobody opens a second one. The school reports
/// it, disease control receives it and takes it away as a document, which is written down. Gives the
/// case.
pub(super) async fn a_case_goes_up(city: &City) -> String {
    let control = city.door(Role::DiseaseControl, CITY);
    let ill = city.student(HERE, SUSPENDED, 1).to_owned();
    let mut cases = CaseServiceClient::new(doctor(city));
    let request = ListCasesRequest {
        organization: format!("organizations/{}", school(HERE)),
        disease: Disease::Hfmd.into(),
        ..ListCasesRequest::default()
    };
    let opened = cases.list_cases(request).await.expect("cases").into_inner();
    let mut opened = opened.cases.into_iter();
    let opened = opened.find(|case| case.person == ill);
    let opened = opened.expect("the check opened a case");
    assert_eq!(opened.detection(), case::Detection::Check);
    assert_eq!(opened.certainty(), case::Certainty::Suspected);
    let name = opened.name;
    let request = OpenCaseRequest {
        person: ill,
        disease: Disease::Hfmd.into(),
        detection: case::Detection::Check.into(),
        request_id: request_id(),
        ..OpenCaseRequest::default()
    };
    let second = cases.open_case(request).await.expect_err("a second one");
    assert_eq!(second.code(), tonic::Code::AlreadyExists);

    let report = CaseReport {
        kind: case_report::Kind::First.into(),
        place: "三年（2）班教室".to_owned(),
        suspected_count: 1,
        measures: "已隔离，教室终末消毒".to_owned(),
        contact_post: "学校疫情报告人".to_owned(),
        ..CaseReport::default()
    };
    let request = WriteReportRequest {
        case: name.clone(),
        report: Some(report),
        request_id: request_id(),
    };
    let reporter = city.door(Role::EpidemicReporter, &school_path(HERE));
    let mut reports = ReportServiceClient::new(reporter);
    let written = reports.write_report(request).await.expect("is written");
    assert!(!written.into_inner().late);
    let beside = receive(district(city), &name).await;
    assert_eq!(beside, report_step::Kind::ReceivedBeside, "a bureau");
    let received = receive(control.clone(), &name).await;
    assert_eq!(received, report_step::Kind::Received);
    let request = GetCaseRequest { name: name.clone() };
    let known = cases.get_case(request).await.expect("a case").into_inner();
    assert!(known.hops[0].receive_time.is_some() && !known.late);

    let purpose = "流行病学调查";
    let request = ExportCaseRequest {
        name: name.clone(),
        format: ExportFormat::Json.into(),
        purpose: purpose.to_owned(),
    };
    let parts = CaseServiceClient::new(control).export_case(request).await;
    let mut parts = parts.expect("a document").into_inner();
    let mut document = Vec::new();
    while let Some(part) = parts.message().await.expect("all of it") {
        document.extend(part.content);
    }
    let document = String::from_utf8(document).expect("UTF-8");
    assert!(document.contains("reports") && !document.contains("学生02"));
    let request = ListCaseExportsRequest {
        case: name.clone(),
        ..ListCaseExportsRequest::default()
    };
    let log = cases.list_case_exports(request).await.expect("a log");
    let [line] = &log.into_inner().case_exports[..] else {
        panic!("one line");
    };
    assert_eq!(
        (line.actor.as_str(), line.purpose.as_str()),
        ("test-disease-control", purpose)
    );
    assert_eq!(line.sha256.len(), 64);
    name
}

/// Notes that the county has the first report of a case.
async fn receive(door: Door, case: &str) -> report_step::Kind {
    let request = AcknowledgeReportRequest {
        case: case.to_owned(),
        level: Level::CountyHealth.into(),
        request_id: request_id(),
        ..AcknowledgeReportRequest::default()
    };
    let mut reports = ReportServiceClient::new(door);
    let received = reports.acknowledge_report(request).await;
    received.expect("is received").into_inner().kind()
}
