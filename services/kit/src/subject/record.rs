//! Records as they are told.

use chrono::{DateTime, Utc};

use crate::clock::shanghai;

/// One record: fields with their values. What is empty is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    pub(super) fields: Vec<(&'static str, String)>,
}

impl Record {
    /// A record of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more field, unless it is empty.
    #[must_use]
    pub fn with(mut self, field: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            self.fields.push((field, value));
        }
        self
    }
}

/// What is held of one section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// How many records there are.
    pub count: i64,
    /// The latest of them.
    pub records: Vec<Record>,
    /// Why nothing is told to this reader, in Chinese.
    pub withheld: Option<&'static str>,
}

impl Held {
    /// Exactly these.
    pub fn all(records: Vec<Record>) -> Self {
        Self {
            count: i64::try_from(records.len()).unwrap_or(i64::MAX),
            records,
            withheld: None,
        }
    }

    /// Nothing is told, not even whether there is anything.
    pub fn withheld(why: &'static str) -> Self {
        Self {
            withheld: Some(why),
            ..Self::default()
        }
    }
}

/// An instant for people, in Asia/Shanghai.
pub fn instant(time: DateTime<Utc>) -> String {
    let time = time.with_timezone(&shanghai());
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// The instant of so many milliseconds since 1970 for people; empty for 0 and for what is no time, as the
/// greatest number that stands for never.
pub fn day_time(millis: i64) -> String {
    let time = Some(millis).filter(|millis| *millis != 0);
    let time = time.and_then(DateTime::from_timestamp_millis);
    time.map(instant).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_empty_is_left_out() {
        let record = Record::new().with("place", "").with("state", "OPEN");
        assert_eq!(record.fields, [("state", "OPEN".to_owned())]);
    }

    #[test]
    fn times_are_told_in_shanghai_and_never_is_none() {
        assert_eq!(day_time(1_649_289_600_000), "2022-04-07 08:00:00");
        assert_eq!([0, i64::MAX].map(day_time), ["", ""]);
    }
}
