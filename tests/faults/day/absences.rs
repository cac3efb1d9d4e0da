//! A pupil who is away for a day: recorded, traced, and back.

use kit::auth::Role;
use proto::sampling::absence::State;
use proto::sampling::absence_service_client::AbsenceServiceClient;
use proto::sampling::{
    Absence, AbsenceReason, EndAbsenceRequest, RecordAbsenceRequest, TraceAbsenceRequest, trace,
};
use tests::city::{City, Door};
use tests::town::school_path;

use super::{Office, Trail, begun, last, step};
use crate::campaign::Campaign;
use crate::judge::same;
use crate::{SITES, reads};

const RECORD: &str = "campus.sampling.v1.AbsenceService/RecordAbsence";
const TRACE: &str = "campus.sampling.v1.AbsenceService/TraceAbsence";
const END: &str = "campus.sampling.v1.AbsenceService/EndAbsence";

/// The class group whose pupils are away, one after the other.
const AWAY: u32 = 1;
/// What the absences of a school may be, by the number of their steps.
const STATES: [State; 3] = [State::Open, State::Traced, State::Ended];

/// Whoever follows absences at the school, before the service.
fn client(office: &Office<'_>) -> AbsenceServiceClient<Door> {
    let door = office
        .city
        .door(Role::EpidemicReporter, &school_path(office.at));
    AbsenceServiceClient::new(door)
}

/// Somebody is not there, and nobody knows why.
pub(super) async fn is_recorded(office: &mut Office<'_>, number: u32) {
    let (reporter, town) = (client(office), office.city.town);
    let person = office
        .city
        .student(office.at, AWAY, number % town.students + 1);
    let absence = Absence {
        person: person.to_owned(),
        reason: AbsenceReason::Unknown.into(),
        ..Absence::default()
    };
    let recorded = office.act(RECORD, |request_id| {
        let mut client = reporter.clone();
        let request = RecordAbsenceRequest {
            absence: Some(absence.clone()),
            request_id,
            ..RecordAbsenceRequest::default()
        };
        async move { Ok(client.record_absence(request).await?.into_inner()) }
    });
    let name = recorded.await.name;
    office.days.absences.push(begun(name, step(RECORD)));
}

/// The family says why.
pub(super) async fn is_traced(office: &mut Office<'_>) {
    let (reporter, name) = (client(office), last(&mut office.days.absences).name.clone());
    let traced = office.act(TRACE, |request_id| {
        let (mut client, name) = (reporter.clone(), name.clone());
        let request = TraceAbsenceRequest {
            name,
            outcome: trace::Outcome::Reached.into(),
            reason: AbsenceReason::Personal.into(),
            note: "电话联系".to_owned(),
            request_id,
            ..TraceAbsenceRequest::default()
        };
        async move { Ok(client.trace_absence(request).await?.into_inner()) }
    });
    traced.await;
    last(&mut office.days.absences).steps.push(step(TRACE));
}

/// The pupil is back.
pub(super) async fn ends(office: &mut Office<'_>) {
    let (reporter, name) = (client(office), last(&mut office.days.absences).name.clone());
    let ended = office.act(END, |request_id| {
        let (mut client, name) = (reporter.clone(), name.clone());
        let request = EndAbsenceRequest {
            name,
            request_id,
            ..EndAbsenceRequest::default()
        };
        async move { Ok(client.end_absence(request).await?.into_inner()) }
    });
    ended.await;
    last(&mut office.days.absences).steps.push(step(END));
}

/// Each absence is there once, where its last step left it, and was traced once if it was.
pub(super) async fn are_kept(campaign: &Campaign, city: &City, told: &[Trail]) {
    let mut kept = Vec::new();
    for at in 1..=city.town.schools - SITES {
        for (state, count) in STATES.into_iter().zip(1..) {
            let listed = campaign.read("sampling", "absences", || reads::absences(city, at, state));
            for Absence { name, .. } in listed.await {
                let traces = campaign.read("sampling", "traces", || reads::traces(city, at, &name));
                let traces = traces.await.len();
                kept.push((name, count, traces));
            }
        }
    }
    let told = told.iter().map(|one| {
        let traces = one.steps.iter().filter(|name| **name == step(TRACE));
        (one.name.clone(), one.steps.len(), traces.count())
    });
    same("absences", kept, told.collect(), |one| one.0.clone());
}
