//! Incidents, both ways.

mod refused;
mod requests;
mod told;

use kit::field::Fields;
use kit::status::Problem;
use uuid::Uuid;

use super::plain;

pub(in crate::grpc) use refused::refused;
pub(in crate::grpc) use requests::{
    close, confirm, control, counts, dismiss, filter, make_confidential, notice, noticed, receipt,
    relevel, report, respond, review, supplement,
};
pub(in crate::grpc) use told::{counted, event, incident, listed, written};

/// The organisation and id in `organizations/{organization}/incidents/{incident}`.
pub(in crate::grpc) fn incident_name(
    field: &'static str,
    name: &str,
) -> Result<(String, Uuid), Problem> {
    let (organization, id) = name
        .split_once("/incidents/")
        .ok_or_else(|| super::malformed(field))?;
    let id = Uuid::try_parse(id).map_err(|_| super::malformed(field))?;
    Ok((super::organization(field, organization)?, id))
}

/// A text that must be there, without phone or identity numbers.
fn words<'a>(fields: &mut Fields, field: &str, value: &'a str, most: usize) -> &'a str {
    fields.required(field, value);
    plain(fields, field, value, most)
}

/// A value that must be there and known.
fn known<T>(
    fields: &mut Fields,
    field: &str,
    number: i32,
    of: impl Fn(i32) -> Option<T>,
) -> Option<T> {
    let found = of(number);
    if found.is_none() {
        fields.violation(field, "请选择有效的选项", "not a known value");
    }
    found
}

/// A value that may be left out, but is known.
fn maybe<T>(
    fields: &mut Fields,
    field: &str,
    number: i32,
    of: impl Fn(i32) -> Option<T>,
) -> Option<T> {
    if number == 0 {
        return None;
    }
    known(fields, field, number, of)
}
