//! What a day of the city showed, as a table and as figures.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::appends::Appends;
use super::super::harness::{Bound, Figure, Latencies, ms, number};
use super::collapse::Search;
use super::drive::Driven;
use super::kind::Kind;
use super::options::Window;
use super::plan::{MINUTE, Moment};
use super::tally::Tally;
use crate::screen::{self, Align, Table};

/// The share of acts that may be refused or begin late.
const MOST: f64 = 0.01;
/// What is promised: so many times the real time, less what it takes the last act to end.
const FACTOR: f64 = 3.0;
const ROUNDED: f64 = 0.99;

/// What became of the acts of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Row {
    pub(super) act: &'static str,
    #[serde(skip)]
    pub(super) kind: Kind,
    pub(super) planned: usize,
    pub(super) done: usize,
    /// By reason.
    pub(super) refused: BTreeMap<String, usize>,
    pub(super) late: usize,
    /// For which there was nothing to do.
    pub(super) void: usize,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
    pub(super) promise_ms: f64,
}

impl Row {
    fn of(kind: Kind, tally: &Tally) -> Self {
        let taken = Latencies::new(tally.taken.clone(), std::time::Duration::ZERO);
        Self {
            act: kind.names().0,
            kind,
            planned: tally.begun,
            done: taken.count(),
            refused: tally.refused.clone(),
            late: tally.late,
            void: tally.void,
            p50_ms: ms(&taken, 0.5),
            p99_ms: ms(&taken, 0.99),
            max_ms: ms(&taken, 1.0),
            promise_ms: kind.promise(),
        }
    }

    fn refusals(&self) -> usize {
        self.refused.values().sum()
    }

    /// By how many times each bound is exceeded that is, with what to say of it.
    fn gave(&self) -> impl Iterator<Item = (f64, String)> {
        let share = |count: usize| count as f64 / self.planned.max(1) as f64;
        let times = [
            (self.p99_ms / self.promise_ms, self.p99_ms, "p99", "ms"),
            (
                share(self.refusals()) / MOST,
                share(self.refusals()) * 100.0,
                "refused",
                "%",
            ),
            (
                share(self.late) / MOST,
                share(self.late) * 100.0,
                "begun late",
                "%",
            ),
        ];
        let act = self.act;
        times.into_iter().filter(|(times, ..)| *times > 1.0).map(
            move |(times, value, what, unit)| {
                (times, format!("{act}: {what} {} {unit}", number(value)))
            },
        )
    }
}

/// What gave way, the worst first; nothing when the time was borne.
pub(super) fn gave(rows: &[Row]) -> Vec<String> {
    let mut gave: Vec<(f64, String)> = rows.iter().flat_map(Row::gave).collect();
    gave.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    gave.into_iter().map(|(_, what)| what).collect()
}

/// The acts of a part of a day, of which there were any.
pub(super) fn rows(driven: &Driven) -> Vec<Row> {
    let any = driven.tallies.iter().filter(|(_, tally)| tally.begun > 0);
    any.map(|(kind, tally)| Row::of(*kind, tally)).collect()
}

/// One try at a speed.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Try {
    pub(super) speed: f64,
    /// How fast the time passed.
    pub(super) factor: f64,
    /// What gave way, the worst first; nothing when it was borne.
    pub(super) gave: Vec<String>,
}

/// Where the city collapses.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Collapse {
    /// The fastest that was borne.
    pub(super) borne: Option<f64>,
    /// The slowest that was not.
    pub(super) broke: Option<f64>,
    /// What gave way at that speed, the worst first.
    pub(super) gave: Vec<String>,
    /// Everything that was tried, in its order.
    pub(super) tries: Vec<Try>,
}

impl Collapse {
    pub(super) fn of(search: &Search, tries: Vec<Try>) -> Self {
        let broke = tries.iter().find(|one| Some(one.speed) == search.broke);
        Self {
            borne: search.borne,
            broke: search.broke,
            gave: broke.map(|one| one.gave.clone()).unwrap_or_default(),
            tries,
        }
    }
}

