//! Patrols: so many a day (rule 5.13), and rounds at night (rule 5.31).

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{Shift, ShiftState, Span, Template, city_instant};
use crate::domain::numbered::numbered;

numbered! {
    /// How a day was patrolled, the worst first; the numbers are those of the contract.
    PatrolStanding {
        /// A round was missed, or the day is over and patrols are lacking.
        Missed = 1 "MISSED",
        /// Patrols are lacking and there is time.
        Due = 2 "DUE",
        /// Enough patrols, and every round so far.
        Done = 3 "DONE",
    }
}

/// Points passed within this of each other are one patrol.
const ONE_PATROL: TimeDelta = TimeDelta::minutes(10);

/// The times within which a round is made in the night that begins on `day`.
pub fn rounds(template: &Template, day: NaiveDate) -> Vec<Span> {
    let interval = template.patrol_interval_minutes.max(1);
    let count = template.patrol_minutes / interval;
    let start = |round: u32| city_instant(day, template.patrol_start_minute + round * interval);
    let rounds = (0..count).map(|round| Span {
        start: start(round),
        end: start(round + 1),
    });
    rounds.collect()
}

/// A point that was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passing<'a> {
    /// When.
    pub at: DateTime<Utc>,
    /// Which.
    pub point: &'a str,
}

/// The points that a round passes by the plan of a campus; any point is enough where it names none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Route<'a>(pub &'a [String]);

impl Route<'_> {
    /// Whether these passings are a round.
    fn is_walked(self, passed: &[Passing<'_>]) -> bool {
        let missing = |point: &&String| !passed.iter().any(|one| one.point == **point);
        !passed.is_empty() && !self.0.iter().any(|point| missing(&point))
    }
}

/// Those of `rounds` that are over and in which nobody walked the route.
pub fn missed(
    rounds: &[Span],
    passed: &[Passing<'_>],
    route: Route<'_>,
    now: DateTime<Utc>,
) -> Vec<Span> {
    let over = rounds.iter().filter(|round| round.end <= now);
    let empty = over.filter(|round| {
        let within = passed.iter().filter(|one| round.contains(one.at));
        !route.is_walked(&within.copied().collect::<Vec<_>>())
    });
    empty.copied().collect()
}

/// Those of the `missed` rounds that fell into one of `shifts`, which come in the order of their begins, each
/// with the leader who was on duty when it ended. Where nobody was on duty there is a gap, and no round.
pub fn unmade<'a>(
    missed: &[Span],
    shifts: impl Iterator<Item = &'a Shift> + Clone,
) -> Vec<(Span, &'a str)> {
    let unmade = missed.iter().filter_map(|round| {
        let within = shifts
            .clone()
            .filter(|shift| shift.state != ShiftState::Replaced && shift.span.overlaps(*round));
        within.last().map(|shift| (*round, &*shift.crew.leader))
    });
    unmade.collect()
}

/// How many patrols these points, in the order of time, were: one point again and again is no patrol of a
/// route with more of them.
pub fn patrols(passed: &[Passing<'_>], route: Route<'_>) -> u32 {
    let walks = passed.chunk_by(|one, next| next.at - one.at <= ONE_PATROL);
    let walked = walks.filter(|walk| route.is_walked(walk));
    u32::try_from(walked.count()).unwrap_or(u32::MAX)
}

/// How an organisation was patrolled on a civil day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// How many patrols the policy asks for.
    pub required: u32,
    /// How many there were.
    pub count: u32,
    /// The rounds that begin on the day and that nobody made.
    pub missed: Vec<Span>,
    /// The day is over, and the rounds that begin on it.
    pub over: bool,
}

impl Day {
    /// How it stands.
    pub fn standing(&self) -> PatrolStanding {
        let enough = self.count >= self.required;
        if !self.missed.is_empty() || (self.over && !enough) {
            PatrolStanding::Missed
        } else if enough {
            PatrolStanding::Done
        } else {
            PatrolStanding::Due
        }
    }
}
