//! Whatever is sent in whatever dialect, nothing comes to a service that its caller may not ask for: judged by
//! the table that operators read, not by what the door decides with.

mod door;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use door::clock;
use door::http::{Reply, Seen, Town, framed, send, send_http2};
use http::{HeaderMap, Method, Request};
use kit::auth::{Issuer, Role};
use kit::org::OrgPath;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tonic::Status;

/// No answer takes longer; a loaded machine has its share in this.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// Headers that concern one hop, or that only the door may set.
const NOT_PASSED: [&str; 6] = [
    "traceparent",
    "connection",
    "upgrade",
    "transfer-encoding",
    "cookie",
    "x-forged",
];

/// What somebody shows to be let in.
#[derive(Clone, Debug)]
enum Credentials {
    None,
    /// A token that nobody signed.
    Forged(Vec<Role>),
    /// A token that ended.
    Old(Vec<Role>),
    Good(Vec<Role>),
}

impl Credentials {
    fn bearer(&self) -> Option<String> {
        let (roles, minutes) = match self {
            Self::None => return None,
            Self::Forged(roles) | Self::Good(roles) => (roles, 0),
            Self::Old(roles) => (roles, 60),
        };
        let issued = clock().now() - Duration::from_secs(60 * minutes);
        let (life, root) = (Duration::from_secs(600), OrgPath::root());
        let laboratory = roles.contains(&Role::Laboratory).then_some("lab-1");
        let mut token =
            Issuer::development().token("somebody", roles, &root, laboratory, issued, life);
        if let Self::Forged(_) = self {
            let signature = token.rfind('.').expect("a signature") + 1;
            let other = if token[signature..].starts_with('A') {
                "B"
            } else {
                "A"
            };
            token.replace_range(signature..=signature, other);
        }
        Some(format!("Bearer {token}"))
    }
}

/// A request, and who sent it.
#[derive(Clone, Debug)]
struct Sent {
    credentials: Credentials,
    /// The header that shows them.
    bearer: Option<String>,
    dialect: Dialect,
    method: Method,
    path: String,
    body: Vec<u8>,
    headers: Vec<(&'static str, &'static str)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Grpc,
    Web,
    Json,
}

/// What each role may do, by the table that operators read.
fn granted() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let table = include_str!("../../../deploy/policies/matrix.csv");
    let mut lines = table.lines().map(|line| line.split(','));
    let roles: Vec<_> = lines.next().expect("a heading").skip(1).collect();
    let mut granted: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for mut line in lines {
        let permission = line.next().expect("a permission");
        for (role, cell) in roles.iter().zip(line) {
            let of_role = granted.entry(*role).or_default();
            if cell == "x" {
                of_role.insert(permission);
            }
        }
    }
    granted
}

/// What is wrong with a request that came to a service, if anything is.
fn fault(
    granted: &BTreeMap<&'static str, BTreeSet<&'static str>>,
    sent: &Sent,
    seen: &Seen,
) -> Option<&'static str> {
    let Credentials::Good(roles) = &sent.credentials else {
        return Some("nobody who is known");
    };
    let Some(rule) = proto::access(&seen.path) else {
        return Some("no method of the contracts");
    };
    let may = |role: &Role| {
        let of_role = granted.get(role.as_str());
        let named =
            |permission: &String| of_role.is_some_and(|of| of.contains(permission.as_str()));
        rule.permissions.iter().any(named)
    };
    if !rule.any_caller && !roles.iter().any(may) {
        return Some("somebody who may not");
    }
    // What stands behind a question mark is no part of a method, and is not passed on as one.
    let asked = sent.path.split('?').next();
    if sent.dialect != Dialect::Json && asked != Some(&*seen.path) {
        return Some("another method than was asked for");
    }
    let bearer = seen.headers.get_all("authorization").iter();
    let bearers: Vec<_> = bearer.map(|value| value.as_bytes()).collect();
    if bearers != [sent.bearer.as_deref().unwrap_or_default().as_bytes()] {
        return Some("another token than the caller's");
    }
    let passed = |name: &&str| sent.dialect != Dialect::Grpc && seen.headers.contains_key(*name);
    if NOT_PASSED.iter().any(passed) || seen.headers.contains_key("connection") {
        return Some("a header that is not passed on");
    }
    None
}

