//! What must hold between the values of a profile; each value by itself is as it should be.

mod campus;
mod cluster;
mod health;

use super::check::Violations;
use super::value::{Profile, Record, Value};

/// Adds what does not fit together.
pub(super) fn check(profile: &Profile, found: &mut Violations) {
    health::check(profile, found);
    cluster::check(profile, found);
    campus::check(profile, found);
}

/// Every one of `words` has a record in the list.
fn complete(profile: &Profile, found: &mut Violations, list: &str, field: &str, words: &[&str]) {
    for word in words {
        if !profile
            .records(list)
            .any(|(_, record)| text(record, field) == *word)
        {
            found.add(
                list,
                format!("缺少 {word}"),
                format!("must have an entry for {word}"),
            );
        }
    }
}

/// The span in `span` does not shrink from the gravest to the least of `words`.
fn rising(
    profile: &Profile,
    found: &mut Violations,
    list: &str,
    field: &str,
    words: &[&str],
    span: &str,
) {
    let mut spans: Vec<_> = profile
        .records(list)
        .filter_map(|(place, record)| {
            let span = record.get(span)?.as_span()?;
            Some((rank(record, field, words), span, place))
        })
        .collect();
    spans.sort();
    for pair in spans.windows(2) {
        if pair[1].1 < pair[0].1 {
            let path = format!("{list}[{}].{span}", pair[0].2);
            found.add(
                path,
                "更紧急的时限不应更长",
                "must not be slower than what is less urgent",
            );
        }
    }
}

/// The numbers do not fall.
fn ordered(profile: &Profile, found: &mut Violations, keys: &[&str]) {
    for pair in keys.windows(2) {
        if profile.number(pair[0]) > profile.number(pair[1]) {
            let (less, more) = (pair[0], pair[1]);
            found.add(
                less,
                format!("不应大于 {more}"),
                format!("must not exceed {more}"),
            );
        }
    }
}

fn number(record: &Record, field: &str) -> i64 {
    record.get(field).and_then(Value::as_number).unwrap_or(0)
}

fn text<'a>(record: &'a Record, field: &str) -> &'a str {
    record
        .get(field)
        .and_then(Value::as_word)
        .unwrap_or_default()
}

fn rank(record: &Record, field: &str, words: &[&str]) -> Option<usize> {
    words.iter().position(|word| *word == text(record, field))
}
