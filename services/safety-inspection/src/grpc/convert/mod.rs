//! Field by field, both ways: names, and what requests share.

pub(super) mod gate;
pub(super) mod incident;

use kit::status::Problem;

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
