//! Policy profiles between the contract and the domain, field by field from the descriptors.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use chrono::TimeDelta;
use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor,
    ReflectMessage, Value as Wire,
};
use prost_types::Duration;
use proto::Date;
use proto::roster::PolicyProfile;

use super::convert;
use crate::domain::policy::{Profile, Record, State, Value};
use crate::store::policies::Stored;

/// The contract's description of a policy profile.
static PROFILE: LazyLock<MessageDescriptor> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts are compiled in");
    pool.get_message_by_name("campus.roster.v1.PolicyProfile")
        .expect("the contract has a policy profile")
});

/// A value that the other side cannot express.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` has a value that cannot be expressed")]
pub(crate) struct Unfit {
    /// The field, such as `guard.rules[1].effective_date`.
    pub(crate) path: String,
}

/// The numbers of a profile; a part that the message lacks, the profile lacks.
///
/// # Errors
/// A date that no calendar has, or a span beyond any measure.
pub(crate) fn from_proto(message: &PolicyProfile) -> Result<Profile, Unfit> {
    let mut dynamic = DynamicMessage::new(PROFILE.clone());
    dynamic.transcode_from(message).map_err(|_| unfit(""))?;
    let mut profile = Profile::default();
    for part in parts().filter(|part| dynamic.has_field(part)) {
        if let Wire::Message(message) = dynamic.get_field(&part).as_ref() {
            flatten(part.name(), message, &mut profile)?;
        }
    }
    Ok(profile)
}

/// The message with these numbers; its head is left for the caller to fill.
///
/// # Errors
/// A key, a word or a kind of value that the contract does not have.
pub(crate) fn to_proto(profile: &Profile) -> Result<PolicyProfile, Unfit> {
    let mut dynamic = DynamicMessage::new(PROFILE.clone());
    let mut used = BTreeSet::new();
    for part in parts() {
        let Kind::Message(descriptor) = part.kind() else {
            continue;
        };
        if let Some(message) = unflatten(part.name(), descriptor, profile, &mut used)? {
            dynamic.set_field(&part, Wire::Message(message));
        }
    }
    match profile.iter().find(|(key, _)| !used.contains(*key)) {
        Some((unknown, _)) => Err(unfit(unknown)),
        None => dynamic.transcode_to().map_err(|_| unfit("")),
    }
}

/// A stored profile for the wire.
pub(crate) fn message(stored: Stored) -> PolicyProfile {
    use proto::roster::policy_profile::State as Wire;
    let Stored {
        id,
        organization,
        org_path: _,
        effective,
        state,
        body,
        version,
        create_time,
        activate_time,
    } = stored;
    let state = match state {
        State::Proposed => Wire::Proposed,
        // What another one replaced was in force until then.
        State::Active | State::Replaced => Wire::Active,
    };
    PolicyProfile {
        name: id.name(),
        policy_version: id.policy_version(),
        profile: id.profile,
        organization: convert::named("organizations", organization),
        effective_date: convert::day(Some(effective)),
        state: state.into(),
        create_time: convert::instant(create_time),
        activate_time: activate_time.and_then(convert::instant),
        etag: convert::etag(version),
        ..body
    }
}

fn unfit(path: &str) -> Unfit {
    Unfit {
        path: path.to_owned(),
    }
}

/// The parts of a profile that hold numbers: its fields of the contract's own messages.
fn parts() -> impl Iterator<Item = FieldDescriptor> {
    PROFILE.fields().filter(is_part)
}

/// Whether the field holds a single message that is more than one value.
fn is_part(field: &FieldDescriptor) -> bool {
    let Kind::Message(descriptor) = field.kind() else {
        return false;
    };
    !field.is_list() && descriptor.package_name().starts_with("campus.")
}

/// Whether absence of the field is a value of its own.
fn may_be_absent(field: &FieldDescriptor) -> bool {
    !field.is_list() && matches!(field.kind(), Kind::Message(_))
}

fn flatten(prefix: &str, message: &DynamicMessage, profile: &mut Profile) -> Result<(), Unfit> {
    for field in message.descriptor().fields() {
        if may_be_absent(&field) && !message.has_field(&field) {
            continue;
        }
        let key = format!("{prefix}.{}", field.name());
        match message.get_field(&field).as_ref() {
            Wire::Message(part) if is_part(&field) => flatten(&key, part, profile)?,
            wire => {
                let value = to_value(&key, &field.kind(), wire)?;
                profile.set(key, value);
            }
        }
    }
    Ok(())
}

fn to_value(path: &str, kind: &Kind, wire: &Wire) -> Result<Value, Unfit> {
    Ok(match (kind, wire) {
        (_, Wire::Bool(flag)) => Value::Flag(*flag),
        (_, Wire::I32(number)) => Value::Number((*number).into()),
        (_, Wire::String(text)) => Value::Word(text.clone()),
        (Kind::Enum(descriptor), Wire::EnumNumber(number)) => {
            Value::Word(word(descriptor, *number))
        }
        (kind, Wire::List(items)) => {
            let items = items.iter().enumerate();
            let values =
                items.map(|(place, item)| to_value(&format!("{path}[{place}]"), kind, item));
            Value::List(values.collect::<Result<_, _>>()?)
        }
        (_, Wire::Message(message)) => match message.descriptor().full_name() {
            "google.protobuf.Duration" => {
                let Duration { seconds, nanos } =
                    message.transcode_to().map_err(|_| unfit(path))?;
                Value::Span(span(seconds, nanos).ok_or_else(|| unfit(path))?)
            }
            "google.type.Date" => {
                let date: Date = message.transcode_to().map_err(|_| unfit(path))?;
                Value::Day(kit::field::from_date(date).ok_or_else(|| unfit(path))?)
            }
            _ => Value::Record(to_record(path, message)?),
        },
        _ => return Err(unfit(path)),
    })
}

