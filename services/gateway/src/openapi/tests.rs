//! The document is whole: everything that it refers to is there, and nothing stands twice.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::words::Words;
use super::*;

const PACKAGES: [&str; 5] = [
    "campus.roster.",
    "campus.sampling.",
    "campus.safety.",
    "campus.notification.",
    "campus.gateway.",
];

/// Reading the contracts and making the document takes a while.
fn contracts() -> &'static Contracts {
    static CONTRACTS: LazyLock<Contracts> =
        LazyLock::new(|| Contracts::read(proto::DOCUMENTED).unwrap());
    &CONTRACTS
}

fn made() -> &'static Json {
    static MADE: LazyLock<Json> = LazyLock::new(|| document(contracts(), &PACKAGES));
    &MADE
}

/// Every operation with its path and method.
fn operations(document: &Json) -> Vec<(&str, &str, &Json)> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().unwrap();
        item.iter()
            .map(move |(method, body)| (&**path, &**method, body))
    });
    all.collect()
}

fn references<'a>(json: &'a Json, found: &mut BTreeSet<&'a str>) {
    match json {
        Json::Object(members) => {
            for (name, value) in members {
                match value {
                    Json::String(target) if name == "$ref" => drop(found.insert(target)),
                    value => references(value, found),
                }
            }
        }
        Json::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = made();
    let mut found = BTreeSet::new();
    references(document, &mut found);
    assert!(found.len() > 300, "{} references", found.len());
    for target in found {
        let target_path = target.strip_prefix('#').unwrap();
        assert!(
            document.pointer(target_path).is_some_and(Json::is_object),
            "{target}"
        );
    }
}

#[test]
fn every_operation_has_an_id_of_its_own_a_tag_and_a_chinese_name() {
    let document = made();
    let tags = document["tags"].as_array().unwrap().iter();
    let tags: BTreeSet<_> = tags.map(|tag| tag["name"].as_str().unwrap()).collect();
    let mut ids = BTreeSet::new();
    for (path, method, body) in operations(document) {
        assert!(
            ids.insert(body["operationId"].as_str().unwrap()),
            "{method} {path}"
        );
        assert!(
            tags.contains(body["tags"][0].as_str().unwrap()),
            "{method} {path}"
        );
        let summary = body["summary"].as_str().unwrap();
        assert!(!summary.is_ascii(), "{method} {path}: {summary}");
        assert!(body["description"].is_string(), "{method} {path}");
    }
    assert!(ids.len() > 480, "{} operations", ids.len());
    for tag in document["tags"].as_array().unwrap() {
        assert!(
            tag["x-zh"].is_string() && tag["description"].is_string(),
            "{tag}"
        );
    }
}

#[test]
fn the_parameters_of_a_path_are_told_and_no_others() {
    let document = made();
    for (path, method, body) in operations(document) {
        let in_path: BTreeSet<_> = path
            .split('{')
            .skip(1)
            .map(|part| part.split('}').next().unwrap())
            .collect();
        let parameters = body["parameters"].as_array().cloned().unwrap_or_default();
        let names = |place: &str| -> Vec<String> {
            let here = parameters.iter().filter(|one| one["in"] == place);
            here.map(|one| one["name"].as_str().unwrap().to_owned())
                .collect()
        };
        let told = names("path");
        assert_eq!(told.len(), in_path.len(), "{method} {path}");
        assert!(
            told.iter().all(|name| in_path.contains(&**name)),
            "{method} {path}"
        );
        let query = names("query");
        let distinct: BTreeSet<_> = query.iter().collect();
        assert_eq!(distinct.len(), query.len(), "{method} {path}");
        assert!(
            method != "get" || body.get("requestBody").is_none(),
            "{path}"
        );
    }
}

