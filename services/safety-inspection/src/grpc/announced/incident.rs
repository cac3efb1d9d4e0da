//! Incidents: how grave, how far, and by when whom must hear. Of a confidential one neither the
//! category nor why it is confidential is told, and it is not counted.

use proto::safety as pb;
use proto::safety::safety_event::State as EventState;

use super::{Telling, instant};
use crate::domain::figures::{Counts, Metric};
use crate::domain::incident::clock::{Clock, Duty};
use crate::domain::incident::file::File;
use crate::store::told::NEVER;

/// An incident at `now`, in milliseconds since 1970, until it is closed or found to be none.
pub(crate) fn incident(file: &File, now: i64) -> Telling {
    let incident = &file.incident;
    let home = (&*incident.organization, &*incident.org_path);
    let telling = Telling::gone("incidents", incident.name(), home);
    if incident.state.is_over() {
        return telling;
    }
    let clocks = file.clocks();
    let state = EventState::Incident(told_incident(file, &clocks, now));
    telling
        .with(Some(state), counted(file, &clocks, now))
        .wakes(next(&clocks, now))
}

fn told_incident(file: &File, clocks: &[Clock], now: i64) -> pb::Incident {
    let incident = &file.incident;
    let confidential = incident.confidential.is_some();
    pb::Incident {
        name: incident.name(),
        category: if confidential {
            0
        } else {
            incident.category as i32
        },
        state: incident.state as i32,
        level: incident.level as i32,
        policy_version: incident.limits.policy_version.clone(),
        detect_time: instant(incident.detected),
        overdue: file.is_late(now),
        next_due_time: instant(file.next_due()),
        masked: confidential,
        clocks: clocks.iter().map(|clock| told_clock(clock, now)).collect(),
        ..pb::Incident::default()
    }
}

fn told_clock(clock: &Clock, now: i64) -> pb::IncidentClock {
    let (from, to) = clock
        .hop
        .map_or((0, 0), |(from, to)| (from as i32, to as i32));
    pb::IncidentClock {
        duty: clock.duty as i32,
        from_receiver: from,
        to_receiver: to,
        start_time: instant(clock.start),
        due_time: instant(clock.due),
        done_time: instant(clock.done),
        over_level: clock.over_level,
        late: clock.is_late(now),
        report_number: clock.report,
    }
}

fn counted(file: &File, clocks: &[Clock], now: i64) -> Counts {
    if file.incident.confidential.is_some() {
        return Counts::default();
    }
    let hops = clocks.iter().filter(|clock| {
        let open = clock.duty == Duty::Hop && clock.done == 0;
        open && clock.is_late(now)
    });
    let hops = i64::try_from(hops.count()).unwrap_or(i64::MAX);
    Counts::default()
        .with(Metric::of_incidents(file.incident.level), 1)
        .with(Metric::IncidentsLate, i64::from(file.is_late(now)))
        .with(Metric::HopsLate, hops)
}

/// When the next of the clocks that are neither done nor late gets late.
fn next(clocks: &[Clock], now: i64) -> i64 {
    let open = clocks.iter().filter(|clock| clock.done == 0);
    let due = open.map(|clock| clock.due).filter(|due| *due >= now);
    due.min().map_or(NEVER, |due| due.saturating_add(1))
}
