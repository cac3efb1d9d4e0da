//! Field by field, both ways: names, and what requests share.

pub(super) mod drills;
pub(super) mod duty;
pub(super) mod gate;
pub(super) mod hazard;
mod history;
pub(super) mod incident;
pub(super) mod inspection;
pub(super) mod photo;
pub(super) mod visitor;
pub(super) mod weather;

use kit::field::Fields;
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
