//! Directives and their recipients on the wire.

use chrono::{DateTime, Utc};
use kit::field::{Fields, to_timestamp};
use kit::status::Problem;
use proto::notification as pb;

use super::{child, malformed, organization, unknown_value};
use crate::app::directives::{Draft, directive_name as named};
use crate::app::recipients::RecipientName;
use crate::domain::directive::{Directive, End, State, TextHash, Urgency};
use crate::domain::recipient::{Recipient, Verb};
use crate::store::directives::Tally;

const TITLE: usize = 100;
const TEXT: usize = 50_000;
const NOTE: usize = 5_000;
const AUDIENCE: usize = 1000;

/// The parts of a recipient's name.
pub(in crate::grpc) fn recipient_name(name: &str) -> Result<RecipientName, Problem> {
    let (directive, organization) = name
        .split_once("/recipients/")
        .ok_or_else(|| malformed("name"))?;
    let (orderer, directive) = child("name", "directives", directive)?;
    if !kit::org::is_id(organization) {
        return Err(malformed("name"));
    }
    Ok(RecipientName {
        orderer,
        directive,
        organization: organization.to_owned(),
    })
}

pub(in crate::grpc) fn directive_state(number: i32) -> Result<Option<State>, Problem> {
    if number == 0 {
        return Ok(None);
    }
    let state = State::ALL.into_iter().find(|state| *state as i32 == number);
    state.map(Some).ok_or_else(|| unknown_value("state"))
}

