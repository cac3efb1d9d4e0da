//! A disease that is found starts its case and clocks, and a confirmed case keeps its person away
//! (rules 1.13, 1.16, 1.18, 1.23).

use chrono::Duration;
use kit::auth::Role;
use kit::field::to_date;
use kit::scratch::Scratch;
use proto::roster::check_policy::Slot;
use proto::roster::{Disease, Symptom};
use proto::sampling::case::{Certainty, Detection, State as CaseState};
use proto::sampling::check_finding::SevereSign;
use proto::sampling::clearance::Medical;
use proto::sampling::health_state::State;
use proto::sampling::{
    AbsenceReason, Case, CheckFinding, ConfirmCaseRequest, ConfirmDiseaseRequest, Illness,
    OpenCaseRequest, RecordAbsenceRequest, ReferPersonRequest, ReleaseObservationRequest,
    RequestReturnRequest, RuleOutDiseaseRequest,
};
use sea_orm::ConnectionTrait;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::cases::{all, disease_control, get, of_person, open, rule_out};
use super::clinic::{Clinic, absence, health_of};
use super::screening_site::{self, FIRST, finding, group};
use super::site::{Site, refused};
use super::town::{SCHOOL, monday, on_both_databases, reason, student};

on_both_databases!(
    a_confirmed_case_excludes_and_is_lifted_when_it_was_none,
    a_case_that_is_confirmed_after_a_release_excludes_again,
    nobody_is_let_go_whose_case_is_confirmed,
    what_the_doctor_confirms_opens_its_case_or_confirms_it,
    a_disease_that_was_another_counts_no_more,
    a_disease_that_a_check_names_opens_a_case,
    a_disease_that_an_absence_names_opens_a_case,
    a_case_gets_its_disease_when_it_is_confirmed,
    what_the_law_lists_is_urgent_whatever_the_policy_lists,
    a_return_needs_the_paper_of_a_hospital,
);

fn confirmed(number: u32, disease: Disease) -> OpenCaseRequest {
    OpenCaseRequest {
        certainty: Certainty::Confirmed.into(),
        onset_date: Some(to_date(monday())),
        ..of_person(number, disease)
    }
}

async fn confirm(site: &Site, name: &str, disease: Disease) -> Result<Case, Status> {
    let request = ConfirmCaseRequest {
        name: name.to_owned(),
        reason: "县疾控实验室确诊".to_owned(),
        disease: disease.into(),
        ..Default::default()
    };
    let told = disease_control(site).confirm_case(request).await;
    told.map(tonic::Response::into_inner)
}

async fn diagnose(clinic: &Clinic, number: u32, disease: Disease) {
    let mut doctor = clinic.health(Role::SchoolDoctor);
    let refer = ReferPersonRequest {
        name: health_of(number),
        ..Default::default()
    };
    doctor.refer_person(refer).await.expect("referred");
    let request = ConfirmDiseaseRequest {
        name: health_of(number),
        disease: disease.into(),
        onset_date: Some(to_date(monday())),
        ..Default::default()
    };
    doctor.confirm_disease(request).await.expect("confirmed");
}

async fn release(clinic: &Clinic, number: u32) -> Result<(), Status> {
    let request = ReleaseObservationRequest {
        name: health_of(number),
        readings_tenths: vec![366, 367],
        no_symptoms: true,
        ..Default::default()
    };
    let mut doctor = clinic.health(Role::SchoolDoctor);
    doctor.release_observation(request).await.map(|_| ())
}

/// From its time to the first report.
fn limit(case: &Case) -> i64 {
    let (due, found) = (case.first_report_due_time, case.detect_time);
    due.expect("due").seconds - found.expect("found").seconds
}

