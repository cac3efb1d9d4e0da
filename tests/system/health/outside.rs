//! What disease control and the district do from outside on the day of health: a region is restricted
//! and opened, rules are tried, contacts are found and confirmed, staffing is seen.

use std::time::Instant;

use kit::auth::Role;
use kit::field::to_date;
use proto::roster::Disease;
use proto::roster::cluster_policy::Scope;
use proto::safety::gate_decision::Result as Outcome;
use proto::sampling::case_service_client::CaseServiceClient;
use proto::sampling::clearance::Control;
use proto::sampling::cluster_rule::{Condition, Counted, Criterion};
use proto::sampling::cluster_service_client::ClusterServiceClient;
use proto::sampling::control_service_client::ControlServiceClient;
use proto::sampling::coverage_service_client::CoverageServiceClient;
use proto::sampling::shared_group_service_client::SharedGroupServiceClient;
use proto::sampling::simulated_cluster::Outcome as Simulated;
use proto::sampling::{
    AddContactsRequest, CaseContact, ClusterRule, ContactKind, LiftControlRequest,
    ListCandidateContactsRequest, ListHealthStaffingRequest, OpenCaseRequest, PlaceControlsRequest,
    SetSharedGroupRequest, SimulateClustersRequest, case, case_contact, control_measure,
    shared_group,
};
use tests::city::{City, Door};
use tests::town::{CITY, DISTRICT, school};
use tests::until;
use tonic::Code;

use super::{FEVERISH, HERE, SOON, SUSPENDED, district, doctor};
use crate::verbs::{denied, enter, expect, request_id};

/// Pupils of whom nothing else is told: one in a closed region, and the patient of a case.
const CLOSED_IN: u32 = 11;
const PATIENT: u32 = 12;

fn disease_control(city: &City) -> Door {
    city.door(Role::DiseaseControl, &format!("{CITY}/{DISTRICT}"))
}

/// Disease control restricts a region, and the gate hears within a second; the district lifts it, and the gate
/// waits for the days after it.
pub(super) async fn a_region_is_closed_and_opened(city: &City) {
    let pupil = city.student(HERE, FEVERISH, CLOSED_IN);
    let request = PlaceControlsRequest {
        people: vec![pupil.to_owned()],
        control: Control::RegionRestricted.into(),
        setting: control_measure::Setting::ClosedRegion.into(),
        basis_document: "区疫指〔2022〕15号".to_owned(),
        reason: "居住小区划为封控区".to_owned(),
        request_id: request_id(),
        ..PlaceControlsRequest::default()
    };
    let mut here = ControlServiceClient::new(doctor(city));
    denied("a school", here.place_controls(request.clone()).await);
    let mut control = ControlServiceClient::new(disease_control(city));
    let placed = control.place_controls(request).await.expect("is placed");
    let [measure] = &placed.into_inner().control_measures[..] else {
        panic!("one control");
    };
    let begun = Instant::now();
    until("the gate denies", || async {
        let decision = enter(city, HERE, pupil).await;
        (decision.effective_result() == Outcome::Deny).then_some(())
    })
    .await;
    assert!(begun.elapsed() < SOON, "after {:?}", begun.elapsed());
    let request = LiftControlRequest {
        name: measure.name.clone(),
        reason: "封控区解除".to_owned(),
        request_id: request_id(),
    };
    let mut above = ControlServiceClient::new(district(city));
    let lifted = above.lift_control(request.clone()).await;
    let lifted = lifted.expect("is lifted").into_inner();
    assert_eq!(lifted.state(), control_measure::State::Lifted);
    let twice = LiftControlRequest {
        request_id: request_id(),
        ..request
    };
    expect(
        "a second time",
        above.lift_control(twice).await,
        Code::FailedPrecondition,
        "CONTROL_STATE",
    );
    // Whoever was in it watches the own health before the return (rule 4.9).
    let decision = enter(city, HERE, pupil).await;
    assert_eq!(decision.effective_result(), Outcome::Deny);
}

