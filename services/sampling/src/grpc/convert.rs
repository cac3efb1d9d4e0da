//! Resource names and other fields that many requests and answers share.

use chrono::NaiveDate;
use kit::auth::{Caller, Permission};
use kit::field::Fields;
use kit::status::Problem;

use crate::app::App;
use crate::domain::plan::is_id;
use crate::domain::roll::{GroupKind, PersonId};
use crate::domain::tube::is_code;
use crate::error::Error;
use crate::store::rolls::group_name;

/// Whether the caller may do `permission` at an organisation, by its identifier. That there is none is found
/// wrong with the request.
pub(super) async fn may_at(
    app: &App,
    caller: &Caller,
    permission: Permission,
    organization: &str,
) -> Result<(), Error> {
    if organization.is_empty() {
        return Ok(());
    }
    let place = app.place(caller, permission, organization).await;
    place.map(drop)
}

/// The resource name of a person.
pub(crate) fn person_name(kind: GroupKind, person: PersonId) -> String {
    format!("{}/{}", kind.collection(), uuid::Uuid::from_bytes(person.0))
}

/// The person behind a resource name.
pub(crate) fn person(fields: &mut Fields, field: &str, name: &str) -> Option<PersonId> {
    let id = name
        .strip_prefix("students/")
        .or_else(|| name.strip_prefix("staff/"));
    let parsed = id.and_then(|id| uuid::Uuid::parse_str(id).ok());
    if parsed.is_none() {
        fields.violation(
            field,
            "应为 students/… 或 staff/…",
            "must be students/… or staff/…",
        );
    }
    parsed.map(|id| PersonId(*id.as_bytes()))
}

/// The identifier in `organizations/{organization}`.
pub(crate) fn organization<'a>(fields: &mut Fields, field: &str, name: &'a str) -> &'a str {
    match name.strip_prefix("organizations/") {
        Some(id) if is_id(id) => id,
        _ => {
            fields.violation(
                field,
                "应为 organizations/{机构编号}",
                "must be organizations/{organization}",
            );
            ""
        }
    }
}

/// The identifiers in `organizations/{organization}/classGroups/{class_group}`.
pub(crate) fn class_group<'a>(
    fields: &mut Fields,
    field: &str,
    name: &'a str,
) -> Option<(&'a str, &'a str)> {
    let rest = name.strip_prefix("organizations/");
    let parts = rest.and_then(|rest| rest.split_once("/classGroups/"));
    let parts = parts.filter(|(school, group)| is_id(school) && is_id(group));
    if parts.is_none() {
        fields.violation(
            field,
            "应为 organizations/{机构编号}/classGroups/{班级编号}",
            "must be organizations/{organization}/classGroups/{class_group}",
        );
    }
    parts
}

/// The code in `holds/{hold}`.
pub(crate) fn hold(fields: &mut Fields, field: &str, name: &str) -> Option<String> {
    let code = name.strip_prefix("holds/").filter(|code| is_code(code));
    if code.is_none() {
        fields.violation(field, "应为 holds/{编号}", "must be holds/{hold}");
    }
    code.map(ToOwned::to_owned)
}

/// The identifier in `samplingPoints/{sampling_point}`.
pub(crate) fn point(fields: &mut Fields, field: &str, name: &str) -> Option<String> {
    let id = name.strip_prefix("samplingPoints/");
    let id = id.filter(|id| uuid::Uuid::parse_str(id).is_ok_and(|uuid| uuid.to_string() == **id));
    if id.is_none() {
        fields.violation(
            field,
            "应为 samplingPoints/{采样点编号}",
            "must be samplingPoints/{sampling_point}",
        );
    }
    id.map(ToOwned::to_owned)
}

/// The UUID in `{collection}/{id}`.
pub(crate) fn opaque(fields: &mut Fields, field: &str, name: &str, collection: &str) -> String {
    let id = name.strip_prefix(collection);
    let id = id.and_then(|rest| rest.strip_prefix('/'));
    let id = id.filter(|id| uuid::Uuid::parse_str(id).is_ok_and(|uuid| uuid.to_string() == **id));
    if id.is_none() {
        fields.violation(
            field,
            format!("应为 {collection}/{{编号}}"),
            format!("must be {collection}/{{id}}"),
        );
    }
    id.map(ToOwned::to_owned).unwrap_or_default()
}

/// The resource name of the class group at a place.
pub(crate) fn group_of(path: &str) -> String {
    let mut ids = path.rsplit('/');
    let group = ids.next().unwrap_or_default();
    group_name(ids.next().unwrap_or_default(), group)
}

/// The reason of a refusal as `ErrorInfo` carries it.
pub(crate) fn reason_name(problem: &Problem) -> String {
    let name = problem.reason().as_str_name();
    name.trim_start_matches("ERROR_REASON_").to_owned()
}

/// Cuts a page that was read one item too long, and returns the token of the next.
pub(crate) fn cut<R>(rows: &mut Vec<R>, limit: u64, token: impl FnOnce(&R) -> String) -> String {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if rows.len() <= limit {
        return String::new();
    }
    rows.truncate(limit);
    rows.last().map(token).unwrap_or_default()
}

/// A civil day that may be left out.
pub(crate) fn optional_date(
    fields: &mut Fields,
    field: &str,
    value: Option<proto::Date>,
) -> Option<NaiveDate> {
    value.and_then(|value| fields.date(field, Some(value)))
}
