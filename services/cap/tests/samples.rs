//! Documents as others write them.

use std::fs;
use std::path::{Path, PathBuf};

use cap::{
    Category, Certainty, Colour, Info, MessageType, Named, Scope, Severity, Status, Urgency,
    Version,
};

/// An invented warning of a meteorological service of China.
const TYPHOON: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<cap:alert xmlns:cap="urn:oasis:names:tc:emergency:cap:1.2" xmlns:x="urn:example:x">
  <cap:identifier>35019941600000_20220602083011</cap:identifier>
  <cap:sender>met@example.cn</cap:sender>
  <cap:sent>2022-06-02T08:30:11+08:00</cap:sent>
  <cap:status>Actual</cap:status>
  <cap:msgType>Update</cap:msgType>
  <cap:scope>Public</cap:scope>
  <x:handling><cap:status>Test</cap:status></x:handling>
  <cap:references>met@example.cn,35019941600000_20220602063011,2022-06-02T06:30:11+08:00</cap:references>
  <cap:info>
    <cap:language>zh-CN</cap:language>
    <cap:category>Met</cap:category>
    <cap:event>台风</cap:event>
    <cap:responseType>Shelter</cap:responseType>
    <cap:urgency>Expected</cap:urgency>
    <cap:severity>Severe</cap:severity>
    <cap:certainty>Likely</cap:certainty>
    <cap:eventCode><cap:valueName>GB/T 35965.1</cap:valueName><cap:value>11B01</cap:value></cap:eventCode>
    <cap:onset>2022-06-02T12:00:00+08:00</cap:onset>
    <cap:expires>2022-06-03T08:30:11+08:00</cap:expires>
    <cap:senderName>某市气象台</cap:senderName>
    <cap:headline>某市气象台变更台风预警</cap:headline>
    <cap:description>未来 12 小时平均风力可达 10 级 &amp; 以上。</cap:description>
    <cap:parameter><cap:valueName>ColorCode</cap:valueName><cap:value>Orange</cap:value></cap:parameter>
    <cap:area>
      <cap:areaDesc>某市鼓楼区</cap:areaDesc>
      <cap:circle>26.08,119.3 12.5</cap:circle>
      <cap:geocode><cap:valueName>行政区划</cap:valueName><cap:value>350102000000</cap:value></cap:geocode>
    </cap:area>
  </cap:info>
</cap:alert>
"#;

#[test]
fn a_chinese_warning_is_understood() {
    let message = cap::read(TYPHOON.as_bytes()).unwrap();
    assert_eq!(
        (
            message.version,
            message.status,
            message.scope,
            message.message_type
        ),
        (
            Version::V1_2,
            Status::Actual,
            Scope::Public,
            MessageType::Update
        )
    );
    assert_eq!(
        message.references[0].to_string(),
        "met@example.cn,35019941600000_20220602063011,2022-06-02T06:30:11+08:00"
    );
    let [info] = &message.infos[..] else {
        panic!("one info")
    };
    assert_eq!(
        (
            &info.categories[..],
            info.urgency,
            info.severity,
            info.certainty
        ),
        (
            &[Category::Met][..],
            Urgency::Expected,
            Severity::Severe,
            Certainty::Likely
        )
    );
    assert_eq!(
        (info.event_code(), info.colour()),
        (Some("11B01"), Some(Colour::Orange))
    );
    assert_eq!(
        info.description.as_deref(),
        Some("未来 12 小时平均风力可达 10 级 & 以上。")
    );
    assert_eq!(info.divisions(&info.areas[0]), ["350102000000"]);
}

/// What is wrong, by element.
fn faults(document: &str) -> Vec<(String, String)> {
    let faults = cap::read(document.as_bytes()).expect_err("refused");
    assert!(
        faults.iter().all(|fault| !fault.zh.is_ascii()),
        "{faults:?}"
    );
    faults
        .into_iter()
        .map(|fault| (fault.path, fault.en))
        .collect()
}

