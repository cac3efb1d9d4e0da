//! Contacts of a case: found, controlled, and free again (rules 2.19, 2.21).

use std::collections::BTreeMap;

use proto::roster::check_policy::Slot;
use proto::roster::{Disease, Symptom};
use proto::sampling::case_contact::{Control, Degree};
use proto::sampling::check_finding::SevereSign;
use proto::sampling::{
    AddContactsRequest, CaseContact, CheckFinding, ConfirmCaseRequest, ContactKind,
    ListCandidateContactsRequest, ListContactsRequest, OpenCaseRequest, RemoveContactRequest,
    ResultValue, case_contact,
};
use tonic::{Code, Status};

use super::cases::{
    close, disease_control, doctor, get, of_person, open, positive_single, rule_out,
};
use super::screening_site::{self, FIRST, finding, group};
use super::site::{Site, refused};
use super::town::{SCHOOL, on_both_databases, reason, student};

on_both_databases!(
    candidates_are_found_in_class_tube_and_neighbouring_tubes,
    contacts_are_controlled_until_their_day_ends,
    the_contact_rule_takes_over_from_the_hold,
    contacts_of_other_diseases_are_listed_only,
    contacts_are_controlled_once_the_disease_is_known,
    contacts_are_controlled_when_another_disease_is_confirmed,
    contacts_are_controlled_again_when_the_case_is,
);

pub(crate) fn contact(site: &Site, number: u32) -> CaseContact {
    CaseContact {
        person: student(number),
        kind: ContactKind::Seat.into(),
        last_contact_date: Some(site.0.date()),
        ..Default::default()
    }
}

pub(crate) async fn add(
    site: &Site,
    case: &str,
    contacts: Vec<CaseContact>,
) -> Result<Vec<CaseContact>, Status> {
    let request = AddContactsRequest {
        case: case.to_owned(),
        contacts,
        ..Default::default()
    };
    let added = doctor(site).add_contacts(request).await?;
    Ok(added.into_inner().contacts)
}

async fn list(site: &Site, case: &str) -> Vec<CaseContact> {
    let request = ListContactsRequest {
        case: case.to_owned(),
        ..Default::default()
    };
    let found = doctor(site).list_contacts(request).await;
    found.expect("contacts").into_inner().contacts
}

