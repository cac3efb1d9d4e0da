//! No process tells of anybody: neither in what it writes, nor in its traces and metrics, nor on its page; not even
//! where it is as talkative as it can be, and not when it was asked wrongly. And whoever takes the databases away has
//! nobody's number, address or confidence.

mod databases;
mod morning;
mod wrong;

use kit::telemetry::StandIn;
use tests::city::{City, Fittings, Store};
use tests::process::SERVICES;
use tests::town::{POSTS, Town, resident_id, staff_called, student_called};

/// Crates of ours, of which everything is written. Of others is written what helps to find a fault.
const OURS: [&str; 6] = [
    "kit",
    "roster",
    "sampling",
    "safety_inspection",
    "notification",
    "gateway",
];
/// A provider of text messages that nobody reaches.
const SENDING: &str = r#"[sending]
poll = "50ms"
[[channels]]
id = "sms"
kind = "sms"
url = "http://127.0.0.1:9/v1"
insecure = true
timeout = "2s"
[channels.request]
json = '{"to": "{address}", "content": "{title} {body}", "id": "{id}"}'
"#;
/// How what was found of somebody would look as our own code writes it.
const FINDINGS: [&str; 8] = [
    "Fever",
    "Cough",
    "Covid19",
    "Hfmd",
    "Symptom",
    "symptoms: ",
    "temperature_tenths: ",
    "decidegrees: ",
];

/// One school with two small class groups.
fn town() -> Town {
    Town {
        students: 6,
        ..Town::of(1)
    }
}

/// Everybody in the register, by names and numbers.
fn everybody(town: &Town) -> Vec<String> {
    let mut planted: Vec<String> = POSTS.map(|post| staff_called(1, post)).into();
    for class in 1..=town.classes {
        for place in 1..=town.students {
            let number = town.number(1, class, place);
            planted.push(student_called(1, class, place));
            planted.push(format!("家长01{class:02}{place:03}"));
            planted.push(resident_id(number));
            // The telephone of the first has so many zeros that a figure may have them as well.
            if number > 0 {
                planted.push(format!("199{number:08}"));
            }
        }
    }
    planted
}

/// What a text is in a URL or a header.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Whether a text has this in it, but for digits within the fraction of a figure: sums of seconds end as
/// they will.
fn tells(text: &str, what: &str) -> bool {
    let digits = what.bytes().all(|byte| byte.is_ascii_digit());
    let fraction = |at: usize| {
        let before = text[..at].trim_end_matches(|one: char| one.is_ascii_digit());
        let whole = before.strip_suffix('.').unwrap_or_default();
        whole.ends_with(|one: char| one.is_ascii_digit())
    };
    text.match_indices(what)
        .any(|(at, _)| !(digits && fraction(at)))
}

#[test]
fn what_is_planted_is_found_wherever_it_is_no_fraction() {
    for told in [
        "19900000003",
        "a 19900000003.",
        "1.0 19900000003",
        ".19900000003",
    ] {
        assert!(tells(told, "19900000003"), "{told}");
    }
    assert!(!tells("sum 0.20947419900000003", "19900000003"));
    assert!(tells("林0.1子涵", "子涵"));
}

async fn silence(store: Store) {
    let collector = StandIn::start().await.expect("a collector");
    let ours = OURS.map(|name| format!(",{name}=trace")).concat();
    let telemetry = format!(
        "filter = \"debug{ours}\"\notlp_endpoint = \"{}\"",
        collector.endpoint()
    );
    let fittings = Fittings {
        telemetry: &telemetry,
        sending: SENDING,
        ..Fittings::default()
    };
    let Some(city) = City::open_with(store, town(), fittings).await else {
        return;
    };
    let mut planted = everybody(&city.town);
    planted.extend(morning::passes(&city).await);
    planted.extend(wrong::requests(&city).await);
    let mut told = Vec::new();
    for service in SERVICES {
        let page = city.page(service, "/metrics").await;
        assert!(page.contains("campus_rpc_calls_total"), "{service}");
        told.push((format!("the page of {service}"), page));
    }
    // What is buffered leaves at the end.
    for service in SERVICES.into_iter().rev() {
        city.stop(service).await;
    }
    for service in SERVICES {
        let said = city.said(service).await;
        let answered = said.contains("\"answered\"") && said.contains("trace_id");
        assert!(answered, "{service} is listened to");
        told.push((format!("the log of {service}"), said));
    }
    let sent = collector.text();
    for heard in ["SubmitCheck", "CheckEntry", "campus.rpc.duration"] {
        assert!(sent.contains(heard), "{heard} is heard");
    }
    told.push(("what is sent to a collector".to_owned(), sent));
    for (place, text) in &told {
        let findings = FINDINGS.into_iter();
        for one in planted.iter().map(|one| &**one).chain(findings) {
            if tells(text, one) {
                let line = text.lines().find(|line| tells(line, one));
                panic!("{place}: {one}: {line:?}");
            }
        }
    }
    databases::tell_nothing(&city).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_of_by_logs_traces_and_metrics_sqlite() {
    silence(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_of_by_logs_traces_and_metrics_postgres() {
    silence(Store::Postgres).await;
}