fn credentials() -> impl Strategy<Value = Credentials> {
    let roles = || subsequence(Role::ALL.to_vec(), 0..4);
    prop_oneof![
        1 => Just(Credentials::None),
        1 => roles().prop_map(Credentials::Forged),
        1 => roles().prop_map(Credentials::Old),
        6 => roles().prop_map(Credentials::Good),
    ]
}

/// The paths of gRPC: those of the contracts, most of them as they are.
fn call_path() -> impl Strategy<Value = String> {
    let behind = |path: &&'static str| !path.starts_with("/campus.gateway.");
    let mut paths: Vec<_> = proto::rules()
        .map(|(path, _)| path)
        .filter(behind)
        .collect();
    paths.sort_unstable();
    let path = select(paths);
    prop_oneof![
        8 => path.clone().prop_map(str::to_owned),
        1 => (path.clone(), "[/.?%A-Za-z]{1,3}").prop_map(|(path, end)| format!("{path}{end}")),
        1 => path.prop_map(str::to_lowercase),
    ]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        Just(b"{}".to_vec()),
        "\\{\"[a-zA-Z]{1,9}\": ?(1|\"[a-z]{0,5}\"|\\{\\}|\\[\\])\\}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|message| framed(&message)),
        prop::collection::vec(any::<u8>(), 0..40),
    ]
}

fn headers() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let all = vec![
        ("cookie", "authorization=Bearer other"),
        ("x-forged", "somebody else"),
        ("x-campus-purpose", "care"),
        ("grpc-timeout", "1H"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
    ];
    subsequence(all, 0..5)
}

/// Each place of HTTP that the document of the door tells of, with its method.
fn places(document: &serde_json::Value) -> Vec<(Method, String)> {
    let paths = document["paths"].as_object().expect("paths");
    let behind = paths.iter().filter(|(path, _)| {
        let own = ["/overview", "/audit"]
            .iter()
            .any(|part| path.contains(part));
        !own
    });
    let places = behind.flat_map(|(path, methods)| {
        let named = |name: &&str| methods.get(*name).is_some();
        let verbs = ["get", "post", "put", "patch", "delete"]
            .into_iter()
            .filter(named);
        let verbs = verbs.filter_map(|name| name.to_uppercase().parse().ok());
        let place = |method| (method, filled(path));
        verbs.map(place).collect::<Vec<_>>()
    });
    places.collect()
}

/// A path with a name in place of each variable.
fn filled(path: &str) -> String {
    let mut parts = path.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |path, part| {
        let rest = part.split_once('}').map_or("", |(_, rest)| rest);
        format!("{path}7{rest}")
    })
}

async fn reply(town: &Town, sent: &Sent) -> Option<Reply> {
    let mut call = Request::builder()
        .method(sent.method.clone())
        .uri(&sent.path)
        .header("host", "campus");
    if let Some(bearer) = &sent.bearer {
        call = call.header("authorization", bearer);
    }
    for (name, value) in &sent.headers {
        call = call.header(*name, *value);
    }
    let kind = match sent.dialect {
        Dialect::Grpc => Some("application/grpc"),
        Dialect::Web => Some("application/grpc-web"),
        Dialect::Json if sent.body.is_empty() => None,
        Dialect::Json => Some("application/json"),
    };
    if let Some(kind) = kind {
        call = call.header("content-type", kind);
    }
    let call = call.body(Bytes::from(sent.body.clone())).ok()?;
    let answered = async {
        match sent.dialect {
            Dialect::Grpc => send_http2(town.addr, call).await,
            Dialect::Web | Dialect::Json => send(town.addr, call).await,
        }
    };
    Some(timeout(ANSWERS_WITHIN, answered).await.expect("in time"))
}

