//! What differs between two profiles, key by key.

use std::collections::{BTreeMap, BTreeSet};

use super::field::{self, Kind};
use super::value::{Profile, Record, Value};

/// One key that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The key, such as `check.slots[NOON].deadline_minute`: entries of a list are named by what
    /// tells them apart, else by their place.
    pub path: String,
    /// The value before, as text; empty when there was none.
    pub before: String,
    /// The value after, as text; empty when there is none.
    pub after: String,
}

/// What differs, by path. The order of entries that are told apart by a name has no meaning.
pub fn difference(before: &Profile, after: &Profile) -> Vec<Difference> {
    let keys: BTreeSet<&String> = before
        .iter()
        .chain(after.iter())
        .map(|(key, _)| key)
        .collect();
    let mut found = Vec::new();
    for key in keys {
        match (
            before.get(key).and_then(entries),
            after.get(key).and_then(entries),
        ) {
            (Some(before), Some(after)) => lists(key, &before, &after, &mut found),
            (None, _) | (_, None) => value(key, before.get(key), after.get(key), &mut found),
        }
    }
    found
}

fn value(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Difference>) {
    if before != after {
        let text = |value: Option<&Value>| value.map(Value::to_string).unwrap_or_default();
        found.push(Difference {
            path: path.to_owned(),
            before: text(before),
            after: text(after),
        });
    }
}

fn lists(key: &str, before: &[&Record], after: &[&Record], found: &mut Vec<Difference>) {
    let (before, after) = (labelled(key, before), labelled(key, after));
    let labels: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for label in labels {
        let path = format!("{key}[{}]", label.0);
        match (before.get(label), after.get(label)) {
            (Some(before), Some(after)) => {
                let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
                for name in names {
                    let path = format!("{path}.{name}");
                    value(&path, before.get(name), after.get(name), found);
                }
            }
            (before, after) => {
                let whole = |record: Option<&&Record>| record.map(|r| Value::Record((*r).clone()));
                value(&path, whole(before).as_ref(), whole(after).as_ref(), found);
            }
        }
    }
}

/// The records of a list, if it holds nothing else.
fn entries(value: &Value) -> Option<Vec<&Record>> {
    let Value::List(items) = value else {
        return None;
    };
    items.iter().map(Value::as_record).collect()
}

/// The records by what tells them apart; those that share it are numbered.
fn labelled<'a>(key: &str, records: &[&'a Record]) -> BTreeMap<(String, usize), &'a Record> {
    let names = match field::field(key).map(|field| field.kind) {
        Some(Kind::Records(names)) => names,
        _ => &[],
    };
    let mut labelled = BTreeMap::new();
    for (place, record) in records.iter().enumerate() {
        let parts = names.iter().filter_map(|name| record.get(*name));
        let label = match names {
            [] => place.to_string(),
            _ => parts.map(Value::to_string).collect::<Vec<_>>().join(" "),
        };
        let same = (0..).find(|n| !labelled.contains_key(&(label.clone(), *n)));
        labelled.insert((label, same.unwrap_or_default()), *record);
    }
    labelled
}
