//! The same of what is known of health: tubes, absences, cases, contacts and checks of the second school that
//! name pupils, classes, draws and holds of the first one.

use kit::auth::Role;
use proto::roster::check_policy::Slot;
use proto::roster::{Disease, Symptom};
use proto::sampling::absence_service_client::AbsenceServiceClient;
use proto::sampling::case_service_client::CaseServiceClient;
use proto::sampling::draw_service_client::DrawServiceClient;
use proto::sampling::shared_group_service_client::SharedGroupServiceClient;
use proto::sampling::{
    Absence, AbsenceReason, AddContactsRequest, CaseContact, CheckSubmission, ContactKind,
    ListAssignmentsRequest, ListCandidateContactsRequest, OpenCaseRequest, PoolType,
    RecordAbsenceRequest, ReplaceAssignmentRequest, SetSharedGroupRequest, case, shared_group,
};
use tonic::Code;

use super::day::{SIBLING, VICTIM, at, draw_of, one, today};
use super::known::Known;
use super::second::{RESTRICTED, WELL, only_own};
use crate::checks::{finding, reporter, submit, zero};
use crate::region::Region;
use crate::safety::people::{call, organization};
use crate::tubes::{Use, Way};
use crate::verbs::{denied, expect, request_id, told};

/// The tube that the second school opens.
const TUBE: &str = "L02-9";

/// A tube for a class, a draw and a hold; and whose swab it takes.
pub(super) async fn tubes_keep_apart(region: &Region, known: &Known) {
    let way = Way::new(&region.city, SIBLING);
    let issued = way.issue(one(&TUBE.to_owned()), PoolType::P10).await;
    issued.expect("a tube is issued");
    let holds = known.names.get("holds/*").into_iter().flatten();
    let mut held = 0;
    for hold in holds {
        let opened = way.open(TUBE, Use::Hold(hold), &request_id()).await;
        denied("a tube for a hold of another school", opened);
        held += 1;
    }
    assert!(held > 0, "somebody is held");

    let [foreign, class] = [VICTIM, SIBLING].map(|of| region.city.town.class_group(of, 1));
    let [foreign_draw, draw] = [VICTIM, SIBLING].map(|of| draw_of(region, of));
    let opened = way
        .open(TUBE, Use::ClassGroup(&class, &foreign_draw), &request_id())
        .await;
    let invalid = (Code::InvalidArgument, "INVALID_FIELD");
    expect("a draw of another school", opened, invalid.0, invalid.1);
    let theirs = way
        .open(TUBE, Use::ClassGroup(&foreign, &draw), &request_id())
        .await;
    let own = way
        .open(TUBE, Use::ClassGroup(&class, &draw), &request_id())
        .await;
    only_own("a tube for a class", theirs, own);

    let mut answers = Vec::new();
    for (class, place) in [RESTRICTED, WELL] {
        let person = region.city.student(VICTIM, class, place);
        let swab = way.swab(TUBE, person).await;
        answers.push(swab.map(drop).map_err(|refused| told(&refused)));
    }
    assert!(answers.iter().all(Result::is_err), "{answers:?}");
    assert_eq!(answers[0], answers[1]);

    let drawn = |of: &str| ListAssignmentsRequest {
        draw: draw.clone(),
        class_group: of.to_owned(),
        ..ListAssignmentsRequest::default()
    };
    let doctor = at(region, SIBLING, Role::SchoolDoctor);
    let [theirs, own] = [drawn(&foreign), drawn(&class)];
    let theirs = call!(DrawServiceClient, doctor.clone(), list_assignments, theirs);
    let own = call!(DrawServiceClient, doctor.clone(), list_assignments, own);
    only_own("who is called of a class", theirs, own);
    let replace = ReplaceAssignmentRequest {
        draw,
        absent: region.city.student(VICTIM, 1, 1).to_owned(),
        request_id: request_id(),
    };
    let replaced = call!(DrawServiceClient, doctor, replace_assignment, replace);
    let (code, reason) = told(&replaced.expect_err("is not called"));
    assert_eq!(reason, "NOT_ASSIGNED", "{code:?}");
}

