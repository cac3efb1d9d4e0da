//! Field by field: absences, both ways.

use chrono::{DateTime, Utc};
use kit::field::{Fields, to_date};
use kit::status::Problem;
use proto::roster::Disease;
use proto::sampling::absence::{Owner, State};
use proto::sampling::{
    Absence, AbsenceReason, Illness, RecordAbsenceRequest, Trace, TraceAbsenceRequest, trace,
};

use super::{who, whole};
use crate::app::health::absence_steps::AbsenceStep;
use crate::app::health::absences::{self, NewAbsence};
use crate::domain::day::Day;
use crate::domain::health::absence::Reason;
use crate::domain::health::return_rule::earliest_onset;
use crate::domain::health::symptom::{Symptom, Symptoms};
use crate::domain::roll::GroupKind;
use crate::grpc::convert::{group_of, optional_date};
use crate::grpc::tube_convert::{instant, member};
use crate::store::health::absences::{AbsenceRow, TraceRow};

/// How many civil days ago an absence may have begun that is recorded today.
const OLDEST: u16 = 60;

/// An absence; its illness is shown to those only who may read people's health.
pub(crate) fn absence(row: &AbsenceRow, health: bool) -> Absence {
    let day = |number: i32| Day::from_number(u16::try_from(number).unwrap_or_default());
    let shown = health && row.reason == Reason::Illness.code();
    let illness = shown.then(|| Illness {
        symptoms: Symptoms::from_bits(row.symptoms)
            .iter()
            .map(Symptom::code)
            .collect(),
        temperature_tenths: i32::from(row.temperature),
        onset_date: day(row.onset).date().map(to_date),
        seen_doctor: row.seen_doctor,
        preliminary_disease: i32::from(row.disease),
        hospitalised: row.hospitalised,
    });
    let owner = if row.escalated {
        Owner::Principal
    } else if row.kind == GroupKind::Staff.code() {
        Owner::EpidemicReporter
    } else {
        Owner::ClassReporter
    };
    Absence {
        name: row.name(),
        person: member(row.kind, &row.person),
        class_group: group_of(&row.org_path),
        org_path: row.org_path.clone(),
        state: i32::from(row.state),
        reason: i32::from(row.reason),
        start_date: day(row.start_day).date().map(to_date),
        leave_time: instant(row.leave_time),
        illness,
        owner: owner.into(),
        tracer: row.tracer.clone(),
        contact_due_time: instant(row.contact_due),
        trace_time: instant(row.trace_time),
        upload_due_time: instant(row.due_upload()),
        upload_time: instant(row.upload_time),
        upload_overdue: row.is_upload_overdue(),
        interview_due: row.interview_due,
        interview_time: instant(row.interview_time),
        return_time: instant(row.return_time),
        reporter: row.reporter.clone(),
        check: row.check_name.clone(),
        policy_version: row.policy_version.clone(),
        create_time: instant(row.create_time),
    }
}

/// One attempt to reach somebody; its notes are shown to those only who may read people's health.
pub(super) fn trace(row: TraceRow, health: bool) -> Trace {
    let TraceRow {
        absence: _,
        sequence,
        time,
        outcome,
        reason,
        note,
        actor,
    } = row;
    Trace {
        sequence: i32::try_from(sequence).unwrap_or(i32::MAX),
        create_time: instant(time),
        outcome: i32::from(outcome),
        reason: i32::from(reason),
        note: if health { note } else { String::new() },
        actor,
    }
}

/// An absence to be recorded.
pub(super) fn new(
    request: &RecordAbsenceRequest,
    today: Day,
    now: DateTime<Utc>,
) -> Result<NewAbsence, Problem> {
    let mut fields = Fields::new();
    let absence = request.absence.clone().unwrap_or_default();
    let person = who(&mut fields, "absence.person", &absence.person);
    let reason = reason(&mut fields, "absence.reason", absence.reason);
    let start = optional_date(&mut fields, "absence.start_date", absence.start_date);
    let start = start.map_or(today, Day::from);
    let oldest = Day::from_number(today.number().saturating_sub(OLDEST));
    if !(oldest..=today).contains(&start) {
        let (chinese, english) = ("应在最近 60 天内", "must be one of the last 60 days");
        fields.violation("absence.start_date", chinese, english);
    }
    let leave_time = past(&mut fields, "absence.leave_time", absence.leave_time, now);
    let illness = illness(
        &mut fields,
        "absence.illness",
        absence.illness,
        reason,
        today,
    );
    fields.text("note", &request.note, 500);
    if request.self_reported && reason == Some(Reason::Unknown) {
        let (chinese, english) = ("本人或家长告知时须有原因", "somebody who reports says why");
        fields.violation("absence.reason", chinese, english);
    }
    let read = person.zip(reason).map(|(person, reason)| NewAbsence {
        person,
        reason,
        start,
        leave_time,
        illness,
        told: request.self_reported.then(|| request.note.clone()),
    });
    whole(fields, read)
}