/// What a part of a day showed, or the search in it.
#[derive(Clone, Debug, Serialize)]
pub(in super::super) struct Told {
    pub(super) from: String,
    pub(super) to: String,
    /// How fast the time was to pass while the city comes to school.
    pub(super) speed: f64,
    /// How fast it was to pass while swabs are scanned.
    pub(super) swab_speed: f64,
    /// How fast it was to pass at all other hours.
    pub(super) quiet_speed: f64,
    /// How fast the first passed until the last act had ended.
    pub(super) factor: f64,
    /// How many processors services and clients of this process kept busy.
    pub(super) processors: f64,
    /// What this process held at the end.
    pub(super) memory_mib: u64,
    /// The most decisions at gates of one minute, a second as the time passed.
    pub(super) gate_decisions_per_second: f64,
    /// The acts; of a search, those at the fastest speed that was borne, or else at the last.
    pub(super) acts: Vec<Row>,
    pub(super) collapse: Option<Collapse>,
}

impl Told {
    /// What is compared with the machine and with what is promised.
    pub(super) fn figures(&self, appends: &Appends) -> Vec<Figure> {
        let target = (Bound::AtLeast, FACTOR * ROUNDED);
        let mut figures = match &self.collapse {
            Some(found) => vec![
                Figure::alone(
                    "times the real time that is borne in the densest minutes",
                    "×",
                    found.borne.unwrap_or_default(),
                    target,
                ),
                Figure::told(
                    "times the real time at which it collapses",
                    "×",
                    found.broke.unwrap_or(f64::INFINITY),
                ),
            ],
            None if self.speed < FACTOR => {
                vec![Figure::told("times the real time", "×", self.factor)]
            }
            None => vec![Figure::alone(
                "times the real time",
                "×",
                self.factor,
                target,
            )],
        };
        for row in &self.acts {
            let promise = (Bound::AtMost, row.promise_ms);
            figures.push(Figure::alone(row.kind.names().1, "ms", row.p99_ms, promise));
        }
        let planned: usize = self.acts.iter().map(|row| row.planned).sum();
        let share = |count: fn(&Row) -> usize| {
            let all: usize = self.acts.iter().map(count).sum();
            100.0 * all as f64 / planned.max(1) as f64
        };
        let most = (Bound::AtMost, 100.0 * MOST);
        figures.extend([
            Figure::alone("acts refused", "%", share(Row::refusals), most),
            Figure::alone("acts begun late", "%", share(|row| row.late), most),
            Figure::told("processors of services and clients", "", self.processors),
            Figure::told("memory at the end", "MiB", self.memory_mib as f64),
            Figure::ratio(
                "gate decisions of the densest minute ÷ ledger alone, together",
                "/s",
                appends.grouped.rate(),
                self.gate_decisions_per_second,
                (Bound::AtLeast, 0.0),
            ),
        ]);
        figures
    }