async fn candidates_are_found_in_class_tube_and_neighbouring_tubes(
    database: kit::scratch::Scratch,
) {
    let site = Site::open(database).await;
    for (code, people) in [
        ("FZ-0001", 10..12),
        ("FZ-0002", 0..3),
        ("FZ-0003", 20..21),
        ("FZ-0004", 30..31),
    ] {
        site.filled(code, people).await;
    }
    let request = OpenCaseRequest {
        onset_date: Some(site.0.date()),
        ..of_person(1, Disease::Covid19)
    };
    let case = open(&site, request).await;
    let mut found: BTreeMap<String, Vec<ContactKind>> = BTreeMap::new();
    let mut page_token = String::new();
    loop {
        let request = ListCandidateContactsRequest {
            case: case.name.clone(),
            page_size: 20,
            page_token,
            via: String::new(),
        };
        let page = doctor(&site).list_candidate_contacts(request).await;
        let page = page.expect("candidates").into_inner();
        for one in &page.candidate_contacts {
            found.insert(one.person.clone(), one.kinds().collect());
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    use ContactKind as K;
    assert_eq!(found.len(), 44, "the class without the person");
    let kinds = |number: u32| found[&student(number)].clone();
    assert_eq!(kinds(0), [K::ClassGroup, K::Tube]);
    assert_eq!(
        kinds(10),
        [K::ClassGroup, K::NeighbourTube],
        "sealed right before"
    );
    assert_eq!(
        kinds(20),
        [K::ClassGroup, K::NeighbourTube],
        "sealed right after"
    );
    assert_eq!(kinds(30), [K::ClassGroup], "two tubes on");
}

async fn contacts_are_controlled_until_their_day_ends(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let case = open(&site, of_person(1, Disease::Covid19)).await;
    let secondary = CaseContact {
        degree: Degree::Secondary.into(),
        kind: ContactKind::Family.into(),
        via: student(2),
        ..contact(&site, 3)
    };
    let contacts = vec![contact(&site, 2), secondary.clone(), contact(&site, 4)];
    let added = add(&site, &case.name, contacts.clone())
        .await
        .expect("added");
    let controls: Vec<_> = added.iter().map(CaseContact::control).collect();
    assert!(added.iter().all(|one| one.exit_negative));
    assert_eq!(
        controls,
        [
            Control::CloseContact,
            Control::SecondaryContact,
            Control::CloseContact
        ]
    );
    let again = add(&site, &case.name, contacts).await.expect("the same");
    assert_eq!(again, added, "naming them again changes nothing");
    assert_eq!(site.not_clear().await, 3);

    let myself = add(&site, &case.name, vec![contact(&site, 1)]).await;
    assert_eq!(
        myself.expect_err("the patient").code(),
        Code::InvalidArgument
    );
    let unknown = CaseContact {
        via: student(40),
        ..secondary
    };
    let unknown = add(&site, &case.name, vec![unknown]).await;
    assert_eq!(
        unknown.expect_err("via nobody").code(),
        Code::InvalidArgument
    );

    let remove = RemoveContactRequest {
        case: case.name.clone(),
        person: student(4),
        reason: "当日请假未到校".to_owned(),
        ..Default::default()
    };
    let school = doctor(&site).remove_contact(remove.clone()).await;
    assert_eq!(
        reason(&school.expect_err("not at the school")),
        (Code::PermissionDenied, "CASE_DECIDED_ABOVE".to_owned())
    );
    let removed = disease_control(&site)
        .remove_contact(remove.clone())
        .await
        .expect("removed");
    assert!(removed.into_inner().remove_time.is_some());
    let twice = disease_control(&site).remove_contact(remove).await;
    assert_eq!(twice.expect_err("gone").code(), Code::NotFound);
    assert_eq!(
        (site.not_clear().await, list(&site, &case.name).await.len()),
        (2, 3)
    );

    // Seven days for the contact of a contact, to the end of the civil day, and then a negative result of
    // a sample of the last 48 hours.
    let begin = kit::clock::start_of(site.0.today());
    negative(&site, "SG-0100", 3).await;
    site.0
        .clock
        .set(begin + chrono::Duration::days(8) - chrono::Duration::milliseconds(1));
    assert_eq!(site.not_clear().await, 2);
    site.0.clock.set(begin + chrono::Duration::days(8));
    site.single("SG-0101", "", 3).await;
    assert_eq!(site.not_clear().await, 2, "the first one is too old");
    assert!(site.report("SG-0101", 1, ResultValue::Negative).await.0);
    not_clear(&site, 1).await;
    doctor(&site)
        .close_case(close(&case.name))
        .await
        .expect("closed");
    assert_eq!(
        site.not_clear().await,
        1,
        "recovery does not end a contact's days"
    );
    site.0.clock.set(begin + chrono::Duration::days(21));
    negative(&site, "SG-0102", 2).await;
    assert_eq!(site.not_clear().await, 1, "their days are not over");
    site.0.clock.set(begin + chrono::Duration::days(22));
    not_clear(&site, 0).await;
}

/// Somebody is swabbed alone, with a negative result.
pub(crate) async fn negative(site: &Site, code: &str, number: u32) {
    site.single(code, "", number).await;
    assert!(site.report(code, 1, ResultValue::Negative).await.0);
}

/// Waits until so many people are not clear.
pub(crate) async fn not_clear(site: &Site, many: usize) {
    for _ in 0..400 {
        if site.not_clear().await == many {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{} are not clear, not {many}", site.not_clear().await);
}

async fn the_contact_rule_takes_over_from_the_hold(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    positive_single(&site).await;
    let case = super::cases::all(&site).await.remove(0);
    let added = add(&site, &case.name, vec![contact(&site, 0)])
        .await
        .expect("added");
    assert_eq!(added[0].control(), Control::CloseContact);
    assert_eq!(site.not_clear().await, 3);
    let request = RemoveContactRequest {
        case: case.name.clone(),
        person: student(0),
        reason: "未同场采样".to_owned(),
        ..Default::default()
    };
    disease_control(&site)
        .remove_contact(request)
        .await
        .expect("removed");
    assert_eq!(
        site.not_clear().await,
        2,
        "a human decided against the hold"
    );
    add(&site, &case.name, vec![contact(&site, 2)])
        .await
        .expect("added");
    disease_control(&site)
        .rule_out_case(rule_out(&case.name))
        .await
        .expect("ruled out");
    assert_eq!(site.not_clear().await, 0);
    let ended = list(&site, &case.name).await;
    let control = |number: u32| {
        let found = ended.iter().find(|one| one.person == student(number));
        found.map(CaseContact::control)
    };
    assert_eq!(control(2), Some(case_contact::Control::None));
    let late = add(&site, &case.name, vec![contact(&site, 5)]).await;
    assert_eq!(reason(&late.expect_err("closed")), refused("CASE_STATE"));
}

async fn contacts_of_other_diseases_are_listed_only(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let mumps = open(&site, of_person(1, Disease::Mumps)).await;
    let added = add(&site, &mumps.name, vec![contact(&site, 2)])
        .await
        .expect("added");
    assert_eq!(
        (added[0].control(), added[0].end_time),
        (Control::None, None)
    );
    assert_eq!(site.not_clear().await, 0);
    let varicella = open(&site, of_person(1, Disease::Varicella)).await;
    let added = add(&site, &varicella.name, vec![contact(&site, 2)])
        .await
        .expect("added");
    assert_eq!(added[0].control(), Control::Observation);
    assert_eq!(site.controls().await, [8], "a gate hears of it and admits");
    assert_eq!(get(&site, &varicella.name).await.person_count, 1);
}

async fn controls_of(site: &Site, case: &str) -> Vec<Control> {
    let contacts = list(site, case).await;
    contacts.iter().map(CaseContact::control).collect()
}

/// A check sees a severe sign, and a later one names the disease.
async fn contacts_are_controlled_once_the_disease_is_known(database: kit::scratch::Scratch) {
    let site = screening_site::Site::open(database).await;
    let scope = group(SCHOOL, FIRST);
    let severe = CheckFinding {
        severe_signs: vec![SevereSign::Dyspnoea.into()],
        ..finding(student(3), &[Symptom::Cough])
    };
    site.submit(&site.ill(&scope, Slot::Morning, vec![severe]))
        .await;
    let site = Site(site.0);
    let case = super::cases::all(&site).await.remove(0).name;
    let added = add(&site, &case, vec![contact(&site, 4)]).await;
    assert_eq!(added.expect("added")[0].control(), Control::None);
    let site = screening_site::Site(site.0);
    let named = CheckFinding {
        preliminary_disease: Disease::Covid19.into(),
        ..finding(student(3), &[Symptom::Cough])
    };
    site.submit(&site.ill(&scope, Slot::Noon, vec![named]))
        .await;
    let site = Site(site.0);
    assert_eq!(controls_of(&site, &case).await, [Control::CloseContact]);
    assert_eq!(site.controls().await.len(), 1);
}

async fn contacts_are_controlled_when_another_disease_is_confirmed(
    database: kit::scratch::Scratch,
) {
    let site = Site::open(database).await;
    let case = open(&site, of_person(1, Disease::Mumps)).await.name;
    add(&site, &case, vec![contact(&site, 2)])
        .await
        .expect("added");
    assert_eq!(controls_of(&site, &case).await, [Control::None]);
    let confirm = ConfirmCaseRequest {
        name: case.clone(),
        reason: "县疾控实验室确诊".to_owned(),
        disease: Disease::Covid19.into(),
        ..Default::default()
    };
    let confirmed = disease_control(&site).confirm_case(confirm).await;
    confirmed.expect("confirmed");
    assert_eq!(controls_of(&site, &case).await, [Control::CloseContact]);
}

/// Positive, corrected to negative, and positive again: whoever was removed stays free.
async fn contacts_are_controlled_again_when_the_case_is(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    positive_single(&site).await;
    let case = super::cases::all(&site).await.remove(0).name;
    add(&site, &case, vec![contact(&site, 20), contact(&site, 21)])
        .await
        .expect("added");
    let remove = RemoveContactRequest {
        case: case.clone(),
        person: student(21),
        reason: "当日请假未到校".to_owned(),
        ..Default::default()
    };
    let removed = disease_control(&site).remove_contact(remove).await;
    removed.expect("removed");
    assert_eq!(site.not_clear().await, 4);
    assert!(site.report("SG-0001", 2, ResultValue::Negative).await.0);
    assert_eq!(site.not_clear().await, 0);
    assert!(site.report("SG-0001", 3, ResultValue::Positive).await.0);
    assert_eq!(site.not_clear().await, 4, "three of the hold, one contact");
}