async fn a_confirmed_case_excludes_and_is_lifted_when_it_was_none(database: Scratch) {
    let clinic = Clinic::open(database).await;
    clinic.observe(1).await.expect("observed");
    let case = open(&clinic.0, confirmed(1, Disease::Varicella)).await;
    let excluded = clinic.state(1).await;
    assert_eq!(
        (excluded.state(), excluded.disease()),
        (State::Excluded, Disease::Varicella)
    );
    assert!(excluded.exclude_end_time.is_some() && excluded.return_source.contains("水痘"));
    let told = clinic.told(1, |told| told.is_some()).await.expect("kept");
    assert_eq!(told.medical(), Medical::NotAdmitted);
    let released = release(&clinic, 1).await.expect_err("is excluded");
    assert_eq!(reason(&released), refused("CASE_STATE"));
    let ruled_out = disease_control(&clinic.0)
        .rule_out_case(rule_out(&case.name))
        .await;
    ruled_out.expect("ruled out");
    let back = clinic.state(1).await;
    assert_eq!(
        (back.state(), back.disease()),
        (State::InTempObservation, Disease::Unspecified),
        "the observation that it broke off"
    );
    release(&clinic, 1).await.expect("normal");

    // Of whom nothing else is known, nothing is left.
    let case = open(&clinic.0, confirmed(2, Disease::Mumps)).await;
    clinic.told(2, |told| told.is_some()).await;
    let ruled_out = disease_control(&clinic.0)
        .rule_out_case(rule_out(&case.name))
        .await;
    ruled_out.expect("ruled out");
    assert_eq!(clinic.state(2).await.state(), State::Normal);
    clinic.told(2, |told| told.is_none()).await;
}

async fn a_case_that_is_confirmed_after_a_release_excludes_again(database: Scratch) {
    let clinic = Clinic::open(database).await;
    let case = open(&clinic.0, of_person(1, Disease::Varicella)).await;
    assert_eq!(clinic.state(1).await.state(), State::Symptomatic);
    clinic.observe(1).await.expect("observed");
    clinic.0.0.clock.advance(Duration::hours(1));
    release(&clinic, 1).await.expect("normal");
    clinic.told(1, |told| told.is_none()).await;
    clinic.0.0.clock.advance(Duration::hours(5));
    let told = confirm(&clinic.0, &case.name, Disease::Unspecified).await;
    assert_eq!(told.expect("confirmed").disease(), Disease::Varicella);
    let excluded = clinic.state(1).await;
    assert_eq!(
        (excluded.state(), excluded.disease()),
        (State::Excluded, Disease::Varicella)
    );
    let told = clinic.told(1, |told| told.is_some()).await.expect("kept");
    assert_eq!(told.medical(), Medical::NotAdmitted);
}

/// Whoever is in observation all the same, as data from elsewhere may say, stays there.
async fn nobody_is_let_go_whose_case_is_confirmed(database: Scratch) {
    let clinic = Clinic::open(database).await;
    clinic.observe(1).await.expect("observed");
    open(&clinic.0, confirmed(1, Disease::Varicella)).await;
    let db = kit::db::Database::connect(&clinic.0.0.database)
        .await
        .expect("the database");
    let tx = db.begin().await.expect("a transaction");
    let sql = "UPDATE medical_states SET state = 3, disease = 0";
    tx.execute_unprepared(sql).await.expect("moved");
    tx.commit().await.expect("committed");
    db.close().await;
    let released = release(&clinic, 1).await.expect_err("confirmed");
    assert_eq!(reason(&released), refused("CASE_STATE"));
}

