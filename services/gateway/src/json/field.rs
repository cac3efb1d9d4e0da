//! Fields named by text: their paths, and values as paths and queries write them.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use kit::status::Problem;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use serde_json::Value as Json;

/// Names of fields that callers made up are told back up to this length.
const MAX_NAME: usize = 64;
/// Base64 in either alphabet, with or without padding.
const BASE64: [GeneralPurpose; 2] = [
    forgiving(&alphabet::STANDARD),
    forgiving(&alphabet::URL_SAFE),
];

const fn forgiving(alphabet: &alphabet::Alphabet) -> GeneralPurpose {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}

/// The fields that `path` names one below the other, by JSON name or by name in the contract.
pub(crate) fn resolve(message: &MessageDescriptor, path: &str) -> Option<Vec<FieldDescriptor>> {
    let mut message = Some(message.clone());
    let mut fields = Vec::new();
    for name in path.split('.') {
        let field = named(&message?, name)?;
        let single = !field.is_list() && !field.is_map();
        message = field.kind().as_message().filter(|_| single).cloned();
        fields.push(field);
    }
    Some(fields)
}

/// The field of this name.
pub(crate) fn named(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message
        .get_field_by_json_name(name)
        .or_else(|| message.get_field_by_name(name))
}

/// The place of the field that `path` names, made where it is missing.
pub(crate) fn place<'a>(
    message: &'a mut DynamicMessage,
    path: &[FieldDescriptor],
) -> Option<&'a mut Value> {
    let (last, above) = path.split_last()?;
    let mut message = message;
    for field in above {
        message = message.get_field_mut(field).as_message_mut()?;
    }
    Some(message.get_field_mut(last))
}

/// The value of the field that `path` names, where it is set.
pub(crate) fn found(message: &DynamicMessage, path: &[FieldDescriptor]) -> Option<Value> {
    let (first, below) = path.split_first()?;
    if !message.has_field(first) {
        return None;
    }
    let value = message.get_field(first);
    if below.is_empty() {
        return Some(value.into_owned());
    }
    found(value.as_message()?, below)
}

/// The value that `text` stands for; none when it does not fit. A message has such a text only
/// where its JSON is a string or a wrapped scalar.
pub(crate) fn value(kind: &Kind, text: &str) -> Option<Value> {
    Some(match kind {
        Kind::String => Value::String(text.to_owned()),
        Kind::Bool => Value::Bool(text.parse().ok()?),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(text.parse().ok()?),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(text.parse().ok()?),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(text.parse().ok()?),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(text.parse().ok()?),
        Kind::Float => Value::F32(text.parse().ok()?),
        Kind::Double => Value::F64(text.parse().ok()?),
        Kind::Bytes => {
            let decoded = BASE64.iter().find_map(|engine| engine.decode(text).ok())?;
            Value::Bytes(decoded.into())
        }
        Kind::Enum(values) => {
            let by_name = values.get_value_by_name(text).map(|value| value.number());
            Value::EnumNumber(by_name.or_else(|| text.parse().ok())?)
        }
        Kind::Message(message) => Value::Message(well_known(message, text)?),
    })
}

fn well_known(message: &MessageDescriptor, text: &str) -> Option<DynamicMessage> {
    let name = message.full_name().strip_prefix("google.protobuf.")?;
    if matches!(name, "Timestamp" | "Duration" | "FieldMask") {
        let json = Json::String(text.to_owned());
        return DynamicMessage::deserialize(message.clone(), json).ok();
    }
    if !name.ends_with("Value") || name == "Value" || name == "ListValue" {
        return None;
    }
    let field = message.get_field(1)?;
    let mut wrapped = DynamicMessage::new(message.clone());
    wrapped.set_field(&field, value(&field.kind(), text)?);
    Some(wrapped)
}

/// There is no such field.
pub(crate) fn unknown(path: &str) -> Problem {
    Problem::invalid(printable(path), "没有这个字段", "no such field")
}

/// The value does not fit the field.
pub(crate) fn misfit(path: &str, kind: &Kind) -> Problem {
    let kind = type_name(kind);
    Problem::invalid(
        printable(path),
        format!("应为 {kind} 类型的值"),
        format!("expected a value of type {kind}"),
    )
}

fn type_name(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(values) => values.full_name().to_owned(),
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}

/// A name that a caller made up, as far as it looks like one: what else may stand there is not told
/// back, since it may be about people.
fn printable(path: &str) -> String {
    let named = |letter: char| letter.is_ascii_alphanumeric() || "_.[]".contains(letter);
    let digits = path.chars().filter(char::is_ascii_digit).count();
    if path.len() <= MAX_NAME && digits <= 6 && path.chars().all(named) {
        path.to_owned()
    } else {
        "?".to_owned()
    }
}
