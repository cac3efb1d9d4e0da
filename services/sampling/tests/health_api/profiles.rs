//! Many diseases: tests are data, and profiles change on a date (F1, 1.18, 2.21).

use chrono::{Duration, NaiveDate};
use kit::auth::Role;
use proto::roster::Disease;
use proto::sampling::case::{Detection, State};
use proto::sampling::case_contact::Control;
use proto::sampling::tube_service_client::TubeServiceClient;
use proto::sampling::{
    CaseContact, IssueTubesRequest, OpenTubeRequest, PoolType, ResultValue, SingleReason,
    sampling_plan, tube,
};
use tonic::Status;

use super::cases::{all, get, of_person, open, rule_out};
use super::contacts::{add, contact};
use super::site::{CLASS, Site, refused};
use super::town::{CITY, Roster, SCHOOL, Town, class, on_both_databases, reason, student};

on_both_databases!(
    tubes_carry_the_disease_they_are_tested_for,
    a_positive_of_a_test_that_holds_nobody_opens_a_case,
    profiles_change_on_a_date,
);

async fn issue(site: &Site, code: &str, pool: PoolType, disease: Disease) -> Result<(), Status> {
    let request = IssueTubesRequest {
        lot: "L1".to_owned(),
        pool_type: pool.into(),
        organization: format!("organizations/{CITY}"),
        tube_codes: vec![code.to_owned()],
        disease: disease.into(),
        ..Default::default()
    };
    let mut laboratory = TubeServiceClient::new(site.as_role(Role::Laboratory, Some("lab-1")));
    laboratory.issue_tubes(request).await.map(|_| ())
}

async fn tubes_carry_the_disease_they_are_tested_for(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let unspecified = issue(&site, "FZ-0001", PoolType::P10, Disease::Unspecified).await;
    unspecified.expect("the usual test");
    assert_eq!(site.tube("FZ-0001").await.disease(), Disease::Covid19);
    let pooled = issue(&site, "FL-0001", PoolType::P5, Disease::Influenza).await;
    assert_eq!(
        reason(&pooled.expect_err("single only")),
        refused("ASSAY_NOT_POOLED")
    );
    let unknown = issue(&site, "MU-0001", PoolType::Single, Disease::Mumps).await;
    assert_eq!(
        reason(&unknown.expect_err("no test")),
        refused("ASSAY_UNKNOWN")
    );
    issue(&site, "FL-0001", PoolType::Single, Disease::Influenza)
        .await
        .expect("a single one");
    // A single tube of a hold tests for what the hold is about.
    site.filled("FZ-0002", 0..2).await;
    assert!(site.report("FZ-0002", 1, ResultValue::Positive).await.0);
    let request = OpenTubeRequest {
        name: "tubes/FL-0001".to_owned(),
        hold: "holds/FZ-0002".to_owned(),
        ..Default::default()
    };
    let other = site.sampler().open_tube(request).await;
    assert_eq!(
        reason(&other.expect_err("another disease")),
        refused("ASSAY_DIFFERS")
    );
}

/// Somebody swabbed alone, for a disease, at the bench.
async fn swabbed(site: &Site, code: &str, number: u32, disease: Disease) {
    issue(site, code, PoolType::Single, disease)
        .await
        .expect("issued");
    site.open_tube(code, "").await;
    let added = site.add(code, number, SingleReason::Symptoms).await;
    added.expect("swabbed");
    site.bring(code, Duration::minutes(5)).await;
}

async fn a_positive_of_a_test_that_holds_nobody_opens_a_case(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    swabbed(&site, "FL-0001", 1, Disease::Influenza).await;
    assert!(site.report("FL-0001", 1, ResultValue::Positive).await.0);
    assert!(
        site.report("FL-0001", 1, ResultValue::Positive).await.0,
        "a repeat"
    );
    assert_eq!(site.tube("FL-0001").await.state(), tube::State::Positive);
    assert_eq!(site.not_clear().await, 0);
    let found = all(&site).await;
    assert_eq!(found.len(), 1);
    let case = &found[0];
    assert_eq!(
        (case.disease(), case.detection()),
        (Disease::Influenza, Detection::Laboratory)
    );
    assert_eq!(
        (case.person.as_str(), case.basis.as_str()),
        (&*student(1), "tubes/FL-0001")
    );
    assert!(!case.urgent && case.hops.len() == 1);
    assert!(site.report("FL-0001", 2, ResultValue::Negative).await.0);
    assert_eq!(get(&site, &case.name).await.state(), State::Closed);
}

