//! Alerts as the warning system of the state hands them on; all of these are invented.

use cap::{
    Category, Certainty, Chain, Colour, Document, Fault, Message, MessageType, Severity, State,
    Status, Version, read,
};
use proptest::prelude::*;

/// An alert of `kind` whose identifier tells the second `second` of 08:30.
fn alert(kind: &str, second: u32, references: &str, info: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<alert>\n\
         <identifier>35019941600000_202206020830{second:02}</identifier>\n\
         <sender>某市气象台</sender>\n<senderCode>35019941600000</senderCode>\n\
         <sendTime>2022-06-02 08:25:00+08:00</sendTime>\n<status>Actual</status>\n\
         <msgType>{kind}</msgType>\n<scope>Public</scope>\n\
         <code><method><methodName>SMS</methodName><message>短信</message><audienceGrp/></method></code>\n\
         <secClassification>None</secClassification>\n<note/>\n\
         <references>{references}</references>\n<info>{info}</info>\n</alert>\n"
    )
}

const GALE: &str = "<language>zh-CN</language><eventType>11B06</eventType><urgency>Unknown</urgency>\
    <severity>Blue</severity><certainty>Unknown</certainty>\
    <effective>2022-06-02 08:31:42+08:00</effective><onset/><expires>2022-06-03 08:31:42</expires>\
    <senderName>值班员</senderName><headline>某市气象台发布大风蓝色预警[IV级/一般]</headline>\
    <description>阵风 7 级。</description><instruction/><web/>\
    <area><areaDesc>某市,某市鼓楼区</areaDesc><polygon/><circle/>\
    <geocode>350100000000,350102000000,350100000000</geocode></area>";

fn message(document: &str) -> Message {
    read(document.as_bytes()).expect("it can be read")
}

fn refused(document: &str) -> Vec<Fault> {
    read(document.as_bytes()).expect_err("it is refused")
}

#[test]
fn a_warning_of_the_state_is_understood() {
    let message = message(&alert("Alert", 11, "", GALE));
    assert_eq!(
        (
            message.version,
            message.status,
            message.message_type,
            &*message.sender,
            message.sent.to_rfc3339(),
        ),
        (
            Version::V1_2,
            Status::Actual,
            MessageType::Alert,
            "35019941600000",
            "2022-06-02T08:30:11+08:00".to_owned(),
        )
    );
    assert_eq!((message.note, message.codes.len()), (None, 0));
    let [info] = &message.infos[..] else {
        panic!("one info")
    };
    assert_eq!(
        (&*info.event, info.event_code(), &info.categories[..]),
        ("大风", Some("11B06"), &[Category::Met][..])
    );
    assert_eq!(
        (info.severity, info.colour(), info.certainty),
        (Severity::Minor, Some(Colour::Blue), Certainty::Unknown)
    );
    assert_eq!(
        info.sender_name.as_deref(),
        Some("某市气象台"),
        "not who was on duty"
    );
    let time = |text: &str| text.parse().ok();
    assert_eq!(info.effective, time("2022-06-02T08:31:42+08:00"));
    assert_eq!(info.expires, time("2022-06-03T08:31:42+08:00"));
    assert_eq!((info.onset, info.instruction.as_deref()), (None, None));
    let [area] = &info.areas[..] else {
        panic!("one area")
    };
    assert_eq!(area.description, "某市,某市鼓楼区");
    assert_eq!(info.divisions(area), ["350100000000", "350102000000"]);
    assert_eq!((area.polygons.len(), area.circles.len()), (0, 0));
}

