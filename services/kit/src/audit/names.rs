//! Finds opaque resource names and the request id in the bytes of a request, by field numbers that are
//! taken from the contracts once. Any bytes are taken; what is malformed or cut short ends the search.

use std::collections::HashMap;
use std::sync::LazyLock;

use prost::Message;
use prost_types::field_descriptor_proto::Type;
use prost_types::{DescriptorProto, FileDescriptorSet};
use proto::options::access::Audit as Rule;
use uuid::Uuid;

/// How many names one record holds.
pub(super) const MOST: usize = 8;
/// How long a name is at most, in bytes.
const LONGEST: usize = 200;
/// So many digits together may be a phone or identity number.
const DIGITS: usize = 11;
/// The bytes before a message: whether it is compressed, and its length.
const HEAD: usize = 5;
/// The fields of requests, and of the resources in them, that hold resource names.
const NAMED: [&str; 53] = [
    "absence",
    "absent",
    "assignee",
    "assignee_organization",
    "attendee",
    "batch",
    "case",
    "channel",
    "class_group",
    "class_groups",
    "cluster",
    "concern",
    "destination_class_group",
    "destination_organization",
    "draw",
    "emergency",
    "gate_decision",
    "hazard",
    "hazards",
    "head_teacher",
    "hold",
    "host",
    "incident",
    "item",
    "leader",
    "listed",
    "meeting",
    "members",
    "message",
    "name",
    "names",
    "organization",
    "organizations",
    "owner",
    "parent",
    "parties",
    "party",
    "people",
    "person",
    "persons",
    "plan",
    "point",
    "recipient",
    "replaced_by",
    "resource",
    "school",
    "scope",
    "shift",
    "staff",
    "staff_member",
    "student",
    "substitute",
    "tube",
];

/// A service that never tells beside a case whose it is (rule 5.42): the case alone is named.
const DISCREET: &str = "campus.notification.v1.SupportService";
/// What it tells all the same.
const NAMED_DISCREETLY: [&str; 2] = ["name", "parent"];

/// What is known of a method by its contract.
#[derive(Debug)]
pub(super) struct Method {
    /// Where names stand in its requests.
    pub(super) plan: Plan,
    /// Its answer is a stream: when the answer begins, the work has only begun.
    pub(super) streams: bool,
}

/// Which fields of one message are looked at.
#[derive(Debug, Default)]
pub(super) struct Plan(HashMap<u32, Field>);

#[derive(Debug)]
enum Field {
    Name,
    RequestId,
    Nested(Plan),
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The first names that are opaque.
    pub(super) names: Vec<String>,
    /// How many fields were to hold a name.
    pub(super) count: i64,
    /// A UUID, else empty.
    pub(super) request_id: String,
    /// Nothing of the message was left out of the search.
    pub(super) is_whole: bool,
}

static METHODS: LazyLock<HashMap<String, Method>> = LazyLock::new(methods);

/// The method at `path`; none where its requests are not looked at.
pub(super) fn method(path: &str) -> Option<&'static Method> {
    METHODS.get(path)
}

fn methods() -> HashMap<String, Method> {
    let set = FileDescriptorSet::decode(proto::DESCRIPTORS).unwrap_or_default();
    let mut messages = HashMap::new();
    for file in &set.file {
        for message in &file.message_type {
            let name = format!(".{}.{}", file.package(), message.name());
            messages.insert(name, message);
        }
    }
    let mut methods = HashMap::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                let rule = proto::access(&path).map(|access| access.audit());
                let audited = matches!(rule, Some(Rule::ReadPersonal | Rule::Act));
                if let Some(message) = messages.get(method.input_type())
                    && audited
                {
                    let discreet = path[1..].starts_with(DISCREET);
                    let named: &[&str] = if discreet { &NAMED_DISCREETLY } else { &NAMED };
                    let known = Method {
                        plan: plan_of(message, &messages, named, true),
                        streams: method.server_streaming(),
                    };
                    methods.insert(path, known);
                }
            }
        }
    }
    methods
}

fn plan_of(
    message: &DescriptorProto,
    messages: &HashMap<String, &DescriptorProto>,
    named: &[&str],
    outermost: bool,
) -> Plan {
    let mut plan = HashMap::new();
    for field in &message.field {
        let Ok(number) = u32::try_from(field.number()) else {
            continue;
        };
        let what = match field.r#type() {
            Type::String if named.contains(&field.name()) => Field::Name,
            Type::String if outermost && field.name() == "request_id" => Field::RequestId,
            Type::Message if outermost => {
                let Some(inner) = messages.get(field.type_name()) else {
                    continue;
                };
                let inner = plan_of(inner, messages, named, false);
                if inner.0.is_empty() {
                    continue;
                }
                Field::Nested(inner)
            }
            _ => continue,
        };
        plan.insert(number, what);
    }
    Plan(plan)
}

/// What the first message of `body`, in the framing of gRPC, names.
pub(super) fn find(body: &[u8], plan: &Plan) -> Found {
    let mut found = Found::default();
    if let Some((head, message)) = body.split_at_checked(HEAD)
        && let [0, length @ ..] = head
    {
        let length = length
            .iter()
            .fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
        let whole = message.len() >= length;
        let message = &message[..message.len().min(length)];
        found.is_whole = look(message, plan, &mut found).is_some() && whole;
    }
    found
}

/// Goes through the fields of a message; none when they, or those of what it holds, cannot be read to the
/// end.
fn look(mut message: &[u8], plan: &Plan, found: &mut Found) -> Option<()> {
    let mut is_whole = true;
    while !message.is_empty() {
        let key = varint(&mut message)?;
        let number = u32::try_from(key >> 3).ok()?;
        match key & 7 {
            0 => {
                varint(&mut message)?;
            }
            1 => message = message.get(8..)?,
            5 => message = message.get(4..)?,
            2 => {
                let length = usize::try_from(varint(&mut message)?).ok()?;
                let (value, rest) = message.split_at_checked(length)?;
                message = rest;
                match plan.0.get(&number) {
                    Some(Field::Name) => found.name(value),
                    Some(Field::RequestId) => found.request(value),
                    // What a resource holds that cannot be read does not hide what follows it.
                    Some(Field::Nested(inner)) => is_whole &= look(value, inner, found).is_some(),
                    None => {}
                }
            }
            _ => return None,
        }
    }
    is_whole.then_some(())
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for place in 0..10 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

impl Found {
    fn name(&mut self, value: &[u8]) {
        if value.is_empty() {
            return;
        }
        self.count += 1;
        let name = std::str::from_utf8(value).ok();
        if let Some(name) = name.filter(|name| is_opaque(name))
            && self.names.len() < MOST
            && !self.names.iter().any(|known| known == name)
        {
            self.names.push(name.to_owned());
        }
    }

    fn request(&mut self, value: &[u8]) {
        let text = std::str::from_utf8(value).ok();
        if let Some(id) = text.and_then(|text| Uuid::try_parse(text).ok()) {
            self.request_id = id.to_string();
        }
    }
}

/// Whether a text can only be a resource name: collections and ids, none of which can be a phone or identity
/// number. What a caller puts where a name belongs is not a name because of that.
pub(super) fn is_opaque(name: &str) -> bool {
    if name.len() > LONGEST || !name.contains('/') {
        return false;
    }
    let mut parts = name.split('/');
    parts.all(|part| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        !part.is_empty()
            && part.bytes().all(plain)
            && (Uuid::try_parse(part).is_ok() || longest_number(part) < DIGITS)
    })
}

fn longest_number(part: &str) -> usize {
    let runs = part.split(|character: char| !character.is_ascii_digit());
    runs.map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
