//! What a saga promises, each promise a function of what there is at its end.

use std::collections::BTreeMap;

/// What there is at the end. Jobs and services stand by their names.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The jobs whose order was acknowledged.
    pub(super) acknowledged: Vec<String>,
    /// The jobs that were refused.
    pub(super) refused: Vec<String>,
    /// The jobs that the roster has.
    pub(super) ordered: Vec<String>,
    /// The jobs that services heard of, and in which phase they are there.
    pub(super) heard: BTreeMap<(String, String), i64>,
    /// How many records there were of each job and service: to be destroyed, to be kept.
    pub(super) before: BTreeMap<(String, String), (i64, i64)>,
    /// How many there are.
    pub(super) after: BTreeMap<(String, String), (i64, i64)>,
    /// The reports that the roster took: job, service, how many were destroyed, how many remain.
    pub(super) reports: Vec<(String, String, i64, i64)>,
}

/// The phase of a destruction of which the roster knows.
const TOLD: i64 = 4;

/// A promise, by its name, and what breaks it.
type Promise = (&'static str, fn(&Seen, &mut Vec<String>));

const PROMISES: [Promise; 4] = [
    ("decided", decided),
    ("done", done),
    ("undone", undone),
    ("once", once),
];

/// Everything that was promised and is not so.
pub(super) fn violations(seen: &Seen) -> Vec<String> {
    let mut all = Vec::new();
    for (name, promise) in PROMISES {
        let mut found = Vec::new();
        promise(seen, &mut found);
        all.extend(found.into_iter().map(|what| format!("{name}: {what}")));
    }
    all
}

/// The roster has what it acknowledged, and nothing else.
fn decided(seen: &Seen, found: &mut Vec<String>) {
    let (mut acknowledged, mut ordered) = (seen.acknowledged.clone(), seen.ordered.clone());
    acknowledged.sort();
    ordered.sort();
    if acknowledged != ordered {
        found.push(format!(
            "{ordered:?} stand where {acknowledged:?} were acknowledged"
        ));
    }
}

/// What was decided is done by every service, and what is kept stays.
fn done(seen: &Seen, found: &mut Vec<String>) {
    for (key, (_, kept)) in &seen.before {
        if !seen.acknowledged.contains(&key.0) {
            continue;
        }
        let after = seen.after.get(key).copied().unwrap_or_default();
        if after != (0, *kept) {
            found.push(format!(
                "{key:?} has {after:?} left of which {kept} are kept"
            ));
        }
        let phase = seen.heard.get(key);
        if phase != Some(&TOLD) {
            found.push(format!("{key:?} stands at {phase:?}"));
        }
    }
}

/// Of what was refused nobody heard, and nothing is gone.
fn undone(seen: &Seen, found: &mut Vec<String>) {
    for (key, before) in &seen.before {
        if !seen.refused.contains(&key.0) {
            continue;
        }
        let after = seen.after.get(key).copied().unwrap_or_default();
        if after != *before || seen.heard.contains_key(key) {
            let phase = seen.heard.get(key);
            found.push(format!("{key:?} has {after:?} of {before:?} at {phase:?}"));
        }
    }
}

/// Each service reported each job once, each record counted once.
fn once(seen: &Seen, found: &mut Vec<String>) {
    let mut expected: Vec<(String, String, i64, i64)> = Vec::new();
    for ((job, service), (gone, _)) in &seen.before {
        if seen.acknowledged.contains(job) {
            expected.push((job.clone(), service.clone(), *gone, 0));
        }
    }
    let mut reports = seen.reports.clone();
    reports.sort();
    expected.sort();
    if reports != expected {
        found.push(format!("reports {reports:?} where {expected:?} should be"));
    }
}
