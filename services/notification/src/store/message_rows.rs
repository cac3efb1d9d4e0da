//! Messages as rows, both ways.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kit::rows::row;
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{audience, unreadable};
use crate::domain::message::{
    Category, Group, Message, Phase, Progress, Recipients, State, Urgency,
};
use crate::domain::party::Party;

row! {
    /// A message. Instants are milliseconds since 1970.
    MessageRow in "messages" by ["id"] {
        /// Grows with time.
        id: Uuid,
        /// The organisation id of the sender.
        organization: String,
        /// The place of the sender.
        org_path: String,
        /// The number of the state.
        state: i16,
        /// The number of the category.
        category: i16,
        /// The number of the urgency.
        urgency: i16,
        /// The id of the template.
        template: String,
        /// The version that was taken.
        template_version: i32,
        /// Values, recipients and channels as JSON.
        body: String,
        /// An exercise.
        exercise: bool,
        /// Who sent it.
        author: String,
        /// What it tells of.
        basis: String,
        /// For its recipients alone.
        confidential: bool,
        /// When it was stored.
        created_at: i64,
        /// Nothing is sent from then on.
        expires_at: i64,
        /// When there was a row for everybody; 0 before.
        expanded_at: i64,
        /// When it expires, or was stopped.
        ends_at: i64,
        /// Nothing of it is queued any more and nothing will be.
        swept: bool,
        /// The number of the phase.
        phase: i16,
        /// The last person whose row is written.
        after: Uuid,
        /// How many transactions have written rows.
        parts: i32,
    }
}

#[derive(Serialize, Deserialize)]
struct Body {
    values: BTreeMap<String, String>,
    channels: Vec<String>,
    /// An audience as JSON.
    audience: Option<String>,
    class_groups: Vec<String>,
    groups: Vec<i16>,
    posts: Vec<String>,
    parties: Vec<String>,
    /// A pupil among the parties is the pupil: a version before meant the family.
    #[serde(default)]
    apart: bool,
}

/// The row of a message that is stored for the first time or goes on being expanded.
pub(super) fn row(message: Message) -> MessageRow {
    let Message {
        organization,
        id,
        org_path,
        state,
        category,
        urgency,
        template,
        template_version,
        values,
        recipients,
        channels,
        exercise,
        author,
        basis,
        confidential,
        created,
        expires,
        expanded,
        progress,
    } = message;
    let expires_at = expires.timestamp_millis();
    MessageRow {
        id,
        organization,
        org_path,
        state: state as i16,
        category: category as i16,
        urgency: urgency as i16,
        template,
        template_version,
        body: pack(values, channels, recipients),
        exercise,
        author,
        basis,
        confidential,
        created_at: created.timestamp_millis(),
        expires_at,
        expanded_at: expanded.map_or(0, |expanded| expanded.timestamp_millis()),
        ends_at: expires_at,
        swept: false,
        phase: progress.phase as i16,
        after: progress.after,
        parts: progress.parts,
    }
}

/// The values with which the template of a stored message is filled.
pub(super) fn values_of(body: &str) -> Result<BTreeMap<String, String>, DbErr> {
    let body: Body = serde_json::from_str(body).map_err(|_| unreadable("message"))?;
    Ok(body.values)
}

fn pack(values: BTreeMap<String, String>, channels: Vec<String>, recipients: Recipients) -> String {
    let Recipients {
        audience,
        class_groups,
        groups,
        posts,
        parties,
    } = recipients;
    let body = Body {
        values,
        channels,
        audience: audience.map(audience::pack),
        class_groups,
        groups: groups.into_iter().map(|group| group as i16).collect(),
        posts,
        parties: parties.iter().map(Party::name).collect(),
        apart: true,
    };
    serde_json::to_string(&body).unwrap_or_default()
}

impl TryFrom<MessageRow> for Message {
    type Error = DbErr;

    fn try_from(row: MessageRow) -> Result<Self, DbErr> {
        let instant = |millis| instant(millis).ok_or_else(|| unreadable("instant"));
        let body: Body = serde_json::from_str(&row.body).map_err(|_| unreadable("message"))?;
        let parties = body.parties.iter().map(|name| match Party::parse(name)? {
            Party::Student(id) if !body.apart => Some(Party::Family(id)),
            party => Some(party),
        });
        let audience = body
            .audience
            .map(|audience| audience::unpack(&audience).ok_or_else(|| unreadable("audience")));
        let groups = body.groups.iter().map(|number| {
            let group = Group::ALL
                .into_iter()
                .find(|group| *group as i16 == *number);
            group.ok_or_else(|| unreadable("group"))
        });
        Ok(Self {
            organization: row.organization,
            id: row.id,
            org_path: row.org_path,
            state: numbered(&State::ALL, |one| one as i16, row.state, "state")?,
            category: numbered(&Category::ALL, |one| one as i16, row.category, "category")?,
            urgency: numbered(&Urgency::ALL, |one| one as i16, row.urgency, "urgency")?,
            template: row.template,
            template_version: row.template_version,
            values: body.values,
            recipients: Recipients {
                audience: audience.transpose()?,
                class_groups: body.class_groups,
                groups: groups.collect::<Result<_, _>>()?,
                posts: body.posts,
                parties: parties
                    .collect::<Option<_>>()
                    .ok_or_else(|| unreadable("party"))?,
            },
            channels: body.channels,
            exercise: row.exercise,
            author: row.author,
            basis: row.basis,
            confidential: row.confidential,
            created: instant(row.created_at)?,
            expires: instant(row.expires_at)?,
            expanded: match row.expanded_at {
                0 => None,
                millis => Some(instant(millis)?),
            },
            progress: Progress {
                phase: numbered(&Phase::ALL, |one| one as i16, row.phase, "phase")?,
                after: row.after,
                parts: row.parts,
            },
        })
    }
}

/// An instant from milliseconds since 1970.
pub(super) fn instant(millis: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(millis)
}

fn numbered<T: Copy>(all: &[T], number: fn(T) -> i16, wanted: i16, what: &str) -> Result<T, DbErr> {
    let found = all.iter().copied().find(|one| number(*one) == wanted);
    found.ok_or_else(|| unreadable(what))
}