fn seconds(case: &proto::sampling::Case) -> i64 {
    let time = |time: Option<prost_types::Timestamp>| time.map_or(0, |time| time.seconds);
    time(case.first_report_due_time) - time(case.detect_time)
}

/// The same city under both profiles, one after the other.
async fn profiles_change_on_a_date(database: kit::scratch::Scratch) {
    let roster = Roster::town();
    roster.class(class(SCHOOL, CLASS, 0, 45));
    let shipped = ::roster::shipped_policies(chrono::DateTime::UNIX_EPOCH);
    let routine = shipped
        .into_iter()
        .find(|one| one.profile == "multi-disease-routine");
    let mut routine = routine.expect("it ships");
    let change = NaiveDate::from_ymd_opt(2022, 3, 30).expect("a day");
    routine.effective_date = Some(kit::field::to_date(change));
    roster.profile("policyProfiles/multi-disease-routine-1", routine);
    let site = Site(Town::start(database, roster).await);
    site.0
        .plan("daily", sampling_plan::Kind::StudentRotation)
        .await;

    // Under fuzhou-2022-04: drawn, pooled, held, reported within two hours, contacts kept away.
    assert!(site.0.try_draw("daily", SCHOOL).await.is_ok());
    site.issue(PoolType::P10, &["FZ-0009"]).await;
    site.filled("FZ-0001", 0..3).await;
    assert!(site.report("FZ-0001", 1, ResultValue::Positive).await.0);
    assert_eq!(site.not_clear().await, 3);
    let before = open(&site, of_person(10, Disease::Covid19)).await;
    assert_eq!((seconds(&before), before.hops.len()), (2 * 3600, 5));
    let added = add(&site, &before.name, vec![contact(&site, 11)])
        .await
        .expect("added");
    assert_eq!(added[0].control(), Control::CloseContact);
    super::cases::disease_control(&site)
        .rule_out_case(rule_out(&before.name))
        .await
        .expect("ruled out");
    assert_eq!(site.not_clear().await, 3);

    site.0.next_day();
    site.0.next_day();
    // Under multi-disease-routine: nobody is drawn, pooled or held; 24 hours; contacts listed only.
    let drawn = site.0.try_draw("daily", SCHOOL).await;
    assert_eq!(
        reason(&drawn.expect_err("nobody is drawn")),
        refused("PLAN_NOT_ACTIVE")
    );
    let pooled = issue(&site, "FZ-0002", PoolType::P10, Disease::Covid19).await;
    assert_eq!(
        reason(&pooled.expect_err("single only")),
        refused("ASSAY_NOT_POOLED")
    );
    let request = OpenTubeRequest {
        name: "tubes/FZ-0009".to_owned(),
        class_group: format!("organizations/{SCHOOL}/classGroups/{CLASS}"),
        ..Default::default()
    };
    let old = site.sampler().open_tube(request).await;
    assert_eq!(
        reason(&old.expect_err("issued for a pool")),
        refused("ASSAY_NOT_POOLED")
    );
    swabbed(&site, "SG-0020", 20, Disease::Covid19).await;
    assert!(site.report("SG-0020", 1, ResultValue::Positive).await.0);
    assert_eq!(
        site.not_clear().await,
        3,
        "those of the old hold, nobody else"
    );
    let found = all(&site).await;
    let after = found.iter().find(|case| case.person == student(20));
    let after = after.expect("a positive opens a case");
    assert_eq!(
        (seconds(after), after.hops.len(), after.urgent),
        (24 * 3600, 1, false)
    );
    let added = add(&site, &after.name, vec![contact(&site, 21)])
        .await
        .expect("listed");
    assert_eq!(
        added.iter().map(CaseContact::control).collect::<Vec<_>>(),
        [Control::None]
    );
    assert_eq!(site.not_clear().await, 3);
}
