//! Requests with everything that their contracts ask for, so that what a service says first of a call is
//! whether its caller may, and not what is missing.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use kit::clock::civil_date;
use kit::field::to_date;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage, Value,
};

/// How deep messages are filled.
const DEPTH: u32 = 4;
/// `REQUIRED` of `google.api.field_behavior`.
const REQUIRED: i32 = 2;

/// The comment above each part of the contracts, by the file and by the path within it.
static COMMENTS: LazyLock<HashMap<(String, Vec<i32>), String>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(proto::DOCUMENTED).expect("the contracts can be read");
    let mut comments = HashMap::new();
    for file in pool.files() {
        let Some(info) = &file.file_descriptor_proto().source_code_info else {
            continue;
        };
        for location in &info.location {
            if let Some(text) = &location.leading_comments {
                let place = (file.name().to_owned(), location.path.clone());
                comments.insert(place, text.clone());
            }
        }
    }
    comments
});

/// What names in requests are made of.
#[derive(Clone, Debug)]
pub(crate) struct Stuff {
    /// The code of an organisation.
    pub(crate) organization: String,
    /// The id of a class group there.
    pub(crate) class_group: String,
    /// The id of everything else.
    pub(crate) id: String,
    /// When it is asked.
    pub(crate) now: DateTime<Utc>,
}

impl Stuff {
    /// Fills every required field of `request` that is empty, and of the messages in it.
    pub(crate) fn fill(&self, request: &mut DynamicMessage) {
        self.fill_to(request, DEPTH);
    }

    fn fill_to(&self, message: &mut DynamicMessage, depth: u32) {
        for field in message.descriptor().fields() {
            if message.has_field(&field) {
                let inner = message.get_field_mut(&field).as_message_mut();
                if let Some(inner) = inner.filter(|_| depth > 0) {
                    self.fill_to(inner, depth - 1);
                }
                continue;
            }
            if behaves(&field, REQUIRED)
                && !field.is_map()
                && let Some(value) = self.value(&field, depth)
            {
                let value = if field.is_list() {
                    Value::List(vec![value])
                } else {
                    value
                };
                message.set_field(&field, value);
            }
        }
    }

    /// One value of a field; none where messages would nest too deep.
    fn value(&self, field: &FieldDescriptor, depth: u32) -> Option<Value> {
        Some(match field.kind() {
            Kind::String => Value::String(self.text(field)),
            Kind::Bytes => Value::Bytes(vec![1].into()),
            Kind::Bool => Value::Bool(true),
            Kind::Double => Value::F64(1.0),
            Kind::Float => Value::F32(1.0),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(1),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(1),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(1),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(1),
            Kind::Enum(kind) => {
                let first = kind.values().find(|value| value.number() > 0)?;
                Value::EnumNumber(first.number())
            }
            Kind::Message(kind) => Value::Message(self.message(&kind, depth)?),
        })
    }

    fn message(&self, kind: &MessageDescriptor, depth: u32) -> Option<DynamicMessage> {
        let mut message = DynamicMessage::new(kind.clone());
        match kind.full_name() {
            "google.protobuf.Timestamp" => {
                message.set_field_by_name("seconds", Value::I64(self.now.timestamp()));
            }
            "google.protobuf.Duration" => {
                message.set_field_by_name("seconds", Value::I64(3_600));
            }
            "google.type.Date" => {
                let today = to_date(civil_date(self.now));
                let parts = [
                    ("year", today.year),
                    ("month", today.month),
                    ("day", today.day),
                ];
                for (part, number) in parts {
                    message.set_field_by_name(part, Value::I32(number));
                }
            }
            _ if depth == 0 => return None,
            _ => self.fill_to(&mut message, depth - 1),
        }
        Some(message)
    }

    /// A text of the form that the comment of the field tells, such as ``Format: `students/{student}` ``.
    fn text(&self, field: &FieldDescriptor) -> String {
        let place = (field.parent_file().name().to_owned(), field.path().to_vec());
        let comment = COMMENTS.get(&place);
        let form = comment.and_then(|comment| {
            let (_, rest) = comment.split_once("ormat: `")?;
            rest.split_once('`').map(|(form, _)| form)
        });
        let Some(form) = form else {
            return self.word(field.name()).to_owned();
        };
        let parts = form.split('/').map(|part| match part {
            "{organization}" => &*self.organization,
            "{class_group}" => &*self.class_group,
            part if part.starts_with('{') => &*self.id,
            part => part,
        });
        parts.collect::<Vec<_>>().join("/")
    }

    /// A text for a field that is no name.
    fn word(&self, field: &str) -> &str {
        match field {
            "phone" | "address" => "13800138000",
            "purpose" => "care",
            "tube_code" | "code" => "T0000001",
            "client_id" | "decision_id" => &self.id,
            _ => "核对权限所用",
        }
    }
}

/// Whether the contract says this of a field: a value of `google.api.field_behavior`.
pub(crate) fn behaves(field: &FieldDescriptor, behaviour: i32) -> bool {
    let pool = field.parent_pool();
    let Some(extension) = pool.get_extension_by_name("google.api.field_behavior") else {
        return false;
    };
    let options = field.options();
    let values = options.get_extension(&extension);
    let mut values = values.as_list().unwrap_or_default().iter();
    values.any(|value| value.as_enum_number() == Some(behaviour))
}
