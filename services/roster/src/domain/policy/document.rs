//! Profiles as documents that operators read and write, and the two that are shipped.

use chrono::NaiveDate;
use toml::Table;

use super::field::{FIELDS, Kind, of_records};
use super::value::{Profile, Record, Value, span};
use super::word::UNSPECIFIED;
use crate::domain::calendar::civil;

/// The profiles that are shipped, as written.
pub const SHIPPED: [&str; 2] = [
    include_str!("../../../policies/fuzhou-2022-04.toml"),
    include_str!("../../../policies/multi-disease-routine.toml"),
];

/// A profile as written, with its name and first day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The profile's own name without version.
    pub name: String,
    /// Shown to people.
    pub display_name: String,
    /// The first civil day in force.
    pub effective_date: NaiveDate,
    /// The numbers.
    pub profile: Profile,
}

/// Why a document cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is not TOML.
    #[error("the document is not TOML")]
    Form(#[from] toml::de::Error),
    /// A key of the head is missing or of another kind.
    #[error("`{0}` is missing or not what it should be")]
    Head(&'static str),
    /// A value is of a kind that no policy has.
    #[error("`{0}` has a value that no policy has")]
    Value(String),
}

/// Reads a profile; what may be left out in entries of lists is filled in. Whether the numbers may
/// be proposed, [`super::violations`] tells.
///
/// # Errors
/// When it is not TOML, its head is not complete, or a value is of a kind that no policy has.
pub fn read(text: &str) -> Result<Document, Unreadable> {
    let mut table: Table = toml::from_str(text)?;
    let name = head(&mut table, "profile", word)?;
    let display_name = head(&mut table, "display_name", word)?;
    let effective_date = head(&mut table, "effective_date", day)?;
    let mut profile = Profile::default();
    flatten("", table, &mut profile)?;
    fill(&mut profile);
    Ok(Document {
        name,
        display_name,
        effective_date,
        profile,
    })
}

fn head<T>(
    table: &mut Table,
    key: &'static str,
    read: fn(toml::Value) -> Option<T>,
) -> Result<T, Unreadable> {
    table
        .remove(key)
        .and_then(read)
        .ok_or(Unreadable::Head(key))
}

fn word(value: toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text),
        _ => None,
    }
}

fn day(value: toml::Value) -> Option<NaiveDate> {
    civil(value.as_datetime()?)
}

fn flatten(prefix: &str, table: Table, profile: &mut Profile) -> Result<(), Unreadable> {
    for (name, value) in table {
        let key = format!("{prefix}{name}");
        match value {
            toml::Value::Table(table) => flatten(&format!("{key}."), table, profile)?,
            value => {
                let value = convert(&key, value)?;
                profile.set(key, value);
            }
        }
    }
    Ok(())
}

fn convert(path: &str, value: toml::Value) -> Result<Value, Unreadable> {
    let unknown = || Unreadable::Value(path.to_owned());
    Ok(match value {
        toml::Value::Boolean(flag) => Value::Flag(flag),
        toml::Value::Integer(number) => Value::Number(number),
        toml::Value::String(text) => match span(&text) {
            Some(span) => Value::Span(span),
            None => Value::Word(text),
        },
        toml::Value::Datetime(written) => Value::Day(civil(&written).ok_or_else(unknown)?),
        toml::Value::Array(items) => Value::List(
            items
                .into_iter()
                .map(|item| convert(path, item))
                .collect::<Result<_, _>>()?,
        ),
        toml::Value::Table(table) => Value::Record(
            table
                .into_iter()
                .map(|(name, value)| {
                    let value = convert(&format!("{path}.{name}"), value)?;
                    Ok((name, value))
                })
                .collect::<Result<Record, Unreadable>>()?,
        ),
        toml::Value::Float(_) => return Err(unknown()),
    })
}

/// Fills in what an entry of a list may leave out, as the contract reads an absent value.
fn fill(profile: &mut Profile) {
    let lists = FIELDS
        .iter()
        .filter(|field| matches!(field.kind, Kind::Records(_)));
    for list in lists {
        let Some(mut value) = profile.take(list.path) else {
            continue;
        };
        let items = match &mut value {
            Value::List(items) => &mut items[..],
            _ => &mut [],
        };
        for item in items {
            let Value::Record(record) = item else {
                continue;
            };
            for (name, field) in of_records(list.path).filter(|(_, field)| field.optional) {
                if let Some(absent) = absent(field.kind) {
                    record.entry(name.to_owned()).or_insert(absent);
                }
            }
        }
        profile.set(list.path, value);
    }
}

/// What an absent value of this kind reads as, unless absence is a value of its own.
fn absent(kind: Kind) -> Option<Value> {
    match kind {
        Kind::Flag => Some(Value::Flag(false)),
        Kind::Number(..) => Some(Value::Number(0)),
        Kind::Words(_) | Kind::Numbers(..) | Kind::Records(_) => Some(Value::List(Vec::new())),
        Kind::Text(_) => Some(Value::Word(String::new())),
        Kind::Word(_) => Some(Value::Word(UNSPECIFIED.to_owned())),
        Kind::Span(..) | Kind::Day => None,
    }
}
