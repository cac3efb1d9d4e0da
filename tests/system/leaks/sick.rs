//! Pupils of both schools are drawn, a tube is positive, a class has fevers, and disease control steps in.

use kit::auth::Role;
use proto::roster::check_policy::Slot;
use proto::roster::{Disease, Symptom};
use proto::sampling::case_service_client::CaseServiceClient;
use proto::sampling::clearance::Control;
use proto::sampling::control_service_client::ControlServiceClient;
use proto::sampling::environment_service_client::EnvironmentServiceClient;
use proto::sampling::plan_service_client::PlanServiceClient;
use proto::sampling::report_service_client::ReportServiceClient;
use proto::sampling::sampling_point::Kind as PointKind;
use proto::sampling::shared_group_service_client::SharedGroupServiceClient;
use proto::sampling::{
    AbsenceReason, AddContactsRequest, CaseContact, CaseReport, CheckAbsence, CheckFinding,
    CheckSubmission, ContactKind, CreatePlanRequest, CreateSamplingPointRequest, OpenCaseRequest,
    PlaceControlsRequest, PoolType, ResultValue, SamplingPlan, SamplingPoint,
    SetSharedGroupRequest, SubjectType, WriteReportRequest, assignment, case, case_report,
    control_measure, sampling_plan, shared_group,
};
use tests::town::CITY;

use super::day::{at, disease_control, draw_of, one, today, tube_of};
use crate::checks::{finding, reporter, submit, three_fevers};
use crate::region::Region;
use crate::safety::people::{call, organization};
use crate::tubes::{Use, Way};
use crate::verbs::{assignments, draw_city, request_id};

/// The class group with fevers; the other one has the case.
pub(super) const FEVERISH: u32 = 2;
/// The pupil with the case.
const PATIENT: u32 = 6;

/// Every school of the city is drawn.
pub(super) async fn are_drawn(region: &Region) {
    let plan = CreatePlanRequest {
        plan: Some(SamplingPlan {
            display_name: "每日抽样".to_owned(),
            kind: sampling_plan::Kind::StudentRotation.into(),
            organization: format!("organizations/{CITY}"),
            start_date: today(region),
            ..SamplingPlan::default()
        }),
        plan_id: "daily".to_owned(),
        request_id: request_id(),
    };
    let officer = region.officer("clerk");
    let planned = call!(PlanServiceClient, officer.clone(), create_plan, plan);
    planned.expect("a plan is made");
    draw_city(officer, "daily").await.expect("is drawn");
}

/// What happens at one school.
pub(super) async fn fall_ill(region: &Region, school: u32) {
    a_tube_is_positive(region, school).await;
    a_class_reports(region, school).await;
    a_case_is_known(region, school).await;
    a_bus_is_shared(region, school).await;
    a_place_is_sampled(region, school).await;
    a_region_is_closed(region, school).await;
}

async fn a_tube_is_positive(region: &Region, school: u32) {
    let (draw, code) = (draw_of(region, school), tube_of(school));
    let called = assignments(region.officer("clerk"), &draw).await;
    let called = called.expect("assignments");
    let class_group = called[0].class_group.clone();
    let drawn = called
        .into_iter()
        .filter(|one| one.class_group == class_group && one.state() == assignment::State::Assigned);
    let people: Vec<String> = drawn.map(|one| one.person).collect();
    let way = Way::new(&region.city, school);
    let issued = way.issue(one(&code), PoolType::P10).await;
    issued.expect("a tube is issued");
    let to = Use::ClassGroup(&class_group, &draw);
    let brought = way.bring(&code, to, &people).await;
    brought.expect("it reaches the laboratory");
    let positive = way.submit(one(&(code, ResultValue::Positive))).await;
    assert!(positive.expect("a result")[0].accepted);
}

