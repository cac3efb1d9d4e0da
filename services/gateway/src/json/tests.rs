//! What the contracts say of HTTP, and that JSON and messages are two forms of one thing.

use std::collections::HashMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message;
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, MethodDescriptor,
    ReflectMessage, Value,
};

use super::template::Template;
use super::*;

const PACKAGES: [&str; 5] = [
    "campus.roster.",
    "campus.sampling.",
    "campus.safety.",
    "campus.notification.",
    "campus.gateway.",
];

/// Reading the contracts takes a while, so the cases of a property share them.
fn contracts() -> &'static Contracts {
    static CONTRACTS: LazyLock<Contracts> =
        LazyLock::new(|| Contracts::read(proto::DESCRIPTORS).unwrap());
    &CONTRACTS
}

fn transcoder() -> &'static Transcoder {
    static TRANSCODER: LazyLock<Transcoder> = LazyLock::new(|| {
        let buffers = Buffers::new(1 << 20, 1 << 30);
        Transcoder::new(contracts(), &PACKAGES, buffers).unwrap()
    });
    &TRANSCODER
}

fn methods(contracts: &Contracts) -> Vec<MethodDescriptor> {
    let services = contracts.services(&PACKAGES);
    let all = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    all.collect()
}

/// A path that fits a template.
fn example(template: &Template) -> String {
    let segments = template.segments.iter().map(|segment| match segment {
        template::Segment::Literal(text) => text.clone(),
        template::Segment::One => "7".to_owned(),
        template::Segment::Rest => "7/classGroups/8".to_owned(),
    });
    let mut path = format!("/{}", segments.collect::<Vec<_>>().join("/"));
    if let Some(verb) = &template.verb {
        path.push_str(&format!(":{verb}"));
    }
    path
}

#[test]
fn every_method_of_one_request_is_reached_by_each_of_its_paths() {
    let (contracts, transcoder) = (contracts(), transcoder());
    let mut reached = 0;
    for method in methods(contracts) {
        let rules = contracts.rules(&method);
        let name = method.full_name();
        if method.is_client_streaming() {
            assert!(rules.is_empty(), "{name} cannot be called by HTTP");
            continue;
        }
        assert!(!rules.is_empty(), "{name} has no google.api.http");
        for rule in &rules {
            let (http, text) = pattern(rule).unwrap();
            let template = Template::parse(text).unwrap();
            let Found::This(binding, segments) = transcoder.paths.find(&http, &example(&template))
            else {
                panic!("{name}: {text} leads nowhere");
            };
            assert_eq!(binding.path, contract::path(&method), "{text}");
            let message = binding.begin(&segments, None).unwrap();
            for variable in &template.variables {
                let path = field::resolve(&method.input(), &variable.field).unwrap();
                let value = field::found(&message, &path).unwrap();
                assert!(
                    !value.as_str().unwrap().is_empty(),
                    "{name}: {}",
                    variable.field
                );
            }
            reached += 1;
        }
    }
    assert!(reached > 480, "{reached} paths");
}

#[test]
fn no_path_means_two_methods() {
    let contracts = contracts();
    let mut known: Vec<(Method, String, Template, String)> = Vec::new();
    for method in methods(contracts) {
        for rule in contracts.rules(&method) {
            let (http, text) = pattern(&rule).unwrap();
            let template = Template::parse(text).unwrap();
            for (other_http, other_text, other, name) in &known {
                let both = *other_http == http && template.meets(other);
                assert!(
                    !both,
                    "{} {text} and {name} {other_text}",
                    method.full_name()
                );
            }
            known.push((
                http,
                text.to_owned(),
                template,
                method.full_name().to_owned(),
            ));
        }
    }
}

#[test]
fn what_reads_only_changes_nothing_by_get() {
    let contracts = contracts();
    for method in methods(contracts) {
        let reads = method.method_descriptor_proto().options.as_ref();
        let reads = reads.is_some_and(|o| o.idempotency_level == Some(1));
        for rule in contracts.rules(&method) {
            let (http, _) = pattern(&rule).unwrap();
            let by_get = http == Method::GET;
            assert!(!by_get || reads, "{} is reached by GET", method.full_name());
            assert_eq!(by_get, rule.body.is_empty() && http != Method::DELETE);
        }
    }
}

