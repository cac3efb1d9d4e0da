//! Absences from the first report to the return (rules 1.8 to 1.14).

use chrono::Duration;
use futures_util::StreamExt;
use kit::auth::Role;
use kit::field::{to_date, to_timestamp};
use proto::roster::{Disease, Symptom};
use proto::sampling::absence::{Owner, State};
use proto::sampling::absence_service_client::AbsenceServiceClient;
use proto::sampling::health_state::State as Medical;
use proto::sampling::sampling_event::State as Told;
use proto::sampling::sampling_feed_client::SamplingFeedClient;
use proto::sampling::trace::Outcome;
use proto::sampling::{
    Absence, AbsenceReason, AssignTracerRequest, ConfirmUploadRequest, EndAbsenceRequest,
    GetAbsenceRequest, Illness, ListAbsencesRequest, ListTracesRequest, RecordAbsenceRequest,
    RecordInterviewRequest, SamplingSnapshotRequest, TraceAbsenceRequest,
};
use tonic::Status;

use super::clinic::{Clinic, absence, denied};
use super::site::{CLASS, refused};
use super::town::{
    CITY, OTHER_SCHOOL, SCHOOL, monday, on_both_databases, reason, school_path, student,
};

on_both_databases!(
    an_absence_is_reported_again_traced_and_ended,
    who_is_not_reached_in_time_is_the_principals,
    a_weather_delay_is_excused_and_traced_once_it_is_not,
    three_sick_school_days_ask_for_an_interview_and_a_late_upload_shows,
    the_reason_that_was_given_unasked_is_traced_at_once,
    everybody_sees_what_is_theirs,
    absences_are_listed_by_place_state_reason_and_day,
);

fn ill() -> Illness {
    Illness {
        symptoms: vec![Symptom::Rash.into()],
        temperature_tenths: 382,
        onset_date: Some(to_date(monday())),
        seen_doctor: true,
        preliminary_disease: Disease::Varicella.into(),
        hospitalised: false,
    }
}

fn reached(name: &str, why: AbsenceReason, illness: Option<Illness>) -> TraceAbsenceRequest {
    TraceAbsenceRequest {
        name: name.to_owned(),
        outcome: Outcome::Reached.into(),
        reason: why.into(),
        illness,
        note: "电话联系".to_owned(),
        ..Default::default()
    }
}

async fn trace(clinic: &Clinic, request: TraceAbsenceRequest) -> Absence {
    let mut client = clinic.absences(Role::ClassReporter);
    let traced = client.trace_absence(request).await;
    traced.expect("traced").into_inner()
}

async fn end(clinic: &Clinic, name: &str) -> Result<Absence, Status> {
    let request = EndAbsenceRequest {
        name: name.to_owned(),
        ..Default::default()
    };
    let mut client = clinic.absences(Role::ClassReporter);
    let ended = client.end_absence(request).await;
    ended.map(tonic::Response::into_inner)
}

