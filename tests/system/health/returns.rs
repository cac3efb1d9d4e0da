//! A pupil who was ill comes back: too early, refused by the doctor, and by appeal (rules 1.13, 1.23).

use chrono::{Days, Duration};
use kit::auth::Role;
use kit::clock::{Clock, SystemClock};
use kit::field::{to_date, to_timestamp};
use proto::roster::Disease;
use proto::roster::return_policy::Evidence;
use proto::safety::gate_decision::Result as Outcome;
use proto::sampling::appeal::{Party, State as AppealState, Verdict};
use proto::sampling::health_service_client::HealthServiceClient;
use proto::sampling::{
    AppealReturnRequest, ConfirmDiseaseRequest, DecideAppealRequest, ListHealthEventsRequest,
    ObservePersonRequest, RecordRecoveryRequest, ReferPersonRequest, RequestReturnRequest,
    ReviewReturnRequest, health_state,
};
use tests::city::{City, Door};
use tests::town::{CITY, DISTRICT, school_path};
use tests::until;
use tonic::Code;
use tonic_types::StatusExt;

use super::{FEVERISH, HERE, district, doctor};
use crate::checks::reporter;
use crate::verbs::{enter, expect, request_id};

/// The pupil of whom the day tells.
const PLACE: u32 = 9;

fn client(door: Door) -> HealthServiceClient<Door> {
    HealthServiceClient::new(door)
}

fn ask(name: &str, evidence: &[Evidence]) -> RequestReturnRequest {
    RequestReturnRequest {
        name: name.to_owned(),
        evidence: evidence.iter().map(|one| i32::from(*one)).collect(),
        hospital_proof_sha256: "5e".repeat(32),
        request_id: request_id(),
        ..RequestReturnRequest::default()
    }
}

fn confirm(name: &str, disease: Disease, days_ago: u64) -> ConfirmDiseaseRequest {
    let onset = SystemClock.today() - Days::new(days_ago);
    ConfirmDiseaseRequest {
        name: name.to_owned(),
        disease: disease.into(),
        onset_date: Some(to_date(onset)),
        request_id: request_id(),
        ..ConfirmDiseaseRequest::default()
    }
}

/// The doctor excludes somebody, which the gate hears; the return is too early by a rule whose text
/// the doctor is shown, and the teacher is not.
async fn is_excluded(city: &City, name: &str) {
    let mut here = client(doctor(city));
    let observe = ObservePersonRequest {
        name: name.to_owned(),
        room: "观察室".to_owned(),
        guardian_notified: true,
        request_id: request_id(),
        ..ObservePersonRequest::default()
    };
    here.observe_person(observe).await.expect("is observed");
    let refer = ReferPersonRequest {
        name: name.to_owned(),
        guardian_notified: true,
        request_id: request_id(),
        ..ReferPersonRequest::default()
    };
    here.refer_person(refer).await.expect("is referred");
    let request = confirm(name, Disease::Varicella, 10);
    let excluded = here.confirm_disease(request).await.expect("is confirmed");
    let excluded = excluded.into_inner();
    assert_eq!(excluded.state(), health_state::State::Excluded);
    assert!(excluded.return_source.contains("水痘"), "{excluded:?}");
    let shown = [Evidence::LesionsCrusted];
    let teacher = reporter(city, HERE, FEVERISH);
    let early = client(teacher).request_return(ask(name, &shown)).await;
    expect(
        "ten days of fourteen",
        early,
        Code::FailedPrecondition,
        "RETURN_TOO_EARLY",
    );
    let early = here.request_return(ask(name, &shown)).await;
    let early = early.expect_err("ten days of fourteen");
    let info = early.get_details_error_info().expect("a reason");
    assert_eq!(info.metadata["source"], excluded.return_source);
}

/// The diagnosis was another one, whose days are over; the doctor refuses all the same, and two of
/// three overrule the doctor.
pub(super) async fn a_pupil_returns_by_appeal(city: &City) {
    let pupil = city.student(HERE, FEVERISH, PLACE);
    let name = format!("{pupil}/health");
    is_excluded(city, &name).await;
    let mut here = client(doctor(city));
    let request = confirm(&name, Disease::Influenza, 10);
    here.confirm_disease(request).await.expect("is corrected");
    let well = SystemClock.now() - Duration::days(3);
    let recovery = RecordRecoveryRequest {
        name: name.clone(),
        recovery_time: Some(to_timestamp(well)),
        request_id: request_id(),
        ..RecordRecoveryRequest::default()
    };
    here.record_recovery(recovery).await.expect("is well");
    let mut teacher = client(reporter(city, HERE, FEVERISH));
    let asked = teacher.request_return(ask(&name, &[])).await;
    asked.expect("48 hours are over");
    let refuse = ReviewReturnRequest {
        name: name.clone(),
        admit: false,
        note: "仍有咳嗽".to_owned(),
        request_id: request_id(),
        ..ReviewReturnRequest::default()
    };
    here.review_return(refuse).await.expect("is refused");
    let appeal = AppealReturnRequest {
        name: name.clone(),
        note: "医院已出具证明".to_owned(),
        request_id: request_id(),
    };
    teacher.appeal_return(appeal).await.expect("is appealed");

    let principal = city.door(Role::Principal, &school_path(HERE));
    let control = city.door(Role::DiseaseControl, &format!("{CITY}/{DISTRICT}"));
    let opinions = [
        (principal, Party::Principal, Verdict::Refuse),
        (district(city), Party::Bureau, Verdict::Admit),
        (control, Party::DiseaseControl, Verdict::Admit),
    ];
    let mut states = Vec::new();
    for (door, party, verdict) in opinions {
        let request = DecideAppealRequest {
            name: name.clone(),
            party: party.into(),
            verdict: verdict.into(),
            decided_by: "负责人".to_owned(),
            note: "会商".to_owned(),
            request_id: request_id(),
        };
        let spoken = client(door).decide_appeal(request).await;
        states.push(spoken.expect("is heard").into_inner().state());
    }
    use AppealState as A;
    assert_eq!(states, [A::Open, A::Open, A::Admitted]);
    until("the gate admits who returns", || async {
        let decision = enter(city, HERE, pupil).await;
        (decision.effective_result() == Outcome::Admit).then_some(())
    })
    .await;
    let request = ListHealthEventsRequest {
        parent: name.clone(),
        ..ListHealthEventsRequest::default()
    };
    let events = here.list_health_events(request).await.expect("a history");
    let events = events.into_inner().health_events;
    let last = events.last().expect("lines");
    assert_eq!(
        (last.verb.as_str(), last.state()),
        ("ADMIT", health_state::State::Normal)
    );
}
