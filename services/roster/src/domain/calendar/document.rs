//! Calendars as documents that people write, and those that are shipped.

use chrono::NaiveDate;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::value::Datetime;

use super::{CalendarYear, Fault, NamedDay, Term};

/// The official calendars that are shipped, oldest first.
pub const SHIPPED: [&str; 3] = [
    include_str!("../../../data/calendar/2021.toml"),
    include_str!("../../../data/calendar/2022.toml"),
    include_str!("../../../data/calendar/2026.toml"),
];

/// Why a document is no calendar.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is not written as it should be.
    #[error("the document cannot be read")]
    Form(#[from] toml::de::Error),
    /// Its parts do not fit together.
    #[error("{} {}", .0.path, .0.en)]
    Fault(Fault),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    year: i32,
    #[serde(default)]
    days_off: Vec<Day>,
    #[serde(default)]
    makeup_days: Vec<Day>,
    #[serde(default)]
    terms: Vec<Span>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Day {
    #[serde(deserialize_with = "day")]
    date: NaiveDate,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Span {
    name: String,
    #[serde(deserialize_with = "day")]
    start: NaiveDate,
    #[serde(deserialize_with = "day")]
    end: NaiveDate,
}

/// Reads a calendar.
///
/// # Errors
/// When it is not written as it should be, or its parts do not fit together.
pub fn read(text: &str) -> Result<CalendarYear, Unreadable> {
    let Document {
        year,
        days_off,
        makeup_days,
        terms,
    } = toml::from_str(text)?;
    let days = |days: Vec<Day>| {
        days.into_iter()
            .map(|Day { date, name }| NamedDay { date, name })
            .collect()
    };
    let terms = terms
        .into_iter()
        .map(|Span { name, start, end }| Term { name, start, end })
        .collect();
    CalendarYear::new(year, days(days_off), days(makeup_days), terms)
        .map_err(|mut faults| Unreadable::Fault(faults.swap_remove(0)))
}

/// The civil day of a TOML date without time.
pub(crate) fn civil(written: &Datetime) -> Option<NaiveDate> {
    let Datetime {
        date: Some(date),
        time: None,
        offset: None,
    } = written
    else {
        return None;
    };
    NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into())
}

fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    let written = Datetime::deserialize(deserializer)?;
    civil(&written).ok_or_else(|| D::Error::custom("expected a civil day such as 2022-04-05"))
}
