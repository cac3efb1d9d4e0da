//! Signals about the honesty of checks as they are told.

use proto::sampling::ReportingSignal;

use crate::domain::day::Day;
use crate::grpc::tube_convert::instant;
use crate::store::health::signals::SignalRow;

fn date(number: i32) -> Option<proto::Date> {
    let day = Day::from_number(u16::try_from(number).unwrap_or_default());
    day.date().map(kit::field::to_date)
}

/// One signal.
pub(crate) fn signal(row: &SignalRow) -> ReportingSignal {
    let SignalRow {
        id,
        school,
        org_path,
        kind,
        day,
        slot,
        observed,
        total,
        state,
        show_time,
        visible_day,
        explanation,
        explain_time,
        explained_by,
        judge_reason,
        judge_time,
        judged_by,
    } = row;
    let organization = school.rsplit('/').next().unwrap_or_default();
    ReportingSignal {
        name: format!("reportingSignals/{id}"),
        organization: format!("organizations/{organization}"),
        org_path: org_path.clone(),
        kind: i32::from(*kind),
        check_date: date(*day),
        slot: i32::from(*slot),
        observed_count: *observed,
        total_count: *total,
        state: i32::from(*state),
        show_time: instant(*show_time),
        visible_date: date(*visible_day),
        explanation: explanation.clone(),
        explain_time: instant(*explain_time),
        explained_by: explained_by.clone(),
        judge_reason: judge_reason.clone(),
        judge_time: instant(*judge_time),
        judged_by: judged_by.clone(),
    }
}