/// Three with a fever, two with hand, foot and mouth disease, and one who is not there.
async fn a_class_reports(region: &Region, school: u32) {
    let fevers = three_fevers(&region.city, school, FEVERISH, Slot::Morning);
    let pupil = |place| region.city.student(school, FEVERISH, place);
    let hfmd = |place| CheckFinding {
        preliminary_disease: Disease::Hfmd.into(),
        ..finding(pupil(place), Symptom::Rash, 0)
    };
    let mut findings = fevers.findings.clone();
    findings.extend([hfmd(4), hfmd(5)]);
    let check = CheckSubmission {
        check_date: today(region),
        present_count: fevers.roll_count - 1,
        absent_count: 1,
        absences: vec![CheckAbsence {
            person: pupil(6).to_owned(),
            reason: AbsenceReason::Unknown.into(),
        }],
        findings,
        ..fevers
    };
    let submitted = submit(&reporter(&region.city, school, FEVERISH), &check).await;
    submitted.expect("is submitted");
}

async fn a_case_is_known(region: &Region, school: u32) {
    let doctor = at(region, school, Role::SchoolDoctor);
    let open = OpenCaseRequest {
        person: region.city.student(school, 1, PATIENT).to_owned(),
        disease: Disease::Covid19.into(),
        detection: case::Detection::Hospital.into(),
        request_id: request_id(),
        ..OpenCaseRequest::default()
    };
    let opened = call!(CaseServiceClient, doctor.clone(), open_case, open);
    let case = opened.expect("is opened").name;
    let report = WriteReportRequest {
        case: case.clone(),
        report: Some(CaseReport {
            kind: case_report::Kind::First.into(),
            place: "三年（1）班教室".to_owned(),
            suspected_count: 1,
            measures: "已隔离，教室终末消毒".to_owned(),
            contact_post: "学校疫情报告人".to_owned(),
            ..CaseReport::default()
        }),
        request_id: request_id(),
    };
    let own = at(region, school, Role::EpidemicReporter);
    let written = call!(ReportServiceClient, own, write_report, report);
    written.expect("is written");
    let add = AddContactsRequest {
        case,
        contacts: vec![CaseContact {
            person: region.city.student(school, 1, 5).to_owned(),
            kind: ContactKind::ClassGroup.into(),
            last_contact_date: today(region),
            ..CaseContact::default()
        }],
        request_id: request_id(),
    };
    let added = call!(CaseServiceClient, doctor, add_contacts, add);
    added.expect("a contact");
}

async fn a_bus_is_shared(region: &Region, school: u32) {
    let members = [1, 2].map(|class| shared_group::Member {
        person: region.city.student(school, class, 1).to_owned(),
        ..shared_group::Member::default()
    });
    let bus = SetSharedGroupRequest {
        name: format!("{}/sharedGroups/bus-{school}", organization(school)),
        kind: shared_group::Kind::Bus.into(),
        display_name: "三号线".to_owned(),
        members: members.into(),
        request_id: request_id(),
        ..SetSharedGroupRequest::default()
    };
    let doctor = at(region, school, Role::SchoolDoctor);
    let said = call!(SharedGroupServiceClient, doctor, set_shared_group, bus);
    said.expect("is said");
}

async fn a_place_is_sampled(region: &Region, school: u32) {
    let point = CreateSamplingPointRequest {
        sampling_point: Some(SamplingPoint {
            display_name: "食堂案板".to_owned(),
            organization: organization(school),
            kind: PointKind::Canteen.into(),
            subject_type: SubjectType::Environment.into(),
            ..SamplingPoint::default()
        }),
        request_id: request_id(),
    };
    let doctor = at(region, school, Role::SchoolDoctor);
    let made = call!(
        EnvironmentServiceClient,
        doctor,
        create_sampling_point,
        point
    );
    made.expect("a point");
}

async fn a_region_is_closed(region: &Region, school: u32) {
    let place = PlaceControlsRequest {
        people: vec![region.city.student(school, 1, 3).to_owned()],
        control: Control::RegionRestricted.into(),
        setting: control_measure::Setting::ClosedRegion.into(),
        basis_document: "区疫指〔2022〕15号".to_owned(),
        reason: "居住小区划为封控区".to_owned(),
        request_id: request_id(),
        ..PlaceControlsRequest::default()
    };
    let control = disease_control(region);
    let placed = call!(ControlServiceClient, control, place_controls, place);
    placed.expect("is placed");
}
