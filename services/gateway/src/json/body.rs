//! JSON to messages. What is wrong is told by the name of the field, never by what stood there.

use kit::status::Problem;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage};
use proto::error::ErrorReason;
use serde_json::Value as Json;
use serde_json::error::Category;

use super::field;

/// A body says at most so many values: a message takes up many times what its JSON does when that is
/// nothing but empty lists and objects.
const MOST_VALUES: usize = 100_000;

/// Checks that `json` does not say more values than a request can mean.
///
/// # Errors
/// MESSAGE_TOO_LARGE when it does.
fn bounded(json: &[u8]) -> Result<(), Problem> {
    let (mut values, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b',' | b'[' | b'{' if !in_text => values += 1,
            _ => {}
        }
    }
    if values > MOST_VALUES {
        return Err(Problem::new(ErrorReason::MessageTooLarge));
    }
    Ok(())
}

/// Reads a message; nothing but white space is an empty one. JSON nests at most 127 deep.
///
/// # Errors
/// When it says too much, is not JSON, names a field that the message does not have, or has a value that does not
/// fit.
pub(crate) fn read(message: &MessageDescriptor, json: &[u8]) -> Result<DynamicMessage, Problem> {
    if json.iter().all(u8::is_ascii_whitespace) {
        return Ok(DynamicMessage::new(message.clone()));
    }
    bounded(json)?;
    let mut reader = serde_json::Deserializer::from_slice(json);
    let read = DynamicMessage::deserialize(message.clone(), &mut reader)
        .and_then(|read| reader.end().map(|()| read));
    read.map_err(|err| match err.classify() {
        Category::Data => diagnose(message, json),
        _ => not_json(&err),
    })
}

/// Reads one field of `message`, whatever its type.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_field(
    message: &mut DynamicMessage,
    into: &FieldDescriptor,
    json: &[u8],
) -> Result<(), Problem> {
    if let Kind::Message(inner) = into.kind()
        && !into.is_list()
        && !into.is_map()
    {
        let read = read(&inner, json)?;
        message.set_field(into, prost_reflect::Value::Message(read));
        return Ok(());
    }
    bounded(json)?;
    let value: Json = serde_json::from_slice(json).map_err(|err| not_json(&err))?;
    let whole = Json::Object([(into.json_name().to_owned(), value)].into_iter().collect());
    let mut read = DynamicMessage::deserialize(message.descriptor(), whole)
        .map_err(|_| field::misfit(into.json_name(), &into.kind()))?;
    if let Some(value) = read.take_field(into) {
        message.set_field(into, value);
    }
    Ok(())
}

fn not_json(err: &serde_json::Error) -> Problem {
    let (line, column) = (err.line(), err.column());
    Problem::new(ErrorReason::MessageMalformed).field(
        "body",
        format!("第 {line} 行第 {column} 列附近不是合法的 JSON"),
        format!("not JSON near line {line} column {column}"),
    )
}

/// Says which field does not fit.
fn diagnose(message: &MessageDescriptor, json: &[u8]) -> Problem {
    match serde_json::from_slice::<Json>(json) {
        Ok(json) => search(message, &json, "").unwrap_or_else(|| {
            Problem::new(ErrorReason::MessageMalformed).field(
                "body",
                "同一个字段不能填写两次，同组字段只能填写一个",
                "a field, or two of one group, cannot be given twice",
            )
        }),
        Err(err) => not_json(&err),
    }
}

/// The first field below `path` that is unknown or does not fit.
fn search(message: &MessageDescriptor, json: &Json, path: &str) -> Option<Problem> {
    let Json::Object(members) = json else {
        let path = if path.is_empty() { "body" } else { path };
        return Some(field::misfit(path, &Kind::Message(message.clone())));
    };
    members.iter().find_map(|(name, json)| {
        let place = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let Some(field) = field::named(message, name) else {
            return Some(field::unknown(&place));
        };
        search_field(message, &field, json, &place)
    })
}

fn search_field(
    message: &MessageDescriptor,
    field: &FieldDescriptor,
    json: &Json,
    path: &str,
) -> Option<Problem> {
    let alone = [(field.json_name().to_owned(), json.clone())];
    let alone = Json::Object(alone.into_iter().collect());
    if DynamicMessage::deserialize(message.clone(), alone).is_ok() {
        return None;
    }
    let kind = field.kind();
    let found = match (&kind, json) {
        (Kind::Message(inner), Json::Array(elements)) if field.is_list() => {
            elements.iter().enumerate().find_map(|(number, element)| {
                search_message(inner, element, &format!("{path}[{number}]"))
            })
        }
        (Kind::Message(inner), json) if !field.is_list() && !field.is_map() => {
            search_message(inner, json, path)
        }
        _ => None,
    };
    Some(found.unwrap_or_else(|| field::misfit(path, &kind)))
}

fn search_message(message: &MessageDescriptor, json: &Json, path: &str) -> Option<Problem> {
    if DynamicMessage::deserialize(message.clone(), json.clone()).is_ok() {
        return None;
    }
    // Well-known types have a JSON of their own.
    if message.package_name() == "google.protobuf" {
        return Some(field::misfit(path, &Kind::Message(message.clone())));
    }
    search(message, json, path)
}
