//! One trace through the city: from the door through a service and its database into those who follow what it
//! caused. Whoever calls chooses neither which trace it is nor whether it is collected.

use std::collections::BTreeSet;
use std::time::Duration;

use kit::telemetry::{HeardSpan, StandIn};
use proto::roster::check_policy::Slot;
use proto::sampling::SubmitCheckRequest;
use proto::sampling::screening_service_client::ScreeningServiceClient;
use proto::sampling::submit_check_response::Verdict;
use serde_json::Value;
use tests::city::{City, Fittings, Store};
use tests::process::SERVICES;
use tests::town::Town;
use tests::until;
use tonic::Request;

use crate::checks::{reporter, three_fevers};

const SUBMIT: &str = "/campus.sampling.v1.ScreeningService/SubmitCheck";
/// The trace that the caller shows, and their span.
const THEIRS: (&str, &str) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
/// Who follows what a check causes.
const FOLLOWERS: [&str; 2] = ["safety-inspection", "notification"];
/// What stands in the trace of a check, besides the statements of the service.
const WANTED: [(&str, &str); 8] = [
    ("gateway", SUBMIT),
    ("gateway", "sampling"),
    ("sampling", SUBMIT),
    ("sampling", "COMMIT"),
    ("safety-inspection", "follow"),
    ("safety-inspection", "COMMIT"),
    ("notification", "follow"),
    ("notification", "COMMIT"),
];
/// How often the collector is looked at, and how long nobody does in between: a minute, since spans are sent
/// every five seconds.
const LOOKS: u32 = 120;
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// Settings of telemetry that send to `collector`, with log lines of what is followed.
fn telemetry(collector: &StandIn, share: f64) -> String {
    format!(
        "filter = \"info,kit=debug\"\notlp_endpoint = \"{}\"\ntrace_share = {share:?}",
        collector.endpoint()
    )
}

/// A class group reports fevers, in a call that says that it is a part of another trace, and to be collected.
async fn fevers_are_reported(city: &City) {
    let check = Some(three_fevers(city, 1, 1, Slot::Morning));
    let mut request = Request::new(SubmitCheckRequest { check });
    let shown = format!("00-{}-{}-01", THEIRS.0, THEIRS.1);
    let shown = shown.parse().expect("a header");
    request.metadata_mut().insert("traceparent", shown);
    let mut client = ScreeningServiceClient::new(reporter(city, 1, 1));
    let taken = client.submit_check(request).await.expect("is taken");
    assert_eq!(taken.into_inner().verdict(), Verdict::Stored);
}

/// The call as it came in at the door.
fn at_the_door(spans: &[HeardSpan]) -> Option<&HeardSpan> {
    let at_the_door = |span: &&HeardSpan| span.service == "gateway" && span.name == SUBMIT;
    spans.iter().find(at_the_door)
}

/// The spans around one of a trace, from its own up to the first, as service and name.
fn above<'a>(trace: &[&'a HeardSpan], span: &'a HeardSpan) -> Vec<(&'a str, &'a str)> {
    let mut way = Vec::new();
    let mut next = Some(span);
    // None is above itself.
    while let Some(span) = next.filter(|_| way.len() <= trace.len()) {
        way.push((&*span.service, &*span.name));
        next = trace.iter().copied().find(|one| one.id == span.parent);
    }
    way
}

/// What the trace of the call does not have, or has where it does not belong.
fn faults(spans: &[HeardSpan]) -> Vec<String> {
    let Some(door) = at_the_door(spans) else {
        return vec!["nothing of the call".to_owned()];
    };
    let trace: Vec<&HeardSpan> = spans.iter().filter(|one| one.trace == door.trace).collect();
    let of = |service: &'static str, name: &'static str| {
        let trace = trace.iter().copied();
        trace.filter(move |one| one.service == service && one.name == name)
    };
    let mut faults = Vec::new();
    for (service, name) in WANTED {
        if of(service, name).next().is_none() {
            faults.push(format!("no {name} of {service}"));
        }
    }
    let statements = ["SELECT", "INSERT", "UPDATE", "WITH"];
    if !statements
        .iter()
        .any(|name| of("sampling", name).next().is_some())
    {
        faults.push("no statement of sampling".to_owned());
    }
    for span in &trace {
        let hangs = trace.iter().any(|one| one.id == span.parent);
        if span.id != door.id && !hangs {
            faults.push(format!(
                "{} of {} hangs in the air",
                span.name, span.service
            ));
        }
    }
    let call = [
        ("sampling", SUBMIT),
        ("gateway", "sampling"),
        ("gateway", SUBMIT),
    ];
    let caused = FOLLOWERS.map(|service| (service, "follow"));
    for (service, name) in caused.into_iter().chain([("sampling", "COMMIT")]) {
        let mut ways = of(service, name).map(|span| above(&trace, span));
        if !ways.any(|way| way.ends_with(&call)) {
            faults.push(format!("no {name} of {service} comes from the call"));
        }
    }
    faults
}

