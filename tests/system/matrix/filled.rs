//! Requests as the contracts want them: each name is that of something at a place, and whatever is required is
//! there, so that what is wrong with a request does not hide who may not ask it.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use kit::clock::civil_date;
use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value,
};
use tests::town::resident_id;
use uuid::Uuid;

use super::places::Place;
use crate::said::forms;
use crate::walk::Method;

/// How deep messages are filled.
const DEEPEST: usize = 4;
/// A field that is required, and those that nobody but the service fills, by their numbers in
/// `google.api.FieldBehavior`.
const REQUIRED: i32 = 2;
const OUTPUT_ONLY: i32 = 3;
const IDENTIFIER: i32 = 8;
/// Fields that are left out since another one says it.
const LEFT_OUT: [(&str, &str); 6] = [
    ("CaseContact", "via"),
    ("ListCandidateContactsRequest", "via"),
    ("OpenCaseRequest", "organization"),
    ("OpenTubeRequest", "hold"),
    ("OpenTubeRequest", "point"),
    ("Venue", "organization"),
];
/// The control that needs neither an end nor a room, `CONTROL_REGION_RESTRICTED`.
const RESTRICTED: i32 = 5;
/// What a receipt may say, `DELIVERED`, by the name of the enumeration.
const DELIVERED: (&str, i32) = ("campus.notification.v1.Delivery.State", 3);
/// Why, in words.
const WORDS: &str = "核对情况属实，按程序办理";

/// Fills requests about a place at an instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filler<'a> {
    pub(super) place: &'a Place,
    pub(super) now: DateTime<Utc>,
}

/// How a field behaves.
fn behaves(field: &FieldDescriptor) -> Vec<i32> {
    let pool = field.parent_pool();
    let behaviour = pool.get_extension_by_name("google.api.field_behavior");
    let behaviour = behaviour.expect("the annotation is known");
    let options = field.options();
    let known = options.get_extension(&behaviour);
    let known = known.as_list().unwrap_or_default().iter();
    known.filter_map(Value::as_enum_number).collect()
}

