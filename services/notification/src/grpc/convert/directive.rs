//! Directives on the wire.

use kit::field::{Fields, to_date, to_timestamp};
use kit::status::Problem;
use proto::notification as pb;
use proto::roster::responsibility_node::Subject;

use super::audience::{audience, to_audience};
use super::{is_short_id, long_text, unknown_value};
use crate::app::directives::{Draft, directive_name as named};
use crate::domain::content::{Attachment, Content, Item, is_ambiguous};
use crate::domain::directive::{Directive, End, State, Urgency};
use crate::store::counts::Tally;

const TITLE: usize = 100;
const TEXT: usize = 50_000;
const ITEMS: usize = 100;
const ITEM_ID: usize = 20;
const ITEM_TEXT: usize = 1000;
const ATTACHMENTS: usize = 20;
const URI: usize = 2000;
const MEDIA_TYPE: usize = 100;
const REASON: usize = 500;

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
    let urgency = urgency(&mut fields, request.urgency);
    fields.required("title", request.title.trim());
    fields.text("title", &request.title, TITLE);
    directive_text(&mut fields, "text", &request.text);
    let audience = audience(&mut fields, "audience", request.audience.as_ref());
    let items = items(&mut fields, &request.items);
    let attachments = attachments(&mut fields, &request.attachments);
    fields.finish()?;
    Ok(Draft {
        urgency: urgency.ok_or_else(|| unknown_value("urgency"))?,
        content: Content {
            title: request.title.clone(),
            text: request.text.clone(),
            items,
            attachments,
        },
        audience,
        to_class_groups: request.to_class_groups,
    })
}

pub(super) fn urgency(fields: &mut Fields, number: i32) -> Option<Urgency> {
    let known = fields.enumeration("urgency", number);
    known.and_then(|known: pb::directive::Urgency| {
        let mut ours = Urgency::ALL.into_iter();
        ours.find(|ours| *ours as i32 == i32::from(known))
    })
}

/// The text of a directive: no line of it may be taken for a demand or a file.
pub(super) fn directive_text(fields: &mut Fields, field: &str, text: &str) {
    fields.required(field, text.trim());
    long_text(fields, field, text, TEXT);
    if is_ambiguous(text) {
        fields.violation(
            field,
            "行首不能是“item”或“attachment”加制表符",
            "no line may begin with `item` or `attachment` and a tab",
        );
    }
}

/// The demands of a request; those that are wrong are left out, which `fields` then knows.
pub(super) fn items(fields: &mut Fields, items: &[pb::DirectiveItem]) -> Vec<Item> {
    if items.len() > ITEMS {
        fields.violation("items", "不能超过 100 项", "at most 100");
    }
    let mut kept: Vec<Item> = Vec::with_capacity(items.len().min(ITEMS));
    for (index, item) in items.iter().enumerate().take(ITEMS) {
        let of = |field: &str| format!("items[{index}].{field}");
        if !is_short_id(&item.item_id, ITEM_ID, b"-.") {
            fields.violation(
                of("item_id"),
                "应为 1 至 20 个小写字母、数字、连字符或点",
                "1 to 20 of a-z, 0-9, - and .",
            );
        }
        if kept.iter().any(|other| other.id == item.item_id) {
            fields.violation(of("item_id"), "重复", "not unique");
        }
        fields.required(&of("text"), item.text.trim());
        fields.text(&of("text"), &item.text, ITEM_TEXT);
        let subject = Subject::from_str_name(&format!("SUBJECT_{}", item.duty));
        if subject.is_none_or(|subject| subject == Subject::Unspecified) {
            fields.violation(of("duty"), "请选择有效的选项", "not a known value");
        }
        let due = fields.date(&of("due_date"), item.due_date);
        kept.extend(due.map(|due| Item {
            id: item.item_id.clone(),
            text: item.text.clone(),
            duty: item.duty.clone(),
            due,
        }));
    }
    kept
}

fn attachments(fields: &mut Fields, attachments: &[pb::Attachment]) -> Vec<Attachment> {
    if attachments.len() > ATTACHMENTS {
        fields.violation("attachments", "不能超过 20 个", "at most 20");
    }
    let mut kept = Vec::with_capacity(attachments.len().min(ATTACHMENTS));
    for (index, attachment) in attachments.iter().enumerate().take(ATTACHMENTS) {
        let of = |field: &str| format!("attachments[{index}].{field}");
        fields.required(&of("title"), attachment.title.trim());
        fields.text(&of("title"), &attachment.title, TITLE);
        let sha256: Option<[u8; 32]> = attachment.sha256[..].try_into().ok();
        if sha256.is_none() {
            fields.violation(
                of("sha256"),
                "应为 32 字节的 SHA-256",
                "32 bytes of SHA-256",
            );
        }
        if !is_link(&attachment.uri) {
            fields.violation(
                of("uri"),
                "应为不含用户名和密码的 https 地址，不超过 2000 个字",
                "an https address of at most 2000 characters without user or password",
            );
        }
        fields.within(&of("size_bytes"), attachment.size_bytes, 1..=i64::MAX);
        fields.text(&of("media_type"), &attachment.media_type, MEDIA_TYPE);
        kept.extend(sha256.map(|sha256| Attachment {
            title: attachment.title.clone(),
            sha256,
            uri: attachment.uri.clone(),
            size: attachment.size_bytes,
            media_type: attachment.media_type.clone(),
        }));
    }
    kept
}