/// Identity and phone numbers, names and health are never asked for in a URL.
#[test]
fn nothing_about_people_stands_in_a_url() {
    let personal = [
        "id_number",
        "phone",
        "student_number",
        "display_name",
        "birth",
        "temperature",
        "symptom",
        "address",
        "code",
        "card",
        "person_name",
        "disease",
    ];
    let contracts = contracts();
    let mut found = Vec::new();
    for method in methods(contracts) {
        for rule in contracts.rules(&method) {
            if rule.body == "*" {
                continue;
            }
            for field in method
                .input()
                .fields()
                .filter(|field| field.name() != rule.body)
            {
                if personal.iter().any(|word| field.name().contains(word)) {
                    found.push(format!("{}.{}", method.full_name(), field.name()));
                }
            }
        }
    }
    // Which disease is counted, or an administrative division, is not about one person.
    let known = [
        "campus.roster.v1.OrganizationService.ListOrganizations.division_code",
        "campus.sampling.v1.CaseService.ListCases.disease",
    ];
    assert_eq!(found, known);
}

/// A message with every kind of value that may stand in it.
fn arbitrary(message: &MessageDescriptor, depth: usize, seeds: &mut Seeds<'_>) -> DynamicMessage {
    let mut made = DynamicMessage::new(message.clone());
    for field in message.fields() {
        if !seeds.coin() {
            continue;
        }
        let group = field.containing_oneof();
        let taken = group.is_some_and(|group| group.fields().any(|other| made.has_field(&other)));
        if taken || (depth == 0 && field.kind().as_message().is_some()) {
            continue;
        }
        if let Some(value) = field_value(&field, depth, seeds) {
            made.set_field(&field, value);
        }
    }
    made
}

fn field_value(field: &FieldDescriptor, depth: usize, seeds: &mut Seeds<'_>) -> Option<Value> {
    if field.is_map()
        && let Kind::Message(entry) = field.kind()
    {
        let kind = entry.map_entry_value_field().kind();
        let key = match entry.map_entry_key_field().kind() {
            Kind::String => MapKey::String(seeds.text()),
            Kind::Int32 => MapKey::I32(i32::try_from(seeds.next() % 9).unwrap()),
            _ => return None,
        };
        let map: HashMap<_, _> = [(key, value(&kind, depth, seeds)?)].into_iter().collect();
        return Some(Value::Map(map));
    }
    let kind = field.kind();
    if field.is_list() {
        let values = (0..=seeds.next() % 3).map(|_| value(&kind, depth, seeds));
        return Some(Value::List(values.collect::<Option<_>>()?));
    }
    value(&kind, depth, seeds)
}

fn value(kind: &Kind, depth: usize, seeds: &mut Seeds<'_>) -> Option<Value> {
    let number = seeds.next();
    Some(match kind {
        Kind::Bool => Value::Bool(number.is_multiple_of(2)),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(number as i32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(number as i64),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(number as u32),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(number),
        Kind::Float => Value::F32(f32::from(number as u16) / 8.0),
        // Of more than fifteen digits the last one may be read as its neighbour.
        Kind::Double => Value::F64(f64::from(number as u16) / 64.0),
        Kind::String => Value::String(seeds.text()),
        Kind::Bytes => Value::Bytes(number.to_be_bytes().to_vec().into()),
        // Values that an older reader does not know are numbers in JSON.
        Kind::Enum(_) => Value::EnumNumber(i32::try_from(number % 12).unwrap()),
        Kind::Message(inner) => {
            let mut made = DynamicMessage::new(inner.clone());
            match inner.full_name() {
                "google.protobuf.Timestamp" => {
                    let seconds = i64::try_from(number % 253_402_300_800).unwrap();
                    made.set_field_by_name("seconds", Value::I64(seconds));
                    let nanos = i32::try_from(number % 1_000_000_000).unwrap();
                    made.set_field_by_name("nanos", Value::I32(nanos));
                }
                "google.protobuf.Duration" => {
                    let seconds = i64::try_from(number % 315_576_000_000).unwrap();
                    made.set_field_by_name("seconds", Value::I64(seconds));
                }
                "google.protobuf.FieldMask" => {
                    let paths = ["display_name", "start_date.year"].map(str::to_owned);
                    let paths = paths.map(Value::String).to_vec();
                    made.set_field_by_name("paths", Value::List(paths));
                }
                name if name.starts_with("google.protobuf.") && name.ends_with("Value") => {
                    let field = inner.get_field(1)?;
                    made.set_field(&field, value(&field.kind(), 0, seeds)?);
                }
                name if name.starts_with("google.protobuf.") => {}
                _ => made = arbitrary(inner, depth.checked_sub(1)?, seeds),
            }
            Value::Message(made)
        }
    })
}

struct Seeds<'a> {
    numbers: std::iter::Cycle<std::slice::Iter<'a, u64>>,
    count: u64,
}

