//! What is said of the parts of the contracts: the Chinese label, then the English comment.

use std::collections::HashMap;

use prost_reflect::{EnumDescriptor, EnumValueDescriptor, FieldDescriptor, MessageDescriptor};

use super::comments::Comments;
use super::words::Words;
use crate::contract::Contracts;

/// Labels and comments together.
#[derive(Debug)]
pub(crate) struct Texts {
    comments: Comments,
    pub(crate) words: Words,
    /// The labels of what methods take and give, by full name.
    exchanged: HashMap<String, String>,
}

impl Texts {
    /// Texts of all contracts of `packages`.
    pub(crate) fn of(contracts: &Contracts, packages: &[&str]) -> Self {
        let words = Words::read().unwrap_or_default();
        let mut exchanged = HashMap::new();
        for service in contracts.services(packages) {
            for method in service.methods() {
                let Some(name) = words.method(service.name(), method.name()) else {
                    continue;
                };
                for (message, what) in [(method.input(), "请求"), (method.output(), "结果")] {
                    let label = || format!("{name}的{what}");
                    exchanged
                        .entry(message.full_name().to_owned())
                        .or_insert_with(label);
                }
            }
        }
        Self {
            comments: Comments::of(contracts.pool()),
            words,
            exchanged,
        }
    }

    /// The comments alone.
    pub(crate) fn comments(&self) -> &Comments {
        &self.comments
    }

    /// What a message is.
    pub(crate) fn message(&self, message: &MessageDescriptor) -> String {
        let own = self
            .words
            .message(message.package_name(), message.full_name());
        let exchanged = || self.exchanged.get(message.full_name()).map(String::as_str);
        let comment = self.comments.at(&message.parent_file(), message.path());
        joined(own.or_else(exchanged), comment)
    }

    /// What a field holds, and which others it excludes.
    pub(crate) fn field(&self, field: &FieldDescriptor) -> String {
        let message = field.parent_message();
        let (package, owner) = (message.package_name(), message.full_name());
        let label = self.words.field(package, owner, field.name());
        let comment = self.comments.at(&field.parent_file(), field.path());
        let text = joined(label, comment);
        let group = field
            .containing_oneof()
            .filter(|group| !group.is_synthetic());
        match group {
            Some(group) => {
                let names: Vec<_> = group.fields().map(|f| f.json_name().to_owned()).collect();
                let names = names.join("`, `");
                format!("{text} At most one of `{names}`.")
                    .trim()
                    .to_owned()
            }
            None => text,
        }
    }

    /// What the values of an enum are about, and a line for each of them.
    pub(crate) fn values(&self, values: &EnumDescriptor) -> String {
        let (package, name) = (values.package_name(), values.full_name());
        let comment = self.comments.at(&values.parent_file(), values.path());
        let mut text = joined(self.words.message(package, name), comment);
        for value in values.values() {
            text.push_str(&format!("\n- `{}`: {}", value.name(), self.value(&value)));
        }
        text
    }

    fn value(&self, value: &EnumValueDescriptor) -> String {
        let values = value.parent_enum();
        let (package, owner) = (values.package_name(), values.full_name());
        let label = self.words.value(package, owner, value.name());
        joined(label, self.comments.at(&values.parent_file(), value.path()))
    }

    /// What the part of a path is that stands for one of a collection, such as `classGroup`.
    pub(crate) fn segment(&self, name: &str) -> String {
        let mut english = String::with_capacity(name.len());
        for letter in name.chars() {
            if letter.is_ascii_uppercase() {
                english.push(' ');
            }
            english.push(letter.to_ascii_lowercase());
        }
        let comment = format!("The ID of the {english}, as its resource name ends.");
        let label = self.words.segment(name).map(|noun| format!("{noun}标识"));
        joined(label.as_deref(), &comment)
    }
}

fn joined(label: Option<&str>, comment: &str) -> String {
    match (label, comment) {
        (None, comment) => comment.to_owned(),
        (Some(label), "") => label.to_owned(),
        (Some(label), comment) => format!("{label}。{comment}"),
    }
}