#[test]
fn nothing_comes_to_a_service_that_its_caller_may_not_ask_for() {
    let runtime = Runtime::new().expect("a runtime");
    let town = runtime.block_on(Town::new(vec![Vec::new()], Status::ok("")));
    let probe = Request::get("/openapi.json").header("host", "campus");
    let probe = probe.body(Bytes::new()).expect("a request");
    let document = runtime.block_on(send(town.addr, probe)).json();
    let place = select(places(&document));
    let call = (select(vec![Dialect::Grpc, Dialect::Web]), call_path());
    let call = call.prop_map(|(dialect, path)| (dialect, Method::POST, path));
    let asked = prop_oneof![
        call,
        place.prop_map(|(method, path)| (Dialect::Json, method, path)),
    ];
    let strategy = (credentials(), asked, body(), headers());
    let strategy =
        strategy.prop_map(
            |(credentials, (dialect, method, path), body, headers)| Sent {
                bearer: credentials.bearer(),
                credentials,
                dialect,
                method,
                path,
                body,
                headers,
            },
        );
    let mut runner = TestRunner::new(Config {
        cases: 700,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    });
    let granted = granted();
    let (town, counts) = (RefCell::new(town), Cell::new((0, 0)));
    let ran = runner.run(&strategy, |sent| {
        let mut town = town.borrow_mut();
        let Some(_answered) = runtime.block_on(reply(&town, &sent)) else {
            return Ok(());
        };
        let mut came = false;
        while let Ok(seen) = town.seen.try_recv() {
            came = true;
            let fault = fault(&granted, &sent, &seen);
            prop_assert_eq!(fault, None, "{:?} brought {}", sent, seen.path);
        }
        let (passed, refused) = counts.get();
        counts.set((passed + u32::from(came), refused + u32::from(!came)));
        Ok(())
    });
    ran.expect("nothing came that may not");
    let (passed, refused) = counts.get();
    assert!(
        passed > 50 && refused > 50,
        "{passed} passed, {refused} were refused"
    );
}

#[test]
fn the_judge_finds_each_fault() {
    let granted = granted();
    let path = "/campus.roster.v1.GuardianService/RevealGuardianPhone";
    let sent = |credentials: &Credentials, dialect: Dialect| Sent {
        credentials: credentials.clone(),
        bearer: Some(format!("{credentials:?}")),
        dialect,
        method: Method::POST,
        path: path.to_owned(),
        body: Vec::new(),
        headers: Vec::new(),
    };
    let seen = |path: &str, credentials: &Credentials| {
        let mut headers = HeaderMap::new();
        let bearer = format!("{credentials:?}");
        headers.insert("authorization", bearer.parse().expect("a header"));
        Seen {
            path: path.to_owned(),
            headers,
            body: Bytes::new(),
        }
    };
    let clerk = Credentials::Good(vec![Role::SchoolClerk]);
    let guard = Credentials::Good(vec![Role::Guard]);
    let forged = Credentials::Forged(vec![Role::SchoolClerk]);
    let found = |sent: Sent, seen: &Seen| fault(&granted, &sent, seen);
    let good = seen(path, &clerk);
    assert_eq!(found(sent(&clerk, Dialect::Grpc), &good), None);
    let mut carried = seen(path, &clerk);
    carried
        .headers
        .insert("cookie", "a=b".parse().expect("a header"));
    let other = "/campus.roster.v1.GuardianService/GetGuardian";
    let faults = [
        found(sent(&Credentials::None, Dialect::Grpc), &good),
        found(sent(&forged, Dialect::Grpc), &seen(path, &forged)),
        found(
            sent(&clerk, Dialect::Json),
            &seen("/grpc.health.v1.Health/Check", &clerk),
        ),
        found(sent(&guard, Dialect::Grpc), &seen(path, &guard)),
        found(sent(&clerk, Dialect::Web), &seen(other, &clerk)),
        found(sent(&clerk, Dialect::Grpc), &seen(path, &guard)),
        found(sent(&clerk, Dialect::Json), &carried),
    ];
    let expected = [
        "nobody who is known",
        "nobody who is known",
        "no method of the contracts",
        "somebody who may not",
        "another method than was asked for",
        "another token than the caller's",
        "a header that is not passed on",
    ];
    assert_eq!(faults, expected.map(Some));
}
