//! What struck during a campaign, how long it took until writes went on, and which calls failed of it: a
//! table for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kit::status::Problem;
use proto::error::ErrorReason;
use tonic::Status;
use tonic_types::StatusExt;

use super::settings;

/// The kind of a fault, and where it struck.
pub(super) type Label = (&'static str, String);

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Errand {
    /// It changes nothing.
    Read,
    /// It does something.
    Write,
}

/// What a call was for, where a fault was under way when it failed, and the code of its answer.
pub(super) type Failed = (Errand, String, String);

/// What stands in the rows of calls that failed while no fault was under way.
const BETWEEN: &str = "between faults";
/// The reason of a call that failed of the service itself, on which callers cannot act.
const FAULT: &str = "INTERNAL";
/// The heads of the columns.
const HEADS: [&str; 5] = [
    "fault",
    "where",
    "times",
    "longest ms to a write",
    "failed calls",
];

/// What happened, as it is counted. A failed call stands with the fault under which it failed.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// None between faults.
    under: Option<Label>,
    rows: BTreeMap<Label, Row>,
    /// How many calls failed at the first try.
    first: BTreeMap<Failed, u32>,
    /// How long each acknowledged call took.
    took: Vec<Duration>,
}

#[derive(Debug, Default)]
struct Row {
    times: u32,
    /// The longest time until the next acknowledged write.
    longest: Duration,
    /// How many calls failed, by reason.
    failed: BTreeMap<String, u32>,
}

impl Tally {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A fault strikes.
    pub(super) fn begin(&self, label: Label) {
        self.known().under = Some(label);
    }

    /// It is over, and this was the longest time without a write.
    pub(super) fn end(&self, label: Label, longest: Duration) {
        let mut known = self.known();
        known.under = None;
        let row = known.rows.entry(label).or_default();
        row.times += 1;
        row.longest = row.longest.max(longest);
    }

    /// A call failed and will be made again.
    pub(super) fn failed(&self, status: &Status) {
        let reason = status.get_details_error_info().map(|info| info.reason);
        let reason = reason.unwrap_or_else(|| format!("{:?}", status.code()));
        let mut known = self.known();
        let under = known.under.clone();
        let label = under.unwrap_or_else(|| (BETWEEN, String::new()));
        let row = known.rows.entry(label).or_default();
        *row.failed.entry(reason).or_default() += 1;
    }

    /// A call failed at the first try.
    pub(super) fn failed_first(&self, errand: Errand, status: &Status) {
        let mut known = self.known();
        let place = known.under.clone().map(|(_, place)| place);
        let place = place.unwrap_or_default();
        let failed = (errand, place, format!("{:?}", status.code()));
        *known.first.entry(failed).or_default() += 1;
    }

    /// How many calls failed at the first try; the place is empty of those between faults.
    pub(super) fn first_failures(&self) -> BTreeMap<Failed, u32> {
        self.known().first.clone()
    }

    /// A call was acknowledged after this.
    pub(super) fn took(&self, time: Duration) {
        self.known().took.push(time);
    }

    /// How long 99 of 100 of the calls took at most that were acknowledged since this was asked last.
    pub(super) fn p99(&self) -> Duration {
        let mut took = std::mem::take(&mut self.known().took);
        took.sort_unstable();
        let index = (took.len() * 99).div_ceil(100).saturating_sub(1);
        took.get(index).copied().unwrap_or_default()
    }

    /// How many calls failed.
    pub(super) fn failures(&self) -> u32 {
        let known = self.known();
        known
            .rows
            .values()
            .flat_map(|row| row.failed.values())
            .sum()
    }

    /// How many calls failed for a reason.
    pub(super) fn refused(&self, reason: &str) -> u32 {
        let known = self.known();
        let failed = known.rows.values().map(|row| row.failed.get(reason));
        failed.flatten().sum()
    }

    /// Whatever struck, no service took it for a fault of its own.
    pub(super) fn is_free_of_internal_errors(&self) {
        assert_eq!(self.refused(FAULT), 0, "callers cannot act on {FAULT}");
    }

