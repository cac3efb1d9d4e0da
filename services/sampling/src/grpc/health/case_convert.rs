//! Field by field: cases and what happened to them, as they are told.

use chrono::{DateTime, Utc};
use kit::feed::Change;
use kit::field::to_date;
use proto::sampling::sampling_event::State as EventState;
use proto::sampling::{Case, CaseEvent, CaseExport, case};

use super::report_convert;
use crate::domain::day::Day;
use crate::domain::health::disease::Disease;
use crate::domain::health::report::ReportKind;
use crate::grpc::announced::sampling_change;
use crate::grpc::convert::group_of;
use crate::grpc::tube_convert::{instant, member};
use crate::store::health::cases::{CaseEventRow, ExportRow};
use crate::store::health::reports::CaseFile;

/// A disease as the contract writes it, without its prefix; empty for none.
pub(crate) fn disease_name(disease: Option<Disease>) -> String {
    let known = disease.and_then(|disease| {
        proto::roster::Disease::try_from(i32::from(disease.0))
            .ok()
            .filter(|known| *known != proto::roster::Disease::Unspecified)
    });
    known.map_or_else(String::new, |known| {
        known
            .as_str_name()
            .trim_start_matches("DISEASE_")
            .to_owned()
    })
}

/// A civil day of a row.
pub(super) fn date(day: i32) -> Option<proto::Date> {
    let day = Day::from_number(u16::try_from(day).unwrap_or_default());
    day.date().map(to_date)
}

/// A case.
pub(crate) fn case(file: &CaseFile, now: DateTime<Utc>) -> Case {
    let row = &file.row;
    let until = file.until(now.timestamp_millis());
    let is_person = !row.person.is_empty();
    let school = row.school.rsplit('/').next().unwrap_or_default();
    let state = if row.is_open() {
        case::State::Open
    } else {
        case::State::Closed
    };
    Case {
        name: row.name(),
        subject: i32::from(row.subject),
        person: if is_person {
            member(row.kind, &row.person)
        } else {
            String::new()
        },
        disease: i32::from(row.disease),
        certainty: i32::from(row.certainty),
        severity: i32::from(row.severity),
        onset_date: date(row.onset),
        detection: i32::from(row.detection),
        basis: row.basis.clone(),
        class_group: if is_person {
            group_of(&row.org_path)
        } else {
            String::new()
        },
        organization: format!("organizations/{school}"),
        state: state.into(),
        event_kind: i32::from(row.event_kind),
        person_count: row.people,
        detect_time: instant(row.detect_time),
        open_time: instant(row.open_time),
        close_time: instant(row.close_time),
        outcome: i32::from(row.outcome),
        urgent: row.urgent,
        first_report_due_time: instant(row.first_due),
        follow_up_due_time: instant(row.follow_due),
        last_report_kind: i32::from(row.last_report),
        late: file.is_late(now.timestamp_millis()),
        hops: file
            .clocks()
            .iter()
            .map(|clock| report_convert::hop(clock, until, file.recorded_by_sender(clock)))
            .collect(),
        policy_version: row.policy_version.clone(),
        hospitalised_count: row.hospitalised,
        dead_count: row.dead,
    }
}

/// The change of a case for the feed, at its school. Who it is stays with the case.
pub(crate) fn change(file: &CaseFile, now: DateTime<Utc>) -> Change {
    let row = &file.row;
    let excluded = row
        .standing()
        .is_ok_and(|standing| standing.certainty.is_none());
    let ended = !row.is_open() && row.last_report == ReportKind::Final.code();
    let told = Case {
        person: String::new(),
        class_group: String::new(),
        basis: String::new(),
        ..case(file, now)
    };
    let state = (!excluded && !ended).then_some(EventState::Case(told));
    sampling_change("case", row.name(), row.version, &row.school, state)
}

/// One thing that happened to a case.
pub(super) fn event(row: CaseEventRow) -> CaseEvent {
    let CaseEventRow {
        case_id: _,
        sequence,
        time,
        kind,
        actor,
        severity,
        note,
    } = row;
    CaseEvent {
        sequence,
        event_time: instant(time),
        kind: i32::from(kind),
        actor,
        severity: i32::from(severity),
        note,
    }
}

/// One export.
pub(super) fn export(row: ExportRow) -> CaseExport {
    let ExportRow {
        case_id: _,
        sequence,
        time,
        actor,
        purpose,
        format,
        sha256,
    } = row;
    CaseExport {
        sequence,
        export_time: instant(time),
        actor,
        purpose,
        format: i32::from(format),
        sha256,
    }
}
