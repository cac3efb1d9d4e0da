//! How teaching is resumed: batches, and how far each school is (rules 4.1, 4.10). Who signed, what
//! was demanded and why teaching was suspended again stay where they were written.

use chrono::{DateTime, Utc};
use kit::clock::{civil_date, start_of};
use kit::field::{to_date, to_timestamp};
use proto::safety as pb;
use proto::safety::safety_event::State as EventState;

use super::Telling;
use crate::domain::figures::{Counts, Metric};
use crate::domain::resumption::own_plan::OwnPlan;
use crate::store::resumption::{BatchRow, Kept};
use crate::store::told::NEVER;

/// A batch of a bureau. How many schools are how far follows from what is told of them.
pub(crate) fn batch(row: &BatchRow) -> Telling {
    let home = (&*row.organization, &*row.org_path);
    let planned = row.planned().ok();
    let told = pb::ResumptionBatch {
        name: row.name(),
        grades: row.grades(),
        kindergarten: row.kindergarten,
        planned_date: planned.map(to_date),
        policy_version: row.policy_version.clone(),
        counts: Vec::new(),
        plan_time: DateTime::from_timestamp_millis(row.planned_at).map(to_timestamp),
    };
    Telling::gone("resumptionBatches", row.name(), home)
        .with(Some(EventState::ResumptionBatch(told)), Counts::default())
}

/// How far a school is on its way back to teaching at `now`.
pub(crate) fn resumption(kept: &Kept, now: DateTime<Utc>) -> Telling {
    let today = civil_date(now);
    let home = (&*kept.organization, &*kept.org_path);
    let progress = &kept.progress;
    let suspension = progress.suspension.as_ref();
    let told = pb::Resumption {
        name: kept.name(),
        batch: if progress.own {
            String::new()
        } else {
            let (bureau, position) = (&kept.batch, kept.position);
            format!("organizations/{bureau}/resumptionBatches/{position}")
        },
        own_plan: progress.plan.as_ref().map(own_plan),
        grades: progress.grades.clone(),
        state: progress.state as i32,
        org_path: kept.org_path.clone(),
        scheduled_date: progress.day.map(to_date),
        resume_time: progress.resumed.map(to_timestamp),
        monitor_until_date: progress.monitor_until.map(to_date),
        suspension: suspension.map(|suspension| pb::ResumptionSuspension {
            scope: suspension.scope as i32,
            reason: suspension.reason as i32,
            until_date: suspension.until.map(to_date),
            suspend_time: Some(to_timestamp(suspension.at)),
            ending: suspension.is_ending(today),
            passed: suspension.has_passed(today),
            ..pb::ResumptionSuspension::default()
        }),
        blocks: kept.guards.iter().map(|kind| *kind as i32).collect(),
        update_time: Some(to_timestamp(kept.updated)),
        ..pb::Resumption::default()
    };
    let turns = suspension.and_then(|suspension| suspension.turns(today));
    let wake = turns.map_or(NEVER, |day| start_of(day).timestamp_millis());
    Telling::gone("resumptions", kept.name(), home)
        .with(Some(EventState::Resumption(told)), readiness(kept))
        .wakes(wake)
}

/// When a university reported its plan, for which day, and what was decided; not what it says.
fn own_plan(plan: &OwnPlan) -> pb::OwnPlan {
    let ruling = plan.ruling.as_ref();
    pb::OwnPlan {
        proposed_date: Some(to_date(plan.day)),
        report_time: Some(to_timestamp(plan.reported)),
        decision: ruling.map_or(0, |ruling| ruling.decision as i32),
        decide_time: ruling.map(|ruling| to_timestamp(ruling.time)),
        ..pb::OwnPlan::default()
    }
}

/// What a school on its way back counts for: nothing once all of its batch may be at school.
fn readiness(kept: &Kept) -> Counts {
    let counts = Counts::default();
    if kept.progress.state.is_open() {
        return counts;
    }
    let summary = &kept.summary;
    let silent = summary.score.is_none();
    let blocked = silent || summary.open > 0 || !kept.guards.is_empty();
    counts
        .with(Metric::Resuming, 1)
        .with(Metric::ResumingSilent, silent.into())
        .with(Metric::ResumingBlocked, blocked.into())
        .with(
            Metric::ResumingScore,
            summary.score.unwrap_or_default().into(),
        )
}
