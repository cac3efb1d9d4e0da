//! What each process tells operators is what deploy/README.md says that it tells, and nothing about anybody.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kit::auth::Role;
use prost_reflect::DescriptorPool;
use proto::roster::check_policy::Slot;
use proto::sampling::plan_service_client::PlanServiceClient;
use tests::city::{City, Store};
use tests::process::SERVICES;
use tests::town::{CITY, Town, staff_called, student_called};

use crate::checks::{reporter, submit, three_fevers};
use crate::isolation::directives_are_written;
use crate::verbs::{create_plan, draw_city, enter};

/// What nothing of this day brings about: a replica that goes away, rows that were kept for months, acts that
/// forget the log, thousands of refusals, and what there is none of: channels, certificates, tokens and agreements in
/// files, and an issuer. Each has a test of its own that sees it told: of the gateway for calls that are made again
/// (`told`), of notification for channels and what is removed (`told`), of kit for the log (`audit`), for keys of an
/// issuer (`issuer`) and for everything else (`figures`).
const RARE: [&str; 10] = [
    "campus_upstream_repeats_total",
    "campus_retention_removed_total",
    "campus_audit_acts_beside_total",
    "campus_audit_refusals_dropped_total",
    "campus_notification_undelivered",
    "campus_notification_undelivered_age_seconds",
    "campus_certificate_ends_seconds",
    "campus_token_ends_seconds",
    "campus_issuer_keys_age_seconds",
    "campus_partners_file_faulty",
];
/// How often the pages are looked at, and how long nobody does in between: two minutes for figures that are
/// looked at every ten seconds.
const LOOKS: u32 = 240;
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);
/// What there is on PostgreSQL only.
const ON_POSTGRES: [&str; 3] = [
    "campus_outbox_rows",
    "campus_outbox_age_seconds",
    "campus_clock_apart_seconds",
];

/// The kind of a metric, and its labels.
type Kind = (String, BTreeSet<String>);

/// The table of metrics in deploy/README.md.
fn documented() -> BTreeMap<String, Kind> {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/README.md");
    let readme = std::fs::read_to_string(readme).expect("deploy/README.md");
    let rows = readme.lines().filter(|line| line.starts_with("| `campus_"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let labels = cells[3].split(", ").map(str::to_owned);
        let kind = (cells[2].to_owned(), labels.collect());
        (cells[1].trim_matches('`').to_owned(), kind)
    };
    rows.map(row).collect()
}

/// The metrics that pages show, as the table writes them, and every value of the label `method`.
fn shown(pages: &[String]) -> (BTreeMap<String, Kind>, BTreeSet<String>) {
    let (mut metrics, mut methods) = (BTreeMap::<String, Kind>::new(), BTreeSet::new());
    for page in pages {
        for line in page.lines() {
            if let Some((name, kind)) = line
                .strip_prefix("# TYPE ")
                .and_then(|it| it.split_once(' '))
            {
                let known = metrics.entry(name.to_owned()).or_default();
                kind.clone_into(&mut known.0);
            }
            let Some((series, labels)) = line.split_once('{').filter(|_| !line.starts_with('#'))
            else {
                continue;
            };
            let family = ["_bucket", "_sum", "_count"].into_iter();
            let family = family.filter_map(|end| series.strip_suffix(end));
            let family = family.into_iter().find(|name| metrics.contains_key(*name));
            let known = metrics.get_mut(family.unwrap_or(series));
            let (_, known) = known.expect("a series has a type");
            let (labels, _) = labels.rsplit_once('}').expect("labels end");
            for label in labels.split("\",") {
                let (label, value) = label.split_once("=\"").expect("a label has a value");
                if label != "le" {
                    known.insert(label.to_owned());
                }
                if label == "method" {
                    methods.insert(value.trim_matches('"').to_owned());
                }
            }
        }
    }
    metrics.retain(|name, _| name.starts_with("campus_"));
    (metrics, methods)
}

async fn pages(city: &City) -> Vec<String> {
    let mut pages = Vec::new();
    for service in SERVICES {
        pages.push(city.page(service, "/metrics").await);
    }
    pages
}

/// A draw, checks with a cluster of fevers, gates that are passed, an order.
async fn a_morning(city: &City) {
    let officer = city.door(Role::CityOfficer, CITY);
    let plan = create_plan("daily", "");
    let created = PlanServiceClient::new(officer.clone())
        .create_plan(plan)
        .await;
    created.expect("is planned");
    draw_city(officer, "daily").await.expect("is drawn");
    let fevers = three_fevers(city, 1, 1, Slot::Morning);
    submit(&reporter(city, 1, 1), &fevers)
        .await
        .expect("is submitted");
    enter(city, 1, city.student(1, 2, 1)).await;
    directives_are_written(city).await;
}

async fn what_is_told(store: Store) {
    let Some(city) = City::open(store, Town::of(2)).await else {
        return;
    };
    a_morning(&city).await;
    for service in SERVICES {
        let alive = city.page(service, "/livez").await;
        assert!(alive.starts_with("HTTP/1.1 200"), "{service}: {alive}");
        let ready = city.page(service, "/readyz").await;
        assert!(ready.starts_with("HTTP/1.1 200"), "{service}: {ready}");
    }
    let documented = documented();
    let is_wanted = |name: &&str| {
        let elsewhere = ON_POSTGRES.contains(name) && store == Store::Sqlite;
        !RARE.contains(name) && !elsewhere
    };
    let wanted: Vec<&str> = documented
        .keys()
        .map(|name| &**name)
        .filter(is_wanted)
        .collect();
    // Some figures are looked at every ten seconds.
    let mut told = Vec::new();
    let mut missing = wanted.clone();
    for _ in 0..LOOKS {
        told = pages(&city).await;
        let (metrics, _) = shown(&told);
        missing.retain(|name| !metrics.contains_key(*name));
        if missing.is_empty() {
            break;
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    assert_eq!(missing, Vec::<&str>::new(), "never told");
    let (metrics, methods) = shown(&told);
    for (name, kind) in &metrics {
        assert_eq!(documented.get(name), Some(kind), "{name}");
    }

    let contracts = DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts");
    let known: BTreeSet<String> = contracts
        .services()
        .flat_map(|service| {
            service
                .methods()
                .map(|it| it.name().to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(methods.is_subset(&known), "{methods:?}");
    let people = [
        student_called(1, 1, 1),
        student_called(1, 2, 1),
        staff_called(1, "校长"),
        city.student(1, 1, 1).to_owned(),
        city.student(1, 2, 1).to_owned(),
    ];
    for planted in people
        .iter()
        .map(|one| &**one)
        .chain(["organizations/", "students/"])
    {
        let mut lines = told.iter().flat_map(|page| page.lines());
        let line = lines.find(|line| line.contains(planted));
        assert_eq!(line, None, "{planted}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_process_tells_what_is_documented_and_nothing_of_anybody_sqlite() {
    what_is_told(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_process_tells_what_is_documented_and_nothing_of_anybody_postgres() {
    what_is_told(Store::Postgres).await;
}
