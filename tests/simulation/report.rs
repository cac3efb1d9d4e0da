//! What came of a campaign, for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;

use crate::process::Outcome;
use crate::settings::Settings;

/// How many lines of what is wrong with a run are told.
const TOLD: usize = 6;

/// What happened, as it is counted.
#[derive(Debug)]
pub(crate) struct Tally {
    began: f64,
    rows: BTreeMap<&'static str, Row>,
    befell: BTreeMap<String, u64>,
    failures: Vec<String>,
}

#[derive(Debug, Default)]
struct Row {
    seeds: u64,
    twice: u64,
    wrong: u64,
    lines: usize,
    /// For how long hosts lived, in milliseconds of their time.
    lasted: i64,
}

/// The seconds since the machine started: other clocks are the simulation's.
fn uptime() -> f64 {
    let text = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    let seconds = text
        .split_whitespace()
        .next()
        .and_then(|text| text.parse().ok());
    seconds.unwrap_or_default()
}

/// What reproduces a seed.
fn command(seed: u64) -> String {
    format!("CAMPUS_SEEDS=1 CAMPUS_SEED={seed} cargo test -p kit --test simulation")
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            began: uptime(),
            rows: BTreeMap::new(),
            befell: BTreeMap::new(),
            failures: Vec::new(),
        }
    }

    /// How long it has taken.
    pub(crate) fn seconds(&self) -> f64 {
        uptime() - self.began
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_right(&self) -> bool {
        self.failures.is_empty()
    }

    /// A seed was run.
    pub(crate) fn add(&mut self, scenario: &'static str, seed: u64, outcome: &Outcome) {
        let row = self.rows.entry(scenario).or_default();
        row.seeds += 1;
        row.lines += outcome.events;
        row.lasted += outcome.lasted;
        for (what, times) in &outcome.befell {
            *self.befell.entry(what.clone()).or_default() += times;
        }
        if !outcome.wrong.is_empty() {
            row.wrong += 1;
            self.fail(scenario, seed, &outcome.wrong);
        }
    }

    /// The same seed was run twice.
    pub(crate) fn compare(
        &mut self,
        scenario: &'static str,
        seed: u64,
        (one, other): (&Outcome, &Outcome),
    ) {
        self.rows.entry(scenario).or_default().twice += 1;
        if one.hash == other.hash {
            return;
        }
        let (one, other) = (&one.lines, &other.lines);
        let pairs = one.iter().zip(other);
        let at = pairs.take_while(|(one, other)| one == other).count();
        let line = |lines: &[String]| lines.get(at).cloned().unwrap_or_default();
        let wrong = [
            format!("another run from line {at} on:"),
            line(one),
            line(other),
        ];
        self.fail(scenario, seed, &wrong);
    }

    /// Something is wrong that is not of one seed.
    pub(crate) fn note(&mut self, what: String) {
        self.failures.push(what);
    }

    fn fail(&mut self, scenario: &str, seed: u64, wrong: &[String]) {
        let mut text = format!("{scenario} by seed {seed}:\n");
        for line in wrong.iter().take(TOLD) {
            let line: String = line.chars().take(600).collect();
            writeln!(text, "    {line}").expect("a string takes everything");
        }
        write!(text, "    {}", command(seed)).expect("a string takes everything");
        self.failures.push(text);
    }

    fn text(&self, asked: u64) -> String {
        let ran: u64 = self.rows.values().map(|row| row.seeds).sum();
        let seconds = self.seconds();
        let mut text = format!("\nsimulation: {ran} of {asked} seeds in {seconds:.1} s\n");
        let mut line = |line: std::fmt::Arguments<'_>| {
            writeln!(text, "{line}").expect("a string takes everything");
        };
        line(format_args!(
            "scenario  seeds  twice  wrong  simulated s       events"
        ));
        for (scenario, row) in &self.rows {
            line(format_args!(
                "{scenario:8} {:6} {:6} {:6} {:12} {:12}",
                row.seeds,
                row.twice,
                row.wrong,
                row.lasted / 1000,
                row.lines
            ));
        }
        for (what, times) in &self.befell {
            line(format_args!("{times:8} times: {what}"));
        }
        for failure in &self.failures {
            line(format_args!("WRONG: {failure}"));
        }
        text
    }

    /// Says what happened of what was asked for, and adds it to the file that is named, if one is.
    #[expect(clippy::print_stderr, reason = "a campaign says what it did")]
    pub(crate) fn report(&self, settings: &Settings) {
        let text = self.text(settings.seeds);
        eprint!("{text}");
        if let Some(path) = &settings.report {
            let file = OpenOptions::new().create(true).append(true).open(path);
            let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
            written.unwrap_or_else(|err| panic!("{path}: {err}"));
        }
    }
}
