//! Schemas of messages, as proto3 JSON writes them.

use std::collections::BTreeMap;

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value as Json, json};

use super::texts::Texts;

/// The values of `google.api.field_behavior` that a schema tells.
const REQUIRED: i32 = 2;
const OUTPUT_ONLY: i32 = 3;
const INPUT_ONLY: i32 = 4;

/// The schemas that others refer to, as they turn out to be needed.
#[derive(Debug)]
pub(crate) struct Schemas<'a> {
    pub(crate) texts: &'a Texts,
    made: BTreeMap<String, Json>,
}

impl<'a> Schemas<'a> {
    pub(crate) fn new(texts: &'a Texts) -> Self {
        Self {
            texts,
            made: BTreeMap::new(),
        }
    }

    /// Everything that was referred to.
    pub(crate) fn into_components(self) -> Map<String, Json> {
        self.made.into_iter().collect()
    }

    /// A reference to `message`, or its schema where it has a JSON of its own.
    pub(crate) fn message(&mut self, message: &MessageDescriptor) -> Json {
        if let Some(schema) = well_known(message) {
            return schema;
        }
        let name = message.full_name().to_owned();
        if !self.made.contains_key(&name) {
            // A message may refer to itself.
            self.made.insert(name.clone(), Json::Null);
            let schema = self.object(message, &[], false);
            self.made.insert(name.clone(), schema);
        }
        reference(&name)
    }

    /// The object that `message` is, without the fields that `left_out` names. What a caller has to
    /// say is only told of a request: an answer leaves out what is zero.
    pub(crate) fn object(
        &mut self,
        message: &MessageDescriptor,
        left_out: &[String],
        request: bool,
    ) -> Json {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in message.fields() {
            if left_out.iter().any(|name| name == field.name()) {
                continue;
            }
            if request && behaviours(&field).contains(&REQUIRED) {
                required.push(field.json_name().to_owned());
            }
            properties.insert(field.json_name().to_owned(), self.field(&field));
        }
        let mut schema = json!({"type": "object", "additionalProperties": false});
        if !properties.is_empty() {
            schema["properties"] = Json::Object(properties);
        }
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        describe(&mut schema, &self.texts.message(message));
        schema
    }

    /// The schema of a field, with what its comment says.
    pub(crate) fn field(&mut self, field: &FieldDescriptor) -> Json {
        let mut schema = self.shape(field);
        let behaviours = behaviours(field);
        if behaviours.contains(&OUTPUT_ONLY) {
            schema["readOnly"] = true.into();
        }
        if behaviours.contains(&INPUT_ONLY) {
            schema["writeOnly"] = true.into();
        }
        describe(&mut schema, &self.texts.field(field));
        schema
    }

    fn shape(&mut self, field: &FieldDescriptor) -> Json {
        if field.is_map()
            && let Kind::Message(entry) = field.kind()
        {
            let value = entry.map_entry_value_field();
            return json!({"type": "object", "additionalProperties": self.kind(&value.kind())});
        }
        let kind = self.kind(&field.kind());
        if field.is_list() {
            json!({"type": "array", "items": kind})
        } else {
            kind
        }
    }

    /// The schema of a value of this kind.
    pub(crate) fn kind(&mut self, kind: &Kind) -> Json {
        match kind {
            Kind::Message(message) => self.message(message),
            Kind::Enum(values) => self.values(values),
            Kind::String => json!({"type": "string"}),
            Kind::Bool => json!({"type": "boolean"}),
            Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Kind::Double => json!({"type": "number", "format": "double"}),
            Kind::Float => json!({"type": "number", "format": "float"}),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
                json!({"type": "integer", "format": "int32"})
            }
            Kind::Uint32 | Kind::Fixed32 => {
                json!({"type": "integer", "format": "int64", "minimum": 0, "maximum": u32::MAX})
            }
            // A number of JSON is not exact beyond 2^53.
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
                json!({"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"})
            }
            Kind::Uint64 | Kind::Fixed64 => {
                json!({"type": "string", "format": "uint64", "pattern": "^[0-9]+$"})
            }
        }
    }

    fn values(&mut self, values: &EnumDescriptor) -> Json {
        let name = values.full_name().to_owned();
        if !self.made.contains_key(&name) {
            let names = values.values().map(|value| value.name().to_owned());
            let names: Vec<_> = names.collect();
            let mut schema = json!({"type": "string", "enum": names});
            describe(&mut schema, &self.texts.values(values));
            self.made.insert(name.clone(), schema);
        }
        reference(&name)
    }
}

fn reference(name: &str) -> Json {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn describe(schema: &mut Json, text: &str) {
    if !text.is_empty() {
        schema["description"] = text.into();
    }
}

/// The values of `google.api.field_behavior` on a field.
fn behaviours(field: &FieldDescriptor) -> Vec<i32> {
    let pool = field.parent_pool();
    let Some(extension) = pool.get_extension_by_name("google.api.field_behavior") else {
        return Vec::new();
    };
    let options = field.options();
    let values = options.get_extension(&extension);
    let values = values.as_list().unwrap_or_default();
    values
        .iter()
        .filter_map(|value| value.as_enum_number())
        .collect()
}

/// Whether a request has to say this field.
pub(crate) fn is_required(field: &FieldDescriptor) -> bool {
    behaviours(field).contains(&REQUIRED)
}

/// The schema of a message that JSON writes in a way of its own.
pub(crate) fn well_known(message: &MessageDescriptor) -> Option<Json> {
    let name = message.full_name().strip_prefix("google.protobuf.")?;
    Some(match name {
        "Timestamp" => json!({"type": "string", "format": "date-time"}),
        "Duration" => json!({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"}),
        "FieldMask" => json!({"type": "string"}),
        "Empty" => json!({"type": "object", "additionalProperties": false}),
        "Any" => json!({
            "type": "object",
            "properties": {"@type": {"type": "string"}},
            "required": ["@type"],
            "additionalProperties": true,
        }),
        "Struct" => json!({"type": "object", "additionalProperties": true}),
        "ListValue" => json!({"type": "array", "items": {}}),
        "Value" => json!({}),
        "StringValue" => json!({"type": ["string", "null"]}),
        "BoolValue" => json!({"type": ["boolean", "null"]}),
        "BytesValue" => json!({"type": ["string", "null"], "contentEncoding": "base64"}),
        "DoubleValue" | "FloatValue" => json!({"type": ["number", "null"]}),
        "Int32Value" | "UInt32Value" => json!({"type": ["integer", "null"]}),
        "Int64Value" | "UInt64Value" => json!({"type": ["string", "null"], "format": "int64"}),
        _ => return None,
    })
}
