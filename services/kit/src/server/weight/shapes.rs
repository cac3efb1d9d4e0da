//! How large the messages of the contracts are in memory, and what of them repeats.

use std::collections::HashMap;
use std::sync::LazyLock;

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};

/// A list or a text has a place, a length and a capacity, or a little more.
const LONG: usize = 32;
/// A number, or the mark that something is there.
const SHORT: usize = 8;
/// Messages stand within messages; so deep they are counted, and further in as [`DEEP`].
const DEPTH: usize = 6;
const DEEP: usize = 256;

/// Every message of the contracts, read once in the life of the process.
static SHAPES: LazyLock<Shapes> = LazyLock::new(Shapes::read);

#[derive(Debug, Default)]
struct Shapes {
    all: Vec<Shape>,
    /// What each method takes, by its path.
    inputs: HashMap<String, usize>,
}

/// A message: its fields that repeat or are messages, by number.
#[derive(Debug, Default)]
pub(super) struct Shape(HashMap<usize, Field>);

/// What one occurrence of a field adds to the memory of its message, in bytes. What does not repeat is a part
/// of the message and adds nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// Whatever it says.
    pub(super) each: usize,
    /// For each of its bytes on the wire: numbers may be packed.
    pub(super) of_a_byte: usize,
    /// Which message it is.
    pub(super) message: Option<usize>,
}

/// The path of the method at `path` and the message that it takes, if the contracts have it.
pub(super) fn taken_at(path: &str) -> Option<(&'static str, usize)> {
    let (path, input) = SHAPES.inputs.get_key_value(path)?;
    Some((path.as_str(), *input))
}

/// A field of a message.
pub(super) fn field(message: usize, number: usize) -> Option<Field> {
    SHAPES.all.get(message)?.0.get(&number).copied()
}

type Types<'a> = HashMap<String, &'a DescriptorProto>;

impl Shapes {
    fn read() -> Self {
        let set = FileDescriptorSet::decode(proto::DESCRIPTORS).unwrap_or_default();
        let mut types = Types::new();
        for file in &set.file {
            for message in &file.message_type {
                gather(&format!(".{}", file.package()), message, &mut types);
            }
        }
        let names = types.keys().enumerate();
        let numbers: HashMap<&str, usize> = names.map(|(at, name)| (&**name, at)).collect();
        let shape = |message: &&DescriptorProto| {
            let fields = message.field.iter().filter_map(|field| {
                let number = usize::try_from(field.number()).ok()?;
                let message = numbers.get(field.type_name()).copied();
                let found = occurrence(&types, field, message)?;
                Some((number, found))
            });
            Shape(fields.collect())
        };
        let mut inputs = HashMap::new();
        for file in &set.file {
            for service in &file.service {
                for method in &service.method {
                    let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                    inputs.extend(numbers.get(method.input_type()).map(|at| (path, *at)));
                }
            }
        }
        Self {
            all: types.values().map(shape).collect(),
            inputs,
        }
    }
}

/// Adds a message and those that are declared within it, by their full names.
fn gather<'a>(within: &str, message: &'a DescriptorProto, types: &mut Types<'a>) {
    let name = format!("{within}.{}", message.name());
    for nested in &message.nested_type {
        gather(&name, nested, types);
    }
    types.insert(name, message);
}

/// What an occurrence of a field adds; none where it adds nothing and is no message.
fn occurrence(
    types: &Types<'_>,
    field: &FieldDescriptorProto,
    message: Option<usize>,
) -> Option<Field> {
    let repeats = field.label() == Label::Repeated;
    let (each, of_a_byte) = match field.r#type() {
        Type::Message | Type::Group if repeats => (size(types, field.type_name(), 0), 0),
        Type::Message | Type::Group => (0, 0),
        Type::String | Type::Bytes if repeats => (LONG, 0),
        _ if repeats => (SHORT, SHORT),
        _ => return None,
    };
    let is_message = matches!(field.r#type(), Type::Message | Type::Group);
    Some(Field {
        each,
        of_a_byte,
        message: message.filter(|_| is_message),
    })
}

/// How large a message is without what its lists and texts point to, in bytes: those within it are a part of
/// it.
fn size(types: &Types<'_>, name: &str, depth: usize) -> usize {
    let Some(message) = types.get(name).filter(|_| depth < DEPTH) else {
        return DEEP;
    };
    let of = |field: &FieldDescriptorProto| match field.r#type() {
        _ if field.label() == Label::Repeated => LONG,
        Type::String | Type::Bytes => LONG,
        Type::Message | Type::Group => SHORT + size(types, field.type_name(), depth + 1),
        _ => SHORT,
    };
    // Of several that exclude each other there is one at a time.
    let mut either: HashMap<i32, usize> = HashMap::new();
    let mut all = 0;
    for field in &message.field {
        match field.oneof_index {
            None => all += of(field),
            Some(choice) => {
                let largest = either.entry(choice).or_default();
                *largest = of(field).max(*largest);
            }
        }
    }
    (all + either.values().sum::<usize>()).max(SHORT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_costs_about_what_it_takes_up() {
        let (_, batch) = taken_at("/campus.safety.v1.GateService/RecordBatch").unwrap();
        let decisions = field(batch, 3).unwrap();
        let real = size_of::<proto::safety::OfflineDecision>();
        let told = decisions.each;
        assert!(told >= real && told <= 4 * real, "{told} for {real}");
        assert!(decisions.message.is_some());
        assert!(field(batch, 1).is_none(), "a text is a part of its message");
    }

    #[test]
    fn every_method_takes_something() {
        let known = proto::rules().filter(|(path, _)| taken_at(path).is_some());
        assert_eq!(known.count(), proto::rules().count());
    }
}
