//! Warnings, response levels, suspensions, and where organisations stand: codes and instants, no word
//! of a document.

use proto::safety as pb;
use proto::safety::safety_event::State as EventState;

use super::{Telling, instant};
use crate::domain::figures::{Counts, Metric};
use crate::domain::weather::response::{ResponseState, SignalState};
use crate::domain::weather::suspension::SuspensionState;
use crate::store::told::NEVER;
use crate::store::weather::alarms::{AlarmRow, SIGNAL, prefixes};
use crate::store::weather::states::StateRow;
use crate::store::weather::suspensions::SuspensionRow;
use crate::store::weather::tasks::TaskCounts;

/// The collections of warnings and of response levels.
const SIGNALS: &str = "weatherSignals";
const RESPONSES: &str = "responseLevels";

fn divisions(text: &str) -> Vec<String> {
    prefixes(text).into_iter().map(str::to_owned).collect()
}

/// What warns, while it is in force.
pub(crate) fn alarm(row: &AlarmRow) -> Telling {
    let home = (&*row.organization, &*row.place);
    if row.origin == SIGNAL {
        let stands = row.state == SignalState::InForce as i16;
        let state = stands.then(|| EventState::WeatherSignal(told_signal(row)));
        Telling::gone(SIGNALS, row.name(), home).with(state, Counts::default())
    } else {
        let stands = row.state == ResponseState::InForce as i16;
        let state = stands.then(|| EventState::ResponseLevel(told_response(row)));
        Telling::gone(RESPONSES, row.name(), home).with(state, Counts::default())
    }
}

/// A warning that became a part of another one.
pub(crate) fn alarm_gone(row: &AlarmRow) -> Telling {
    let home = (&*row.organization, &*row.place);
    Telling::gone(SIGNALS, row.name(), home)
}

fn told_signal(row: &AlarmRow) -> pb::WeatherSignal {
    pb::WeatherSignal {
        name: row.name(),
        state: row.state.into(),
        kind: row.kind.into(),
        level: row.level.into(),
        divisions: divisions(&row.divisions),
        event_code: row.event_code.clone(),
        create_time: instant(row.began_at),
        expire_time: instant(row.expires_at),
        ..pb::WeatherSignal::default()
    }
}

fn told_response(row: &AlarmRow) -> pb::ResponseLevel {
    pb::ResponseLevel {
        name: row.name(),
        state: row.state.into(),
        kind: row.kind.into(),
        level: row.level.into(),
        divisions: divisions(&row.divisions),
        create_time: instant(row.began_at),
        ..pb::ResponseLevel::default()
    }
}

/// A decision to suspend, until it is lifted.
pub(crate) fn suspension(row: &SuspensionRow) -> Telling {
    let home = (&*row.organization, &*row.org_path);
    let telling = Telling::gone("weatherSuspensions", row.name(), home);
    if row.state == SuspensionState::Lifted as i16 {
        return telling;
    }
    let covers = row.covers().into_iter().map(|cover| cover as i32);
    let told = pb::WeatherSuspension {
        name: row.name(),
        state: row.state.into(),
        authority: row.authority.into(),
        divisions: divisions(&row.divisions),
        covers: covers.collect(),
        teaching: row.teaching.into(),
        create_time: instant(row.decided_at),
        end_time: instant(row.ends_at),
        ..pb::WeatherSuspension::default()
    };
    telling.with(Some(EventState::WeatherSuspension(told)), Counts::default())
}

/// Where an organisation stands at `now`, in milliseconds since 1970, with its tasks.
pub(crate) fn standing(row: &StateRow, tasks: TaskCounts, now: i64) -> Telling {
    let home = (&*row.organization, &*row.org_path);
    let telling = Telling::no_standing("weatherState", home);
    let state = row.state().ok();
    let metric = state.and_then(Metric::of_weather);
    let overdue = row.due_at < now;
    let mut counts = Counts::default()
        .with(Metric::TasksOpen, tasks.open)
        .with(Metric::TasksOverdue, tasks.overdue)
        .with(Metric::PostCheckOverdue, i64::from(overdue));
    if let Some(metric) = metric {
        counts = counts.with(metric, 1);
    }
    if counts.is_empty() {
        return telling;
    }
    let small = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
    let told = pb::WeatherStanding {
        name: row.name(),
        state: row.state.into(),
        level: row.level.into(),
        state_time: instant(row.since_at),
        post_check_due_time: instant(row.due_at),
        post_check_overdue: overdue,
        open_task_count: small(tasks.open),
        overdue_task_count: small(tasks.overdue),
        done_task_count: small(tasks.done),
        task_due_time: instant(tasks.first_due),
    };
    let later = [tasks.next_due, row.due_at].into_iter();
    let next = later.filter(|due| *due >= now).min().unwrap_or(NEVER);
    telling
        .with(Some(EventState::WeatherStanding(told)), counts)
        .wakes(next.saturating_add(1))
}
