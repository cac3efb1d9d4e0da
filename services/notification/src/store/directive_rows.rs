//! Directives as rows, both ways.

use chrono::NaiveDate;
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};

use super::audience;
use super::entity::directive::Model;
use super::unreadable;
use crate::domain::content::{Attachment, Content, Item};
use crate::domain::directive::{Directive, State, Urgency};

#[derive(Serialize, Deserialize)]
struct ItemBody {
    id: String,
    text: String,
    duty: String,
    due: NaiveDate,
}

#[derive(Serialize, Deserialize)]
struct AttachmentBody {
    title: String,
    sha256: [u8; 32],
    uri: String,
    size: i64,
    media_type: String,
}

/// The demands in a row.
pub(super) fn items(body: &str) -> Result<Vec<Item>, DbErr> {
    let bodies: Vec<ItemBody> = serde_json::from_str(body).map_err(|_| unreadable("items"))?;
    let item = |ItemBody {
                    id,
                    text,
                    duty,
                    due,
                }| Item {
        id,
        text,
        duty,
        due,
    };
    Ok(bodies.into_iter().map(item).collect())
}

fn attachments(body: &str) -> Result<Vec<Attachment>, DbErr> {
    let bodies: Vec<AttachmentBody> =
        serde_json::from_str(body).map_err(|_| unreadable("attachments"))?;
    let attachment = |AttachmentBody {
                          title,
                          sha256,
                          uri,
                          size,
                          media_type,
                      }| Attachment {
        title,
        sha256,
        uri,
        size,
        media_type,
    };
    Ok(bodies.into_iter().map(attachment).collect())
}

fn pack_items(items: Vec<Item>) -> String {
    let body = |Item {
                    id,
                    text,
                    duty,
                    due,
                }| ItemBody {
        id,
        text,
        duty,
        due,
    };
    let bodies: Vec<ItemBody> = items.into_iter().map(body).collect();
    serde_json::to_string(&bodies).unwrap_or_default()
}

fn pack_attachments(attachments: Vec<Attachment>) -> String {
    let body = |Attachment {
                    title,
                    sha256,
                    uri,
                    size,
                    media_type,
                }| AttachmentBody {
        title,
        sha256,
        uri,
        size,
        media_type,
    };
    let bodies: Vec<AttachmentBody> = attachments.into_iter().map(body).collect();
    serde_json::to_string(&bodies).unwrap_or_default()
}

/// The row of a directive.
pub(super) fn model(directive: Directive) -> Model {
    let Directive {
        organization,
        id,
        org_path,
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
        version,
    } = directive;
    let Content {
        title,
        text,
        items,
        attachments,
    } = content;
    Model {
        id,
        organization,
        org_path,
        state: state as i16,
        urgency: urgency as i16,
        title,
        text,
        text_sha256: text_hash.0.to_vec(),
        audience: audience::pack(audience),
        author,
        approver,
        create_time: created,
        issue_time: issued,
        superseded_by,
        version,
        items: pack_items(items),
        attachments: pack_attachments(attachments),
        to_class_groups,
        meeting,
        revoke_reason,
    }
}

impl TryFrom<Model> for Directive {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Self, DbErr> {
        let state = State::ALL
            .into_iter()
            .find(|state| *state as i16 == row.state);
        let urgency = Urgency::ALL
            .into_iter()
            .find(|urgency| *urgency as i16 == row.urgency);
        let content = Content {
            title: row.title,
            text: row.text,
            items: items(&row.items)?,
            attachments: attachments(&row.attachments)?,
        };
        let text_hash = content.hash();
        if text_hash.0[..] != row.text_sha256[..] {
            return Err(DbErr::Type(format!(
                "the text of directive {} was altered",
                row.id
            )));
        }
        Ok(Self {
            organization: row.organization,
            id: row.id,
            org_path: row.org_path,
            state: state.ok_or_else(|| unreadable("state"))?,
            urgency: urgency.ok_or_else(|| unreadable("urgency"))?,
            content,
            text_hash,
            audience: audience::unpack(&row.audience).ok_or_else(|| unreadable("audience"))?,
            to_class_groups: row.to_class_groups,
            meeting: row.meeting,
            author: row.author,
            approver: row.approver,
            created: row.create_time,
            issued: row.issue_time,
            superseded_by: row.superseded_by,
            revoke_reason: row.revoke_reason,
            version: row.version,
        })
    }
}