/// What a draft says.
pub(in crate::grpc) fn draft(request: &pb::DraftDirectiveRequest) -> Result<Draft, Problem> {
    let mut fields = Fields::new();
    let urgency = fields.enumeration("urgency", request.urgency).and_then(
        |urgency: pb::directive::Urgency| {
            Urgency::ALL
                .into_iter()
                .find(|ours| *ours as i32 == i32::from(urgency))
        },
    );
    fields.required("title", request.title.trim());
    fields.text("title", &request.title, TITLE);
    fields.required("text", request.text.trim());
    long_text(&mut fields, "text", &request.text, TEXT);
    if !(1..=AUDIENCE).contains(&request.audience.len()) {
        fields.violation(
            "audience",
            "请填写 1 至 1000 个单位",
            "1 to 1000 organisations",
        );
    }
    let mut audience = Vec::with_capacity(request.audience.len());
    for (index, name) in request.audience.iter().enumerate() {
        match organization("audience", name) {
            Ok(id) => audience.push(id),
            Err(_) => fields.violation(format!("audience[{index}]"), "格式不正确", "malformed"),
        }
    }
    fields.finish()?;
    let urgency = urgency.ok_or_else(|| unknown_value("urgency"))?;
    Ok(Draft {
        urgency,
        title: request.title.clone(),
        text: request.text.clone(),
        audience,
    })
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

/// How a directive ends.
pub(in crate::grpc) fn end(request: &pb::CloseDirectiveRequest) -> Result<End, Problem> {
    use pb::close_directive_request::Outcome;
    let mut fields = Fields::new();
    let outcome = fields.enumeration("outcome", request.outcome);
    let superseded = outcome == Some(Outcome::Superseded);
    if superseded {
        fields.required("superseded_by", &request.superseded_by);
    } else if !request.superseded_by.is_empty() {
        fields.violation("superseded_by", "仅在被替代时填写", "only when superseded");
    }
    fields.finish()?;
    match outcome {
        Some(Outcome::Closed) => Ok(End::Closed),
        Some(Outcome::Revoked) => Ok(End::Revoked),
        Some(Outcome::Superseded) => Ok(End::Superseded(request.superseded_by.clone())),
        Some(Outcome::Unspecified) | None => Err(unknown_value("outcome")),
    }
}

pub(in crate::grpc) fn receipt(request: &pb::ConfirmReceiptRequest) -> Result<Verb, Problem> {
    use pb::confirm_receipt_request::Receipt;
    match Receipt::try_from(request.receipt) {
        Ok(Receipt::Delivered) => Ok(Verb::Deliver),
        Ok(Receipt::Read) => Ok(Verb::Read),
        Ok(Receipt::Unspecified) | Err(_) => Err(unknown_value("receipt")),
    }
}

pub(in crate::grpc) fn relay(request: &pb::RelayDirectiveRequest) -> Result<Verb, Problem> {
    let mut fields = Fields::new();
    let hash: Option<[u8; 32]> = request.text_sha256[..].try_into().ok();
    if hash.is_none() {
        fields.violation(
            "text_sha256",
            "应为 32 字节的 SHA-256",
            "32 bytes of SHA-256",
        );
    }
    long_text(&mut fields, "note", &request.note, NOTE);
    fields.finish()?;
    let hash = hash.ok_or_else(|| malformed("text_sha256"))?;
    Ok(Verb::Relay(TextHash(hash), request.note.clone()))
}

pub(in crate::grpc) fn report(request: &pb::ReportProgressRequest) -> Result<Verb, Problem> {
    let mut fields = Fields::new();
    fields.required("report", request.report.trim());
    long_text(&mut fields, "report", &request.report, NOTE);
    let progress = fields.within("progress_percent", request.progress_percent, 0..=100);
    if request.finished && progress != 100 {
        fields.violation("progress_percent", "办结时应为 100", "100 when finished");
    }
    fields.finish()?;
    Ok(Verb::Report(
        request.report.clone(),
        progress,
        request.finished,
    ))
}

/// A directive as callers see it.
pub(in crate::grpc) fn directive(directive: Directive, tally: Tally) -> pb::Directive {
    let Directive {
        organization,
        id,
        org_path: _,
        state,
        urgency,
        title,
        text,
        text_hash,
        audience,
        author,
        approver,
        created,
        issued,
        superseded_by,
        version: _,
    } = directive;
    pb::Directive {
        name: named(&organization, id),
        state: state as i32,
        urgency: urgency as i32,
        title,
        text,
        text_sha256: text_hash.0.to_vec().into(),
        audience: audience
            .iter()
            .map(|id| format!("organizations/{id}"))
            .collect(),
        author,
        approver,
        create_time: Some(to_timestamp(created)),
        issue_time: issued.map(to_timestamp),
        recipient_count: tally.recipients,
        acknowledged_count: tally.acknowledged,
        accepted_count: tally.accepted,
        superseded_by,
    }
}

/// A recipient as callers see it.
pub(in crate::grpc) fn recipient(
    recipient: Recipient,
    orderer: &str,
    now: DateTime<Utc>,
) -> pb::DirectiveRecipient {
    let overdue = recipient.is_overdue(now);
    let Recipient {
        directive,
        organization,
        org_path: _,
        upper,
        below: _,
        state,
        due,
        acknowledged,
        relayed,
        relay_note,
        report,
        progress,
        return_reason,
        updated,
        text_hash,
        version: _,
    } = recipient;
    let at =
        |organization: &str| format!("{}/recipients/{organization}", named(orderer, directive));
    pb::DirectiveRecipient {
        name: at(&organization),
        organization: format!("organizations/{organization}"),
        upper: if upper.is_empty() { upper } else { at(&upper) },
        state: state as i32,
        overdue,
        due_time: due.map(to_timestamp),
        acknowledge_time: acknowledged.map(to_timestamp),
        relay_time: relayed.map(to_timestamp),
        relay_note,
        report,
        progress_percent: progress,
        return_reason,
        update_time: Some(to_timestamp(updated)),
        text_sha256: text_hash.0.to_vec().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::recipient;

    #[test]
    fn states_have_the_numbers_and_names_of_the_contract() {
        for state in State::ALL {
            let pb = pb::directive::State::try_from(state as i32).unwrap();
            assert_eq!(pb.as_str_name(), format!("STATE_{}", state.as_str()));
        }
        for state in recipient::State::ALL {
            let pb = pb::directive_recipient::State::try_from(state as i32).unwrap();
            assert_eq!(pb.as_str_name(), format!("STATE_{}", state.as_str()));
        }
        for urgency in Urgency::ALL {
            assert!(pb::directive::Urgency::try_from(urgency as i32).is_ok());
        }
    }
}