/// What an attempt to reach somebody makes of an absence.
pub(super) fn step(request: &TraceAbsenceRequest, today: Day) -> Result<AbsenceStep, Problem> {
    let mut fields = Fields::new();
    let outcome: Option<trace::Outcome> = fields.enumeration("outcome", request.outcome);
    fields.text("note", &request.note, 500);
    let note = request.note.clone();
    let step = match outcome {
        Some(trace::Outcome::Reached) => {
            let reason = reason(&mut fields, "reason", request.reason);
            if reason == Some(Reason::Unknown) {
                let (chinese, english) = ("已联系上须有原因", "somebody who was reached says why");
                fields.violation("reason", chinese, english);
            }
            let illness = illness(
                &mut fields,
                "illness",
                request.illness.clone(),
                reason,
                today,
            );
            reason.map(|reason| AbsenceStep::Reached(reason, illness, note))
        }
        Some(trace::Outcome::Unreachable) => {
            fields.required("note", &note);
            if request.reason != 0 || request.illness.is_some() {
                let (chinese, english) = ("未联系上时不填", "left out when nobody was reached");
                fields.violation("reason", chinese, english);
            }
            Some(AbsenceStep::Unreachable(note))
        }
        Some(trace::Outcome::Interviewed | trace::Outcome::Unspecified) => {
            fields.violation("outcome", "请选择有效的选项", "not a known value");
            None
        }
        None => None,
    };
    whole(fields, step)
}

/// A reason for a filter or a report.
pub(super) fn reason(fields: &mut Fields, field: &str, value: i32) -> Option<Reason> {
    let known: Option<AbsenceReason> = fields.enumeration(field, value);
    known.and_then(|known| Reason::from_code(i16::try_from(i32::from(known)).ok()?))
}

/// A state for a filter.
pub(super) fn state(fields: &mut Fields, field: &str, value: i32) -> Option<i16> {
    let known: Option<State> = fields.enumeration(field, value);
    known.and_then(|known| i16::try_from(i32::from(known)).ok())
}

/// An instant that may be left out and lies in the past, in milliseconds; 0 for none.
pub(super) fn past(
    fields: &mut Fields,
    field: &str,
    value: Option<prost_types::Timestamp>,
    now: DateTime<Utc>,
) -> i64 {
    if value.is_none() {
        return 0;
    }
    let instant = fields.instant(field, value);
    if instant.is_some_and(|instant| instant > now) {
        fields.violation(field, "不能晚于现在", "must not be later than now");
    }
    instant.map_or(0, |instant| instant.timestamp_millis())
}

fn illness(
    fields: &mut Fields,
    field: &str,
    told: Option<Illness>,
    reason: Option<Reason>,
    today: Day,
) -> Option<absences::Illness> {
    let told = told?;
    if reason.is_some_and(|reason| reason != Reason::Illness) {
        fields.violation(field, "仅因病缺勤填写", "for an illness only");
    }
    let symptom = |number: &i32| Symptom::from_code(*number);
    if told.symptoms.iter().any(|number| symptom(number).is_none()) {
        let (chinese, english) = ("请选择有效的症状", "not a known symptom");
        fields.violation(format!("{field}.symptoms"), chinese, english);
    }
    if told.temperature_tenths != 0 {
        let field = format!("{field}.temperature_tenths");
        fields.within(&field, told.temperature_tenths, 340..=425);
    }
    let onset = optional_date(fields, &format!("{field}.onset_date"), told.onset_date);
    let onset = onset.map_or(Day::NEVER, Day::from);
    if !onset.is_never() && (onset > today || onset < earliest_onset(today)) {
        let (chinese, english) = ("应在今天及此前 60 天内", "within the last 60 days");
        fields.violation(format!("{field}.onset_date"), chinese, english);
    }
    if told.preliminary_disease != 0 {
        let field = format!("{field}.preliminary_disease");
        let _: Option<Disease> = fields.enumeration(&field, told.preliminary_disease);
    }
    Some(absences::Illness {
        symptoms: told.symptoms.iter().filter_map(symptom).collect(),
        temperature: i16::try_from(told.temperature_tenths).unwrap_or_default(),
        onset,
        seen_doctor: told.seen_doctor,
        disease: i16::try_from(told.preliminary_disease).unwrap_or_default(),
        hospitalised: told.hospitalised,
    })
}