#[test]
fn json_is_described_as_it_is_written() {
    let document = made();
    let student = &document["components"]["schemas"]["campus.roster.v1.Student"];
    let properties = &student["properties"];
    assert_eq!(properties["updateTime"]["format"], "date-time");
    assert_eq!(properties["updateTime"]["readOnly"], true);
    assert_eq!(properties["idNumber"]["writeOnly"], true);
    assert_eq!(properties["birthMonth"]["format"], "int32");
    let state = "#/components/schemas/campus.roster.v1.Student.State";
    assert_eq!(properties["state"]["$ref"], state);
    let text = properties["displayName"]["description"].as_str().unwrap();
    let english = "The name shown to staff, at most 63 characters.";
    let chinese = text.strip_suffix(english).unwrap();
    assert!(chinese.ends_with('。') && !chinese.is_ascii(), "{text}");
    let create = &document["paths"]["/v1/students"]["post"];
    let body = &create["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["required"], json!(["classGroup", "student"]));
    let transfer = &document["paths"]["/v1/students/{student}:transfer"]["post"];
    let body = &transfer["requestBody"]["content"]["application/json"]["schema"];
    assert!(body["properties"].get("name").is_none(), "the path says it");
    let update = &document["paths"]["/v1/students/{student}"]["patch"];
    assert_eq!(update["summary"], "修改学生");
    assert_eq!(update["parameters"][1]["name"], "updateMask");
}

#[test]
fn what_streams_is_told_as_lines_and_events() {
    let document = made();
    let watch = &document["paths"]["/v1/organizations/{organization}/alerts:watch"]["get"];
    let content = watch["responses"]["200"]["content"].as_object().unwrap();
    let kinds: Vec<_> = content.keys().map(String::as_str).collect();
    assert_eq!(kinds, ["application/x-ndjson", "text/event-stream"]);
}

/// What says nothing in Chinese before it goes on in English.
fn unnamed(place: &str, part: &Json, found: &mut BTreeSet<String>) {
    let text = part["description"].as_str().unwrap_or_default();
    let named = text.split_once('。').map_or(text, |(label, _)| label);
    if named.is_empty() || named.is_ascii() {
        found.insert(format!("{place}: {text}"));
    }
}

#[test]
fn every_schema_field_value_and_parameter_is_told_in_chinese_and_english() {
    let document = made();
    let mut found = BTreeSet::new();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let ours = schemas
        .iter()
        .filter(|(name, _)| name.starts_with("campus."));
    for (name, schema) in ours {
        unnamed(name, schema, &mut found);
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            unnamed(&format!("{name}.{field}"), property, &mut found);
        }
        for value in schema["enum"].as_array().into_iter().flatten() {
            let line = format!("\n- `{}`: ", value.as_str().unwrap());
            let text = schema["description"].as_str().unwrap();
            let label = text.split_once(&line).map_or("", |(_, rest)| rest);
            let label = label.chars().take_while(|letter| *letter != '。');
            if label.collect::<String>().is_ascii() {
                found.insert(format!("{name}{line}"));
            }
        }
    }
    for (path, method, body) in operations(document) {
        for parameter in body["parameters"].as_array().into_iter().flatten() {
            let name = format!("{method} {path} {}", parameter["name"]);
            unnamed(&name, parameter, &mut found);
        }
        let body = &body["requestBody"]["content"]["application/json"]["schema"];
        for (field, property) in body["properties"].as_object().into_iter().flatten() {
            unnamed(&format!("{method} {path} {field}"), property, &mut found);
        }
    }
    assert!(found.is_empty(), "{} parts: {found:#?}", found.len());
}

#[test]
fn every_chinese_label_is_of_something_that_is_there() {
    let words = Words::read().unwrap();
    let unused = words.unused(contracts().pool());
    assert_eq!(unused, Vec::<String>::new());
}

#[test]
fn everything_has_a_chinese_name() {
    let words = Words::read().unwrap();
    for service in contracts().services(&PACKAGES) {
        assert!(
            words.service(service.name()).is_some(),
            "{}",
            service.name()
        );
        for method in service.methods() {
            let name = words.method(service.name(), method.name());
            assert!(name.is_some(), "{}", method.full_name());
        }
    }
}