#[test]
fn every_fault_is_named_with_its_element() {
    let document = TYPHOON
        .replace(
            "<cap:scope>Public</cap:scope>",
            "<cap:scope>Restricted</cap:scope>",
        )
        .replace("35019941600000_20220602083011", "has a space")
        .replace("<cap:sender>", "<cap:sender>x</cap:sender><cap:sender>")
        .replace("08:30:11+08:00</cap:sent>", "08:30:11Z</cap:sent>")
        .replace("Severe", "Grave")
        .replace("<cap:category>Met</cap:category>", "")
        .replace("06:30:11+08:00</cap:references>", "</cap:references>")
        .replace("26.08,119.3 12.5", "26.08,119.3")
        .replace("<cap:areaDesc>某市鼓楼区</cap:areaDesc>", "<cap:areaDesc/>")
        .replace("<cap:value>350102000000</cap:value>", "");
    let paths: Vec<_> = faults(&document)
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    let expected = [
        "alert/identifier",
        "alert/sender",
        "alert/sent",
        "alert/restriction",
        "alert/references",
        "alert/info[1]/category",
        "alert/info[1]/severity",
        "alert/info[1]/area[1]/areaDesc",
        "alert/info[1]/area[1]/circle[1]",
        "alert/info[1]/area[1]/geocode[1]/value",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn the_words_for_each_fault_are_plain() {
    let without = |element: &str| {
        let (from, to) = (format!("<cap:{element}>"), format!("</cap:{element}>"));
        let start = TYPHOON.find(&from).unwrap();
        let end = TYPHOON.find(&to).unwrap() + to.len();
        format!("{}{}", &TYPHOON[..start], &TYPHOON[end..])
    };
    for element in [
        "identifier",
        "sender",
        "sent",
        "status",
        "msgType",
        "scope",
        "references",
    ] {
        let path = format!("alert/{element}");
        let found = faults(&without(element));
        // The status of another system is no status of the message.
        assert_eq!(found, [(path, "required".to_owned())]);
    }
    for element in ["category", "event", "urgency", "severity", "certainty"] {
        let path = format!("alert/info[1]/{element}");
        assert_eq!(faults(&without(element)), [(path, "required".to_owned())]);
    }
    let other = TYPHOON.replace("cap:1.2", "cap:1.0");
    let (path, en) = (
        "alert".to_owned(),
        "not an alert of CAP 1.1 or 1.2".to_owned(),
    );
    assert_eq!(faults(&other), [(path, en)]);
    let older = TYPHOON
        .replace("cap:1.2", "cap:1.1")
        .replace("Shelter", "AllClear");
    let (path, en) = ("alert/info[1]/responseType", "not a value of CAP 1.1");
    assert_eq!(faults(&older), [(path.to_owned(), en.to_owned())]);
    let many = "a,b,2022-06-02T06:30:11+08:00 ".repeat(201);
    let one = "met@example.cn,35019941600000_20220602063011,2022-06-02T06:30:11+08:00";
    let (path, en) = ("alert/references".to_owned(), "at most 200".to_owned());
    assert_eq!(faults(&TYPHOON.replace(one, &many)), [(path, en)]);
}

/// The folder with documents of other systems: beside one of the folders above this crate.
fn shared(name: &str) -> Option<PathBuf> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let found = above
        .map(|folder| folder.join("shared/data").join(name))
        .find(|folder| folder.is_dir());
    if found.is_none() {
        eprintln!("SKIPPED: no shared/data/{name} above this crate to read");
    }
    found
}

#[test]
fn documents_of_other_systems_are_read_or_refused_for_a_reason() {
    let Some(folder) = shared("cap") else { return };
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "cap") {
            continue;
        }
        let invalid = path.file_stem().is_some_and(|stem| stem == "invalid");
        match cap::read(&fs::read(&path).unwrap()) {
            Ok(message) => {
                assert!(!invalid, "{}", path.display());
                let written = cap::write(&message).unwrap();
                let again = cap::read(written.as_bytes()).unwrap();
                let version = message.version;
                assert_eq!(cap::Message { version, ..again }, message);
            }
            Err(faults) => {
                assert!(invalid, "{}: {faults:?}", path.display());
                let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
                assert_eq!(told, ["alert/scope: required"]);
            }
        }
    }
}

/// A Chinese warning of which only the words are known.
fn told(event: &str, headline: &str, severity: Severity) -> Info {
    Info {
        language: "zh-CN".to_owned(),
        headline: Some(headline.to_owned()),
        ..Info::new(Category::Met, event, severity)
    }
}

#[test]
fn colours_agree_with_those_that_another_system_tells() {
    let Some(folder) = shared("cn_alert") else {
        return;
    };
    let file = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let now: serde_json::Value =
        serde_json::from_str(&file("qweather_getWarningNow-zh.json")).unwrap();
    let mut compared = 0;
    for warning in now["warning"].as_array().unwrap() {
        let text = |key: &str| warning[key].as_str().unwrap_or_default();
        let by_name = |severity: &&Severity| severity.as_str() == text("severity");
        let severity = *Severity::ALL.iter().find(by_name).unwrap();
        // As the heading says, and as the severity does.
        for (headline, severity) in [(text("title"), Severity::Unknown), ("", severity)] {
            let colour = told(text("typeName"), headline, severity).colour().unwrap();
            assert_eq!(format!("{colour:?}"), text("severityColor"));
        }
        compared += 1;
    }
    assert!(compared > 0);
    // No kind of event is taken for a colour, and no number of theirs for a code of the standard.
    for line in file("qweather_alert-events.csv").lines().skip(1) {
        let fields: Vec<_> = line
            .split(',')
            .map(|field| field.trim_matches('"'))
            .collect();
        let mut info = told(fields[1], "", Severity::Unknown);
        info.event_codes.push(Named {
            name: "type".to_owned(),
            value: fields[0].to_owned(),
        });
        assert_eq!((info.event_code(), info.colour()), (None, None), "{line}");
    }
}
