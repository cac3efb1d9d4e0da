//! Whatever comes, reading ends and nothing panics; what is written is read back as it was.

use cap::{
    Area, Category, Certainty, Info, Message, MessageType, Named, Reference, Resource,
    ResponseType, Scope, Severity, Status, Urgency, Version,
};
use chrono::{DateTime, FixedOffset};
use proptest::prelude::*;

/// A text without white space around it, of everything that XML can carry.
fn text() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "&amp;",
        "<![CDATA[",
        "]]>",
        "<",
        ">",
        "&",
        "\r\n",
        "\r",
        "\n",
        "\t",
        "'",
        "\"",
        "台风",
        "\u{2028}",
        "😀",
        " ",
        "{ $x }",
        "--",
    ]);
    let plain = "[a-zA-Z0-9 ，。]{1,8}".prop_map(|text: String| text);
    let piece = prop_oneof![odd.prop_map(str::to_owned), plain];
    prop::collection::vec(piece, 1..6)
        .prop_map(|pieces| pieces.concat().trim().to_owned())
        .prop_filter("not empty", |text| !text.is_empty())
}

fn maybe() -> impl Strategy<Value = Option<String>> {
    prop::option::of(text())
}

fn token() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9.@:_气象-]{1,20}"
}

fn instant() -> impl Strategy<Value = DateTime<FixedOffset>> {
    (0..4_000_000_000_i64, -14 * 60..=14 * 60_i32).prop_map(|(seconds, minutes)| {
        let offset = FixedOffset::east_opt(minutes * 60).expect("an offset");
        DateTime::from_timestamp(seconds, 0)
            .expect("an instant")
            .with_timezone(&offset)
    })
}

fn reference() -> impl Strategy<Value = Reference> {
    (token(), token(), instant()).prop_map(|(sender, identifier, sent)| Reference {
        sender,
        identifier,
        sent,
    })
}

fn named() -> impl Strategy<Value = Vec<Named>> {
    let one = (text(), maybe()).prop_map(|(name, value)| Named {
        name,
        value: value.unwrap_or_default(),
    });
    prop::collection::vec(one, 0..3)
}

fn area() -> impl Strategy<Value = Area> {
    let point = (-90..=90_i32, -180..=180_i32);
    let points = prop::collection::vec(point, 3..6).prop_map(|points| {
        let first = points[0];
        let closed = points.into_iter().chain([first]);
        let texts: Vec<_> = closed
            .map(|(lat, long)| format!("{lat}.5,{long}"))
            .collect();
        texts.join(" ").replace("90.5", "90.0")
    });
    let height = prop::option::of((-1000.0..30_000.0_f64, prop::option::of(0.0..60_000.0_f64)));
    (text(), prop::collection::vec(points, 0..2), named(), height).prop_map(
        |(description, polygons, geocodes, height)| Area {
            description,
            polygons: polygons
                .iter()
                .map(|text| text.parse().expect("a polygon"))
                .collect(),
            circles: vec!["26.08,119.3 12.5".parse().expect("a circle")],
            geocodes,
            altitude: height.map(|(from, _)| from),
            ceiling: height.and_then(|(_, to)| to),
        },
    )
}

fn resource() -> impl Strategy<Value = Resource> {
    (
        text(),
        text(),
        any::<Option<u64>>(),
        maybe(),
        maybe(),
        maybe(),
    )
        .prop_map(
            |(description, mime_type, size, uri, deref_uri, digest)| Resource {
                description,
                mime_type,
                size,
                uri,
                deref_uri,
                digest,
            },
        )
}

fn info() -> impl Strategy<Value = Info> {
    let words = (
        prop::collection::vec(prop::sample::select(Category::ALL), 1..3),
        prop::collection::vec(prop::sample::select(ResponseType::ALL), 0..3),
        prop::sample::select(Urgency::ALL),
        prop::sample::select(Severity::ALL),
        prop::sample::select(Certainty::ALL),
    );
    let times = prop::array::uniform3(prop::option::of(instant()));
    let lists = (
        named(),
        named(),
        prop::collection::vec(resource(), 0..2),
        prop::collection::vec(area(), 0..2),
    );
    let texts = prop::collection::vec(maybe(), 7);
    (text(), words, times, lists, texts).prop_map(|(event, words, times, lists, texts)| {
        let mut texts = texts.into_iter();
        let mut next = || texts.next().flatten();
        Info {
            language: "zh-CN".to_owned(),
            categories: words.0,
            event,
            response_types: words.1,
            urgency: words.2,
            severity: words.3,
            certainty: words.4,
            audience: next(),
            event_codes: lists.0,
            effective: times[0],
            onset: times[1],
            expires: times[2],
            sender_name: next(),
            headline: next(),
            description: next(),
            instruction: next(),
            web: next(),
            contact: next(),
            parameters: lists.1,
            resources: lists.2,
            areas: lists.3,
        }
    })
}

fn message() -> impl Strategy<Value = Message> {
    let words = (
        prop::sample::select(Status::ALL),
        prop::sample::select(MessageType::ALL),
        prop::sample::select(Scope::ALL),
    );
    let texts = (
        maybe(),
        text(),
        text(),
        prop::collection::vec(text(), 0..3),
        maybe(),
        maybe(),
    );
    let references = prop::collection::vec(reference(), 1..3);
    (
        reference(),
        words,
        texts,
        references,
        prop::collection::vec(info(), 0..3),
    )
        .prop_map(|(name, words, texts, references, infos)| Message {
            version: Version::V1_2,
            identifier: name.identifier,
            sender: name.sender,
            sent: name.sent,
            status: words.0,
            message_type: words.1,
            source: texts.0,
            scope: words.2,
            restriction: Some(texts.1),
            addresses: Some(texts.2),
            codes: texts.3,
            note: texts.4,
            references,
            incidents: texts.5,
            infos,
        })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(message in message()) {
        let document = cap::write(&message).expect("written");
        prop_assert_eq!(cap::read(document.as_bytes()), Ok(message));
    }

    #[test]
    fn bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let refused = cap::read(&bytes).expect_err("no document");
        prop_assert!(!refused.is_empty());
    }

    #[test]
    fn texts_are_read_or_refused(text in "[<>/!\\[\\]?&;#x'\" =a-c:\\-\u{0}\u{fffe}中]{0,80}") {
        let refused = cap::read(text.as_bytes()).expect_err("no document");
        prop_assert!(!refused.is_empty());
    }

    /// A document with some bytes cut out, put in or changed.
    #[test]
    fn spoilt_documents_are_read_or_refused(
        message in message(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..12_usize, any::<u8>(), any::<bool>()), 1..6),
    ) {
        let mut bytes = cap::write(&message).expect("written").into_bytes();
        for (place, length, byte, insert) in cuts {
            let at = place.index(bytes.len());
            if insert {
                bytes.insert(at, byte);
            } else {
                let end = (at + length).min(bytes.len());
                bytes.drain(at..end);
            }
            if bytes.is_empty() {
                bytes.push(byte);
            }
        }
        match cap::read(&bytes) {
            // What is still a document is written and read again.
            Ok(message) => prop_assert!(cap::write(&message).is_ok()),
            Err(faults) => prop_assert!(!faults.is_empty() && faults.len() <= 100),
        }
    }
}
