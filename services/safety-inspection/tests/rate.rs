//! Measures the gate: `cargo test --release -p safety-inspection --test rate -- --ignored --nocapture`.
#![expect(clippy::print_stdout, reason = "a measurement is there to be read")]

mod city;

use std::sync::Arc;
use std::time::{Duration, Instant};

use kit::auth::{AuthConfig, Issuer, Role};
use kit::clock::{Clock, SystemClock};
use kit::drain::Drain;
use kit::scratch::Scratch;
use kit::server::ServerConfig;
use kit::telemetry::TelemetryConfig;
use proto::safety as pb;
use proto::safety::check_entry_request::Identity;
use proto::safety::gate_service_client::GateServiceClient;
use safety_inspection::domain::index::{Index, Member, Roll};
use safety_inspection::domain::observation::{Colour, Observation, Temperature};
use safety_inspection::domain::person::PersonName;
use safety_inspection::{Config, GateConfig, Migrator};
use tonic::Request;
use uuid::Uuid;

const GATES: usize = 64;
const SECONDS: u64 = 5;

/// 1.6 million people in memory, and what one decision takes.
#[test]
#[ignore = "measures speed, proves nothing: run on demand with --release, on a quiet machine"]
fn a_city_in_memory() {
    let before = resident_kib();
    let mut index = Index::default();
    for class in 0..40_000_u128 {
        let member = |seat: u128| Member {
            person: city::student((class * 40 + seat).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c))
                .parse::<PersonName>()
                .expect("a name"),
            on_leave: false,
        };
        let roll = Roll {
            org_path: format!("fz/350102/s{}/p2019-{:02}", class / 14, class % 14),
            in_person: true,
            members: (0..40).map(member).collect(),
        };
        index.set_roll(&format!("organizations/s/classGroups/{class}"), Some(roll));
    }
    println!(
        "index of {} people: {} MiB",
        index.len(),
        (resident_kib() - before) / 1024
    );
    let rounds = 200_000_u128;
    let began = Instant::now();
    let mut expected = 0_u64;
    let day = chrono::NaiveDate::from_ymd_opt(2022, 4, 6).expect("a day");
    let now = "2022-04-06T00:00:00Z".parse().expect("an instant");
    for round in 0..rounds {
        use safety_inspection::domain::decision::{Case, Outcome, decide};
        use safety_inspection::domain::observation::Reading;
        let number = (round * 7 % 1_600_000).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c);
        let person = PersonName {
            kind: safety_inspection::domain::person::PersonKind::Student,
            id: Uuid::from_u128(number),
        };
        let school = "fz/350102";
        let policy = index.policy(school, day);
        let decision = decide(&Case {
            standing: index.standing(person, school),
            clearance: index.clearance(person),
            observation: Observation {
                temperature: Temperature::from_tenths(365).ok(),
                colour: Colour::Green,
                travel: None,
            },
            reading: Reading::First,
            emergency: false,
            today: day,
            facts_time: Some(now),
            now,
            policy: &policy,
        });
        expected += u64::from(decision.outcome == Outcome::Observe);
    }
    assert_eq!(u128::from(expected), rounds);
    println!(
        "one decision: {:.2} µs",
        began.elapsed().as_secs_f64() * 1e6 / rounds as f64
    );
}

fn resident_kib() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok())
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures speed, proves nothing: run on demand with --release, on a quiet machine"]
async fn sixty_four_gates_on_sqlite() {
    measure("SQLite", kit::scratch::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures speed, proves nothing: run on demand with --release, on a quiet machine"]
async fn sixty_four_gates_on_postgres() {
    let Some(scratch) = kit::scratch::postgres().await else {
        return;
    };
    measure("PostgreSQL", scratch).await;
}

async fn measure(what: &str, scratch: Scratch) {
    let db = scratch.open::<Migrator>().await;
    city::roster(&db, &city::city(), 1).await;
    let config = Config {
        server: ServerConfig::loopback(),
        auth: AuthConfig::development(),
        telemetry: TelemetryConfig::default(),
        database: (*scratch).clone(),
        roster: "http://127.0.0.1:9".to_owned(),
        sampling: "http://127.0.0.1:9".to_owned(),
        gate: GateConfig::default(),
    };
    let clock = Arc::new(SystemClock);
    let running = safety_inspection::start(config, clock, Drain::new())
        .await
        .expect("started");
    let scope = city::SCHOOL_PATH.parse().expect("a scope");
    let hour = Duration::from_secs(3600);
    let token = Issuer::development().token(
        "guard",
        &[Role::Guard],
        &scope,
        None,
        SystemClock.now(),
        hour,
    );
    let bearer: tonic::metadata::MetadataValue<_> =
        format!("Bearer {token}").parse().expect("a header");
    let address = format!("http://{}", running.addr);
    let until = Instant::now() + Duration::from_secs(SECONDS);
    let gates: Vec<_> = (0..GATES)
        .map(|gate| {
            let bearer = bearer.clone();
            let channel = kit::channel::connect_lazy(&address).expect("an address");
            let mut client = GateServiceClient::new(channel);
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                while Instant::now() < until {
                    let mut request = Request::new(pb::CheckEntryRequest {
                        parent: city::SCHOOL.to_owned(),
                        identity: Some(Identity::Person(city::student(1 + gate as u128 % 5))),
                        observation: Some(pb::GateObservation {
                            temperature_decidegrees: Some(365),
                            colour: pb::gate_observation::Colour::Green.into(),
                            travel_card: None,
                        }),
                        device: format!("gate-{gate}"),
                        ..Default::default()
                    });
                    request
                        .metadata_mut()
                        .insert("authorization", bearer.clone());
                    let began = Instant::now();
                    client.check_entry(request).await.expect("decided");
                    latencies.push(began.elapsed());
                }
                latencies
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for gate in gates {
        latencies.extend(gate.await.expect("a gate"));
    }
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    println!(
        "{what}: {} decisions/s durable over gRPC, {GATES} gates, p50 {:?}, p99 {:?}",
        latencies.len() as u64 / SECONDS,
        at(0.5),
        at(0.99),
    );
    running.stop().await.expect("stopped");
}