async fn what_the_doctor_confirms_opens_its_case_or_confirms_it(database: Scratch) {
    let clinic = Clinic::open(database).await;
    clinic.observe(1).await.expect("observed");
    diagnose(&clinic, 1, Disease::Measles).await;
    let opened = all(&clinic.0).await;
    let [case] = opened.as_slice() else {
        panic!("one case, not {}", opened.len())
    };
    assert_eq!(
        (case.person.as_str(), case.disease(), case.certainty()),
        (&*student(1), Disease::Measles, Certainty::Confirmed)
    );
    assert_eq!(
        (case.detection(), case.onset_date, limit(case)),
        (Detection::Hospital, Some(to_date(monday())), 24 * 3600)
    );
    let again = ConfirmDiseaseRequest {
        name: health_of(1),
        disease: Disease::Measles.into(),
        onset_date: Some(to_date(monday())),
        rash_onset_date: Some(to_date(monday())),
        ..Default::default()
    };
    let mut doctor = clinic.health(Role::SchoolDoctor);
    doctor.confirm_disease(again).await.expect("told more");
    assert_eq!(all(&clinic.0).await.len(), 1, "the same illness");

    let suspected = open(&clinic.0, of_person(2, Disease::Cholera)).await;
    assert_eq!((suspected.urgent, limit(&suspected)), (true, 2 * 3600));
    diagnose(&clinic, 2, Disease::Cholera).await;
    let case = get(&clinic.0, &suspected.name).await;
    assert_eq!(case.certainty(), Certainty::Confirmed);
    assert_eq!(all(&clinic.0).await.len(), 2);
    assert_eq!(clinic.state(2).await.state(), State::Excluded);
}

/// By which diseases somebody counts, and how surely.
async fn counts(site: &Site, number: u32) -> Vec<(i32, i16)> {
    let db = kit::db::Database::connect(&site.0.database)
        .await
        .expect("the database");
    let sql = "SELECT criterion, certainty FROM illness_cases \
        WHERE person = $1 AND criterion > 0 ORDER BY criterion";
    let who = super::town::person(&student(number)).0.to_vec();
    let rows = db
        .read()
        .query_all_raw(kit::db::statement(db.read(), sql, [who.into()]));
    let rows = rows.await.expect("illnesses");
    let counted = rows.iter().map(|row| {
        let criterion = row.try_get_by_index(0).expect("a number");
        (criterion, row.try_get_by_index(1).expect("a number"))
    });
    let counted = counted.collect();
    db.close().await;
    counted
}

/// What was ruled out, or corrected to another disease, counts by it no more, whoever suspected it.
async fn a_disease_that_was_another_counts_no_more(database: Scratch) {
    let site = screening_site::Site::open(database).await;
    let named = |number| CheckFinding {
        preliminary_disease: Disease::Hfmd.into(),
        ..finding(student(number), &[Symptom::Rash])
    };
    let findings = vec![named(3), named(5)];
    let check = site.ill(&group(SCHOOL, FIRST), Slot::Morning, findings);
    site.submit(&check).await;
    let clinic = Clinic(Site(site.0));
    let site = &clinic.0;
    let hfmd = i32::from(Disease::Hfmd);
    let case_of = |cases: Vec<Case>, number: u32| {
        let mut cases = cases.into_iter();
        let found = cases.find(|case| case.person == student(number));
        found.expect("a case").name
    };
    assert_eq!(counts(site, 3).await, [(hfmd, 1)]);
    site.0.clock.advance(Duration::minutes(30));
    let name = case_of(all(site).await, 3);
    let ruled_out = super::cases::doctor(site)
        .rule_out_case(rule_out(&name))
        .await;
    ruled_out.expect("ruled out");
    assert_eq!(counts(site, 3).await, []);
    let name = case_of(all(site).await, 5);
    let other = confirm(site, &name, Disease::Varicella).await;
    other.expect("another disease");
    assert_eq!(counts(site, 5).await, [(i32::from(Disease::Varicella), 2)]);

    // The school doctor's correction renames the case of the illness.
    clinic.observe(7).await.expect("observed");
    diagnose(&clinic, 7, Disease::Rubella).await;
    let name = case_of(all(site).await, 7);
    let corrected = ConfirmDiseaseRequest {
        name: health_of(7),
        disease: Disease::Measles.into(),
        onset_date: Some(to_date(monday())),
        ..Default::default()
    };
    let mut doctor = clinic.health(Role::SchoolDoctor);
    let told = doctor.confirm_disease(corrected).await;
    told.expect("corrected");
    let case = get(site, &name).await;
    assert_eq!(
        (case.disease(), case.certainty(), case.state()),
        (Disease::Measles, Certainty::Confirmed, CaseState::Open)
    );
    let cases = all(site).await;
    let of_person = cases.iter().filter(|case| case.person == student(7));
    assert_eq!(of_person.count(), 1, "and no second one");
    assert_eq!(counts(site, 7).await, [(i32::from(Disease::Measles), 2)]);
}