/// What the feed shows of an absence.
async fn in_feed(clinic: &Clinic, name: &str, is: impl Fn(Option<&Absence>) -> bool) {
    let mut feed = SamplingFeedClient::new(clinic.at(Role::CityOfficer, CITY));
    for _ in 0..200 {
        let parts = feed.snapshot(SamplingSnapshotRequest::default()).await;
        let parts: Vec<_> = parts.expect("a snapshot").into_inner().collect().await;
        let events = parts
            .into_iter()
            .flat_map(|part| part.expect("a part").events);
        let mut told = events.filter_map(|event| match event.state {
            Some(Told::Absence(absence)) => Some(absence),
            _ => None,
        });
        let absence = told.find(|absence| absence.name == name);
        if is(absence.as_ref()) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the feed does not show it");
}

async fn an_absence_is_reported_again_traced_and_ended(database: kit::scratch::Scratch) {
    let clinic = Clinic::open(database).await;
    let now = clinic.0.0.now();
    let first = clinic.record(1, AbsenceReason::Unknown).await;
    assert_eq!(
        (first.state(), first.owner()),
        (State::Open, Owner::ClassReporter)
    );
    assert_eq!(
        first.contact_due_time,
        Some(to_timestamp(now + Duration::minutes(60)))
    );
    assert_eq!(
        first.class_group,
        format!("organizations/{SCHOOL}/classGroups/{CLASS}")
    );

    let earlier = Absence {
        start_date: Some(to_date(monday() - Duration::days(1))),
        ..absence(1, AbsenceReason::Illness)
    };
    let again = RecordAbsenceRequest {
        absence: Some(earlier),
        request_id: uuid::Uuid::from_u128(7).to_string(),
        ..Default::default()
    };
    let mut reporter = clinic.absences(Role::ClassReporter);
    let second = reporter
        .record_absence(again.clone())
        .await
        .expect("again")
        .into_inner();
    let third = reporter
        .record_absence(again)
        .await
        .expect("a repeat")
        .into_inner();
    assert_eq!(second, third);
    assert_eq!(
        (&second.name, second.reason()),
        (&first.name, AbsenceReason::Illness)
    );
    assert_eq!(
        second.start_date,
        Some(to_date(monday() - Duration::days(1)))
    );
    let unknown = clinic.record(1, AbsenceReason::Unknown).await;
    assert_eq!(unknown, second, "what is known already changes nothing");

    let name = first.name;
    let assign = AssignTracerRequest {
        name: name.clone(),
        tracer: "teacher-3".to_owned(),
        ..Default::default()
    };
    let assigned = reporter
        .assign_tracer(assign)
        .await
        .expect("assigned")
        .into_inner();
    assert_eq!(assigned.tracer, "teacher-3");
    let unreachable = TraceAbsenceRequest {
        name: name.clone(),
        outcome: Outcome::Unreachable.into(),
        note: "无人接听".to_owned(),
        ..Default::default()
    };
    assert_eq!(trace(&clinic, unreachable).await.state(), State::Open);
    let traced = trace(&clinic, reached(&name, AbsenceReason::Illness, Some(ill()))).await;
    assert_eq!(
        (traced.state(), traced.illness),
        (State::Traced, None),
        "the teacher sees no illness"
    );
    let read = clinic.absence(&name).await;
    let illness = read.illness.expect("the doctor sees it");
    assert_eq!(illness, ill());
    let list = ListTracesRequest {
        absence: name.clone(),
        ..Default::default()
    };
    let trail = clinic.absences(Role::SchoolDoctor).list_traces(list).await;
    let trail = trail.expect("a trail").into_inner().traces;
    let outcomes: Vec<_> = trail.iter().map(|trace| trace.outcome()).collect();
    assert_eq!(outcomes, [Outcome::Unreachable, Outcome::Reached]);
    assert_eq!(trail[1].note, "电话联系");

    assert_eq!(clinic.state(1).await.state(), Medical::Symptomatic);
    let early = end(&clinic, &name)
        .await
        .expect_err("the doctor has not cleared");
    assert_eq!(reason(&early), refused("RETURN_NOT_CLEARED"));
    clinic.observe(1).await.expect("observed");
    clinic.release(1).await;
    in_feed(&clinic, &name, |told| {
        told.is_some_and(|told| told.illness.is_none())
    })
    .await;
    let ended = end(&clinic, &name).await.expect("back");
    assert_eq!(
        (ended.state(), ended.return_time),
        (State::Ended, Some(to_timestamp(now)))
    );
    let twice = end(&clinic, &name).await.expect_err("back before");
    assert_eq!(reason(&twice), refused("ABSENCE_STATE"));

    in_feed(&clinic, &name, |told| told.is_some()).await;
    let confirm = ConfirmUploadRequest {
        name: name.clone(),
        ..Default::default()
    };
    let mut doctor = clinic.absences(Role::SchoolDoctor);
    doctor
        .confirm_upload(confirm.clone())
        .await
        .expect("uploaded after the return");
    let again = doctor
        .confirm_upload(confirm)
        .await
        .expect_err("uploaded before");
    assert_eq!(reason(&again), refused("ABSENCE_STATE"));
    in_feed(&clinic, &name, |told| told.is_none()).await;
    let next = clinic.record(1, AbsenceReason::Personal).await;
    assert_ne!(next.name, name, "the next absence is another one");
}

/// 1.11.
async fn who_is_not_reached_in_time_is_the_principals(database: kit::scratch::Scratch) {
    let clinic = Clinic::open(database).await;
    let missed = clinic.record(1, AbsenceReason::Unknown).await.name;
    let found = clinic.record(2, AbsenceReason::Unknown).await.name;
    trace(&clinic, reached(&found, AbsenceReason::Personal, None)).await;
    clinic.0.0.clock.advance(Duration::minutes(61));
    let escalated = clinic
        .until(&missed, |one| one.state() == State::Escalated)
        .await;
    assert_eq!(escalated.owner(), Owner::Principal);
    in_feed(&clinic, &missed, |told| {
        told.is_some_and(|told| told.state() == State::Escalated)
    })
    .await;
    assert_eq!(clinic.absence(&found).await.state(), State::Traced);
    let traced = trace(&clinic, reached(&missed, AbsenceReason::Isolation, None)).await;
    assert_eq!(
        (traced.state(), traced.owner()),
        (State::Traced, Owner::Principal)
    );
}

/// 1.14, 5.27, T15.
async fn a_weather_delay_is_excused_and_traced_once_it_is_not(database: kit::scratch::Scratch) {
    let clinic = Clinic::open(database).await;
    let delayed = clinic.record(1, AbsenceReason::WeatherDelay).await;
    assert_eq!(
        (delayed.state(), &delayed.contact_due_time),
        (State::Excused, &None)
    );
    let missed = clinic.record(2, AbsenceReason::Unknown).await.name;
    clinic.0.0.clock.advance(Duration::minutes(61));
    clinic
        .until(&missed, |one| one.state() == State::Escalated)
        .await;
    assert_eq!(clinic.absence(&delayed.name).await.state(), State::Excused);

    let ill = clinic.record(1, AbsenceReason::Illness).await;
    let due = clinic.0.0.now() + Duration::minutes(60);
    assert_eq!((&ill.name, ill.state()), (&delayed.name, State::Open));
    assert_eq!(
        ill.contact_due_time,
        Some(to_timestamp(due)),
        "its clock begins now"
    );
    assert!(ill.upload_due_time.is_some());
    let told = trace(
        &clinic,
        reached(&ill.name, AbsenceReason::WeatherDelay, None),
    )
    .await;
    assert_eq!((told.state(), told.upload_due_time), (State::Excused, None));
    // Whoever takes an illness back and tells it again gains no time.
    clinic.0.0.clock.advance(Duration::minutes(5));
    let again = reached(&ill.name, AbsenceReason::Illness, None);
    let again = trace(&clinic, again).await;
    assert_eq!(again.upload_due_time, ill.upload_due_time);
    let none = reached(&ill.name, AbsenceReason::WeatherDelay, None);
    trace(&clinic, none).await;
    assert_eq!(
        clinic.state(1).await.state(),
        Medical::Normal,
        "no sign is left"
    );
    end(&clinic, &ill.name).await.expect("back");
}

/// 1.8, 1.12.
async fn three_sick_school_days_ask_for_an_interview_and_a_late_upload_shows(
    database: kit::scratch::Scratch,
) {
    let clinic = Clinic::open(database).await;
    let name = clinic.record(1, AbsenceReason::Illness).await.name;
    let uploaded = clinic.record(2, AbsenceReason::Illness).await.name;
    let confirm = ConfirmUploadRequest {
        name: uploaded.clone(),
        ..Default::default()
    };
    let mut doctor = clinic.absences(Role::SchoolDoctor);
    doctor.confirm_upload(confirm).await.expect("uploaded");
    clinic.0.0.clock.advance(Duration::hours(25));
    let late = clinic.until(&name, |one| one.upload_overdue).await;
    assert!(!late.interview_due, "two days");
    assert!(!clinic.absence(&uploaded).await.upload_overdue);
    clinic.0.0.next_day();
    let due = clinic.until(&name, |one| one.interview_due).await;
    assert_eq!(due.interview_time, None);
    let interview = RecordInterviewRequest {
        name: name.clone(),
        note: "家访".to_owned(),
        ..Default::default()
    };
    let mut reporter = clinic.absences(Role::ClassReporter);
    let held = reporter
        .record_interview(interview)
        .await
        .expect("held")
        .into_inner();
    assert_eq!(
        (held.interview_due, held.interview_time),
        (false, Some(to_timestamp(clinic.0.0.now())))
    );
}

async fn the_reason_that_was_given_unasked_is_traced_at_once(database: kit::scratch::Scratch) {
    let clinic = Clinic::open(database).await;
    let mut request = RecordAbsenceRequest {
        absence: Some(absence(1, AbsenceReason::Unknown)),
        self_reported: true,
        note: "家长来电".to_owned(),
        ..Default::default()
    };
    let mut reporter = clinic.absences(Role::ClassReporter);
    let unsaid = reporter
        .record_absence(request.clone())
        .await
        .expect_err("no reason");
    assert_eq!(reason(&unsaid).1, "INVALID_FIELD");
    request.absence = Some(Absence {
        illness: Some(ill()),
        ..absence(1, AbsenceReason::Illness)
    });
    let told = reporter
        .record_absence(request)
        .await
        .expect("told")
        .into_inner();
    assert_eq!((told.state(), told.contact_due_time), (State::Traced, None));
    let wrong = RecordAbsenceRequest {
        absence: Some(Absence {
            illness: Some(ill()),
            start_date: Some(to_date(monday() + Duration::days(1))),
            ..absence(2, AbsenceReason::Personal)
        }),
        ..Default::default()
    };
    let wrong = reporter
        .record_absence(wrong)
        .await
        .expect_err("no illness, and tomorrow");
    assert_eq!(reason(&wrong).1, "INVALID_FIELD");
}

async fn everybody_sees_what_is_theirs(database: kit::scratch::Scratch) {
    let clinic = Clinic::open(database).await;
    let name = clinic.record(1, AbsenceReason::Illness).await.name;
    trace(&clinic, reached(&name, AbsenceReason::Illness, Some(ill()))).await;
    let get = GetAbsenceRequest { name: name.clone() };
    for role in [
        Role::ClassReporter,
        Role::Principal,
        Role::DistrictOfficer,
        Role::CityOfficer,
    ] {
        let read = clinic
            .absences(role)
            .get_absence(get.clone())
            .await
            .expect("read");
        assert_eq!(read.into_inner().illness, None, "{role}");
    }
    for role in [Role::EpidemicReporter, Role::DiseaseControl] {
        let read = clinic
            .absences(role)
            .get_absence(get.clone())
            .await
            .expect("read");
        assert!(read.into_inner().illness.is_some(), "{role}");
    }
    let elsewhere = school_path(OTHER_SCHOOL);
    let other_class = format!("{}/p2019-02", school_path(SCHOOL));
    for (role, scope) in [
        (Role::SchoolDoctor, elsewhere.as_str()),
        (Role::ClassReporter, other_class.as_str()),
        (Role::Guard, CITY),
        (Role::Laboratory, CITY),
    ] {
        let mut stranger = AbsenceServiceClient::new(clinic.at(role, scope));
        let err = stranger
            .get_absence(get.clone())
            .await
            .expect_err("not theirs");
        assert_eq!(reason(&err), denied(), "{role}");
        let request = RecordAbsenceRequest {
            absence: Some(absence(1, AbsenceReason::Unknown)),
            ..Default::default()
        };
        let err = stranger
            .record_absence(request)
            .await
            .expect_err("not theirs");
        assert_eq!(reason(&err), denied(), "{role}");
    }
    let nothing = GetAbsenceRequest {
        name: format!("absences/{}", uuid::Uuid::nil()),
    };
    let err = clinic
        .absences(Role::SchoolDoctor)
        .get_absence(nothing.clone())
        .await;
    assert_eq!(
        reason(&err.expect_err("hidden")),
        denied(),
        "nothing is told of what is not there"
    );
    let upload = ConfirmUploadRequest {
        name,
        ..Default::default()
    };
    let err = clinic
        .absences(Role::ClassReporter)
        .confirm_upload(upload)
        .await;
    assert_eq!(reason(&err.expect_err("the doctor's")), denied());
}

async fn absences_are_listed_by_place_state_reason_and_day(database: kit::scratch::Scratch) {
    let clinic = Clinic::open(database).await;
    for number in 0..3 {
        clinic.record(number, AbsenceReason::Personal).await;
    }
    let delayed = clinic.record(3, AbsenceReason::WeatherDelay).await;
    let mut reporter = clinic.absences(Role::ClassReporter);
    let scope = format!("organizations/{SCHOOL}/classGroups/{CLASS}");
    let mut page = ListAbsencesRequest {
        scope: scope.clone(),
        page_size: 3,
        ..Default::default()
    };
    let first = reporter
        .list_absences(page.clone())
        .await
        .expect("a page")
        .into_inner();
    page.page_token = first.next_page_token;
    let second = reporter
        .list_absences(page.clone())
        .await
        .expect("a page")
        .into_inner();
    assert_eq!((first.absences.len(), second.absences.len()), (3, 1));
    assert_eq!(second.next_page_token, "");
    page.scope = format!("organizations/{SCHOOL}");
    let err = reporter
        .list_absences(page)
        .await
        .expect_err("another list's token");
    assert_eq!(reason(&err).1, "INVALID_PAGE_TOKEN");

    end(&clinic, &delayed.name).await.expect("back");
    clinic.0.0.next_day();
    let list = |state: State, why: AbsenceReason, date| ListAbsencesRequest {
        scope: format!("organizations/{SCHOOL}"),
        state: state.into(),
        reason: why.into(),
        date,
        ..Default::default()
    };
    let any = AbsenceReason::Unspecified;
    let today = Some(clinic.0.0.date());
    for (request, count) in [
        (list(State::Unspecified, any, None), 3),
        (list(State::Ended, any, None), 1),
        (
            list(State::Unspecified, AbsenceReason::WeatherDelay, None),
            0,
        ),
        (list(State::Unspecified, any, Some(to_date(monday()))), 4),
        (list(State::Unspecified, any, today), 3),
    ] {
        let mut principal = clinic.absences(Role::Principal);
        let listed = principal
            .list_absences(request)
            .await
            .expect("a list")
            .into_inner();
        assert_eq!(listed.absences.len(), count);
    }
    let foreign = ListAbsencesRequest {
        scope: format!("organizations/{OTHER_SCHOOL}"),
        ..Default::default()
    };
    let err = reporter
        .list_absences(foreign)
        .await
        .expect_err("not theirs");
    assert_eq!(reason(&err), denied());
    assert_eq!(clinic.absence(&delayed.name).await.person, student(3));
}
