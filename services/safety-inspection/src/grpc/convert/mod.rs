//! Field by field, both ways: names, and what requests share.

pub(super) mod gate;
pub(super) mod protection;
pub(super) mod refuge;
pub(super) mod supply;

use chrono::{DateTime, NaiveDate};
use kit::field::{Fields, to_date, to_timestamp};
use kit::status::Problem;
use uuid::Uuid;

use crate::domain::person::PersonName;

/// The id in `organizations/{organization}`.
pub(super) fn organization(field: &'static str, name: &str) -> Result<String, Problem> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", id] if kit::org::is_id(id) => Ok(id.to_owned()),
        _ => Err(malformed(field)),
    }
}

pub(super) fn person(field: &'static str, name: &str) -> Result<PersonName, Problem> {
    name.parse().map_err(|_| malformed(field))
}

fn malformed(field: &'static str) -> Problem {
    Problem::invalid(field, "格式不正确", "malformed")
}

/// The organisation of the only resource of its kind, such as `organizations/1/supplyStock`.
pub(super) fn only(field: &'static str, name: &str, leaf: &str) -> Result<String, Problem> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", id, last] if kit::org::is_id(id) && last == leaf => Ok(id.to_owned()),
        _ => Err(malformed(field)),
    }
}

/// The organisation and the id in `organizations/{organization}/{collection}/{id}`.
pub(super) fn child(
    field: &'static str,
    name: &str,
    collection: &str,
) -> Result<(String, Uuid), Problem> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", organization, which, id]
            if kit::org::is_id(organization) && which == collection =>
        {
            let id = Uuid::try_parse(id).map_err(|_| malformed(field))?;
            Ok((organization.to_owned(), id))
        }
        _ => Err(malformed(field)),
    }
}

/// Cuts what was read down to a page of `size`, of which one more was asked for, and names the next
/// one by the last item that is left.
pub(super) fn cut<T>(found: &mut Vec<T>, size: u64, token: impl FnOnce(&T) -> String) -> String {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if found.len() <= size {
        return String::new();
    }
    found.truncate(size);
    found.last().map(token).unwrap_or_default()
}

/// A whole number that is not negative, at most `most`.
fn count(fields: &mut Fields, field: &str, number: i32, most: i32) -> u32 {
    u32::try_from(fields.within(field, number, 0..=most)).unwrap_or_default()
}

/// A civil day that may be left out.
fn optional_day(fields: &mut Fields, field: &str, day: Option<proto::Date>) -> Option<NaiveDate> {
    day?;
    fields.date(field, day)
}

/// A civil day for the wire; none for the end of time.
fn ending(day: NaiveDate) -> Option<proto::Date> {
    (day != NaiveDate::MAX).then(|| to_date(day))
}

/// Milliseconds since 1970 for the wire.
fn instant(millis: i64) -> Option<prost_types::Timestamp> {
    DateTime::from_timestamp_millis(millis).map(to_timestamp)
}

/// A number for the wire that never is as large as that.
fn small(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A quantity for the wire that never is as large as that.
fn big(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