async fn a_disease_that_a_check_names_opens_a_case(database: Scratch) {
    let site = screening_site::Site::open(database).await;
    let scope = group(SCHOOL, FIRST);
    let severe = CheckFinding {
        severe_signs: vec![SevereSign::Dyspnoea.into()],
        ..finding(student(3), &[Symptom::Cough])
    };
    let named = CheckFinding {
        preliminary_disease: Disease::Hfmd.into(),
        ..finding(student(5), &[Symptom::Rash])
    };
    let check = site.ill(&scope, Slot::Morning, vec![severe, named]);
    site.submit(&check).await;
    let site = Site(site.0);
    let of = |cases: &[Case], number: u32| -> Case {
        let mut one = cases.iter().filter(|case| case.person == student(number));
        let first = one.next().expect("a case").clone();
        assert!(one.next().is_none(), "and no second one");
        first
    };
    let cases = all(&site).await;
    let hfmd = of(&cases, 5);
    assert_eq!(
        (hfmd.disease(), hfmd.certainty(), hfmd.detection()),
        (Disease::Hfmd, Certainty::Suspected, Detection::Check)
    );
    assert_eq!((limit(&hfmd), hfmd.state()), (24 * 3600, CaseState::Open));
    let unnamed = of(&cases, 3);
    assert_eq!(unnamed.disease(), Disease::Unspecified);

    // At noon the same pupil's disease is named: it is the same case.
    let site = screening_site::Site(site.0);
    let noon = CheckFinding {
        preliminary_disease: Disease::Plague.into(),
        ..finding(student(3), &[Symptom::Cough])
    };
    site.submit(&site.ill(&scope, Slot::Noon, vec![noon])).await;
    let cases = all(&Site(site.0)).await;
    let named = of(&cases, 3);
    assert_eq!(
        (&named.name, named.disease()),
        (&unnamed.name, Disease::Plague)
    );
    assert!(named.urgent && named.hops.len() == 5);
}

async fn a_disease_that_an_absence_names_opens_a_case(database: Scratch) {
    let clinic = Clinic::open(database).await;
    let mut ill = absence(4, AbsenceReason::Illness);
    ill.illness = Some(Illness {
        symptoms: vec![Symptom::ParotidSwelling.into()],
        preliminary_disease: Disease::Mumps.into(),
        hospitalised: true,
        ..Default::default()
    });
    let request = RecordAbsenceRequest {
        absence: Some(ill),
        ..Default::default()
    };
    let mut reporter = clinic.absences(Role::ClassReporter);
    let recorded = reporter.record_absence(request).await.expect("recorded");
    let opened = all(&clinic.0).await;
    let [case] = opened.as_slice() else {
        panic!("one case, not {}", opened.len())
    };
    assert_eq!(
        (case.disease(), case.certainty(), case.detection()),
        (Disease::Mumps, Certainty::Suspected, Detection::Absence)
    );
    assert_eq!(case.basis, recorded.get_ref().name);
    assert_eq!(
        case.severity(),
        proto::sampling::case::Severity::Hospitalised
    );
}

