use proptest::prelude::*;
use proto::roster::{
    GatePolicy, GuardPolicy, TubePolicy, gate_policy::CodeColour, guard_policy::Rule,
};

use super::*;
use crate::domain::policy::{self, FIELDS, Kind as Ours, SHIPPED, read, violations};

fn shipped() -> impl Iterator<Item = policy::Document> {
    SHIPPED
        .iter()
        .map(|text| read(text).expect("a shipped profile can be read"))
}

/// Every value of the contract with its descriptor, by the key that it has in the domain.
fn leaves() -> Vec<(String, FieldDescriptor)> {
    fn walk(
        prefix: &str,
        fields: Vec<FieldDescriptor>,
        found: &mut Vec<(String, FieldDescriptor)>,
    ) {
        for field in fields {
            let key = format!("{prefix}{}", field.name());
            let Kind::Message(descriptor) = field.kind() else {
                found.push((key, field));
                continue;
            };
            let inner = descriptor.fields().collect();
            if is_part(&field) {
                walk(&format!("{key}."), inner, found);
            } else {
                found.push((key.clone(), field.clone()));
                if field.is_list() {
                    walk(&format!("{key}[]."), inner, found);
                }
            }
        }
    }
    let mut found = Vec::new();
    walk("", parts().collect(), &mut found);
    found
}

#[test]
fn a_shipped_profile_survives_the_way_to_the_contract_and_back() {
    for document in shipped() {
        let message = to_proto(&document.profile).expect("the contract can express it");
        assert_eq!(
            from_proto(&message),
            Ok(document.profile),
            "{}",
            document.name
        );
    }
}

#[test]
fn every_value_of_the_contract_is_written_in_both_shipped_documents() {
    for (text, document) in SHIPPED.iter().zip(shipped()) {
        let table: toml::Table = toml::from_str(text).expect("TOML");
        let mut own = 0;
        for (key, _) in leaves().iter().filter(|(key, _)| !key.contains("[]")) {
            let mut parts = key.split('.');
            let first = parts.next().and_then(|part| table.get(part));
            let found = parts.try_fold(first, |value, part| Some(value?.get(part)));
            assert!(
                found.flatten().is_some(),
                "{key} is not written in {}",
                document.name
            );
            own += 1;
        }
        assert_eq!(document.profile.iter().count(), own, "{}", document.name);
    }
}

#[test]
fn every_field_of_every_part_is_set_in_the_profile_of_fuzhou() {
    let document = shipped().next().expect("the first one");
    let message = to_proto(&document.profile).expect("the contract can express it");
    let mut dynamic = DynamicMessage::new(PROFILE.clone());
    dynamic.transcode_from(&message).expect("the same contract");
    // The flags that are deliberately false: who watches the own health stays out (1.24), and so does
    // somebody whose travel card nobody tells (3.5).
    let unset = [
        "gate.admit_health_monitoring",
        "gate.admit_travel_unknown",
        "check.reporter_exam",
    ];
    let (leaves, mut found) = (leaves(), Vec::new());
    for (key, _) in leaves.iter().filter(|(key, _)| !key.contains("[]")) {
        let is_set = key
            .split('.')
            .try_fold(Wire::Message(dynamic.clone()), |wire, name| {
                let Wire::Message(message) = wire else {
                    return None;
                };
                let field = message.descriptor().get_field_by_name(name)?;
                message
                    .has_field(&field)
                    .then(|| message.get_field(&field).into_owned())
            });
        if is_set.is_none() {
            found.push(key.as_str());
        }
    }
    assert_eq!(found, unset);
}

#[test]
fn the_domain_knows_exactly_the_values_of_the_contract_and_their_kinds() {
    let leaves = leaves();
    let theirs: Vec<&str> = leaves.iter().map(|(key, _)| &**key).collect();
    let ours: Vec<&str> = FIELDS.iter().map(|field| field.path).collect();
    assert_eq!(ours, theirs);
    for (field, (key, descriptor)) in FIELDS.iter().zip(&leaves) {
        let (list, kind) = (descriptor.is_list(), descriptor.kind());
        match (field.kind, kind) {
            (Ours::Flag, Kind::Bool) | (Ours::Number(..), Kind::Int32) if !list => {}
            (Ours::Numbers(..), Kind::Int32) if list => {}
            (Ours::Text(_), Kind::String) if !list => {}
            (Ours::Word(words), Kind::Enum(theirs)) if !list => assert_eq!(words, names(&theirs)),
            (Ours::Words(words), Kind::Enum(theirs)) if list => assert_eq!(words, names(&theirs)),
            (Ours::Span(..), Kind::Message(message)) if !list => {
                assert_eq!(message.full_name(), "google.protobuf.Duration");
            }
            (Ours::Day, Kind::Message(message)) if !list => {
                assert_eq!(message.full_name(), "google.type.Date");
            }
            (Ours::Records(names), Kind::Message(message)) if list => {
                assert!(
                    names
                        .iter()
                        .all(|name| message.get_field_by_name(name).is_some())
                );
            }
            (ours, theirs) => panic!("{key} is {theirs:?}, not {ours:?}"),
        }
    }
}

