//! Requests that are made up by their contract.

use prost::Message as _;
use prost::bytes::Bytes;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tests::city::City;
use tests::town::{CITY, DISTRICT, school};
use uuid::Builder;

/// Messages nest so deep.
const DEPTH: usize = 4;
/// Of so many fields one is left out.
const LEFT_OUT: u32 = 5;
/// Of so many texts one is not what its field asks for.
const ODD: u32 = 4;
/// Texts that somebody may take for something else.
const WORDS: [&str; 22] = [
    "",
    " ",
    "-",
    "*",
    "学生",
    "👩‍👩‍👧",
    "e\u{301}",
    "\u{0}",
    "\u{202e}",
    "\u{feff}",
    "'; DROP TABLE students; --",
    "%s%n%x",
    "../../etc/passwd",
    "organizations/",
    "organizations/-",
    "organizations/a/b/c/d",
    "students/00000000-0000-0000-0000-000000000000",
    "2022-02-30",
    "1e309",
    "-1",
    "9999999999999999999",
    "{\"a\":1}",
];
/// Collections that names of resources may stand in, besides those that are known.
const COLLECTIONS: [&str; 18] = [
    "plans",
    "tubes",
    "holds",
    "cases",
    "clusters",
    "absences",
    "importJobs",
    "policyProfiles",
    "calendarYears",
    "directives",
    "alerts",
    "organizations/2135010001/hazards",
    "organizations/2135010001/drills",
    "organizations/2135010001/incidents",
    "organizations/2135010001/gateDecisions",
    "organizations/2135010001/visits",
    "organizations/2135010001/concerns",
    "organizations/2135010001/supportCases",
];

/// Makes requests up.
#[derive(Debug)]
pub(super) struct Inventor {
    /// Names of what is there.
    known: Vec<String>,
}

impl Inventor {
    /// Knows some of what there is in a city.
    pub(super) fn of(city: &City) -> Self {
        let own = format!("organizations/{}", school(1));
        let class = format!("{own}/classGroups/{}", city.town.class_id(1));
        let mut known = vec![
            format!("organizations/{CITY}"),
            format!("organizations/{DISTRICT}"),
            format!("{own}/gateSnapshot"),
            format!("{own}/coverage"),
            own,
            class,
        ];
        for place in 1..=3 {
            let student = city.student(1, 1, place);
            known.push(student.to_owned());
            known.push(format!("{student}/health"));
            known.push(City::guardians_of(student));
        }
        known.push(city.staff(1, "校长").to_owned());
        Self { known }
    }

    /// A message, as it is sent.
    pub(super) fn bytes(&self, of: &MessageDescriptor, chance: &mut ChaCha8Rng) -> Vec<u8> {
        self.message(of, 0, chance).encode_to_vec()
    }

    fn message(
        &self,
        of: &MessageDescriptor,
        depth: usize,
        chance: &mut ChaCha8Rng,
    ) -> DynamicMessage {
        let mut message = DynamicMessage::new(of.clone());
        for field in of.fields() {
            let is_left_out = chance.random_ratio(1, LEFT_OUT);
            let is_deep = depth >= DEPTH && matches!(field.kind(), Kind::Message(_));
            if is_left_out || is_deep || field.is_map() {
                continue;
            }
            let value = if field.is_list() {
                let count = [0, 1, 1, 2, 3, 40][chance.random_range(0..6)];
                let values = (0..count).map(|_| self.value(&field, depth, chance));
                Value::List(values.collect())
            } else {
                self.value(&field, depth, chance)
            };
            message.set_field(&field, value);
        }
        message
    }

    fn value(&self, field: &FieldDescriptor, depth: usize, chance: &mut ChaCha8Rng) -> Value {
        match field.kind() {
            Kind::Bool => Value::Bool(chance.random()),
            Kind::Double => Value::F64(float(chance)),
            Kind::Float => {
                Value::F32([0.0, -1.0, 0.5, f32::NAN, f32::MAX][chance.random_range(0..5)])
            }
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(small(chance)),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(large(chance)),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(small(chance).cast_unsigned()),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(large(chance).cast_unsigned()),
            Kind::String => Value::String(self.text(field.name(), chance)),
            Kind::Bytes => {
                let length = [0, 1, 16, 32, 64, 500][chance.random_range(0..6)];
                let bytes: Vec<u8> = (0..length).map(|_| chance.random()).collect();
                Value::Bytes(Bytes::from(bytes))
            }
            Kind::Enum(of) => {
                let known: Vec<i32> = of.values().map(|value| value.number()).collect();
                let number = match chance.random_range(0..8) {
                    0 => [-1, 99, i32::MAX][chance.random_range(0..3)],
                    _ => known[chance.random_range(0..known.len())],
                };
                Value::EnumNumber(number)
            }
            Kind::Message(of) => Value::Message(self.message(&of, depth + 1, chance)),
        }
    }

    fn text(&self, field: &str, chance: &mut ChaCha8Rng) -> String {
        if chance.random_ratio(1, ODD) {
            return match chance.random_range(0..4) {
                0 => "长".repeat(chance.random_range(0..3_000)),
                1 => id(chance),
                _ => WORDS[chance.random_range(0..WORDS.len())].to_owned(),
            };
        }
        match field {
            "request_id" | "client_id" | "device" => id(chance),
            "page_token" | "etag" => String::new(),
            "update_mask" => "display_name".to_owned(),
            _ if chance.random_ratio(1, 3) => {
                let collection = COLLECTIONS[chance.random_range(0..COLLECTIONS.len())];
                format!("{collection}/{}", id(chance))
            }
            _ if chance.random_ratio(1, 6) => "一段说明文字".to_owned(),
            _ => self.known[chance.random_range(0..self.known.len())].clone(),
        }
    }
}

/// An identifier that nobody else has.
fn id(chance: &mut ChaCha8Rng) -> String {
    Builder::from_random_bytes(chance.random())
        .into_uuid()
        .to_string()
}

fn small(chance: &mut ChaCha8Rng) -> i32 {
    match chance.random_range(0..10) {
        0 => i32::MIN,
        1 => i32::MAX,
        2 => -1,
        3 => chance.random(),
        _ => chance.random_range(0..40),
    }
}

fn large(chance: &mut ChaCha8Rng) -> i64 {
    // The beginning of a school day that there was, in seconds, milliseconds and microseconds.
    const MORNING: [i64; 3] = [1_649_289_600, 1_649_289_600_000, 1_649_289_600_000_000];
    match chance.random_range(0..10) {
        0 => i64::MIN,
        1 => i64::MAX,
        2 => -1,
        3 => chance.random(),
        4..7 => MORNING[chance.random_range(0..3)],
        _ => chance.random_range(0..4_000),
    }
}

fn float(chance: &mut ChaCha8Rng) -> f64 {
    let edges = [0.0, -0.0, -1.0, 0.2, 1.0, 1e308, f64::NAN, f64::INFINITY];
    edges[chance.random_range(0..edges.len())]
}
