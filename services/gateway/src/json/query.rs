//! The parameters of a query.

use std::borrow::Cow;

use kit::status::Problem;
use percent_encoding::percent_decode_str;
use prost_reflect::{DynamicMessage, FieldDescriptor, ReflectMessage};
use proto::error::ErrorReason;

use super::field;

/// A query has at most this many parameters.
const MAX_PARAMETERS: usize = 256;
/// Fields are named at most this far down.
const MAX_DEPTH: usize = 8;

/// Sets the fields that `query` names. Those in `bound` have their value from the path or the body.
///
/// # Errors
/// When a parameter names no field, one that is bound, or one that is set already, or when its text
/// does not fit.
pub(crate) fn read(
    message: &mut DynamicMessage,
    query: &str,
    bound: &[Vec<FieldDescriptor>],
) -> Result<(), Problem> {
    let parameters = query.split('&').filter(|pair| !pair.is_empty());
    for (count, pair) in parameters.enumerate() {
        if count == MAX_PARAMETERS {
            return Err(Problem::new(ErrorReason::MessageTooLarge));
        }
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(name), Some(text)) = (decode(name), decode(text)) else {
            return Err(malformed());
        };
        set(message, &name, &text, bound)?;
    }
    Ok(())
}

fn set(
    message: &mut DynamicMessage,
    name: &str,
    text: &str,
    bound: &[Vec<FieldDescriptor>],
) -> Result<(), Problem> {
    if name.split('.').count() > MAX_DEPTH {
        return Err(field::unknown(name));
    }
    let path = field::resolve(&message.descriptor(), name).ok_or_else(|| field::unknown(name))?;
    let Some(last) = path.last() else {
        return Err(field::unknown(name));
    };
    if last.is_map() || bound.iter().any(|taken| path.starts_with(taken)) {
        return Err(field::unknown(name));
    }
    let kind = last.kind();
    let value = field::value(&kind, text).ok_or_else(|| field::misfit(name, &kind))?;
    let twice = !last.is_list() && field::found(message, &path).is_some();
    let place = field::place(message, &path).ok_or_else(|| field::unknown(name))?;
    match place.as_list_mut() {
        Some(list) if last.is_list() => list.push(value),
        _ if twice => {
            return Err(Problem::invalid(name, "重复填写", "given more than once"));
        }
        _ => *place = value,
    }
    Ok(())
}

fn decode(text: &str) -> Option<Cow<'_, str>> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
        return Some(Cow::Owned(decoded.into_owned()));
    }
    percent_decode_str(text).decode_utf8().ok()
}

fn malformed() -> Problem {
    Problem::new(ErrorReason::MessageMalformed).field(
        "query",
        "网址中的参数不是合法的 UTF-8",
        "not UTF-8",
    )
}