impl Filler<'_> {
    /// A request with everything that its contract requires.
    pub(super) fn whole(self, method: &Method) -> DynamicMessage {
        let mut request = self.message(&method.input(), 0);
        self.names(method, &mut request);
        request
    }

    /// A request that names its resource and nothing else.
    pub(super) fn bare(self, method: &Method) -> DynamicMessage {
        let mut request = DynamicMessage::new(method.input());
        self.names(method, &mut request);
        request
    }

    /// Whether a request names a place, or somebody who is at one.
    pub(super) fn is_placed(self, method: &Method) -> bool {
        let heads = ["organizations/", "students/", "staff/", "guardians/"];
        let texts = crate::walk::texts(&self.whole(method));
        texts
            .iter()
            .any(|(_, text)| heads.iter().any(|head| text.starts_with(head)))
    }

    /// Sets what the place in HTTP names.
    fn names(self, method: &Method, request: &mut DynamicMessage) {
        if let Some(field) = method.variable() {
            let form = forms(&field).into_iter().next();
            let form = form.map_or_else(|| plain(method.pattern()), ToOwned::to_owned);
            method.name_in(request, &self.place.name(&form));
        }
    }

    fn message(self, of: &MessageDescriptor, depth: usize) -> DynamicMessage {
        let mut message = DynamicMessage::new(of.clone());
        for field in of.fields() {
            let behaves = behaves(&field);
            let given = behaves.contains(&OUTPUT_ONLY) || behaves.contains(&IDENTIFIER);
            let left_out = LEFT_OUT.contains(&(of.name(), field.name()));
            if given || left_out || field.is_map() || is_decided(&message, &field) {
                continue;
            }
            let required = behaves.contains(&REQUIRED);
            let Some(value) = self.value(&field, required, depth) else {
                continue;
            };
            let value = match value {
                // Of readings there are two at least.
                Value::I32(number) if field.is_list() => Value::List(vec![Value::I32(number); 2]),
                value if field.is_list() => Value::List(vec![value]),
                value => value,
            };
            message.set_field(&field, value);
        }
        message
    }

    fn value(self, field: &FieldDescriptor, required: bool, depth: usize) -> Option<Value> {
        let name = field.name();
        match (field.kind(), name) {
            // Of the forms that it has, that of a pupil.
            (Kind::String, "party") => Some(Value::String(self.text(name))),
            (Kind::String, _) if !forms(field).is_empty() => {
                Some(Value::String(self.place.name(forms(field)[0])))
            }
            (Kind::String, "request_id" | "client_id") => {
                Some(Value::String(Uuid::new_v4().to_string()))
            }
            // What contracts ask for in some cases only: heads that agree, one main venue, who prints tubes,
            // why somebody is absent who was reached.
            (Kind::Int32, "present_count") => Some(Value::I32(1)),
            (Kind::Bool, "main") => Some(Value::Bool(true)),
            (Kind::String, "laboratory") if depth == 0 => Some(Value::String("L01".to_owned())),
            (Kind::Enum(values), "disease" | "reason") if depth == 0 => {
                Some(Value::EnumNumber(choice(name, &values)))
            }
            _ if !required => None,
            (Kind::String, _) => Some(Value::String(self.text(name))),
            (Kind::Bool, _) => Some(Value::Bool(true)),
            (Kind::Int32, _) => Some(Value::I32(self.number(name))),
            (Kind::Int64, _) => Some(Value::I64(1)),
            (Kind::Bytes, _) => Some(Value::Bytes(vec![0; 32].into())),
            (Kind::Enum(values), _) => Some(Value::EnumNumber(choice(name, &values))),
            (Kind::Message(inner), _) if depth < DEEPEST => self.inner(name, &inner, depth),
            _ => None,
        }
    }

    /// A message within another one.
    fn inner(self, name: &str, of: &MessageDescriptor, depth: usize) -> Option<Value> {
        let message = match of.full_name() {
            "google.type.Date" => date(of, civil_date(self.now)),
            "google.protobuf.Timestamp" => {
                let hours = match name {
                    "end_time" | "expire_time" => 2,
                    "recovery_time" => 0,
                    _ => 1,
                };
                seconds(of, self.now.timestamp() + hours * 3600)
            }
            "google.protobuf.Duration" => seconds(of, 3600),
            name if name.starts_with("google.") => return None,
            _ => self.message(of, depth + 1),
        };
        Some(Value::Message(message))
    }

    fn text(self, name: &str) -> String {
        let text = match name {
            "party" => &*self.place.student,
            "id_number" => return resident_id(999),
            "language" => "zh-CN",
            "duty" => "EPIDEMIC_CONTROL",
            "posts" => "PRINCIPAL",
            "purpose" => "audit",
            "address" => "13800138000",
            "phone" => "0591-83850000",
            "method" => "CaseService.ExportCase",
            "tube_codes" => "M1-0001",
            "service" => "roster",
            "lot" | "source" | "profile" | "external_id" | "courier" => "matrix-1",
            name if name.ends_with("_id") => "matrix-1",
            _ => WORDS,
        };
        text.to_owned()
    }

    fn number(self, name: &str) -> i32 {
        match name {
            "entry_year" => civil_date(self.now).year() - 2,
            "readings_tenths" => 366,
            _ => 1,
        }
    }
}

/// Whether a message has another field of the same choice already.
fn is_decided(message: &DynamicMessage, field: &FieldDescriptor) -> bool {
    field.containing_oneof().is_some_and(|choice| {
        !choice.is_synthetic() && choice.fields().any(|other| message.has_field(&other))
    })
}

/// A value of an enumeration that requests may have: the first, but where that means the beginning of a way.
fn choice(name: &str, values: &EnumDescriptor) -> i32 {
    let mut numbers: Vec<i32> = values.values().map(|value| value.number()).collect();
    numbers.retain(|number| *number != 0);
    let place = match name {
        "control" => return RESTRICTED,
        "state" if values.full_name() == DELIVERED.0 => return DELIVERED.1,
        "level" => 1,
        "to_level" | "subject_type" | "state" => numbers.len() - 1,
        _ => 0,
    };
    numbers[place]
}

fn date(of: &MessageDescriptor, day: NaiveDate) -> DynamicMessage {
    let mut date = DynamicMessage::new(of.clone());
    let number = |number: u32| Value::I32(i32::try_from(number).expect("a small number"));
    date.set_field_by_name("year", Value::I32(day.year()));
    date.set_field_by_name("month", number(day.month()));
    date.set_field_by_name("day", number(day.day()));
    date
}

fn seconds(of: &MessageDescriptor, seconds: i64) -> DynamicMessage {
    let mut message = DynamicMessage::new(of.clone());
    message.set_field_by_name("seconds", Value::I64(seconds));
    message
}

/// The form of names that a pattern stands for, such as `holds/{hold}` for `holds/*`.
fn plain(pattern: &str) -> String {
    let parts = pattern.split('/');
    let parts = parts.map(|part| if part.contains('*') { "{id}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}