/// The district tries a rule on the day before it is activated (rule 1.15).
pub(super) async fn rules_are_tried(city: &City) {
    let today = Some(to_date(city.town.today));
    let rule = ClusterRule {
        code: "tried-fevers".to_owned(),
        scope: Scope::ClassGroup.into(),
        criterion: Some(Criterion::SymptomGroup(1)),
        conditions: vec![Condition {
            counted: Counted::Cases.into(),
            window_days: 1,
            count: 2,
            ..Condition::default()
        }],
        ..ClusterRule::default()
    };
    let request = SimulateClustersRequest {
        organization: format!("organizations/{DISTRICT}"),
        start_date: today,
        end_date: today,
        rules: vec![rule],
    };
    let mut here = ClusterServiceClient::new(doctor(city));
    denied("a school", here.simulate_clusters(request.clone()).await);
    let mut above = ClusterServiceClient::new(district(city));
    let replayed = above.simulate_clusters(request).await.expect("a replay");
    let replayed = replayed.into_inner();
    let tried: Vec<_> = replayed
        .clusters
        .iter()
        .filter(|one| one.outcome() == Simulated::OnlyTried)
        .map(|one| (one.rule.as_str(), one.class_group.clone()))
        .collect();
    let class = city.town.class_group(HERE, FEVERISH);
    assert_eq!(tried, [("tried-fevers", class)]);
    assert!(replayed.only_in_force_count > 0, "{replayed:?}");
}

/// The doctor says who shares a bus; disease control finds whom the patient and a contact met, and
/// nobody is a contact before a human says so.
pub(super) async fn contacts_are_found_and_confirmed(city: &City) {
    let patient = city.student(HERE, FEVERISH, PATIENT).to_owned();
    let fellow = city.student(HERE, SUSPENDED, PATIENT).to_owned();
    let member = |person: &String| shared_group::Member {
        person: person.clone(),
        ..shared_group::Member::default()
    };
    let bus = SetSharedGroupRequest {
        name: format!("organizations/{}/sharedGroups/bus-3", school(HERE)),
        kind: shared_group::Kind::Bus.into(),
        display_name: "三号线".to_owned(),
        members: vec![member(&patient), member(&fellow)],
        request_id: request_id(),
        ..SetSharedGroupRequest::default()
    };
    let mut groups = SharedGroupServiceClient::new(doctor(city));
    groups.set_shared_group(bus).await.expect("is said");
    let request = OpenCaseRequest {
        person: patient,
        disease: Disease::Covid19.into(),
        detection: case::Detection::Hospital.into(),
        request_id: request_id(),
        ..OpenCaseRequest::default()
    };
    let mut cases = CaseServiceClient::new(disease_control(city));
    let opened = cases.open_case(request).await.expect("is opened");
    let case = opened.into_inner().name;
    let asking = |via: &str| ListCandidateContactsRequest {
        case: case.clone(),
        via: via.to_owned(),
        page_size: 1000,
        ..ListCandidateContactsRequest::default()
    };
    let found = cases.list_candidate_contacts(asking("")).await;
    let found = found.expect("candidates").into_inner().candidate_contacts;
    let of_bus = found.iter().find(|one| one.person == fellow);
    let kinds: Vec<_> = of_bus.expect("of the same bus").kinds().collect();
    assert_eq!(kinds, [ContactKind::Bus]);
    let add = AddContactsRequest {
        case: case.clone(),
        contacts: vec![CaseContact {
            person: fellow.clone(),
            kind: ContactKind::Bus.into(),
            last_contact_date: Some(to_date(city.town.today)),
            ..CaseContact::default()
        }],
        request_id: request_id(),
    };
    cases.add_contacts(add).await.expect("is confirmed");
    let second = cases.list_candidate_contacts(asking(&fellow)).await;
    let second = second.expect("candidates").into_inner().candidate_contacts;
    assert!(
        second
            .iter()
            .all(|one| one.degree() == case_contact::Degree::Secondary && one.via == fellow)
    );
    let classmates = city.town.students as usize - 1;
    assert_eq!(second.len(), classmates, "the class group of the contact");
}

/// No school of the town has a health technician, which bureaus see and is no bar (rule 1.9).
pub(super) async fn staffing_is_seen(city: &City) {
    let request = ListHealthStaffingRequest {
        parent: format!("organizations/{DISTRICT}"),
        lacking: true,
        ..ListHealthStaffingRequest::default()
    };
    let mut above = CoverageServiceClient::new(district(city));
    let listed = above.list_health_staffing(request).await;
    let listed = listed.expect("schools").into_inner().health_staffing;
    let schools = city.town.schools as usize;
    assert_eq!(listed.len(), schools);
    let one = &listed[0];
    assert_eq!(
        (one.required_count, one.lacking_count, one.full_time),
        (1, 1, false)
    );
    assert!(!one.source.is_empty());
}
