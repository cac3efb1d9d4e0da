//! The files that follow from the logs, as lines of JSON.

use std::collections::BTreeMap;

use chrono::DateTime;
use kit::audit::{Checkpoint, Fault};
use kit::clock::shanghai;
use proto::audit::audit_fault;
use serde::Serialize;

use super::folder::hexadecimal;
use super::tally::{Sum, Tally};
use crate::audit::reading::Found;

/// One line: a key with the sum of what agrees in it.
#[derive(Serialize)]
struct Line<'a, K> {
    #[serde(flatten)]
    key: &'a K,
    #[serde(flatten)]
    sum: &'a Sum,
}

/// A checkpoint as a report tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Signed {
    /// The last record of which it speaks.
    pub(super) sequence: i64,
    /// The hash of that record in hexadecimal.
    pub(super) hash: String,
    /// When it was signed.
    pub(super) time: String,
}

/// What was found in the log of one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Chain {
    /// The service.
    pub(super) service: String,
    /// The signed head after which the part begins; none for the beginning of the log.
    pub(super) begins_after: Option<Signed>,
    /// Where the log was cut last because its time was over.
    pub(super) cut_at: Option<Signed>,
    /// The first record; 0 without one.
    pub(super) first: i64,
    /// The last record that was verified; 0 without one.
    pub(super) last: i64,
    /// How many records were recomputed.
    pub(super) records: i64,
    /// With how many checkpoints they were compared.
    pub(super) checkpoints: i64,
    /// The last checkpoint.
    pub(super) ends_at: Option<Signed>,
    /// The keys that the checkpoints name, in hexadecimal.
    pub(super) keys: Vec<String>,
    /// What is wrong: the word of the contract and the record; none when the log is what was written.
    pub(super) fault: Option<(String, i64)>,
}

impl Chain {
    pub(super) fn of(found: &Found) -> Self {
        let signed = |one: &Checkpoint| Signed {
            sequence: one.sequence,
            hash: hexadecimal(&one.hash),
            time: DateTime::from_timestamp_millis(one.time)
                .unwrap_or_default()
                .with_timezone(&shanghai())
                .to_rfc3339(),
        };
        let wrong = |fault: Fault| {
            let kind = audit_fault::Kind::try_from(fault.kind as i32).unwrap_or_default();
            (kind.as_str_name().to_owned(), fault.sequence)
        };
        Self {
            service: found.service.clone(),
            begins_after: found.begins_after.as_ref().map(signed),
            cut_at: found.anchor.as_ref().map(signed),
            first: found.first,
            last: found.verdict.last,
            records: found.verdict.records,
            checkpoints: found.verdict.checkpoints,
            ends_at: found.newest.as_ref().map(signed),
            keys: found.keys.iter().map(|key| hexadecimal(key)).collect(),
            fault: found.fault.map(wrong),
        }
    }
}

/// Every file that follows from the logs, but for the report.
///
/// # Errors
/// Never, as far as is known.
pub(super) fn files(
    tally: &Tally,
    chains: &[Chain],
) -> anyhow::Result<BTreeMap<&'static str, String>> {
    Ok(BTreeMap::from([
        ("reads.jsonl", sums(&tally.reads)?),
        ("refusals.jsonl", sums(&tally.refusals)?),
        ("disclosures.jsonl", sums(&tally.disclosures)?),
        ("break-glass.jsonl", lines(&tally.glass)?),
        ("approvals.jsonl", lines(&tally.approvals)?),
        ("chains.jsonl", lines(chains)?),
    ]))
}

fn sums<K: Serialize>(sums: &BTreeMap<K, Sum>) -> anyhow::Result<String> {
    let all: Vec<Line<'_, K>> = sums.iter().map(|(key, sum)| Line { key, sum }).collect();
    lines(&all)
}

fn lines<T: Serialize>(all: &[T]) -> anyhow::Result<String> {
    let mut text = String::new();
    for one in all {
        text.push_str(&serde_json::to_string(one)?);
        text.push('\n');
    }
    Ok(text)
}
