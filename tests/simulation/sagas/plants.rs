//! Errors put into the end of a saga, one for each promise at least.

use super::validate::{Seen, violations};

/// An error, and the promise that it breaks.
type Error = (&'static str, fn(&mut Seen));

const ERRORS: [Error; 10] = [
    ("decided", |seen| drop(seen.ordered.pop())),
    ("decided", |seen| seen.ordered.push("2".to_owned())),
    ("done", |seen| {
        seen.after.values_mut().for_each(|left| left.0 += 1)
    }),
    ("done", |seen| {
        seen.after.values_mut().for_each(|left| left.1 -= 1)
    }),
    ("done", |seen| {
        seen.heard.values_mut().for_each(|phase| *phase = 3)
    }),
    ("undone", |seen| {
        seen.after.remove(&key("2"));
    }),
    ("undone", |seen| {
        seen.heard.insert(key("2"), 1);
    }),
    ("once", |seen| drop(seen.reports.pop())),
    ("once", |seen| seen.reports.push(seen.reports[0].clone())),
    ("once", |seen| seen.reports[0].2 += 1),
];

fn key(job: &str) -> (String, String) {
    (job.to_owned(), "a".to_owned())
}

/// What is seen where everything is right: one job is done, another was refused.
fn right() -> Seen {
    Seen {
        acknowledged: vec!["1".to_owned()],
        refused: vec!["2".to_owned()],
        ordered: vec!["1".to_owned()],
        heard: [(key("1"), 4)].into(),
        before: [(key("1"), (5, 2)), (key("2"), (5, 2))].into(),
        after: [(key("1"), (0, 2)), (key("2"), (5, 2))].into(),
        reports: vec![("1".to_owned(), "a".to_owned(), 5, 0)],
    }
}

/// The errors that are not told by the promise that they break, and what is told where there is none.
pub(crate) fn unnoticed() -> Vec<String> {
    let mut unnoticed = violations(&right());
    for (at, (promise, error)) in ERRORS.into_iter().enumerate() {
        let mut seen = right();
        error(&mut seen);
        let told = violations(&seen);
        if !told
            .iter()
            .any(|one| one.starts_with(&format!("{promise}: ")))
        {
            unnoticed.push(format!("sagas: error {at} against {promise}: {told:?}"));
        }
    }
    unnoticed
}
