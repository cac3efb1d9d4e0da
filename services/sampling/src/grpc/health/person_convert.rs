//! Field by field: medical states, appeals and history as they are told, diagnoses and those who
//! speak on appeals as they are asked.

use kit::auth::{Caller, Permission, Role};
use kit::field::{Fields, to_date};
use kit::status::Problem;
use proto::error::ErrorReason;
use proto::roster::Disease as Named;
use proto::sampling::appeal::{Party as Speaker, State as AppealState};
use proto::sampling::{
    Appeal, ConfirmDiseaseRequest, HealthEvent, HealthState, Observation, ReturnCertificate,
    ReturnRequest,
};

use crate::domain::day::Day;
use crate::domain::health::disease::Disease;
use crate::domain::health::person::{self, Party, Verdict, evidence_of, is_plausible};
use crate::domain::health::return_rule::Course;
use crate::grpc::convert::{group_of, optional_date};
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
        return_source: row.return_source.clone(),
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

/// For whom the caller speaks, who must hold a role of theirs.
pub(super) fn party_of(caller: &Caller, speaker: Speaker) -> Result<Party, Problem> {
    let (party, roles): (_, &[Role]) = match speaker {
        Speaker::Principal => (Party::Principal, &[Role::Principal]),
        Speaker::Bureau => (Party::Bureau, &[Role::DistrictOfficer, Role::CityOfficer]),
        Speaker::DiseaseControl => (Party::DiseaseControl, &[Role::DiseaseControl]),
        Speaker::Unspecified => return Err(Problem::new(ErrorReason::InvalidField)),
    };
    if roles.iter().any(|role| caller.is(*role)) {
        Ok(party)
    } else {
        let denied = Problem::new(ErrorReason::ScopeDenied);
        Err(denied.meta("permission", Permission::AppealDecide))
    }
}

/// The illness that was confirmed.
pub(super) fn course(
    fields: &mut Fields,
    request: &ConfirmDiseaseRequest,
    today: Day,
) -> Option<Course> {
    let disease: Option<Named> = fields.enumeration("disease", request.disease);
    let onset = fields.date("onset_date", request.onset_date);
    let mut day =
        |field: &str, value| optional_date(fields, field, value).map_or(Day::NEVER, Day::from);
    let course = Course {
        disease: disease.and_then(|disease| Some(Disease(i16::try_from(i32::from(disease)).ok()?))),
        onset: onset.map_or(Day::NEVER, Day::from),
        rash: day("rash_onset_date", request.rash_onset_date),
        treatment: day("treatment_start_date", request.treatment_start_date),
        recovery: 0,
        complicated: request.complicated,
    };
    if !is_plausible(&course, today) {
        let (chinese, english) = (
            "日期应在今天及此前 60 天内",
            "every day must be within the last 60 days",
        );
        fields.violation("onset_date", chinese, english);
    }
    Some(course)
}
