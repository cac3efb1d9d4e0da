//! Field by field: reports, hops and steps, as they are told.

use kit::hop::HopClock;
use proto::sampling::{CaseReport, ReportHop, ReportStep};

use crate::grpc::tube_convert::instant;
use crate::store::health::reports::{ReportRow, StepRow};

/// One report.
pub(crate) fn report(row: &ReportRow) -> CaseReport {
    CaseReport {
        name: format!("cases/{}/reports/{}", row.case_id, row.sequence),
        kind: i32::from(row.kind),
        report_time: instant(row.time),
        due_time: instant(row.due),
        late: row.late,
        author: row.author.clone(),
        occur_time: instant(row.occur_time),
        place: row.place.clone(),
        suspected_count: row.suspected,
        confirmed_count: row.confirmed,
        hospitalised_count: row.hospitalised,
        dead_count: row.dead,
        measures: row.measures.clone(),
        cause: row.cause.clone(),
        contact_post: row.contact_post.clone(),
    }
}

/// The clock of one hop; `until` is the instant up to which it runs.
pub(super) fn hop(clock: &HopClock, until: i64, recorded_by_sender: bool) -> ReportHop {
    ReportHop {
        from_level: i32::from(clock.from),
        to_level: i32::from(clock.to),
        start_time: instant(clock.start),
        due_time: instant(clock.due),
        receive_time: instant(clock.received),
        over_level: clock.over_level,
        late: clock.is_late(until),
        recorded_by_sender,
    }
}

/// A receipt or a sending.
pub(crate) fn step(row: &StepRow) -> ReportStep {
    ReportStep {
        sequence: row.sequence,
        kind: i32::from(row.kind),
        level: i32::from(row.level),
        to_level: i32::from(row.to_level),
        step_time: instant(row.time),
        actor: row.actor.clone(),
        outside_reference: row.outside_reference.clone(),
    }
}