/// Whether a text is an `https` address that tells no secret.
fn is_link(uri: &str) -> bool {
    let host = uri
        .strip_prefix("https://")
        .and_then(|rest| rest.split(['/', '?', '#']).next());
    let plain = |c: char| c.is_ascii_graphic() && c != '\\';
    uri.len() <= URI
        && uri.chars().all(plain)
        && host.is_some_and(|host| !host.is_empty() && !host.contains('@'))
}

/// How a directive ends.
pub(in crate::grpc) fn end(request: &pb::CloseDirectiveRequest) -> Result<End, Problem> {
    use pb::close_directive_request::Outcome;
    let mut fields = Fields::new();
    let outcome = fields.enumeration("outcome", request.outcome);
    if outcome == Some(Outcome::Superseded) {
        fields.required("superseded_by", &request.superseded_by);
    } else if !request.superseded_by.is_empty() {
        fields.violation("superseded_by", "仅在被替代时填写", "only when superseded");
    }
    if outcome == Some(Outcome::Revoked) {
        fields.required("reason", request.reason.trim());
        fields.text("reason", &request.reason, REASON);
    } else if !request.reason.is_empty() {
        fields.violation("reason", "仅在撤回时填写", "only when revoked");
    }
    fields.finish()?;
    match outcome {
        Some(Outcome::Closed) => Ok(End::Closed),
        Some(Outcome::Revoked) => Ok(End::Revoked(request.reason.clone())),
        Some(Outcome::Superseded) => Ok(End::Superseded(request.superseded_by.clone())),
        Some(Outcome::Unspecified) | None => Err(unknown_value("outcome")),
    }
}

/// A directive as callers see it.
pub(in crate::grpc) fn directive(directive: Directive, tally: Tally) -> pb::Directive {
    let Directive {
        organization,
        id,
        org_path: _,
        state,
        urgency,
        content,
        text_hash,
        audience,
        to_class_groups,
        meeting,
        author,
        approver,
        created,
        issued,
        superseded_by,
        revoke_reason,
        version: _,
    } = directive;
    let Content {
        title,
        text,
        items,
        attachments,
    } = content;
    let item = |item: Item| pb::DirectiveItem {
        item_id: item.id,
        text: item.text,
        duty: item.duty,
        due_date: Some(to_date(item.due)),
    };
    let attachment = |attachment: Attachment| pb::Attachment {
        title: attachment.title,
        sha256: attachment.sha256.to_vec().into(),
        uri: attachment.uri,
        size_bytes: attachment.size,
        media_type: attachment.media_type,
    };
    pb::Directive {
        name: named(&organization, id),
        state: state as i32,
        urgency: urgency as i32,
        title,
        text,
        text_sha256: text_hash.0.to_vec().into(),
        audience: Some(to_audience(audience)),
        author,
        approver,
        create_time: Some(to_timestamp(created)),
        issue_time: issued.map(to_timestamp),
        recipient_count: tally.recipients,
        acknowledged_count: tally.acknowledged,
        accepted_count: tally.accepted,
        superseded_by,
        items: items.into_iter().map(item).collect(),
        attachments: attachments.into_iter().map(attachment).collect(),
        to_class_groups,
        meeting,
        revoke_reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_the_numbers_and_names_of_the_contract() {
        for state in State::ALL {
            let pb = pb::directive::State::try_from(state as i32).unwrap();
            assert_eq!(pb.as_str_name(), format!("STATE_{}", state.as_str()));
        }
        for urgency in Urgency::ALL {
            assert!(pb::directive::Urgency::try_from(urgency as i32).is_ok());
        }
    }

    #[test]
    fn a_link_is_https_and_tells_no_secret() {
        for link in ["https://files.example/a.pdf", "https://files.example?id=1"] {
            assert!(is_link(link), "{link}");
        }
        let long = format!("https://files.example/{}", "a".repeat(2000));
        for other in [
            "",
            "http://files.example/a.pdf",
            "https://",
            "https:///a.pdf",
            "https://user:secret@files.example/a.pdf",
            "https://files.example\\@elsewhere.example/",
            "https://files.example/a b",
            &long,
        ] {
            assert!(!is_link(other), "{other}");
        }
    }
}
