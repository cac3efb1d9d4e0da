//! Field by field: medical states, appeals and history, as they are told.

use kit::field::to_date;
use proto::sampling::appeal::State as AppealState;
use proto::sampling::{
    Appeal, HealthEvent, HealthState, Observation, ReturnCertificate, ReturnRequest,
};

use crate::domain::day::Day;
use crate::domain::health::person::{self, Verdict, evidence_of};
use crate::grpc::convert::group_of;
use crate::grpc::tube_convert::{instant, member};
use crate::store::health::medical::{HealthEventRow, MedicalRow};

fn name(row: &MedicalRow) -> String {
    format!("{}/health", member(row.kind, &row.person))
}

/// One person's medical state.
pub(crate) fn health_state(row: &MedicalRow) -> HealthState {
    let day = |number: i32| Day::from_number(u16::try_from(number).unwrap_or_default());
    let observation = (row.observed != 0 || row.readings != 0).then(|| Observation {
        room: row.room.clone(),
        start_time: instant(row.observed),
        notify_time: instant(row.notified),
        reading_count: i32::from(row.readings),
    });
    let certificate = (row.certified != 0).then(|| ReturnCertificate {
        number: row.certificate.clone(),
        issue_time: instant(row.certified),
    });
    HealthState {
        name: name(row),
        class_group: group_of(&row.org_path),
        org_path: row.org_path.clone(),
        state: i32::from(row.state),
        state_time: instant(row.since),
        clear_time: instant(row.cleared),
        observation,
        disease: i32::from(row.disease),
        onset_date: day(row.onset).date().map(to_date),
        rash_onset_date: day(row.rash).date().map(to_date),
        treatment_start_date: day(row.treatment).date().map(to_date),
        complicated: row.complicated,
        recovery_time: instant(row.recovery),
        exclude_end_time: instant(row.until),
        evidence: evidence_of(row.evidence)
            .into_iter()
            .map(i32::from)
            .collect(),
        hospital_proof_sha256: row.proof.clone(),
        review: i32::from(row.review),
        appeal: row.appealed.then(|| appeal(row)),
        certificate,
        policy_version: row.policy_version.clone(),
    }
}

/// The appeal against the last refusal: nothing about the illness.
pub(crate) fn appeal(row: &MedicalRow) -> Appeal {
    let spoken = person::Appeal {
        made: row.appealed,
        opinions: [row.principal, row.bureau, row.disease_control].map(Verdict::from_code),
    };
    let state = match spoken.decided() {
        None => AppealState::Open,
        Some(Verdict::Admit) => AppealState::Admitted,
        Some(Verdict::Refuse) => AppealState::Refused,
    };
    Appeal {
        name: name(row),
        state: state.into(),
        principal: i32::from(row.principal),
        bureau: i32::from(row.bureau),
        disease_control: i32::from(row.disease_control),
    }
}

/// That a return was asked for: nothing about the illness.
pub(crate) fn return_request(row: &MedicalRow) -> ReturnRequest {
    ReturnRequest {
        name: name(row),
        create_time: instant(row.since),
    }
}

/// One line of the history.
pub(super) fn health_event(row: HealthEventRow) -> HealthEvent {
    let HealthEventRow {
        person: _,
        sequence,
        time,
        verb,
        state,
        actor,
        note,
        rule,
        policy_version,
    } = row;
    HealthEvent {
        sequence: i32::try_from(sequence).unwrap_or(i32::MAX),
        event_time: instant(time),
        verb,
        state: i32::from(state),
        actor,
        note,
        rule,
        policy_version,
    }
}