#[test]
fn the_domain_and_the_contract_agree_on_what_may_be_absent() {
    let behaviour = PROFILE
        .parent_pool()
        .get_extension_by_name("google.api.field_behavior")
        .expect("it is compiled in");
    for (field, (key, descriptor)) in FIELDS.iter().zip(leaves()) {
        let options = descriptor.options();
        let optional = Wire::EnumNumber(proto::google::api::FieldBehavior::Optional as i32);
        let Wire::List(said) = options.get_extension(&behaviour).into_owned() else {
            panic!("{key} does not say");
        };
        assert_eq!(field.optional, said.contains(&optional), "{key}");
    }
}

fn names(descriptor: &EnumDescriptor) -> Vec<String> {
    let numbers = descriptor.values().map(|value| value.number());
    numbers
        .filter(|number| *number != 0)
        .map(|number| word(descriptor, number))
        .collect()
}

#[test]
fn an_unknown_or_unspecified_word_reaches_the_check_and_is_refused() {
    let mut message = to_proto(&shipped().next().expect("a profile").profile).expect("fits");
    let gate: &mut GatePolicy = message.gate.as_mut().expect("set");
    gate.deny_colours = vec![CodeColour::Red as i32, 77, 0];
    let profile = from_proto(&message).expect("it can be read");
    let said: Vec<_> = violations(&profile)
        .into_iter()
        .map(|v| (v.path, v.en))
        .collect();
    let refused = |path: &str, word: &str| {
        let en = format!("must be one of GREEN, YELLOW, RED, UNKNOWN, not {word}");
        (path.to_owned(), en)
    };
    assert_eq!(
        said,
        [
            refused("gate.deny_colours[1]", "77"),
            refused("gate.deny_colours[2]", "UNSPECIFIED"),
        ]
    );
}

#[test]
fn a_part_that_is_missing_is_missing_key_by_key() {
    let mut message = to_proto(&shipped().next().expect("a profile").profile).expect("fits");
    message.privacy = None;
    message.suspend.as_mut().expect("set").hfmd = None;
    let profile = from_proto(&message).expect("it can be read");
    let paths: Vec<_> = violations(&profile).into_iter().map(|v| v.path).collect();
    assert_eq!(
        paths,
        [
            "privacy.k",
            "suspend.hfmd.class_cases",
            "suspend.hfmd.school_cases",
            "suspend.hfmd.school_classes",
            "suspend.hfmd.suspend_days",
            "suspend.hfmd.window_days",
        ]
    );
}

#[test]
fn a_date_that_no_calendar_has_is_named_at_its_place() {
    let date = Date {
        year: 2022,
        month: 2,
        day: 30,
    };
    let rule = |effective_date| Rule {
        effective_date,
        formula: 1,
    };
    let message = PolicyProfile {
        guard: Some(GuardPolicy {
            rules: vec![rule(None), rule(Some(date))],
        }),
        ..PolicyProfile::default()
    };
    assert_eq!(
        from_proto(&message),
        Err(unfit("guard.rules[1].effective_date"))
    );
}

#[test]
fn a_key_a_word_or_a_number_that_the_contract_lacks_is_named() {
    let of = |key: &str, value| to_proto(&Profile::from_iter([(key, value)]));
    let word = |word: &str| Value::Word(word.to_owned());
    assert_eq!(of("gate.colour", word("RED")), Err(unfit("gate.colour")));
    assert_eq!(
        of("crypto.suite", word("ROT13")),
        Err(unfit("crypto.suite"))
    );
    assert_eq!(
        of("privacy.k", Value::Number(1 << 40)),
        Err(unfit("privacy.k"))
    );
    assert_eq!(of("privacy.k", Value::Flag(true)), Err(unfit("privacy.k")));
    let list = Value::List(vec![word("RED"), word("BLUE")]);
    assert_eq!(
        of("gate.deny_colours", list),
        Err(unfit("gate.deny_colours[1]"))
    );
}

proptest! {
    #[test]
    fn any_span_of_the_contract_survives_or_is_named(seconds: i64, nanos in -999_999_999..=999_999_999) {
        let message = PolicyProfile {
            tube: Some(TubePolicy {
                result_sla: Some(Duration { seconds, nanos }),
                ..TubePolicy::default()
            }),
            ..PolicyProfile::default()
        };
        match from_proto(&message) {
            Ok(profile) => {
                let back = to_proto(&profile).expect("it was expressed before");
                let back = back.tube.and_then(|tube| tube.result_sla).expect("it was given");
                let total = |s: i64, n: i32| i128::from(s) * 1_000_000_000 + i128::from(n);
                prop_assert_eq!(total(back.seconds, back.nanos), total(seconds, nanos));
            }
            Err(error) => prop_assert_eq!(error, unfit("tube.result_sla")),
        }
    }
}
