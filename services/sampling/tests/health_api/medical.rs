//! The medical axis from the first symptom to the return (rules 1.13, 1.23, 1.24).

use chrono::Duration;
use kit::auth::Role;
use kit::field::{to_date, to_timestamp};
use proto::roster::Disease;
use proto::roster::return_policy::Evidence;
use proto::sampling::appeal::{Party, State as AppealState, Verdict};
use proto::sampling::clearance::{Control, Medical};
use proto::sampling::health_service_client::HealthServiceClient;
use proto::sampling::health_state::{Review, State};
use proto::sampling::{
    AbsenceReason, Appeal, AppealReturnRequest, ConfirmDiseaseRequest, DecideAppealRequest,
    GetHealthStateRequest, HealthState, ListHealthEventsRequest, ListHealthStatesRequest, PoolType,
    RecordRecoveryRequest, ReferPersonRequest, RequestReturnRequest, ResultValue, ReturnRequest,
    ReviewReturnRequest, RuleOutDiseaseRequest, SingleReason,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::clinic::{Clinic, denied, health_of};
use super::site::{CLASS, Site, refused};
use super::town::{
    OTHER_SCHOOL, Roster, SCHOOL, Town, class, monday, on_both_databases, reason, school_path,
    student,
};

on_both_databases!(
    varicella_stays_excluded_until_day_14_with_crusts,
    influenza_returns_48_hours_after_recovery,
    the_doctors_refusal_is_appealed_against,
    nothing_infectious_still_passes_the_doctor,
    whoever_may_not_know_is_told_nothing,
    both_axes_make_one_clearance,
    who_shows_symptoms_is_swabbed_alone,
    those_under_health_monitoring_are_drawn_where_they_are_admitted,
    those_under_health_monitoring_are_not_drawn_where_they_are_kept_out,
);

async fn refer(clinic: &Clinic, number: u32) -> HealthState {
    let request = ReferPersonRequest {
        name: health_of(number),
        guardian_notified: true,
        ..Default::default()
    };
    let mut client = clinic.health(Role::SchoolDoctor);
    let referred = client.refer_person(request).await;
    referred.expect("referred").into_inner()
}

async fn confirm(clinic: &Clinic, number: u32, disease: Disease) -> HealthState {
    let request = ConfirmDiseaseRequest {
        name: health_of(number),
        disease: disease.into(),
        onset_date: Some(to_date(monday())),
        ..Default::default()
    };
    let mut client = clinic.health(Role::SchoolDoctor);
    let confirmed = client.confirm_disease(request).await;
    confirmed.expect("confirmed").into_inner()
}

async fn ask(
    clinic: &Clinic,
    role: Role,
    number: u32,
    evidence: &[Evidence],
) -> Result<ReturnRequest, Status> {
    let request = RequestReturnRequest {
        name: health_of(number),
        evidence: evidence.iter().map(|one| i32::from(*one)).collect(),
        hospital_proof_sha256: "AB".repeat(32),
        ..Default::default()
    };
    let mut client = clinic.health(role);
    let asked = client.request_return(request).await;
    asked.map(tonic::Response::into_inner)
}

async fn review(clinic: &Clinic, number: u32, admit: bool) -> Result<HealthState, Status> {
    let request = ReviewReturnRequest {
        name: health_of(number),
        admit,
        note: "复查".to_owned(),
        request_id: uuid::Uuid::from_u128(number.into()).to_string(),
        ..Default::default()
    };
    let mut doctor = clinic.health(Role::SchoolDoctor);
    let once = doctor.review_return(request.clone()).await?;
    let again = doctor.review_return(request).await.expect("a repeat");
    assert_eq!(once.get_ref(), again.get_ref(), "a repeat has one effect");
    Ok(again.into_inner())
}

async fn speak(
    clinic: &Clinic,
    role: Role,
    party: Party,
    verdict: Verdict,
) -> Result<Appeal, Status> {
    let request = DecideAppealRequest {
        name: health_of(1),
        party: party.into(),
        verdict: verdict.into(),
        decided_by: "负责人".to_owned(),
        note: "会商".to_owned(),
        ..Default::default()
    };
    let mut client = clinic.health(role);
    let spoken = client.decide_appeal(request).await;
    spoken.map(tonic::Response::into_inner)
}

/// T12.
async fn varicella_stays_excluded_until_day_14_with_crusts(database: kit::scratch::Scratch) {
    let clinic = Clinic::open(database).await;
    let observed = clinic.observe(1).await.expect("observed");
    assert_eq!(observed.state(), State::InTempObservation);
    let told = clinic
        .told(1, |told| told.is_some())
        .await
        .expect("kept out");
    assert_eq!(
        (told.medical(), told.control()),
        (Medical::NotAdmitted, Control::Free)
    );
    assert_eq!((told.rule.as_str(), told.basis), ("1.24", health_of(1)));
    let twice = clinic.observe(1).await.expect_err("observed before");
    assert_eq!(reason(&twice), refused("MEDICAL_STATE"));
    refer(&clinic, 1).await;
    let excluded = confirm(&clinic, 1, Disease::Varicella).await;
    let start = kit::clock::start_of(monday() + Duration::days(14));
    assert_eq!(
        (excluded.state(), excluded.disease()),
        (State::Excluded, Disease::Varicella)
    );
    assert_eq!(excluded.exclude_end_time, Some(to_timestamp(start)));

    clinic.0.0.clock.advance(Duration::days(13));
    let proof = [Evidence::HospitalCertificate, Evidence::LesionsCrusted];
    let early = ask(&clinic, Role::ClassReporter, 1, &proof)
        .await
        .expect_err("day 13");
    assert_eq!(reason(&early), refused("RETURN_TOO_EARLY"));
    let told = early
        .get_error_details()
        .error_info()
        .expect("a reason")
        .metadata
        .clone();
    assert!(told.is_empty(), "the teacher learns no more");
    let early = ask(&clinic, Role::SchoolDoctor, 1, &proof)
        .await
        .expect_err("day 13");
    let told = early
        .get_error_details()
        .error_info()
        .expect("a reason")
        .metadata
        .clone();
    assert_eq!(told["earliest_time"], "2022-04-10T16:00:00Z");
    assert_eq!(told["source"], excluded.return_source, "what it rests on");
    assert!(excluded.return_source.contains("水痘"));
    assert_eq!(told["missing_evidence"], "");
    assert_eq!(clinic.state(1).await.state(), State::Excluded);

    clinic.0.0.next_day();
    let bare = ask(&clinic, Role::SchoolDoctor, 1, &proof[..1])
        .await
        .expect_err("no crusts");
    let told = bare
        .get_error_details()
        .error_info()
        .expect("a reason")
        .metadata
        .clone();
    assert_eq!(told["missing_evidence"], "LESIONS_CRUSTED");
    ask(&clinic, Role::ClassReporter, 1, &proof)
        .await
        .expect("day 14");
    let pending = clinic.state(1).await;
    assert_eq!(pending.state(), State::ReturnPending);
    assert_eq!(pending.hospital_proof_sha256, "ab".repeat(32));
    let admitted = review(&clinic, 1, true).await.expect("admitted");
    assert_eq!(
        (admitted.state(), admitted.review()),
        (State::Normal, Review::Admitted)
    );
    assert_eq!(admitted.return_source, excluded.return_source, "is kept");
    let certificate = admitted.certificate.clone().expect("two copies");
    assert!(
        certificate
            .number
            .starts_with(&format!("{SCHOOL}-20220411-"))
    );
    assert_eq!(
        admitted.disease(),
        Disease::Unspecified,
        "the illness is over"
    );
    clinic.told(1, |told| told.is_none()).await;

    let list = ListHealthEventsRequest {
        parent: health_of(1),
        ..Default::default()
    };
    let events = clinic
        .health(Role::SchoolDoctor)
        .list_health_events(list)
        .await;
    let events = events.expect("a history").into_inner().health_events;
    let verbs: Vec<&str> = events.iter().map(|event| event.verb.as_str()).collect();
    let expected = [
        "OBSERVE",
        "REFER",
        "CONFIRM",
        "REQUEST_RETURN",
        "BEGIN_REVIEW",
        "ADMIT",
    ];
    assert_eq!(verbs, expected);
    assert!(events.iter().all(|event| !event.policy_version.is_empty()));
}

async fn influenza_returns_48_hours_after_recovery(database: kit::scratch::Scratch) {
    let clinic = Clinic::open(database).await;
    clinic.record(1, AbsenceReason::Illness).await;
    assert_eq!(clinic.state(1).await.state(), State::Symptomatic);
    refer(&clinic, 1).await;
    let excluded = confirm(&clinic, 1, Disease::Influenza).await;
    assert_eq!(excluded.exclude_end_time, None, "nobody knows the recovery");
    let early = ask(&clinic, Role::SchoolDoctor, 1, &[])
        .await
        .expect_err("not recovered");
    assert_eq!(reason(&early), refused("RETURN_TOO_EARLY"));
    let well = clinic.0.0.now();
    let recovery = RecordRecoveryRequest {
        name: health_of(1),
        recovery_time: Some(to_timestamp(well)),
        ..Default::default()
    };
    let recovered = clinic
        .health(Role::SchoolDoctor)
        .record_recovery(recovery)
        .await;
    let recovered = recovered.expect("well").into_inner();
    let end = well + Duration::hours(48);
    assert_eq!(recovered.exclude_end_time, Some(to_timestamp(end)));
    clinic.0.0.clock.set(end - Duration::milliseconds(1));
    ask(&clinic, Role::SchoolDoctor, 1, &[])
        .await
        .expect_err("47 h 59 min");
    clinic.0.0.clock.set(end);
    ask(&clinic, Role::SchoolDoctor, 1, &[])
        .await
        .expect("48 h");
}

/// 1.13.
async fn the_doctors_refusal_is_appealed_against(database: kit::scratch::Scratch) {
    let clinic = Clinic::open(database).await;
    clinic.observe(1).await.expect("observed");
    refer(&clinic, 1).await;
    confirm(&clinic, 1, Disease::Hfmd).await;
    let appeal = AppealReturnRequest {
        name: health_of(1),
        note: "医院已出证明".to_owned(),
        ..Default::default()
    };
    let mut reporter = clinic.health(Role::ClassReporter);
    let err = reporter
        .appeal_return(appeal.clone())
        .await
        .expect_err("no refusal");
    assert_eq!(reason(&err), refused("APPEAL_STATE"));
    clinic.0.0.clock.advance(Duration::days(14));
    ask(&clinic, Role::ClassReporter, 1, &[])
        .await
        .expect("asked");
    let excluded = review(&clinic, 1, false).await.expect("refused");
    assert_eq!(
        (excluded.state(), excluded.review()),
        (State::Excluded, Review::Refused)
    );
    let open = reporter
        .appeal_return(appeal.clone())
        .await
        .expect("appealed");
    assert_eq!(open.get_ref().state(), AppealState::Open);
    assert_eq!(clinic.state(1).await.state(), State::DoctorReview);

    let err = speak(
        &clinic,
        Role::Principal,
        Party::DiseaseControl,
        Verdict::Admit,
    )
    .await;
    assert_eq!(reason(&err.expect_err("not theirs")), denied());
    let err = speak(
        &clinic,
        Role::SchoolDoctor,
        Party::Principal,
        Verdict::Refuse,
    )
    .await;
    assert_eq!(reason(&err.expect_err("not theirs")), denied());
    speak(&clinic, Role::Principal, Party::Principal, Verdict::Refuse)
        .await
        .expect("spoken");
    let two = speak(
        &clinic,
        Role::DistrictOfficer,
        Party::Bureau,
        Verdict::Admit,
    )
    .await;
    assert_eq!(two.expect("spoken").state(), AppealState::Open);
    let all = speak(
        &clinic,
        Role::DiseaseControl,
        Party::DiseaseControl,
        Verdict::Admit,
    )
    .await;
    let all = all.expect("spoken");
    assert_eq!(all.state(), AppealState::Admitted);
    assert_eq!(
        (all.principal(), all.bureau(), all.disease_control()),
        (Verdict::Refuse, Verdict::Admit, Verdict::Admit)
    );
    let normal = clinic.state(1).await;
    assert_eq!(normal.state(), State::Normal);
    assert!(normal.certificate.is_some() && normal.appeal == Some(all));
    clinic.told(1, |told| told.is_none()).await;
    let late = speak(&clinic, Role::Principal, Party::Principal, Verdict::Refuse).await;
    assert_eq!(reason(&late.expect_err("decided")), refused("APPEAL_STATE"));
    let late = reporter.appeal_return(appeal).await.expect_err("decided");
    assert_eq!(reason(&late), refused("MEDICAL_STATE"));
}

async fn nothing_infectious_still_passes_the_doctor(database: kit::scratch::Scratch) {
    let clinic = Clinic::open(database).await;
    clinic.observe(1).await.expect("observed");
    refer(&clinic, 1).await;
    let rule_out = RuleOutDiseaseRequest {
        name: health_of(1),
        ..Default::default()
    };
    let mut doctor = clinic.health(Role::SchoolDoctor);
    let ruled_out = doctor.rule_out_disease(rule_out).await.expect("ruled out");
    assert_eq!(ruled_out.get_ref().state(), State::RuledOut);
    clinic.told(1, |told| told.is_some()).await;
    let early = review(&clinic, 1, true).await.expect_err("nobody asked");
    assert_eq!(reason(&early), refused("MEDICAL_STATE"));
    ask(&clinic, Role::ClassReporter, 1, &[])
        .await
        .expect("asked");
    let admitted = review(&clinic, 1, true).await.expect("admitted");
    assert_eq!(admitted.state(), State::Normal);
}

async fn whoever_may_not_know_is_told_nothing(database: kit::scratch::Scratch) {
    let clinic = Clinic::open(database).await;
    clinic.observe(1).await.expect("observed");
    clinic.observe(100).await.expect("of another class");
    let get = GetHealthStateRequest { name: health_of(1) };
    for role in [
        Role::ClassReporter,
        Role::Principal,
        Role::DistrictOfficer,
        Role::CityOfficer,
        Role::Guard,
    ] {
        let err = clinic.health(role).get_health_state(get.clone()).await;
        assert_eq!(reason(&err.expect_err("a secret")), denied(), "{role}");
    }
    let elsewhere = school_path(OTHER_SCHOOL);
    let mut stranger = HealthServiceClient::new(clinic.at(Role::SchoolDoctor, &elsewhere));
    let err = stranger
        .get_health_state(get.clone())
        .await
        .expect_err("another school's");
    assert_eq!(reason(&err), denied());
    let nobody = GetHealthStateRequest {
        name: health_of(9_999),
    };
    let err = stranger
        .get_health_state(nobody.clone())
        .await
        .expect_err("nobody");
    assert_eq!(reason(&err), denied(), "what is not there looks the same");
    let mut control = HealthServiceClient::new(clinic.at(Role::DiseaseControl, ""));
    let err = control.get_health_state(nobody).await.expect_err("nobody");
    assert_eq!(reason(&err), (Code::NotFound, "NOT_FOUND".to_owned()));
    let err = ask(&clinic, Role::ClassReporter, 100, &[])
        .await
        .expect_err("another class");
    assert_eq!(reason(&err), denied());

    let mut list = ListHealthStatesRequest {
        organization: format!("organizations/{SCHOOL}"),
        page_size: 1,
        ..Default::default()
    };
    let mut reporter = clinic.health(Role::EpidemicReporter);
    let first = reporter
        .list_health_states(list.clone())
        .await
        .expect("a page")
        .into_inner();
    list.page_token = first.next_page_token;
    let second = reporter
        .list_health_states(list.clone())
        .await
        .expect("a page")
        .into_inner();
    assert_eq!(
        (first.health_states.len(), second.health_states.len()),
        (1, 1)
    );
    assert_eq!(second.next_page_token, "");
    list.page_token = String::new();
    list.state = State::Excluded.into();
    let none = reporter
        .list_health_states(list.clone())
        .await
        .expect("a page")
        .into_inner();
    assert_eq!(none.health_states, []);
    let err = stranger
        .list_health_states(list)
        .await
        .expect_err("another school's");
    assert_eq!(reason(&err), denied());
}

async fn both_axes_make_one_clearance(database: kit::scratch::Scratch) {
    let clinic = Clinic::open(database).await;
    let site = &clinic.0;
    site.filled("FZ-0001", 0..2).await;
    assert!(site.report("FZ-0001", 1, ResultValue::Positive).await.0);
    let held = clinic.told(1, |told| told.is_some()).await.expect("held");
    assert_eq!(
        (held.control(), held.medical()),
        (Control::PoolHold, Medical::Normal)
    );
    assert_eq!(
        (held.rule.as_str(), held.basis.as_str()),
        ("2.19", "holds/FZ-0001")
    );
    clinic.observe(1).await.expect("observed");
    let is_ill = |told: Option<&proto::sampling::Clearance>| {
        told.is_some_and(|told| told.medical() == Medical::NotAdmitted)
    };
    let both = clinic.told(1, is_ill).await.expect("kept out");
    assert_eq!(
        (both.control(), both.rule.as_str()),
        (Control::PoolHold, "1.24")
    );
    clinic.release(1).await;
    let held = clinic
        .told(1, |told| !is_ill(told))
        .await
        .expect("still held");
    assert_eq!(
        (held.control(), held.medical()),
        (Control::PoolHold, Medical::Normal)
    );
    clinic.observe(1).await.expect("observed again");
    assert!(site.report("FZ-0001", 2, ResultValue::Negative).await.0);
    let ill = clinic.told(1, |told| {
        told.is_some_and(|told| told.control() == Control::Free)
    });
    assert_eq!(ill.await.expect("kept out").medical(), Medical::NotAdmitted);
    clinic.told(0, |told| told.is_none()).await;
    clinic.release(1).await;
    clinic.told(1, |told| told.is_none()).await;
}

/// T4.
async fn who_shows_symptoms_is_swabbed_alone(database: kit::scratch::Scratch) {
    let clinic = Clinic::open(database).await;
    clinic.record(1, AbsenceReason::Illness).await;
    let site = &clinic.0;
    site.issue(PoolType::P10, &["FZ-0001"]).await;
    site.issue(PoolType::Single, &["SG-0001"]).await;
    site.open_tube("FZ-0001", "").await;
    site.open_tube("SG-0001", "").await;
    let err = site.add("FZ-0001", 1, SingleReason::Unspecified).await;
    assert_eq!(
        reason(&err.expect_err("never pooled")),
        refused("SINGLE_ONLY")
    );
    site.add("SG-0001", 1, SingleReason::Unspecified)
        .await
        .expect("alone");
    site.add("FZ-0001", 2, SingleReason::Unspecified)
        .await
        .expect("well");
}

/// 1.24: how many of a class of 45 are drawn when all but one watch their own health.
async fn drawn_of_monitored(database: kit::scratch::Scratch, admit: bool) -> usize {
    let roster = Roster::town();
    roster.class(class(SCHOOL, CLASS, 0, 45));
    let mut policy = super::town::roster::policy();
    if let Some(gate) = &mut policy.gate {
        gate.admit_health_monitoring = admit;
    }
    roster.policy(policy);
    let site = Site(Town::start(database, roster).await);
    let (town, place) = (&site.0, format!("{}/{CLASS}", school_path(SCHOOL)));
    for number in 0..44 {
        town.hold(&place, &student(number)).await;
    }
    site.force("UPDATE clearances SET control = 6").await;
    town.plan(
        "daily",
        proto::sampling::sampling_plan::Kind::StudentRotation,
    )
    .await;
    town.draw("daily", SCHOOL).await;
    let draw = town.draw_name("daily", SCHOOL);
    let group = format!("organizations/{SCHOOL}/classGroups/{CLASS}");
    town.assignments(&draw, &group).await.len()
}

async fn those_under_health_monitoring_are_drawn_where_they_are_admitted(
    database: kit::scratch::Scratch,
) {
    assert_eq!(drawn_of_monitored(database, true).await, 9);
}

async fn those_under_health_monitoring_are_not_drawn_where_they_are_kept_out(
    database: kit::scratch::Scratch,
) {
    assert_eq!(drawn_of_monitored(database, false).await, 1);
}