fn to_record(path: &str, message: &DynamicMessage) -> Result<Record, Unfit> {
    let mut record = Record::new();
    for field in message.descriptor().fields() {
        if may_be_absent(&field) && !message.has_field(&field) {
            continue;
        }
        let wire = message.get_field(&field);
        let value = to_value(&format!("{path}.{}", field.name()), &field.kind(), &wire)?;
        record.insert(field.name().to_owned(), value);
    }
    Ok(record)
}

/// The message of these keys; none when the profile has none of them.
fn unflatten(
    prefix: &str,
    descriptor: MessageDescriptor,
    profile: &Profile,
    used: &mut BTreeSet<String>,
) -> Result<Option<DynamicMessage>, Unfit> {
    let mut message = DynamicMessage::new(descriptor.clone());
    let mut given = false;
    for field in descriptor.fields() {
        let key = format!("{prefix}.{}", field.name());
        let wire = match (field.kind(), profile.get(&key)) {
            (Kind::Message(descriptor), _) if is_part(&field) => {
                unflatten(&key, descriptor, profile, used)?.map(Wire::Message)
            }
            (kind, Some(value)) => Some(to_wire(&key, &kind, field.is_list(), value)?),
            (_, None) => None,
        };
        if let Some(wire) = wire {
            given = true;
            message.set_field(&field, wire);
        }
        used.insert(key);
    }
    Ok(given.then_some(message))
}

fn to_wire(path: &str, kind: &Kind, list: bool, value: &Value) -> Result<Wire, Unfit> {
    Ok(match (kind, value) {
        (kind, Value::List(items)) if list => {
            let items = items.iter().enumerate();
            let wires =
                items.map(|(place, item)| to_wire(&format!("{path}[{place}]"), kind, false, item));
            Wire::List(wires.collect::<Result<_, _>>()?)
        }
        _ if list => return Err(unfit(path)),
        (Kind::Bool, Value::Flag(flag)) => Wire::Bool(*flag),
        (Kind::Int32, Value::Number(number)) => {
            Wire::I32(i32::try_from(*number).map_err(|_| unfit(path))?)
        }
        (Kind::String, Value::Word(text)) => Wire::String(text.clone()),
        (Kind::Enum(descriptor), Value::Word(word)) => {
            Wire::EnumNumber(enum_number(descriptor, word).ok_or_else(|| unfit(path))?)
        }
        (Kind::Message(descriptor), value) => Wire::Message(to_message(path, descriptor, value)?),
        _ => return Err(unfit(path)),
    })
}

fn to_message(
    path: &str,
    descriptor: &MessageDescriptor,
    value: &Value,
) -> Result<DynamicMessage, Unfit> {
    let mut message = DynamicMessage::new(descriptor.clone());
    match (descriptor.full_name(), value) {
        ("google.protobuf.Duration", Value::Span(span)) => {
            let duration = Duration {
                seconds: span.num_seconds(),
                nanos: span.subsec_nanos(),
            };
            message.transcode_from(&duration).map_err(|_| unfit(path))?;
        }
        ("google.type.Date", Value::Day(day)) => {
            let date = kit::field::to_date(*day);
            message.transcode_from(&date).map_err(|_| unfit(path))?;
        }
        (_, Value::Record(record)) => {
            for (name, value) in record {
                let path = format!("{path}.{name}");
                let field = descriptor
                    .get_field_by_name(name)
                    .ok_or_else(|| unfit(&path))?;
                let wire = to_wire(&path, &field.kind(), field.is_list(), value)?;
                message.set_field(&field, wire);
            }
        }
        _ => return Err(unfit(path)),
    }
    Ok(message)
}

fn span(seconds: i64, nanos: i32) -> Option<TimeDelta> {
    TimeDelta::try_seconds(seconds)?.checked_add(&TimeDelta::nanoseconds(nanos.into()))
}

/// What the values of an enum begin with: `COLOUR_` of `COLOUR_UNSPECIFIED`.
fn prefix(descriptor: &EnumDescriptor) -> String {
    let first = descriptor.default_value();
    first.name().trim_end_matches("UNSPECIFIED").to_owned()
}

/// The value's name without prefix; its number when the contract has no such value.
fn word(descriptor: &EnumDescriptor, number: i32) -> String {
    let Some(value) = descriptor.get_value(number) else {
        return number.to_string();
    };
    value
        .name()
        .trim_start_matches(&prefix(descriptor))
        .to_owned()
}

fn enum_number(descriptor: &EnumDescriptor, word: &str) -> Option<i32> {
    let value = descriptor.get_value_by_name(&format!("{}{word}", prefix(descriptor)))?;
    Some(value.number())
}

#[cfg(test)]
mod tests;