async fn one_trace(store: Store) {
    let collector = StandIn::start().await.expect("a collector");
    let telemetry = telemetry(&collector, 1.0);
    let fittings = Fittings {
        telemetry: &telemetry,
        ..Fittings::default()
    };
    let Some(city) = City::open_with(store, Town::of(1), fittings).await else {
        return;
    };
    fevers_are_reported(&city).await;
    let mut found = Vec::new();
    for _ in 0..LOOKS {
        found = faults(&collector.spans());
        if found.is_empty() {
            break;
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    assert_eq!(found, Vec::<String>::new());
    let spans = collector.spans();
    let door = at_the_door(&spans).expect("the call");
    assert_eq!(door.parent, "", "it begins here");
    assert_eq!(door.links, [(THEIRS.0.to_owned(), THEIRS.1.to_owned())]);
    assert!(spans.iter().all(|span| span.trace != THEIRS.0));
    for service in FOLLOWERS {
        let lines = lines(&city, service, "changes were stored").await;
        let traces: BTreeSet<String> = lines.iter().filter_map(trace_of).collect();
        assert!(traces.contains(&door.trace), "{service}: {traces:?}");
    }
}

/// The log lines of a service with this message.
async fn lines(city: &City, service: &str, message: &str) -> Vec<Value> {
    let said = city.said(service).await;
    let lines = said.lines().filter(|line| line.contains(message));
    let lines = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["message"] == message).collect()
}

fn trace_of(line: &Value) -> Option<String> {
    line["trace_id"].as_str().map(ToOwned::to_owned)
}

/// The trace of the call by the log of a service.
async fn trace_by(city: &City, service: &'static str) -> String {
    until(&format!("{service} answers the call"), || async {
        let answered = lines(city, service, "answered").await;
        let mut call = answered
            .iter()
            .filter(|line| line["span"]["path"] == SUBMIT);
        call.next().and_then(trace_of)
    })
    .await
}

async fn an_uncollected_trace(store: Store) {
    let collector = StandIn::start().await.expect("a collector");
    let telemetry = telemetry(&collector, 0.0);
    let fittings = Fittings {
        telemetry: &telemetry,
        ..Fittings::default()
    };
    let Some(city) = City::open_with(store, Town::of(1), fittings).await else {
        return;
    };
    fevers_are_reported(&city).await;
    let trace = trace_by(&city, "gateway").await;
    assert_ne!(trace, THEIRS.0, "nobody outside chooses it");
    assert_eq!(trace_by(&city, "sampling").await, trace);
    for service in FOLLOWERS {
        until(&format!("{service} says by which call"), || async {
            let lines = lines(&city, service, "changes were stored").await;
            let mut traces = lines.iter().filter_map(trace_of);
            traces.any(|one| one == trace).then_some(())
        })
        .await;
    }
    // What is buffered leaves at the end.
    for service in SERVICES.into_iter().rev() {
        city.stop(service).await;
    }
    assert!(collector.heard("campus.rpc.duration"), "somebody listens");
    assert_eq!(
        collector.spans(),
        [],
        "nobody outside has a trace collected"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_is_one_trace_from_the_door_to_those_who_follow_sqlite() {
    one_trace(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn log_lines_are_joined_by_a_trace_that_nobody_collects_sqlite() {
    an_uncollected_trace(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_is_one_trace_from_the_door_to_those_who_follow_postgres() {
    one_trace(Store::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn log_lines_are_joined_by_a_trace_that_nobody_collects_postgres() {
    an_uncollected_trace(Store::Postgres).await;
}
