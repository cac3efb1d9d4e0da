//! Field by field, both ways: what several services of the roster share, and organisations.

use chrono::{DateTime, NaiveDate};
use kit::field::{to_date, to_timestamp};
use kit::status::Problem;
use proto::roster as pb;

use crate::domain::organization::{Organization, Stage};

/// The version as callers send it back.
pub(crate) fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// An instant for the wire.
pub(crate) fn instant(millis: i64) -> Option<prost_types::Timestamp> {
    DateTime::from_timestamp_millis(millis).map(to_timestamp)
}

/// A civil day for the wire.
pub(crate) fn day(day: Option<NaiveDate>) -> Option<proto::Date> {
    day.map(to_date)
}

/// The id in the name of something of `collection`, such as `organizations/{id}`.
///
/// # Errors
/// INVALID_FIELD when the name is of another form.
pub(crate) fn id<'a>(field: &str, collection: &str, name: &'a str) -> Result<&'a str, Problem> {
    let id = name
        .strip_prefix(collection)
        .and_then(|rest| rest.strip_prefix('/'));
    id.filter(|id| kit::org::is_id(id))
        .ok_or_else(|| malformed(field, name, collection))
}

/// The opaque identifier in the name of something of `collection`, such as `students/{uuid}`.
///
/// # Errors
/// INVALID_FIELD when the name is of another form.
pub(crate) fn uuid(field: &str, collection: &str, name: &str) -> Result<uuid::Uuid, Problem> {
    let id = name
        .strip_prefix(collection)
        .and_then(|rest| rest.strip_prefix('/'));
    let id = id.and_then(|id| {
        let parsed = uuid::Uuid::try_parse(id).ok()?;
        // One spelling only: a name is compared as text elsewhere.
        (parsed.to_string() == id).then_some(parsed)
    });
    id.ok_or_else(|| malformed(field, name, collection))
}

pub(crate) fn malformed(field: &str, name: &str, collection: &str) -> Problem {
    if name.is_empty() {
        return Problem::invalid(field, "必填", "required");
    }
    Problem::invalid(
        field,
        format!("格式应为 {collection}/…"),
        format!("must be of the form {collection}/…"),
    )
}

/// An organisation for the wire.
pub(crate) fn organization(organization: Organization) -> pb::Organization {
    let name = organization.name();
    let Organization {
        id: _,
        org_path,
        kind,
        display_name,
        parent,
        division_code,
        school_code,
        uscc,
        stages,
        laboratory_code,
        boarding,
        closed,
        valid_from,
        replaced_by,
        external_id,
        version,
        update_time,
    } = organization;
    let state = match closed {
        None => pb::organization::State::Active,
        Some(_) => pb::organization::State::Closed,
    };
    pb::Organization {
        name,
        kind: kind.code().into(),
        display_name,
        parent: named("organizations", parent),
        org_path,
        division_code,
        school_code: school_code.unwrap_or_default(),
        uscc: uscc.unwrap_or_default(),
        stages: stages.iter().map(Stage::code).map(i32::from).collect(),
        laboratory_code: laboratory_code.unwrap_or_default(),
        boarding,
        state: state.into(),
        valid_from_date: day(valid_from),
        valid_to_date: day(closed),
        replaced_by: named("organizations", replaced_by),
        external_id,
        version,
        update_time: instant(update_time),
        etag: etag(version),
    }
}

/// The name of something of `collection`; empty for nothing.
pub(crate) fn named(collection: &str, id: String) -> String {
    if id.is_empty() {
        id
    } else {
        format!("{collection}/{id}")
    }
}