    /// How often a kind of fault struck.
    pub(super) fn times(&self, kind: &str) -> u32 {
        let known = self.known();
        let of = known.rows.iter().filter(|((name, _), _)| *name == kind);
        of.map(|(_, row)| row.times).sum()
    }

    /// The table, without what stands above and below it.
    fn table(&self) -> String {
        let known = self.known();
        let cells = |((kind, place), row): (&Label, &Row)| {
            let failed = row
                .failed
                .iter()
                .map(|(why, count)| format!("{why} {count}"));
            let failed: Vec<String> = failed.collect();
            [
                (*kind).to_owned(),
                place.clone(),
                row.times.to_string(),
                row.longest.as_millis().to_string(),
                failed.join(", "),
            ]
        };
        let mut rows = vec![HEADS.map(str::to_owned)];
        rows.extend(known.rows.iter().map(cells));
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max();
        let [a, b, c, d] = [0, 1, 2, 3].map(|column| width(column).unwrap_or_default());
        let mut table = String::new();
        for [kind, place, times, longest, failed] in &rows {
            let line = format!("{kind:a$}  {place:b$}  {times:>c$}  {longest:>d$}  {failed}");
            writeln!(table, "{}", line.trim_end()).expect("a string takes everything");
        }
        table
    }

    /// Prints what happened, and adds it to the file that `CAMPUS_REPORT` names, if it names one.
    #[expect(clippy::print_stderr, reason = "a campaign says what it did")]
    pub(super) fn report(&self, heading: &str, notes: &[String]) {
        let mut text = format!("\n{heading}\n{}", self.table());
        for note in notes {
            writeln!(text, "{note}").expect("a string takes everything");
        }
        eprint!("{text}");
        if let Some(path) = settings::report() {
            let file = OpenOptions::new().create(true).append(true).open(&path);
            let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
            written.unwrap_or_else(|err| panic!("{path}: {err}"));
        }
    }
}

#[test]
fn a_report_counts_calls_with_the_fault_under_which_they_failed() {
    let tally = Tally::default();
    let label = ("kill", "roster".to_owned());
    tally.begin(label.clone());
    tally.failed(&Status::unavailable("away"));
    tally.failed(&Status::unavailable("away"));
    tally.end(label.clone(), Duration::from_millis(7));
    tally.begin(label.clone());
    tally.end(label, Duration::from_millis(5));
    tally.failed(&Status::aborted("later"));
    assert_eq!((tally.failures(), tally.times("kill")), (3, 2));
    assert_eq!(tally.refused("Unavailable"), 2);
    let expected = "fault           where   times  longest ms to a write  failed calls\n\
                    between faults              0                      0  Aborted 1\n\
                    kill            roster      2                      7  Unavailable 2\n";
    assert_eq!(tally.table(), expected);
}

#[test]
fn first_tries_that_fail_are_counted_by_what_they_are_for() {
    let tally = Tally::default();
    tally.failed_first(Errand::Read, &Status::unavailable("away"));
    tally.begin(("rolling restart", "roster".to_owned()));
    tally.failed_first(Errand::Write, &Status::unavailable("away"));
    tally.failed_first(Errand::Write, &Status::unavailable("away"));
    let failed = |errand, place: &str| (errand, place.to_owned(), "Unavailable".to_owned());
    let expected = BTreeMap::from([
        (failed(Errand::Read, ""), 1),
        (failed(Errand::Write, "roster"), 2),
    ]);
    assert_eq!(tally.first_failures(), expected);
}

#[test]
fn a_fault_that_a_service_takes_for_its_own_is_found() {
    let tally = Tally::default();
    tally.failed(&Status::internal("a connection that broke"));
    tally.is_free_of_internal_errors();
    tally.failed(&Problem::new(ErrorReason::Internal).into());
    assert_eq!(tally.refused(FAULT), 1);
}

#[test]
fn ninety_nine_of_a_hundred_calls_took_no_longer() {
    let tally = Tally::default();
    for millis in 1..=200 {
        tally.took(Duration::from_millis(millis));
    }
    assert_eq!(tally.p99(), Duration::from_millis(198));
    assert_eq!(tally.p99(), Duration::ZERO, "nothing since");
}
