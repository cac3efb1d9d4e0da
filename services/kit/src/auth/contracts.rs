//! What the contracts answer with, for whoever names their methods and fields.

use std::collections::HashMap;
use std::sync::LazyLock;

use prost::Message as _;
use prost_types::field_descriptor_proto::Type;
use prost_types::{DescriptorProto, FileDescriptorSet};

/// The packages whose methods are ours.
const OURS: &str = "campus.";

/// The full name of the answer of each method, such as `.campus.sampling.v1.Tube`, by the method's path.
type Answers = HashMap<String, String>;
/// The fields of messages, by the full names of these.
type Messages = HashMap<String, HashMap<String, Field>>;

/// What is to be known of a field.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) number: u32,
    /// The full name of the message that it holds, if it holds one.
    pub(super) message: Option<String>,
}

/// What each method answers, read once in the life of a process that needs it.
pub(super) static ANSWERS: LazyLock<Answers> = LazyLock::new(answers);
/// What messages are made of, read once in the life of a process that needs it.
pub(super) static MESSAGES: LazyLock<Messages> = LazyLock::new(messages);

fn answers() -> Answers {
    let mut answers = Answers::new();
    for file in &descriptors().file {
        for service in &file.service {
            for method in &service.method {
                let contract = format!("{}.{}", file.package(), service.name());
                if contract.starts_with(OURS) {
                    let path = format!("/{contract}/{}", method.name());
                    answers.insert(path, method.output_type().to_owned());
                }
            }
        }
    }
    answers
}

fn messages() -> Messages {
    let mut messages = Messages::new();
    for file in &descriptors().file {
        for message in &file.message_type {
            gather(&format!(".{}", file.package()), message, &mut messages);
        }
    }
    messages
}

fn descriptors() -> FileDescriptorSet {
    FileDescriptorSet::decode(proto::DESCRIPTORS).unwrap_or_default()
}

/// Adds a message and those that stand within it.
fn gather(within: &str, message: &DescriptorProto, messages: &mut Messages) {
    let name = format!("{within}.{}", message.name());
    for nested in &message.nested_type {
        gather(&name, nested, messages);
    }
    let fields = message.field.iter().filter_map(|field| {
        let holds = field.r#type() == Type::Message;
        let known = Field {
            number: u32::try_from(field.number()).ok()?,
            message: holds.then(|| field.type_name().to_owned()),
        };
        Some((field.name().to_owned(), known))
    });
    messages.insert(name, fields.collect());
}
