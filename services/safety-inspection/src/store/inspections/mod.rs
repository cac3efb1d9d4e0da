//! Checklists, places, schedules, inspections and campaigns: rows in and out.

mod answers;
mod campaigns;
mod changes;
mod findings;
mod hits;
mod items;
mod places;
mod premises;
mod records;
mod schedules;
mod templates;

pub use answers::answer_name;
pub use campaigns::{Progress, Target};
pub use changes::Change;
pub use findings::Finding;
pub use hits::Hit;
pub use schedules::MOST_SCHEDULES;
pub use templates::Kept;

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::DbErr;

use super::unreadable;

/// A day as it is stored; empty for none.
fn day_text(day: Option<NaiveDate>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

fn day(text: &str) -> Result<NaiveDate, DbErr> {
    text.parse().map_err(|_| unreadable("day"))
}

fn optional_day(text: &str) -> Result<Option<NaiveDate>, DbErr> {
    if text.is_empty() {
        Ok(None)
    } else {
        day(text).map(Some)
    }
}

fn instant(millis: i64) -> Result<DateTime<Utc>, DbErr> {
    DateTime::from_timestamp_millis(millis).ok_or_else(|| unreadable("instant"))
}

fn optional_instant(millis: i64) -> Result<Option<DateTime<Utc>>, DbErr> {
    (millis != 0).then(|| instant(millis)).transpose()
}

fn millis(instant: Option<DateTime<Utc>>) -> i64 {
    instant.map_or(0, |instant| instant.timestamp_millis())
}

/// A number of the contract as it is stored.
fn small(number: i32) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn unsigned(number: i64) -> u32 {
    u32::try_from(number.max(0)).unwrap_or(u32::MAX)
}

/// A value that was stored with a number or text of its own.
fn known<T>(value: Option<T>, what: &str) -> Result<T, DbErr> {
    value.ok_or_else(|| unreadable(what))
}

/// What a tree of places is searched by: the place itself, and the range below it.
fn tree(place: &str) -> [sea_orm::Value; 3] {
    [
        place.into(),
        format!("{place}/").into(),
        super::below_end(place).into(),
    ]
}

/// Rows at or below the place of `$1`, with the values of [`tree`] from `$1` on; everything for the
/// empty place.
const IN_TREE: &str = "(org_path = $1 OR (org_path > $2 AND org_path < $3) OR $1 = '')";
