//! A policy profile as a flat map from key to value, and how a value reads.

use std::collections::{BTreeMap, btree_map};
use std::fmt::{self, Display, Formatter};

use chrono::{NaiveDate, TimeDelta};

/// The named values of one entry of a list.
pub type Record = BTreeMap<String, Value>;

/// What stands under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// One of the words that the key allows.
    Word(String),
    /// A span of time.
    Span(TimeDelta),
    /// A civil day.
    Day(NaiveDate),
    /// Words, numbers or records.
    List(Vec<Value>),
    /// One entry of a list.
    Record(Record),
}

/// The numbers of one policy: from a key such as `sampling.student_ratio_basis_points` to its
/// value, ordered by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile(BTreeMap<String, Value>);

impl Profile {
    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// Puts `value` under `key` and returns what stood there.
    pub fn set(&mut self, key: impl Into<String>, value: Value) -> Option<Value> {
        self.0.insert(key.into(), value)
    }

    /// Takes the value under `key` away and returns it.
    pub fn take(&mut self, key: &str) -> Option<Value> {
        self.0.remove(key)
    }

    /// Every key with its value, ordered by key.
    pub fn iter(&self) -> btree_map::Iter<'_, String, Value> {
        self.0.iter()
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.get(key)?.as_flag()
    }

    pub(super) fn number(&self, key: &str) -> Option<i64> {
        self.get(key)?.as_number()
    }

    pub(super) fn word(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_word()
    }

    /// The records of a list with their places; none when there is no such list.
    pub(super) fn records(&self, key: &str) -> impl Iterator<Item = (usize, &Record)> {
        let list = self.get(key).map_or(&[][..], Value::items);
        let records = list.iter().enumerate();
        records.filter_map(|(place, entry)| Some((place, entry.as_record()?)))
    }
}

impl<K: Into<String>> FromIterator<(K, Value)> for Profile {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(k, v)| (k.into(), v)).collect())
    }
}

impl Value {
    /// The flag, if it is one.
    pub fn as_flag(&self) -> Option<bool> {
        if let Self::Flag(flag) = self {
            Some(*flag)
        } else {
            None
        }
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<i64> {
        if let Self::Number(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    /// The word, if it is one.
    pub fn as_word(&self) -> Option<&str> {
        if let Self::Word(word) = self {
            Some(word)
        } else {
            None
        }
    }

    /// The span, if it is one.
    pub fn as_span(&self) -> Option<TimeDelta> {
        if let Self::Span(span) = self {
            Some(*span)
        } else {
            None
        }
    }

    /// The day, if it is one.
    pub fn as_day(&self) -> Option<NaiveDate> {
        if let Self::Day(day) = self {
            Some(*day)
        } else {
            None
        }
    }

    /// The record, if it is one.
    pub fn as_record(&self) -> Option<&Record> {
        if let Self::Record(record) = self {
            Some(record)
        } else {
            None
        }
    }

    /// What the list holds; nothing when it is none.
    pub fn items(&self) -> &[Value] {
        if let Self::List(items) = self {
            items
        } else {
            &[]
        }
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Word(word) => f.write_str(word),
            Self::Span(span) => f.write_str(&span_text(*span)),
            Self::Day(day) => write!(f, "{day}"),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Self::Record(record) => {
                let fields: Vec<String> = record
                    .iter()
                    .map(|(name, value)| format!("{name} = {value}"))
                    .collect();
                write!(f, "{{{}}}", fields.join(", "))
            }
        }
    }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The span in its largest whole unit: `15m`, `24h`, `72h`, `14d`; days only beyond 72 hours.
pub(super) fn span_text(span: TimeDelta) -> String {
    let seconds = span.num_seconds();
    match (seconds, span.subsec_nanos()) {
        (_, nanos @ (1.. | ..=-1)) => format!("{seconds}s{nanos}ns"),
        (0, _) => "0s".to_owned(),
        _ if seconds % DAY == 0 && seconds.abs() > 3 * DAY => format!("{}d", seconds / DAY),
        _ if seconds % HOUR == 0 => format!("{}h", seconds / HOUR),
        _ if seconds % MINUTE == 0 => format!("{}m", seconds / MINUTE),
        _ => format!("{seconds}s"),
    }
}

/// A span as people write it: a whole number and `s`, `m`, `h` or `d`.
pub(super) fn span(text: &str) -> Option<TimeDelta> {
    let unit = match text.bytes().last()? {
        b's' => 1,
        b'm' => MINUTE,
        b'h' => HOUR,
        b'd' => DAY,
        _ => return None,
    };
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds = digits.parse::<i64>().ok()?.checked_mul(unit)?;
    TimeDelta::try_seconds(seconds)
}