/// Absences, cases with their contacts, and groups.
pub(super) async fn cases_keep_apart(region: &Region) {
    let doctor = at(region, SIBLING, Role::SchoolDoctor);
    let person = |of: u32, place: u32| region.city.student(of, 1, place).to_owned();
    let record = |of: u32| RecordAbsenceRequest {
        absence: Some(Absence {
            person: person(of, 2),
            reason: AbsenceReason::Personal.into(),
            start_date: today(region),
            ..Absence::default()
        }),
        request_id: request_id(),
        ..RecordAbsenceRequest::default()
    };
    let [theirs, own] = [record(VICTIM), record(SIBLING)];
    let theirs = call!(AbsenceServiceClient, doctor.clone(), record_absence, theirs);
    let own = call!(AbsenceServiceClient, doctor.clone(), record_absence, own);
    only_own("an absence", theirs, own);

    let open = |of: u32| OpenCaseRequest {
        person: person(of, 4),
        disease: Disease::Covid19.into(),
        detection: case::Detection::Hospital.into(),
        request_id: request_id(),
        ..OpenCaseRequest::default()
    };
    let [theirs, own] = [open(VICTIM), open(SIBLING)];
    let theirs = call!(CaseServiceClient, doctor.clone(), open_case, theirs);
    let own = call!(CaseServiceClient, doctor.clone(), open_case, own);
    let case = only_own("a case", theirs, own).name;

    let add = |of: u32| AddContactsRequest {
        case: case.clone(),
        contacts: vec![CaseContact {
            person: person(of, 5),
            kind: ContactKind::ClassGroup.into(),
            last_contact_date: today(region),
            ..CaseContact::default()
        }],
        request_id: request_id(),
    };
    let [theirs, own] = [add(VICTIM), add(SIBLING)];
    let theirs = call!(CaseServiceClient, doctor.clone(), add_contacts, theirs);
    let own = call!(CaseServiceClient, doctor.clone(), add_contacts, own);
    only_own("a contact", theirs, own);

    let met = |of: u32| ListCandidateContactsRequest {
        case: case.clone(),
        via: person(of, 5),
        ..ListCandidateContactsRequest::default()
    };
    let [theirs, own] = [met(VICTIM), met(SIBLING)];
    let theirs = call!(
        CaseServiceClient,
        doctor.clone(),
        list_candidate_contacts,
        theirs
    );
    let own = call!(
        CaseServiceClient,
        doctor.clone(),
        list_candidate_contacts,
        own
    );
    only_own("whom a contact met", theirs, own);

    let share = |of: u32| SetSharedGroupRequest {
        name: format!("{}/sharedGroups/meal-9", organization(SIBLING)),
        kind: shared_group::Kind::Meal.into(),
        display_name: "第二批就餐".to_owned(),
        members: vec![shared_group::Member {
            person: person(of, 2),
            ..shared_group::Member::default()
        }],
        request_id: request_id(),
        ..SetSharedGroupRequest::default()
    };
    let [theirs, own] = [share(VICTIM), share(SIBLING)];
    let theirs = call!(
        SharedGroupServiceClient,
        doctor.clone(),
        set_shared_group,
        theirs
    );
    let own = call!(SharedGroupServiceClient, doctor, set_shared_group, own);
    only_own("a group", theirs, own);
}

/// Whom a class's check is about.
pub(super) async fn checks_keep_apart(region: &Region) {
    let check = |of: u32| CheckSubmission {
        check_date: today(region),
        findings: vec![finding(region.city.student(of, 1, 1), Symptom::Cough, 0)],
        ..zero(&region.city.town, SIBLING, 1, Slot::Morning)
    };
    let reporter = reporter(&region.city, SIBLING, 1);
    let theirs = submit(&reporter, &check(VICTIM)).await;
    let own = submit(&reporter, &check(SIBLING)).await;
    only_own("a check", theirs, own);
}
