//! Incidents, reports, history and counts as they are told.

use kit::field::{private_count, to_timestamp};
use prost_types::Timestamp;
use proto::safety as pb;

use crate::app::incidents::{CountsAt, Told};
use crate::domain::incident::category::supplement_end;
use crate::domain::incident::clock::Clock;
use crate::domain::incident::file::Incident;
use crate::domain::incident::harm::Casualties;
use crate::domain::incident::step::Step;
use crate::store::incidents::{AccountabilityRow, CauseRow, EventRow, ReportRow};

/// An instant; none for 0.
fn instant(millis: i64) -> Option<Timestamp> {
    let found = (millis != 0).then(|| chrono::DateTime::from_timestamp_millis(millis))?;
    found.map(to_timestamp)
}

fn number<T>(value: Option<T>, of: impl Fn(T) -> i32) -> i32 {
    value.map_or(0, of)
}

fn harm(harm: &Casualties) -> pb::Casualties {
    let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    pb::Casualties {
        deaths: count(harm.deaths),
        missing: count(harm.missing),
        serious_injuries: count(harm.serious),
        minor_injuries: count(harm.minor),
        loss_yuan: i64::try_from(harm.loss_yuan).unwrap_or(i64::MAX),
    }
}

/// What every view of an incident has: no clocks, receipts and review.
fn shared(incident: Incident, overdue: bool, next_due: i64) -> pb::Incident {
    let supplement_end = supplement_end(incident.hazard_category, incident.occurred);
    pb::Incident {
        name: incident.name(),
        category: incident.category as i32,
        hazard_category: number(incident.hazard_category, |of| of as i32),
        confidential: number(incident.confidential, |of| of as i32),
        occur_time: instant(incident.occurred),
        casualties: Some(harm(&incident.harm)),
        state: incident.state as i32,
        level: incident.level as i32,
        level_table: incident.limits.table as i32,
        detect_time: instant(incident.detected),
        supplement_end_time: instant(supplement_end),
        overdue,
        next_due_time: instant(next_due),
        place: incident.place,
        summary: incident.summary,
        over_level_reason: incident.over_level_reason,
        policy_version: incident.limits.policy_version,
        detector: incident.detector,
        ..pb::Incident::default()
    }
}

/// An incident as a list tells it: of a confidential one nothing in words and counts.
pub(in crate::grpc) fn listed((incident, next_due): (Incident, i64), now: i64) -> pb::Incident {
    let overdue = incident.late || (next_due != 0 && next_due < now);
    let masked = incident.confidential.is_some();
    let told = shared(incident, overdue, next_due);
    if !masked {
        return told;
    }
    pb::Incident {
        masked,
        place: String::new(),
        summary: String::new(),
        over_level_reason: String::new(),
        detector: String::new(),
        hazard_category: 0,
        casualties: None,
        occur_time: None,
        supplement_end_time: None,
        ..told
    }
}

/// An incident with all that is known of it.
pub(in crate::grpc) fn incident(told: Told) -> pb::Incident {
    let Told {
        file,
        findings: (causes, accountability),
        now,
    } = told;
    let (overdue, next_due, until) = (file.is_late(now), file.next_due(), file.until(now));
    let clocks = file.clocks();
    pb::Incident {
        clocks: clocks.iter().map(|of| clock(of, until)).collect(),
        steps: file.steps.into_iter().map(step).collect(),
        causes: causes.into_iter().map(cause).collect(),
        accountability: accountability.into_iter().map(blame).collect(),
        ..shared(file.incident, overdue, next_due)
    }
}

fn clock(clock: &Clock, until: i64) -> pb::IncidentClock {
    pb::IncidentClock {
        duty: clock.duty as i32,
        from_receiver: number(clock.hop, |hop| hop.0 as i32),
        to_receiver: number(clock.hop, |hop| hop.1 as i32),
        start_time: instant(clock.start),
        due_time: instant(clock.due),
        done_time: instant(clock.done),
        over_level: clock.over_level,
        late: clock.is_late(until),
        report_number: clock.report,
    }
}

fn step(step: Step) -> pb::IncidentStep {
    pb::IncidentStep {
        kind: step.kind as i32,
        receiver: step.receiver as i32,
        medium: step.medium as i32,
        step_time: instant(step.time),
        actor: step.actor,
        reference: step.reference,
    }
}

fn cause(row: CauseRow) -> pb::IncidentCause {
    pb::IncidentCause {
        description: row.description,
        hazard_category: row.category.into(),
        place: row.place,
        hazard: row.hazard,
    }
}

fn blame(row: AccountabilityRow) -> pb::Accountability {
    pb::Accountability {
        post: row.post,
        staff_member: row.staff_member,
        measure: row.measure.into(),
        basis: row.basis,
    }
}

/// A report of the incident of this name.
pub(in crate::grpc) fn written(incident: &str, row: &ReportRow) -> pb::IncidentReport {
    pb::IncidentReport {
        name: format!("{incident}/reports/{}", row.sequence),
        kind: row.kind.into(),
        situation: row.situation.clone(),
        measures: row.measures.clone(),
        casualties: Some(harm(&row.harm())),
        cause: row.cause.clone(),
        lessons: row.lessons.clone(),
        contact_post: row.contact_post.clone(),
        report_time: instant(row.time),
        due_time: instant(row.due),
        late: row.late,
        author: row.author.clone(),
        level: row.level.into(),
    }
}

/// One entry of the history.
pub(in crate::grpc) fn event(row: EventRow) -> pb::IncidentEvent {
    pb::IncidentEvent {
        sequence: row.sequence,
        kind: row.verb.into(),
        from_state: row.from_state.into(),
        to_state: row.to_state.into(),
        from_level: row.from_level.into(),
        to_level: row.to_level.into(),
        event_time: instant(row.time),
        actor: row.actor,
        reason: row.reason,
    }
}

/// Counts under the name that was asked for.
pub(in crate::grpc) fn counted(name: String, told: CountsAt) -> pb::IncidentCounts {
    let small = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
    let counts = told.counts.into_iter().map(|count| pb::IncidentCount {
        organization: format!("organizations/{}", count.district),
        category: count.category.into(),
        level: count.level.into(),
        open_count: small(count.open),
        closed_count: small(count.closed),
        false_alarm_count: small(count.false_alarms),
        overdue_count: small(count.overdue),
    });
    pb::IncidentCounts {
        name,
        counts: counts.collect(),
        confidential_count: Some(private_count(told.confidential)),
        as_of_time: instant(told.now),
    }
}
