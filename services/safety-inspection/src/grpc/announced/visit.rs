//! Visits of people who are inside, and of crews of which the book does not tell in time; neither who comes
//! nor to whom.

use kit::field::{to_date, to_timestamp};
use proto::safety as pb;
use proto::safety::safety_event::State as EventState;

use super::Telling;
use crate::domain::figures::{Counts, Metric};
use crate::domain::visitor::state::State;
use crate::domain::visitor::visit::Visit;

/// The resource name of a visit.
pub(crate) fn visit_name(visit: &Visit) -> String {
    let (organization, id) = (&visit.organization, visit.id.hyphenated());
    format!("organizations/{organization}/visits/{id}")
}

/// A visit, from the entry until the leaving, and on while its entry in the book is overdue.
pub(crate) fn visit(visit: &Visit) -> Telling {
    let home = (&*visit.organization, &*visit.org_path);
    let telling = Telling::gone("visits", visit_name(visit), home);
    let people = i64::from(visit.companions_inside.max(0)) + 1;
    let inside = Counts::default().with(Metric::VisitorsInside, people);
    // Told by the clock, and gone once the entry is made.
    let overdue = visit.owes_entry() && visit.after_overdue.is_some();
    let counts = match visit.state {
        State::Admitted => inside,
        State::Overstay => inside.with(Metric::VisitorsOverstaying, people),
        State::AdmittedEmergency => inside.with(Metric::VisitEmergencies, 1),
        State::Left if overdue => Counts::default(),
        State::Requested
        | State::HostApproved
        | State::EpidemicApproved
        | State::Arrived
        | State::Denied
        | State::Left
        | State::Refused
        | State::Cancelled
        | State::Expired => return telling,
    };
    let counts = if overdue {
        counts.with(Metric::VisitorsAfterEntryOverdue, 1)
    } else {
        counts
    };
    telling.with(Some(EventState::Visit(told_visit(visit, overdue))), counts)
}

fn told_visit(visit: &Visit, after_entry_overdue: bool) -> pb::Visit {
    pb::Visit {
        name: visit_name(visit),
        state: i32::from(visit.state as i16),
        visit_date: Some(to_date(visit.day)),
        expected_leave_time: visit.expected_leave.map(to_timestamp),
        emergency: visit.crew.map_or(0, |crew| crew as i32),
        entered_companion_count: visit.companions_inside,
        enter_time: visit.entered.map(to_timestamp),
        overstay_time: visit.overstayed.map(to_timestamp),
        after_entry_due_time: visit.after_due.map(to_timestamp),
        after_entry_time: visit.after.map(to_timestamp),
        after_entry_overdue,
        leave_time: visit.left.map(to_timestamp),
        ..pb::Visit::default()
    }
}