impl Seeds<'_> {
    fn next(&mut self) -> u64 {
        self.count += 1;
        let number = self.numbers.next().copied().unwrap_or_default();
        number.rotate_left(u32::try_from(self.count % 64).unwrap()) ^ self.count
    }

    fn coin(&mut self) -> bool {
        !self.next().is_multiple_of(3)
    }

    fn text(&mut self) -> String {
        let texts = [
            "",
            "学校",
            "organizations/7",
            "a\"\\\n",
            "\u{1F600}",
            "null",
        ];
        let turn = usize::try_from(self.next() % 6).unwrap();
        texts[turn].to_owned()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_message_comes_back_from_json_as_it_was(
        turn in any::<Index>(),
        numbers in prop::collection::vec(any::<u64>(), 16..64),
    ) {
        let contracts = contracts();
        let messages: Vec<_> = contracts
            .pool()
            .all_messages()
            .filter(|message| message.package_name().starts_with("campus.") && !message.is_map_entry())
            .collect();
        let mut seeds = Seeds { numbers: numbers.iter().cycle(), count: 0 };
        let message = arbitrary(turn.get(&messages), 3, &mut seeds);
        let json = serde_json::to_vec(&message).unwrap();
        let back = body::read(&message.descriptor(), &json).unwrap();
        // What is zero is left out either way.
        let binary = message.encode_to_vec();
        prop_assert!(back.encode_to_vec() == binary, "{}", String::from_utf8_lossy(&json));
        let again = DynamicMessage::decode(message.descriptor(), &*binary).unwrap();
        prop_assert!(serde_json::to_vec(&again).unwrap() == json);
    }

    #[test]
    fn arbitrary_paths_and_queries_mean_something_or_nothing(
        path in "(/[a-zA-Z0-9:%._*{}~-]{0,12}){0,8}",
        query in prop::option::of("[a-zA-Z0-9=&.%+_-]{0,60}"),
    ) {
        let transcoder = transcoder();
        for http in [Method::GET, Method::POST, Method::PATCH, Method::DELETE] {
            if let Found::This(binding, segments) = transcoder.paths.find(&http, &path) {
                let _ = binding.begin(&segments, query.as_deref());
            }
        }
    }

    #[test]
    fn arbitrary_queries_of_a_list_are_read_or_refused(query in "[a-zA-Z0-9=&.%+_-]{0,80}") {
        let transcoder = transcoder();
        let Found::This(binding, segments) = transcoder.paths.find(&Method::GET, "/v1/students")
        else {
            unreachable!("stands in the contracts")
        };
        let _ = binding.begin(&segments, Some(&query));
    }

    #[test]
    fn arbitrary_json_is_read_or_refused_with_words(json in any_json()) {
        let transcoder = transcoder();
        let Found::This(binding, segments) = transcoder.paths.find(&Method::POST, "/v1/students")
        else {
            unreachable!("stands in the contracts")
        };
        let begun = binding.begin(&segments, None).unwrap();
        if let Err(problem) = binding.complete(begun, json.as_bytes()) {
            prop_assert!(problem.names_fields());
        }
    }
}

/// JSON that is nearly a request, and text that is not JSON.
fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        "[a-zA-Z\u{4e00}-\u{4eff}]{0,8}".prop_map(|text| format!("{text:?}")),
    ];
    let names = prop_oneof![
        Just("student".to_owned()),
        Just("displayName".to_owned()),
        Just("startDate".to_owned()),
        Just("year".to_owned()),
        "[a-z]{1,6}",
    ];
    let json = leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|values| format!("[{}]", values.join(","))),
            prop::collection::vec((names.clone(), inner), 0..4).prop_map(|members| {
                let members = members
                    .iter()
                    .map(|(name, value)| format!("{name:?}:{value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }),
        ]
    });
    prop_oneof![4 => json, 1 => "[\\[\\]{}:,\"a-z0-9]{0,40}"]
}

