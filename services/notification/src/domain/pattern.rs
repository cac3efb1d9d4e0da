//! Texts with places to fill, by which the settings describe the requests of a provider.

use std::collections::BTreeMap;

/// What can stand in `{…}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The address; of a robot with a secret of its own the part before the comma.
    Address,
    /// Of a robot with a secret of its own the part behind the comma.
    AddressSecret,
    /// The heading.
    Title,
    /// The text.
    Body,
    /// The key under which a repeat has no second effect.
    Id,
    /// The secret of the channel.
    Secret,
    /// Seconds since 1970.
    Timestamp,
    /// Milliseconds since 1970.
    Millis,
    /// The signature.
    Sign,
}

impl Place {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "address" => Self::Address,
            "address_secret" => Self::AddressSecret,
            "title" => Self::Title,
            "body" => Self::Body,
            "id" => Self::Id,
            "secret" => Self::Secret,
            "timestamp" => Self::Timestamp,
            "millis" => Self::Millis,
            "sign" => Self::Sign,
            _ => return None,
        })
    }
}

/// What stands in each place.
pub type Values<'a> = BTreeMap<Place, &'a str>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Filled(Place),
    /// As the inside of a JSON text, for JSON within a text.
    Escaped(Place),
}

/// A text with places to fill: `{address}` and the like, `{body:json}` for the inside of a JSON text,
/// `{{` and `}}` for braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Part>);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// The place that is unknown, or a brace that stands alone.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let (brace, after) = rest[at..].split_at(1);
            if let Some(after) = after.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            let (name, after) = after
                .split_once('}')
                .filter(|_| brace == "{")
                .ok_or_else(|| "a brace stands alone; write {{ or }}".to_owned())?;
            let (name, escaped) = match name.strip_suffix(":json") {
                Some(name) => (name, true),
                None => (name, false),
            };
            let place =
                Place::from_name(name).ok_or_else(|| format!("unknown place {{{name}}}"))?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(match escaped {
                true => Part::Escaped(place),
                false => Part::Filled(place),
            });
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// Whether a place occurs.
    pub fn has(&self, place: Place) -> bool {
        self.0
            .iter()
            .any(|part| matches!(part, Part::Filled(p) | Part::Escaped(p) if *p == place))
    }

    /// The text with every place filled; a place without a value stays empty.
    pub fn fill(&self, values: &Values<'_>) -> String {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Filled(place) => filled.push_str(values.get(place).unwrap_or(&"")),
                Part::Escaped(place) => {
                    let text = values.get(place).unwrap_or(&"");
                    let quoted = serde_json::Value::from(*text).to_string();
                    filled.push_str(&quoted[1..quoted.len() - 1]);
                }
            }
        }
        filled
    }
}

/// JSON whose texts are patterns.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// A text.
    Text(Pattern),
    /// A list.
    List(Vec<Json>),
    /// An object.
    Object(Vec<(String, Json)>),
    /// Anything else.
    Other(serde_json::Value),
}

impl Json {
    /// Reads JSON whose texts are patterns.
    ///
    /// # Errors
    /// When it is no JSON, or a text in it is no pattern.
    pub fn parse(text: &str) -> Result<Self, String> {
        let value = serde_json::from_str(text).map_err(|err| format!("not JSON: {err}"))?;
        Self::of(value)
    }

    fn of(value: serde_json::Value) -> Result<Self, String> {
        use serde_json::Value;
        Ok(match value {
            Value::String(text) => Self::Text(Pattern::parse(&text)?),
            Value::Array(list) => {
                Self::List(list.into_iter().map(Self::of).collect::<Result<_, _>>()?)
            }
            Value::Object(fields) => {
                let fields = fields.into_iter();
                let fields = fields.map(|(name, value)| Ok((name, Self::of(value)?)));
                Self::Object(fields.collect::<Result<_, String>>()?)
            }
            other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => Self::Other(other),
        })
    }

    /// Every pattern in it.
    pub fn patterns(&self) -> Vec<&Pattern> {
        match self {
            Self::Text(pattern) => vec![pattern],
            Self::List(list) => list.iter().flat_map(Self::patterns).collect(),
            Self::Object(fields) => fields
                .iter()
                .flat_map(|(_, json)| json.patterns())
                .collect(),
            Self::Other(_) => Vec::new(),
        }
    }

    /// The JSON with every place filled.
    pub fn fill(&self, values: &Values<'_>) -> serde_json::Value {
        match self {
            Self::Text(pattern) => pattern.fill(values).into(),
            Self::List(list) => list.iter().map(|json| json.fill(values)).collect(),
            Self::Object(fields) => {
                let fields = fields.iter();
                let fields = fields.map(|(name, json)| (name.clone(), json.fill(values)));
                serde_json::Value::Object(fields.collect())
            }
            Self::Other(value) => value.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn places_are_filled_and_braces_stay() {
        let pattern = Pattern::parse("{{x}} {address}/{id}{id}").unwrap();
        let values = Values::from([(Place::Address, "a"), (Place::Id, "{title}")]);
        assert_eq!(pattern.fill(&values), "{x} a/{title}{title}");
        assert!(pattern.has(Place::Id) && !pattern.has(Place::Title));
    }

    #[test]
    fn a_pattern_that_cannot_be_filled_is_refused() {
        for text in ["{", "}", "{address", "{name}", "{}", "{address:xml}", "a}b"] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
        assert!(Json::parse(r#"{"a": "{name}"}"#).is_err());
        assert!(Json::parse("{").is_err());
    }

    proptest! {
        /// Whatever is in a message, it stays one text of the JSON that the settings describe.
        #[test]
        fn a_message_never_breaks_out_of_the_json(body in any::<String>()) {
            let json = Json::parse(
                r#"{"n": 1, "texts": ["{body}"], "inner": "{{\"c\":\"{body:json}\"}}"}"#,
            )
            .unwrap();
            let filled = json.fill(&Values::from([(Place::Body, body.as_str())])).to_string();
            let read: serde_json::Value = serde_json::from_str(&filled).unwrap();
            let inner: serde_json::Value =
                serde_json::from_str(read["inner"].as_str().unwrap()).unwrap();
            prop_assert_eq!(&read["texts"][0], &body);
            prop_assert_eq!(&inner["c"], &body);
            prop_assert_eq!(&read["n"], 1);
        }
    }
}
