//! What was asked, and how it was answered: a table for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;

use tonic::Status;
use tonic_types::StatusExt;

use super::settings;

/// After so many faults nothing else is asked.
const MOST_FAULTS: usize = 20;

/// What was answered, as it is counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    rows: BTreeMap<&'static str, Row>,
    /// What was answered as nothing should be.
    pub(super) faults: Vec<String>,
}

/// What a service answered.
#[derive(Debug, Default)]
struct Row {
    methods: BTreeSet<String>,
    requests: u64,
    /// The methods that did once what they were asked.
    done: BTreeSet<String>,
    /// How many requests were refused, by reason.
    refused: BTreeMap<String, u64>,
}

impl Tally {
    /// A method of a service answered.
    pub(super) fn add(
        &mut self,
        service: &'static str,
        method: String,
        answered: &Result<(), Status>,
    ) {
        let row = self.rows.entry(service).or_default();
        row.requests += 1;
        match answered {
            Ok(()) => {
                row.done.insert(method.clone());
            }
            Err(status) => {
                let reason = status.get_details_error_info().map(|info| info.reason);
                let reason = reason.unwrap_or_else(|| format!("{:?}", status.code()));
                *row.refused.entry(reason).or_default() += 1;
            }
        }
        row.methods.insert(method);
    }

    /// How many requests were answered.
    pub(super) fn requests(&self) -> u64 {
        self.rows.values().map(|row| row.requests).sum()
    }

    /// Whether enough is wrong.
    pub(super) fn is_full(&self) -> bool {
        self.faults.len() >= MOST_FAULTS
    }

    fn text(&self) -> String {
        let mut text = "service            methods   done  requests  refused\n".to_owned();
        for (service, row) in &self.rows {
            let (methods, done) = (row.methods.len(), row.done.len());
            let refused = row.refused.iter();
            let refused: Vec<_> = refused
                .map(|(why, count)| format!("{why} {count}"))
                .collect();
            let (requests, refused) = (row.requests, refused.join(", "));
            let line = format!("{service:18} {methods:7} {done:6} {requests:9}  {refused}");
            writeln!(text, "{}", line.trim_end()).expect("a string takes everything");
        }
        for fault in &self.faults {
            writeln!(text, "WRONG: {fault}").expect("a string takes everything");
        }
        text
    }

    /// Says what was answered, and adds it to the file that `CAMPUS_REPORT` names, if it names one.
    #[expect(clippy::print_stderr, reason = "a campaign says what it did")]
    pub(super) fn report(&self, heading: &str) {
        let text = format!("\n{heading}\n{}", self.text());
        eprint!("{text}");
        if let Some(path) = settings::report() {
            let file = OpenOptions::new().create(true).append(true).open(&path);
            let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
            written.unwrap_or_else(|err| panic!("{path}: {err}"));
        }
    }
}

#[test]
fn a_report_counts_what_each_service_did_and_why_it_refused() {
    let mut tally = Tally::default();
    let missing = || Err(Status::not_found("none"));
    for (service, method, answered) in [
        ("roster", "/a/B", Ok(())),
        ("roster", "/a/B", missing()),
        ("sampling", "/a/C", missing()),
        ("roster", "/a/D", missing()),
    ] {
        tally.add(service, method.to_owned(), &answered);
    }
    tally.faults.push("nobody answered".to_owned());
    assert_eq!(tally.requests(), 4);
    let expected = "service            methods   done  requests  refused\n\
                    roster                   2      1         3  NotFound 2\n\
                    sampling                 1      0         1  NotFound 1\n\
                    WRONG: nobody answered\n";
    assert_eq!(tally.text(), expected);
}