fn refused(json: &str) -> Vec<String> {
    let message = contracts()
        .pool()
        .get_message_by_name("campus.roster.v1.CreateStudentRequest");
    let problem = body::read(&message.unwrap(), json.as_bytes()).unwrap_err();
    problem
        .fields()
        .map(|(name, text)| format!("{name}: {text}"))
        .collect()
}

#[test]
fn the_field_that_is_wrong_is_named_and_its_value_is_not() {
    assert_eq!(
        refused(r#"{"student": {"displayNam": "甲"}}"#),
        ["student.displayNam: 没有这个字段"]
    );
    assert_eq!(
        refused(r#"{"student": {"boarder": "是"}}"#),
        ["student.boarder: 应为 bool 类型的值"]
    );
    assert_eq!(
        refused(r#"{"startDate": {"year": "x"}}"#),
        ["startDate.year: 应为 int32 类型的值"]
    );
    assert_eq!(refused(r#"{"张三": 1}"#), ["?: 没有这个字段"]);
    assert_eq!(
        refused("[]"),
        ["body: 应为 campus.roster.v1.CreateStudentRequest 类型的值"]
    );
    assert_eq!(refused("{"), ["body: 第 1 行第 1 列附近不是合法的 JSON"]);
}

#[test]
fn json_that_nests_too_deep_is_refused() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let object = format!("{{\"student\":{deep}}}");
    for json in [deep, object] {
        assert_eq!(refused(&json).len(), 1);
    }
}

#[test]
fn json_that_says_more_than_a_request_can_mean_is_refused() {
    let request = contracts().pool();
    let request = request.get_message_by_name("campus.roster.v1.CreateStudentRequest");
    let request = request.unwrap();
    let bomb = format!("{{\"student\":[{}]}}", "{},".repeat(60_000));
    let refused = body::read(&request, bomb.as_bytes()).unwrap_err();
    assert_eq!(refused.reason(), ErrorReason::MessageTooLarge);
    // A text says one value, whatever stands in it.
    let text = ",[{\\\",".repeat(60_000);
    let words = format!("{{\"student\":{{\"displayName\":\"{text}\"}}}}");
    assert!(body::read(&request, words.as_bytes()).is_ok());
}

#[test]
fn a_query_says_every_kind_of_value() {
    let pool = contracts().pool();
    let kind = |name: &str| Kind::Message(pool.get_message_by_name(name).unwrap());
    assert_eq!(field::value(&Kind::Bool, "true"), Some(Value::Bool(true)));
    assert_eq!(field::value(&Kind::Int64, "-9"), Some(Value::I64(-9)));
    assert_eq!(field::value(&Kind::Int32, "2147483648"), None);
    let bytes = Value::Bytes(vec![0xfb, 0xff].into());
    for text in ["+/8=", "+/8", "-_8", "-_8="] {
        assert_eq!(
            field::value(&Kind::Bytes, text),
            Some(bytes.clone()),
            "{text}"
        );
    }
    let states = pool
        .get_enum_by_name("campus.roster.v1.Student.State")
        .unwrap();
    for text in ["STATE_WITHDRAWN", "2"] {
        let value = field::value(&Kind::Enum(states.clone()), text);
        assert_eq!(value, Some(Value::EnumNumber(2)), "{text}");
    }
    assert_eq!(field::value(&Kind::Enum(states), "WITHDRAWN"), None);
    for (name, text) in [
        ("google.protobuf.Timestamp", "2022-04-07T00:00:00Z"),
        ("google.protobuf.Duration", "1.5s"),
        ("google.protobuf.FieldMask", "displayName,startDate.year"),
    ] {
        assert!(field::value(&kind(name), text).is_some(), "{name}");
    }
    for name in [
        "google.protobuf.Timestamp",
        "google.protobuf.Duration",
        "google.type.Date",
    ] {
        assert_eq!(field::value(&kind(name), "soon?"), None, "{name}");
    }
}
