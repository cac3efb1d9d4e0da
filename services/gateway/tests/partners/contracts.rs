//! The contracts, with answers in which nothing is left out.

use bytes::Bytes;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor,
    OneofDescriptor, Value,
};
use proto::google::api::HttpRule;
use proto::google::api::http_rule::Pattern;

/// Messages within messages are filled as deep as this.
const DEPTH: usize = 6;

pub(crate) fn pool() -> DescriptorPool {
    DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts")
}

/// Every method of Campus.
pub(crate) fn methods(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    let services = pool.services();
    let ours = services.filter(|service| service.full_name().starts_with("campus."));
    let methods = ours.flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.collect()
}

/// The path by which gRPC calls a method.
pub(crate) fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// Where HTTP with JSON reaches a method: the verb and the path, with 7 in place of each name.
pub(crate) fn place(pool: &DescriptorPool, method: &MethodDescriptor) -> Option<(String, String)> {
    let extension = pool
        .get_extension_by_name("google.api.http")
        .expect("a rule");
    let options = method.options();
    if !options.has_extension(&extension) {
        return None;
    }
    let rule = options.get_extension(&extension);
    let rule: HttpRule = rule.as_message()?.transcode_to().expect("a rule");
    let (verb, template) = match rule.pattern? {
        Pattern::Get(template) => ("GET", template),
        Pattern::Post(template) => ("POST", template),
        other => panic!("{other:?} is no method of these tests"),
    };
    let mut parts = template.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    let path = parts.fold(first, |path, part| {
        let (variable, rest) = part.split_once('}').expect("an end");
        let (_, pattern) = variable.split_once('=').unwrap_or(("", "*"));
        format!("{path}{}{rest}", pattern.replace('*', "7"))
    });
    Some((verb.to_owned(), path))
}

/// A message in which every field says something: texts their own name, numbers their own number. Of fields of
/// which one is chosen, the last.
pub(crate) fn filled(message: &MessageDescriptor) -> DynamicMessage {
    fill(message, DEPTH)
}

fn fill(message: &MessageDescriptor, depth: usize) -> DynamicMessage {
    let mut filled = DynamicMessage::new(message.clone());
    // An instant is a whole second.
    let instant = message.full_name() == "google.protobuf.Timestamp";
    for field in message.fields() {
        let last = |choice: OneofDescriptor| {
            let numbers = choice.fields().map(|field| field.number());
            numbers.max() == Some(field.number())
        };
        let chosen = field.containing_oneof().is_none_or(last);
        if depth == 0 || !chosen || field.is_map() || (instant && field.name() == "nanos") {
            continue;
        }
        let value = match value(&field, depth) {
            value if field.is_list() => Value::List(vec![value]),
            value => value,
        };
        filled.set_field(&field, value);
    }
    filled
}

fn value(field: &FieldDescriptor, depth: usize) -> Value {
    let number = u16::try_from(field.number()).expect("a small number");
    match field.kind() {
        Kind::Bool => Value::Bool(true),
        Kind::String => Value::String(field.name().to_owned()),
        Kind::Bytes => Value::Bytes(Bytes::from(field.name().to_owned())),
        Kind::Double => Value::F64(number.into()),
        Kind::Float => Value::F32(number.into()),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(number.into()),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(number.into()),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(number.into()),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(number.into()),
        Kind::Enum(of) => {
            let numbers = of.values().map(|value| value.number());
            Value::EnumNumber(numbers.filter(|number| *number != 0).min().unwrap_or(0))
        }
        Kind::Message(of) => Value::Message(fill(&of, depth - 1)),
    }
}