#[test]
fn updates_and_cancels_name_what_they_refer_to_by_its_identifier_alone() {
    let first = message(&alert("Alert", 11, "", GALE));
    let update = "35019941600000_20220602083011";
    let update = message(&alert(
        "Update",
        20,
        update,
        &GALE.replace("Blue", "Yellow"),
    ));
    assert_eq!(update.references, [first.reference()]);
    let cancel = "35019941600000_20220602083011,35019941600000_20220602083020";
    let cancel = message(&alert("Cancel", 40, cancel, GALE));
    assert_eq!(cancel.references, [first.reference(), update.reference()]);
    let now = "2022-06-02T01:00:00Z".parse().unwrap();
    // In whatever order they come.
    let mut chain = Chain::default();
    for document in [&cancel, &first] {
        assert!(chain.is_empty() || chain.belongs(&Document::from(document)));
        chain.add(Document::from(document));
    }
    assert_eq!(chain.standing().at(now), State::Cancelled);
    let mut chain = Chain::default();
    for document in [&update, &first] {
        chain.add(Document::from(document));
    }
    assert_eq!(chain.standing().at(now), State::Active);
    assert_eq!(chain.latest(), Some(&Document::from(&update)));
}

#[test]
fn each_colour_has_its_severity_and_an_unknown_event_is_named_by_the_heading() {
    for (word, severity, colour) in [
        ("Red", Severity::Extreme, Colour::Red),
        ("ORANGE", Severity::Severe, Colour::Orange),
        ("黄色", Severity::Moderate, Colour::Yellow),
        ("Severe", Severity::Severe, Colour::Blue),
        ("", Severity::Unknown, Colour::Blue),
    ] {
        let info = GALE.replace(
            "<severity>Blue</severity>",
            &format!("<severity>{word}</severity>"),
        );
        let message = message(&alert("Alert", 11, "", &info));
        let found = &message.infos[0];
        assert_eq!((found.severity, found.colour()), (severity, Some(colour)));
    }
    for (code, event, category) in [
        (
            "11D01",
            "某市气象台发布大风蓝色预警[IV级/一般]",
            Category::Geo,
        ),
        (
            "13A01",
            "某市气象台发布大风蓝色预警[IV级/一般]",
            Category::Health,
        ),
        ("11B01", "台风", Category::Met),
    ] {
        let message = message(&alert("Alert", 11, "", &GALE.replace("11B06", code)));
        let found = &message.infos[0];
        assert_eq!(
            (&*found.event, &found.categories[..], found.event_code()),
            (event, &[category][..], Some(code))
        );
    }
}

#[test]
fn what_is_wrong_is_told_by_the_names_of_the_document() {
    let paths = |document: &str| -> Vec<String> {
        refused(document).into_iter().map(|one| one.path).collect()
    };
    let good = alert("Alert", 11, "", GALE);
    let nameless = good
        .replace("35019941600000_20220602083011", "w1")
        .replace("<sendTime>2022-06-02 08:25:00+08:00</sendTime>", "");
    assert_eq!(paths(&nameless), ["alert/sendTime"]);
    let eventless = alert("Alert", 11, "", "<eventType/><area/>");
    assert_eq!(
        paths(&eventless),
        ["alert/info[1]/eventType", "alert/info[1]/area[1]/areaDesc"]
    );
    assert_eq!(paths(&alert("Update", 11, "", GALE)), ["alert/references"]);
    assert_eq!(
        paths(&alert("Update", 11, "w1", GALE)),
        ["alert/references"]
    );
    let status = good.replace("Actual", "Real");
    assert_eq!(paths(&status), ["alert/status"]);
    // What is of neither kind is of no version of CAP.
    assert_eq!(
        paths("<alert><identifier>w1</identifier></alert>"),
        ["alert"]
    );
}

proptest! {
    /// A document with something cut out of it: what is still one is written as CAP and read again.
    #[test]
    fn spoilt_documents_are_read_or_refused(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..12_usize), 1..6),
    ) {
        let mut bytes = alert("Alert", 11, "", GALE).into_bytes();
        for (place, length) in cuts {
            let at = place.index(bytes.len());
            let end = (at + length).min(bytes.len());
            bytes.drain(at..end);
        }
        match read(&bytes) {
            Ok(message) => {
                let written = cap::write(&message).unwrap();
                prop_assert_eq!(read(written.as_bytes()), Ok(message));
            }
            Err(faults) => prop_assert!(!faults.is_empty()),
        }
    }
}