async fn a_case_gets_its_disease_when_it_is_confirmed(database: Scratch) {
    let site = screening_site::Site::open(database).await;
    let severe = CheckFinding {
        severe_signs: vec![SevereSign::Dyspnoea.into()],
        ..finding(student(3), &[Symptom::Cough])
    };
    let check = site.ill(&group(SCHOOL, FIRST), Slot::Morning, vec![severe]);
    site.submit(&check).await;
    let clinic = Clinic(Site(site.0));
    let site = &clinic.0;
    let case = all(site).await.remove(0);
    assert_eq!((case.urgent, limit(&case)), (false, 24 * 3600));
    let unnamed = confirm(site, &case.name, Disease::Unspecified).await;
    let unnamed = unnamed.expect_err("of what?");
    assert_eq!(unnamed.code(), Code::InvalidArgument);
    site.0.clock.advance(Duration::hours(1));
    let now = site.0.now().timestamp();
    let named = confirm(site, &case.name, Disease::Sars)
        .await
        .expect("SARS");
    assert_eq!(
        (named.disease(), named.certainty(), named.urgent),
        (Disease::Sars, Certainty::Confirmed, true)
    );
    assert_eq!(named.hops.len(), 5, "the whole chain");
    let due = named.first_report_due_time.expect("a clock").seconds;
    assert_eq!(due, now + 2 * 3600);
    assert_eq!(clinic.state(3).await.state(), State::Excluded);

    // The disease that was suspected may have been another one, of which there is no other case.
    let first = open(site, of_person(4, Disease::Rubella)).await;
    let second = open(site, of_person(4, Disease::Measles)).await;
    let taken = confirm(site, &first.name, Disease::Measles).await;
    assert_eq!(taken.expect_err("taken").code(), Code::AlreadyExists);
    let other = confirm(site, &second.name, Disease::ScarletFever).await;
    assert_eq!(other.expect("revised").disease(), Disease::ScarletFever);
}

/// Plague, cholera, SARS and pulmonary anthrax.
async fn what_the_law_lists_is_urgent_whatever_the_policy_lists(database: Scratch) {
    let mut policy = super::town::roster::policy();
    policy.report.as_mut().expect("it ships").class_a.clear();
    let site = Site(screening_site::Site::open_under(database, policy).await.0);
    for (number, disease, urgent) in [
        (1, Disease::Plague, true),
        (2, Disease::Cholera, true),
        (3, Disease::Sars, true),
        (4, Disease::PulmonaryAnthrax, true),
        (5, Disease::Covid19, false),
        (6, Disease::Pertussis, false),
        (7, Disease::OtherInfectious, false),
    ] {
        let case = open(&site, of_person(number, disease)).await;
        let hours = if urgent { 2 } else { 24 };
        assert_eq!(
            (case.urgent, limit(&case)),
            (urgent, hours * 3600),
            "{disease:?}"
        );
    }
}

async fn a_return_needs_the_paper_of_a_hospital(database: Scratch) {
    let clinic = Clinic::open(database).await;
    let mut doctor = clinic.health(Role::SchoolDoctor);
    let ask = |number, proof: &str| RequestReturnRequest {
        name: health_of(number),
        hospital_proof_sha256: proof.to_owned(),
        ..Default::default()
    };
    clinic.observe(1).await.expect("observed");
    diagnose(&clinic, 1, Disease::Mumps).await;
    clinic.observe(2).await.expect("observed");
    let refer = ReferPersonRequest {
        name: health_of(2),
        ..Default::default()
    };
    doctor.refer_person(refer).await.expect("referred");
    let none = RuleOutDiseaseRequest {
        name: health_of(2),
        ..Default::default()
    };
    doctor.rule_out_disease(none).await.expect("ruled out");
    clinic.0.0.clock.advance(Duration::days(9));
    for number in [1, 2] {
        let bare = doctor.request_return(ask(number, "")).await;
        let bare = bare.expect_err("no paper");
        assert_eq!(reason(&bare), refused("RETURN_TOO_EARLY"));
        let details = bare.get_error_details();
        let info = details.error_info().expect("a reason");
        assert_eq!(info.metadata["missing_evidence"], "HOSPITAL_CERTIFICATE");
        let shown = doctor.request_return(ask(number, &"ab".repeat(32))).await;
        shown.expect("nine days and the paper");
    }
}
