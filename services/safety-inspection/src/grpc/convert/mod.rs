//! Field by field, both ways: names, and what requests share.

pub(super) mod drills;
pub(super) mod duty;
pub(super) mod figures;
pub(super) mod gate;
pub(super) mod hazard;
mod history;
pub(super) mod incident;
pub(super) mod inspection;
pub(super) mod photo;
pub(super) mod protection;
pub(super) mod refuge;
pub(super) mod resumption;
pub(super) mod supply;
pub(super) mod visitor;
pub(super) mod weather;

use chrono::{DateTime, NaiveDate};
use kit::field::{Fields, holds_number, to_date, to_timestamp};
use kit::status::Problem;
use uuid::Uuid;

use crate::domain::person::{PersonKind, PersonName};

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

/// The ids in `organizations/{organization}/{collection}/{id}`.
pub(super) fn child(
    field: &'static str,
    collection: &str,
    name: &str,
) -> Result<(String, Uuid), Problem> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", organization, among, id]
            if among == collection && kit::org::is_id(organization) =>
        {
            let id = Uuid::try_parse(id).map_err(|_| malformed(field))?;
            Ok((organization.to_owned(), id))
        }
        _ => Err(malformed(field)),
    }
}

/// A member of staff that must be named.
fn staff(fields: &mut Fields, field: &str, name: &str) -> String {
    let parsed: Option<PersonName> = fields.parse(field, name);
    if parsed.is_some_and(|person| person.kind != PersonKind::Staff) {
        fields.violation(field, "必须是教职工", "must be a member of staff");
    }
    name.to_owned()
}

/// A text that must be there.
fn words(fields: &mut Fields, field: &str, value: &str, most: usize) -> String {
    fields.required(field, value.trim());
    fields.text(field, value, most).to_owned()
}

/// A text that may be left out, without phone or identity numbers.
fn plain<'a>(fields: &mut Fields, field: &str, value: &'a str, most: usize) -> &'a str {
    if holds_number(value) {
        let (zh, en) = (
            "不得含证件号或电话",
            "must not hold phone or identity numbers",
        );
        fields.violation(field, zh, en);
    }
    fields.text(field, value, most)
}

/// A list that has at most so many.
fn few<T>(fields: &mut Fields, field: &str, list: &[T], most: usize) {
    if list.len() > most {
        fields.violation(field, format!("最多 {most} 项"), format!("at most {most}"));
    }
}

/// A place within an organisation: parts of `a-z 0-9 -` with `/` between them.
fn spot(fields: &mut Fields, field: &str, value: &str) -> String {
    let good = value.len() <= 100 && value.split('/').all(kit::org::is_id);
    if !good {
        fields.violation(field, "格式不正确", "malformed");
    }
    value.to_owned()
}

/// A number of things for the wire.
fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A number of the wire that was checked not to be negative.
fn natural(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

fn malformed(field: &'static str) -> Problem {
    Problem::invalid(field, "格式不正确", "malformed")
}

/// The organisation of `organizations/{organization}/{singleton}`.
pub(super) fn singleton(
    field: &'static str,
    singleton: &str,
    name: &str,
) -> Result<String, Problem> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", id, last] if kit::org::is_id(id) && last == singleton => {
            Ok(id.to_owned())
        }
        _ => Err(malformed(field)),
    }
}

/// A whole number that is not negative, at most `most`.
fn counted(fields: &mut Fields, field: &str, number: i32, most: i32) -> u32 {
    natural(fields.within(field, number, 0..=most))
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

/// A number for the wire.
fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// A quantity for the wire.
fn quantity(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