    /// Prints the acts, and where the city collapses.
    pub(in super::super) fn print(&self) {
        let (from, to) = (&self.from, &self.to);
        let speeds = [self.speed, self.swab_speed, self.quiet_speed].map(number);
        let [speed, swabs, quiet] = &speeds;
        let quietly = if speeds.iter().all(|one| one == speed) {
            String::new()
        } else {
            format!(
                ", swabs from 09:00 to 11:30 at {swabs} ×, outside these hours and 07:00 to 08:50 at {quiet} ×"
            )
        };
        screen::heading(format_args!(
            "{from} to {to} at {speed} × the real time{quietly}"
        ));
        let mut table = Table::new([
            ("act", Align::Left),
            ("planned", Align::Right),
            ("done", Align::Right),
            ("void", Align::Right),
            ("refused", Align::Right),
            ("late", Align::Right),
            ("p50 ms", Align::Right),
            ("p99 ms", Align::Right),
            ("max ms", Align::Right),
            ("promise ms", Align::Right),
        ]);
        for row in &self.acts {
            let count = |count: usize| screen::count(count as u64);
            table.row([
                row.act.to_owned(),
                count(row.planned),
                count(row.done),
                count(row.void),
                count(row.refusals()),
                count(row.late),
                number(row.p50_ms),
                number(row.p99_ms),
                number(row.max_ms),
                number(row.promise_ms),
            ]);
        }
        table.print();
        for row in &self.acts {
            for (why, count) in &row.refused {
                let count = screen::count(*count as u64);
                screen::line(format_args!("   {} refused: {why} {count}", row.act));
            }
        }
        if let Some(collapse) = &self.collapse {
            for Try {
                speed,
                factor,
                gave,
            } in &collapse.tries
            {
                let (speed, factor) = (number(*speed), number(*factor));
                let told = match gave.first() {
                    None => "borne".to_owned(),
                    Some(worst) => format!("gave way: {worst}"),
                };
                screen::line(format_args!(
                    "   {speed} × asked, {factor} × passed: {told}"
                ));
            }
        }
    }
}

/// A moment of the day, such as 06:30.
pub(super) fn clock(moment: Moment) -> String {
    let minutes = moment / MINUTE;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// The names of both ends of a part of the day.
pub(super) fn ends(window: Window) -> (String, String) {
    (clock(window.from), clock(window.to))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn row(kind: Kind, millis: &[u64], late: usize, refused: usize) -> Row {
        let tally = Tally {
            begun: millis.len() + refused,
            late,
            void: 0,
            taken: millis.iter().copied().map(Duration::from_millis).collect(),
            refused: [("OVERLOADED".to_owned(), refused)].into(),
        };
        Row::of(kind, &tally)
    }

    #[test]
    fn a_row_tells_what_became_of_the_acts() {
        let millis: Vec<u64> = (1..=100).rev().collect();
        let row = row(Kind::Check, &millis, 3, 25);
        assert_eq!((row.planned, row.done, row.late), (125, 100, 3));
        let taken = [row.p50_ms, row.p99_ms, row.max_ms].map(f64::round);
        assert_eq!(taken, [50.0, 99.0, 100.0]);
        assert_eq!((row.act, row.refusals()), ("checks of class groups", 25));
    }

    #[test]
    fn what_gives_way_is_told_the_worst_first() {
        let calm = row(Kind::Check, &[100; 100], 1, 1);
        assert_eq!(gave(std::slice::from_ref(&calm)), Vec::<String>::new());
        let slow = row(Kind::Entry, &[40; 100], 0, 0);
        let late = row(Kind::Swab, &[5; 100], 3, 0);
        let refused = row(Kind::Sealing, &[5; 80], 0, 20);
        let told = gave(&[calm, slow, late, refused]);
        assert_eq!(
            told,
            [
                "tubes sealed: refused 20.0 %",
                "swabs scanned: begun late 3.00 %",
                "gate decisions: p99 40.0 ms",
            ]
        );
    }

    #[test]
    fn of_a_search_the_slowest_that_was_not_borne_tells_what_gave_way() {
        let mut search = Search::beginning(3.0);
        let mut tries = Vec::new();
        for (speed, gave) in [(3.0, ""), (4.5, "swabs"), (3.5, "gates")] {
            search.tell(speed, gave.is_empty());
            tries.push(Try {
                speed,
                factor: speed,
                gave: Some(gave.to_owned())
                    .filter(|gave| !gave.is_empty())
                    .into_iter()
                    .collect(),
            });
        }
        let found = Collapse::of(&search, tries);
        assert_eq!((found.borne, found.broke), (Some(3.0), Some(3.5)));
        assert_eq!(found.gave, ["gates"]);
    }

    #[test]
    fn moments_are_told_as_clocks_show_them() {
        assert_eq!(clock(390 * MINUTE), "06:30");
        assert_eq!(clock(1290 * MINUTE + 59_999), "21:30");
    }
}
