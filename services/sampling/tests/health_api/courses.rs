//! The days of an illness: none from another year, no recovery before it began (rule 1.23).

use chrono::{Days, Duration};
use kit::auth::Role;
use kit::field::{to_date, to_timestamp};
use kit::scratch::Scratch;
use proto::roster::Disease;
use proto::sampling::{
    AbsenceReason, ConfirmDiseaseRequest, Illness, OpenCaseRequest, RecordAbsenceRequest,
    RecordRecoveryRequest, ReferPersonRequest,
};
use tonic::Code;

use super::cases::{doctor, of_person};
use super::clinic::{Clinic, absence, health_of};
use super::town::{monday, on_both_databases};

on_both_databases!(
    an_illness_began_within_sixty_days,
    who_is_seen_ill_again_has_not_recovered,
);

fn days_ago(days: u64) -> proto::Date {
    to_date(monday() - Days::new(days))
}

fn influenza(onset: proto::Date) -> ConfirmDiseaseRequest {
    ConfirmDiseaseRequest {
        name: health_of(1),
        disease: Disease::Influenza.into(),
        onset_date: Some(onset),
        ..Default::default()
    }
}

async fn refer(clinic: &Clinic) {
    clinic.observe(1).await.expect("observed");
    let request = ReferPersonRequest {
        name: health_of(1),
        ..Default::default()
    };
    let mut doctor = clinic.health(Role::SchoolDoctor);
    doctor.refer_person(request).await.expect("referred");
}

async fn an_illness_began_within_sixty_days(database: Scratch) {
    let clinic = Clinic::open(database).await;
    refer(&clinic).await;
    let mut health = clinic.health(Role::SchoolDoctor);
    for (days, code) in [(61, Some(Code::InvalidArgument)), (60, None)] {
        let confirmed = health.confirm_disease(influenza(days_ago(days))).await;
        assert_eq!(confirmed.err().map(|err| err.code()), code, "confirmed");
        let case = OpenCaseRequest {
            onset_date: Some(days_ago(days)),
            ..of_person(2, Disease::Mumps)
        };
        let opened = doctor(&clinic.0).open_case(case).await;
        assert_eq!(opened.err().map(|err| err.code()), code, "opened");
        let mut ill = absence(3, AbsenceReason::Illness);
        ill.illness = Some(Illness {
            onset_date: Some(days_ago(days)),
            ..Default::default()
        });
        let request = RecordAbsenceRequest {
            absence: Some(ill),
            ..Default::default()
        };
        let mut reporter = clinic.absences(Role::ClassReporter);
        let recorded = reporter.record_absence(request).await;
        assert_eq!(recorded.err().map(|err| err.code()), code, "absent");
    }
}

async fn who_is_seen_ill_again_has_not_recovered(database: Scratch) {
    let clinic = Clinic::open(database).await;
    refer(&clinic).await;
    let mut health = clinic.health(Role::SchoolDoctor);
    let confirmed = health.confirm_disease(influenza(days_ago(0))).await;
    confirmed.expect("confirmed");
    let well = clinic.0.0.now();
    let recovery = |time| RecordRecoveryRequest {
        name: health_of(1),
        recovery_time: Some(to_timestamp(time)),
        ..Default::default()
    };
    let early = health.record_recovery(recovery(well - Duration::days(1)));
    let early = early.await.expect_err("before the onset");
    assert_eq!(early.code(), Code::InvalidArgument);
    let recovered = health.record_recovery(recovery(well)).await;
    let until = recovered.expect("well").into_inner().exclude_end_time;
    assert_eq!(until, Some(to_timestamp(well + Duration::hours(48))));
    clinic.0.0.clock.advance(Duration::hours(3));
    clinic.record(1, AbsenceReason::Illness).await;
    let ill = clinic.state(1).await;
    assert_eq!((ill.recovery_time, ill.exclude_end_time), (None, None));
}
