//! The ledger, receipts and inboxes on the wire.

use chrono::{DateTime, Utc};
use kit::field::{Fields, to_timestamp};
use kit::status::Problem;
use proto::notification as pb;

use super::{child, malformed, unknown_value};
use crate::app::ledger::Named;
use crate::app::messages::message_name;
use crate::domain::delivery::{Delivery, Failure, Fate, INBOX, Key, Receipt, State, is_channel};
use crate::domain::message::Message;
use crate::domain::party::Party;
use crate::domain::text::Text;

/// How many deliveries one request names at most.
const NAMES: usize = 1000;

pub(in crate::grpc) fn delivery_state(number: i32) -> Result<Option<State>, Problem> {
    if number == 0 {
        return Ok(None);
    }
    let known = i16::try_from(number).ok().and_then(State::from_number);
    known.map(Some).ok_or_else(|| unknown_value("state"))
}

/// A recipient by its resource name.
pub(in crate::grpc) fn party(field: &'static str, name: &str) -> Result<Party, Problem> {
    Party::parse(name).ok_or_else(|| malformed(field))
}

/// The id in `channels/{channel}`; none when there is no name.
pub(in crate::grpc) fn channel<'a>(
    field: &'static str,
    name: &'a str,
) -> Result<Option<&'a str>, Problem> {
    if name.is_empty() {
        return Ok(None);
    }
    let id = name.strip_prefix("channels/");
    let id = id.filter(|id| is_channel(id));
    id.map(Some).ok_or_else(|| malformed(field))
}

/// Sender and key in `organizations/{organization}/messages/{message}/deliveries/{delivery}`.
fn named(name: &str) -> Option<Named> {
    let (message, delivery) = name.split_once("/deliveries/")?;
    let (organization, message) = child("name", "messages", message).ok()?;
    Some((organization, Key::parse(message, delivery)?))
}

fn counted(fields: &mut Fields, field: &str, given: usize) {
    if !(1..=NAMES).contains(&given) {
        fields.violation(field, "请填写 1 至 1000 项", "1 to 1000");
    }
}

/// Dead letters by their names.
pub(in crate::grpc) fn letters(names: &[String]) -> Result<Vec<Named>, Problem> {
    let mut fields = Fields::new();
    counted(&mut fields, "names", names.len());
    let mut letters = Vec::with_capacity(names.len().min(NAMES));
    for (index, name) in names.iter().enumerate() {
        match named(name) {
            Some(letter) => letters.push(letter),
            None => fields.violation(format!("names[{index}]"), "格式不正确", "malformed"),
        }
    }
    fields.finish()?;
    Ok(letters)
}

/// What is told of deliveries; never later than now.
pub(in crate::grpc) fn receipts(
    given: &[pb::DeliveryReceipt],
    now: DateTime<Utc>,
) -> Result<Vec<Receipt>, Problem> {
    let mut fields = Fields::new();
    counted(&mut fields, "receipts", given.len());
    let mut receipts = Vec::with_capacity(given.len().min(NAMES));
    for (index, receipt) in given.iter().enumerate() {
        let name = named(&receipt.delivery);
        if name.is_none() {
            let field = format!("receipts[{index}].delivery");
            fields.violation(field, "格式不正确", "malformed");
        }
        let failure = i16::try_from(receipt.failure).ok();
        let failure = failure.and_then(Failure::from_number);
        let fate = match (receipt.state(), failure) {
            (pb::delivery::State::Delivered, _) => Fate::Delivered,
            (pb::delivery::State::Read, _) => Fate::Read,
            (pb::delivery::State::Failed, Some(failure)) => Fate::Failed(failure),
            (pb::delivery::State::Failed, None) => {
                let field = format!("receipts[{index}].failure");
                fields.violation(field, "请选择失败原因", "required with FAILED");
                continue;
            }
            (
                pb::delivery::State::Unspecified
                | pb::delivery::State::Queued
                | pb::delivery::State::Sent
                | pb::delivery::State::Expired,
                _,
            ) => {
                let field = format!("receipts[{index}].state");
                fields.violation(field, "请选择有效的选项", "DELIVERED, READ or FAILED");
                continue;
            }
        };
        if receipt.failure != 0 && !matches!(fate, Fate::Failed(_)) {
            let field = format!("receipts[{index}].failure");
            fields.violation(field, "仅在失败时填写", "only with FAILED");
            continue;
        }
        let time = match receipt.time {
            None => now,
            given => {
                let field = format!("receipts[{index}].time");
                fields.instant(&field, given).unwrap_or(now).min(now)
            }
        };
        receipts.extend(name.map(|(sender, key)| Receipt {
            key,
            sender,
            fate,
            time,
        }));
    }
    fields.finish()?;
    Ok(receipts)
}

/// Deliveries of a message as callers see them.
pub(in crate::grpc) fn deliveries(
    message: &Message,
    deliveries: Vec<Delivery>,
) -> Vec<pb::Delivery> {
    let of = |found: Delivery| {
        // What presses has a head start, and so a time to be sent before it was stored.
        let next_attempt = found.next_attempt.map(|next| next.max(message.created));
        let found = Delivery {
            next_attempt,
            ..found
        };
        delivery(&message.organization, found)
    };
    deliveries.into_iter().map(of).collect()
}

/// A dead letter as callers see it.
pub(in crate::grpc) fn dead_letter((sender, found): (String, Delivery)) -> pb::Delivery {
    delivery(&sender, found)
}

fn delivery(sender: &str, delivery: Delivery) -> pb::Delivery {
    let Delivery {
        key,
        state,
        attempts,
        failure,
        next_attempt,
        sent,
        delivered,
        read,
    } = delivery;
    pb::Delivery {
        name: delivery_name(sender, &key),
        recipient: key.recipient.name(),
        channel: format!("channels/{}", key.channel),
        state: state as i32,
        attempt_count: attempts.into(),
        failure: failure.map_or(0, |failure| failure as i32),
        next_attempt_time: next_attempt.map(to_timestamp),
        send_time: sent.map(to_timestamp),
        deliver_time: delivered.map(to_timestamp),
        read_time: read.map(to_timestamp),
    }
}

fn delivery_name(sender: &str, key: &Key) -> String {
    let message = message_name(sender, key.message);
    format!("{message}/deliveries/{}", key.id())
}

/// A message as it lies in the inbox of a recipient.
pub(in crate::grpc) fn inbox_item(
    message: Message,
    text: Text,
    recipient: &Party,
) -> pb::InboxItem {
    let Text { title, body } = text;
    let key = Key {
        message: message.id,
        recipient: recipient.clone(),
        channel: INBOX.to_owned(),
    };
    pb::InboxItem {
        delivery: delivery_name(&message.organization, &key),
        category: message.category as i32,
        urgency: message.urgency as i32,
        title,
        body,
        create_time: Some(to_timestamp(message.created)),
        exercise: message.exercise,
        sender: format!("organizations/{}", message.organization),
        basis: message.basis,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_failures_have_the_numbers_of_the_contract() {
        for state in State::ALL {
            let pb = pb::delivery::State::try_from(state as i32).unwrap();
            assert_eq!(pb.as_str_name(), format!("STATE_{}", state.as_str()));
        }
        for failure in Failure::ALL {
            assert!(pb::delivery::Failure::try_from(failure as i32).is_ok());
        }
    }
}
