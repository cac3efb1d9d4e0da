//! Field by field, both ways: what the services have in common.

mod alert;
mod alert_rule;
mod audience;
mod channel;
mod concern;
mod delivery;
mod directive;
mod meeting;
mod message;
mod recipient;
mod recipients;
mod silence;
mod support;
mod template;
mod warning;

use kit::field::Fields;
use kit::status::Problem;
use uuid::Uuid;

pub(super) use alert::{alert, alert_kind, alert_state, entry, group};
pub(super) use alert_rule::{alert_rule, alert_rule_name, etag, rule_change};
pub(super) use channel::{
    Given, contact_point, contact_points, preferences, standing, stored_contact_points, wanted,
};
pub(super) use concern::{
    answer, assign, concern, concern_figures, concern_state, named, rate, submission, triage,
};
pub(super) use delivery::{
    channel, dead_letter, deliveries, delivery_state, inbox_item, letters, party, receipts,
};
pub(super) use directive::{directive, directive_state, draft, end};
pub(super) use meeting::{
    attendance, attendance_name, call, cancel, filter, meeting, minutes, postpone, sign_in,
    substitute,
};
pub(super) use message::{message, new_message};
pub(super) use recipient::{
    item_report, progress, receipt, recipient, recipient_name, relay, report,
};
pub(super) use silence::{silence, wish};
pub(super) use support::{
    access, care_state, care_task, class_group, close_reason, grade, note, opening, support_case,
    support_figures,
};
pub(super) use template::{
    preview, rendered, template, template_id, template_of, template_version,
};
pub(super) use warning::{document, export, warning, warning_id, warnings_wanted};

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

/// Like a short text, but lines may end.
fn long_text(fields: &mut Fields, field: &str, text: &str, most: usize) {
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.chars().count() > most || text.chars().any(odd) {
        fields.violation(
            field,
            format!("不能超过 {most} 个字，且不能含控制字符"),
            format!("at most {most} characters, no control characters but ends of lines"),
        );
    }
}

/// Whether a text is an id of 1 to `most` lower-case letters, digits and signs of `others`.
fn is_short_id(text: &str, most: usize, others: &[u8]) -> bool {
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || others.contains(&b);
    (1..=most).contains(&text.len()) && text.bytes().all(known)
}
