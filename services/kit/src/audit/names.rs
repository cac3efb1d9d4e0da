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
const NAMED: [&str; 40] = [
    "absence",
    "assignee",
    "assignee_organization",
    "attendee",
    "batch",
    "case",
    "channel",
    "class_group",
    "class_groups",
    "cluster",
    "destination_class_group",
    "destination_organization",
    "draw",
    "gate_decision",
    "hazard",
    "hazards",
    "hold",
    "host",
    "incident",
    "item",
    "leader",
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
    "person",
    "plan",
    "point",
    "recipient",
    "school",
    "staff_member",
    "student",
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
mod tests {
    use proptest::prelude::*;
    use proto::roster::{GetStudentRequest, Student, UpdateStudentRequest};

    use super::*;

    fn framed(message: &impl Message) -> Vec<u8> {
        let message = message.encode_to_vec();
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        [&[0], &length[..], &message[..]].concat()
    }

    fn of(method: &str) -> &'static Plan {
        let path = format!("/campus.roster.v1.StudentService/{method}");
        &super::method(&path).expect("an audited method").plan
    }

    const NAME: &str = "students/5f0c3a52-6f4e-4d1c-9a67-3f1d2f0f7a11";

    #[test]
    fn the_name_of_a_request_is_found() {
        let request = GetStudentRequest {
            name: NAME.to_owned(),
        };
        let found = find(&framed(&request), of("GetStudent"));
        assert_eq!((&*found.names, found.count), (&[NAME.to_owned()][..], 1));
        assert!(found.is_whole);
    }

    #[test]
    fn what_follows_the_end_of_the_search_may_be_another_name() {
        let request = GetStudentRequest {
            name: NAME.to_owned(),
        };
        // A group of field 15, which readers pass over, and then the name that counts.
        let name = request.encode_to_vec();
        let hidden = [&*name, &[(15 << 3) | 3, (15 << 3) | 4], &*name].concat();
        let length = u32::try_from(hidden.len()).unwrap().to_be_bytes();
        let body = [&[0], &length[..], &*hidden].concat();
        let found = find(&body, of("GetStudent"));
        assert_eq!((found.names.len(), found.is_whole), (1, false));
        let cut = find(&body[..5 + name.len()], of("GetStudent"));
        assert_eq!((cut.names.len(), cut.is_whole), (1, false));
    }

    #[test]
    fn the_name_within_a_resource_is_found_and_nothing_else_of_it() {
        let student = Student {
            name: NAME.to_owned(),
            display_name: "students/zhangsan".to_owned(),
            ..Student::default()
        };
        let request = UpdateStudentRequest {
            student: Some(student),
            request_id: "5F0C3A52-6F4E-4D1C-9A67-3F1D2F0F7A11".to_owned(),
            ..UpdateStudentRequest::default()
        };
        let found = find(&framed(&request), of("UpdateStudent"));
        assert_eq!(found.names, [NAME]);
        assert_eq!(found.request_id, "5f0c3a52-6f4e-4d1c-9a67-3f1d2f0f7a11");
    }

    #[test]
    fn whose_a_support_case_is_is_not_told() {
        let case = proto::notification::SupportCase {
            person: NAME.to_owned(),
            ..Default::default()
        };
        let request = proto::notification::OpenSupportCaseRequest {
            parent: "organizations/2135010001".to_owned(),
            support_case: Some(case),
            ..Default::default()
        };
        let path = format!("/{DISCREET}/OpenSupportCase");
        let method = super::method(&path).expect("an audited method");
        let found = find(&framed(&request), &method.plan);
        assert_eq!(found.names, ["organizations/2135010001"]);
    }

    #[test]
    fn what_is_no_name_is_counted_and_not_kept() {
        for text in [
            "张三",
            "students/张三",
            "students/13800138000",
            "students/id350102201609019990",
            "zhangsan",
            "students//1",
            "students/1 and more",
        ] {
            let request = GetStudentRequest {
                name: text.to_owned(),
            };
            let found = find(&framed(&request), of("GetStudent"));
            assert_eq!((found.names.len(), found.count), (0, 1), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..300), frame: bool) {
            for method in ["GetStudent", "UpdateStudent"] {
                let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
                let body = if frame { [&[0], &length[..], &bytes[..]].concat() } else { bytes.clone() };
                let found = find(&body, of(method));
                prop_assert!(found.names.len() <= MOST);
                prop_assert!(found.names.iter().all(|name| is_opaque(name)));
            }
        }

        #[test]
        fn a_request_that_is_cut_short_gives_no_more_than_the_whole(cut in 0_usize..60) {
            let request = GetStudentRequest { name: NAME.to_owned() };
            let whole = framed(&request);
            let found = find(&whole[..cut.min(whole.len())], of("GetStudent"));
            prop_assert!(found.names.is_empty() || found.names == [NAME]);
        }
    }
}
