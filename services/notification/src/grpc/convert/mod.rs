//! Field by field, both ways: what alerts and directives have in common.

mod alert;
mod directive;

use kit::field::Fields;
use kit::status::Problem;
use uuid::Uuid;

pub(super) use alert::{alert, alert_kind, alert_state};
pub(super) use directive::{
    directive, directive_state, draft, end, receipt, recipient, recipient_name, relay, report,
};

const COMMENT: usize = 500;

/// The id in `organizations/{organization}`.
pub(super) fn organization(field: &'static str, name: &str) -> Result<String, Problem> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", id] if kit::org::is_id(id) => Ok(id.to_owned()),
        _ => Err(malformed(field)),
    }
}

/// Organisation and id in `organizations/{organization}/{collection}/{uuid}`.
pub(super) fn child(
    field: &'static str,
    collection: &str,
    name: &str,
) -> Result<(String, Uuid), Problem> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", organization, middle, id]
            if kit::org::is_id(organization) && middle == collection =>
        {
            let id = Uuid::try_parse(id).map_err(|_| malformed(field))?;
            Ok((organization.to_owned(), id))
        }
        _ => Err(malformed(field)),
    }
}

fn malformed(field: &'static str) -> Problem {
    Problem::invalid(field, "格式不正确", "malformed")
}

/// A text of people's own.
pub(super) fn comment(field: &'static str, text: &str, required: bool) -> Result<String, Problem> {
    let mut fields = Fields::new();
    if required {
        fields.required(field, text.trim());
    }
    fields.text(field, text, COMMENT);
    fields.finish()?;
    Ok(text.to_owned())
}

fn unknown_value(field: &'static str) -> Problem {
    Problem::invalid(field, "请选择有效的选项", "not a known value")
}
