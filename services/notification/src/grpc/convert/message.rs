//! Messages on the wire.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use kit::field::{Fields, to_timestamp};
use kit::status::Problem;
use proto::notification as pb;

use super::recipients::{malformed, names, recipients, to_recipients, too_many};
use super::unknown_value;
use crate::app::Organization;
use crate::app::messages::{NewMessage, message_name};
use crate::domain::delivery::{INBOX, is_channel};
use crate::domain::message::{Category, Message, Urgency};
use crate::store::messages::Figures;

/// How many channels a message has at most.
const CHANNELS: usize = 10;
/// How many values a message has at most, and how many characters each.
const VALUES: usize = 20;
const VALUE: usize = 200;
/// The longest id of a template and name of a variable.
const ID: usize = 40;

/// A message that somebody sends.
pub(in crate::grpc) fn new_message(
    sender: Organization,
    author: &str,
    message: Option<&pb::Message>,
    now: DateTime<Utc>,
) -> Result<NewMessage, Problem> {
    let mut fields = Fields::new();
    let Some(message) = message else {
        fields.required("message", "");
        fields.finish()?;
        return Err(unknown_value("message"));
    };
    let category = fields
        .enumeration("message.category", message.category)
        .and_then(|given: pb::message::Category| {
            let mut ours = Category::ALL.into_iter();
            ours.find(|ours| *ours as i32 == i32::from(given))
        });
    let urgency = fields
        .enumeration("message.urgency", message.urgency)
        .and_then(|given: pb::message::Urgency| {
            let mut ours = Urgency::ALL.into_iter();
            ours.find(|ours| *ours as i32 == i32::from(given))
        });
    let template = message.template.strip_prefix("templates/");
    let template = template.filter(|id| is_name(id, '-')).unwrap_or_default();
    if template.is_empty() {
        malformed(&mut fields, "message.template".to_owned());
    }
    too_many(&mut fields, "message.values", message.values.len(), VALUES);
    for (name, value) in &message.values {
        if !is_name(name, '_') {
            malformed(&mut fields, "message.values".to_owned());
        }
        long_text(&mut fields, "message.values", value);
    }
    let recipients = recipients(&mut fields, message.recipients.as_ref());
    let channels = channels(&mut fields, &message.channels);
    let expires = expiry(&mut fields, message.expire_time, now);
    fields.finish()?;
    let values = message.values.iter();
    Ok(NewMessage {
        sender,
        category: category.ok_or_else(|| unknown_value("message.category"))?,
        urgency: urgency.ok_or_else(|| unknown_value("message.urgency"))?,
        template: template.to_owned(),
        values: values
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        recipients,
        channels,
        expires,
        exercise: message.exercise,
        basis: String::new(),
        author: author.to_owned(),
    })
}

/// Like a short text, but lines may end.
fn long_text(fields: &mut Fields, field: &str, text: &str) {
    let odd = |c: char| c.is_control() && c != '\n';
    if text.chars().count() > VALUE || text.chars().any(odd) {
        fields.violation(
            field,
            format!("不能超过 {VALUE} 个字，且不能含控制字符"),
            format!("at most {VALUE} characters, no control characters but ends of lines"),
        );
    }
}

fn is_name(text: &str, joint: char) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == joint;
    (1..=ID).contains(&text.len()) && text.chars().all(good)
}

fn channels(fields: &mut Fields, given: &[String]) -> Vec<String> {
    let channels = names(fields, "message.channels", given, CHANNELS, |name| {
        let id = name.strip_prefix("channels/")?;
        (is_channel(id) && id != INBOX).then(|| id.to_owned())
    });
    let distinct: BTreeSet<&String> = channels.iter().collect();
    if distinct.len() < channels.len() {
        fields.violation("message.channels", "不能重复", "each once");
    }
    channels
}

fn expiry(
    fields: &mut Fields,
    given: Option<prost_types::Timestamp>,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    const FIELD: &str = "message.expire_time";
    if given.is_none() {
        return now + Message::LIFE;
    }
    let expires = fields.instant(FIELD, given).unwrap_or(now);
    if !(now + Message::SHORTEST..=now + Message::LONGEST).contains(&expires) {
        fields.violation(
            FIELD,
            "应在 1 分钟后至 30 天内",
            "1 minute to 30 days from now",
        );
    }
    expires
}

/// A message as callers see it.
pub(in crate::grpc) fn message(message: Message, figures: Figures) -> pb::Message {
    let Message {
        organization,
        id,
        org_path: _,
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
        confidential: _,
        created,
        expires,
        expanded,
        progress: _,
    } = message;
    let counts = figures.counts;
    pb::Message {
        name: message_name(&organization, id),
        state: state as i32,
        category: category as i32,
        urgency: urgency as i32,
        template: format!("templates/{template}"),
        template_version,
        values: values.into_iter().collect(),
        recipients: Some(to_recipients(recipients)),
        channels: channels
            .iter()
            .map(|channel| format!("channels/{channel}"))
            .collect(),
        expire_time: Some(to_timestamp(expires)),
        exercise,
        author,
        create_time: Some(to_timestamp(created)),
        expand_time: expanded.map(to_timestamp),
        recipient_count: figures.recipients,
        counts: Some(pb::DeliveryCounts {
            queued: counts.queued,
            sent: counts.sent,
            delivered: counts.delivered,
            read: counts.read,
            failed: counts.failed,
            expired: counts.expired,
        }),
        basis,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::{self, Group};

    #[test]
    fn states_and_choices_have_the_numbers_of_the_contract() {
        for state in message::State::ALL {
            let pb = pb::message::State::try_from(state as i32).unwrap();
            assert_eq!(pb.as_str_name(), format!("STATE_{}", state.as_str()));
        }
        let name = |name: &str| name.to_uppercase();
        for category in Category::ALL {
            let pb = pb::message::Category::try_from(category as i32).unwrap();
            assert_eq!(pb.as_str_name(), name(&format!("category_{category:?}")));
        }
        for urgency in Urgency::ALL {
            let pb = pb::message::Urgency::try_from(urgency as i32).unwrap();
            assert_eq!(pb.as_str_name(), name(&format!("urgency_{urgency:?}")));
        }
        for group in Group::ALL {
            let pb = pb::recipients::Group::try_from(group as i32).unwrap();
            assert_eq!(pb.as_str_name(), name(&format!("group_{group:?}")));
        }
    }
}
