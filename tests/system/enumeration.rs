//! Whoever goes through invented names or codes at a gate is slowed after some tens, and learns of nobody whether
//! another school has them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway::{Config, UpstreamsConfig};
use kit::auth::{AuthConfig, Caller, Role};
use kit::clock::SystemClock;
use kit::drain::Drain;
use kit::server::{Running, ServerConfig};
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_reason::Code as Reason;
use proto::safety::gate_service_client::GateServiceClient;
use proto::safety::{
    GateDecision, GateReason, IssuePersonCodeRequest, PersonCode, ResolvePersonCodeRequest,
};
use tests::city::{City, Door, Store, caller};
use tests::town::{STUDENTS, Town, school_path};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::verbs::{check_entry, told};

/// How many names or codes are tried.
const TRIED: usize = 10_000;
/// How many of them are answered before whoever asks is told to wait, with what comes again meanwhile.
const ANSWERED: std::ops::RangeInclusive<usize> = 30..=90;

/// How often somebody of another school and nobody are asked about by turns.
const PAIRS: u32 = 400;

/// A gateway with the limits that it is delivered with, before the services of a city.
async fn delivered(city: &City) -> Running {
    let upstreams = UpstreamsConfig {
        roster: city.address("roster").await,
        sampling: city.address("sampling").await,
        safety_inspection: city.address("safety-inspection").await,
        notification: city.address("notification").await,
    };
    let (listen, auth) = (ServerConfig::loopback(), AuthConfig::development());
    let config = Config::new(listen, auth, upstreams);
    let gateway = gateway::start(config, Arc::new(SystemClock), Drain::new());
    gateway.await.expect("the gateway starts")
}

/// The terminal of a gate of the first school.
fn gate(city: &City, gateway: &Running, name: &str) -> GateServiceClient<Door> {
    let guard = Caller {
        subject: name.to_owned(),
        ..caller(Role::Guard, &school_path(1))
    };
    let address = format!("http://{}", gateway.addr);
    GateServiceClient::new(city.door_through(&address, guard))
}

fn invented() -> String {
    format!("students/{}", Uuid::new_v4())
}

/// What of a decision could tell one person from another.
fn shape(decision: GateDecision) -> GateDecision {
    GateDecision {
        name: String::new(),
        person: String::new(),
        decide_time: None,
        record_time: None,
        facts_time: None,
        ..decision
    }
}

/// How many of so many attempts are answered as they all must be; the rest is told to wait.
async fn answered(mut attempt: impl AsyncFnMut() -> Result<(), Status>) -> usize {
    let mut answered = 0;
    for _ in 0..TRIED {
        match attempt().await {
            Ok(()) => answered += 1,
            Err(status) => {
                let limited = (Code::ResourceExhausted, "RATE_LIMITED".to_owned());
                assert_eq!(told(&status), limited, "{status:?}");
            }
        }
    }
    answered
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_through_invented_names_at_a_gate_is_slowed_and_learns_nothing() {
    let city = City::open(Store::Sqlite, Town::of(2))
        .await
        .expect("SQLite is always there");
    let gateway = delivered(&city).await;

    let mut known = gate(&city, &gateway, "guard-1");
    let own = known
        .check_entry(check_entry(1, city.student(1, 1, 1), ""))
        .await;
    let own = own.expect("decided").into_inner();
    assert_eq!(own.result(), Outcome::Admit, "{own:?}");
    let mut told_of = Vec::new();
    for person in [city.student(2, 1, 1), &*invented()] {
        let decision = known.check_entry(check_entry(1, person, "")).await;
        told_of.push(decision.expect("decided").into_inner());
    }
    assert_ne!(told_of[0].person, told_of[1].person, "whom the guard named");
    let shapes: Vec<GateDecision> = told_of.into_iter().map(shape).collect();
    assert_eq!(shapes[0], shapes[1], "of another school, and of none");

    let mut gate_of = gate(&city, &gateway, "guard-2");
    let names = answered(async || {
        let decision = gate_of.check_entry(check_entry(1, &invented(), "")).await;
        let decision = decision?.into_inner();
        let codes: Vec<Reason> = decision.reasons.iter().map(GateReason::code).collect();
        assert_eq!(codes, [Reason::PersonUnknown]);
        Ok(())
    });
    let names = names.await;
    assert!(ANSWERED.contains(&names), "{names} names were answered");
    // Whoever does not ask without end is not kept out for that.
    let next = known.check_entry(check_entry(1, city.student(1, 1, 2), ""));
    assert_eq!(
        next.await.expect("decided").into_inner().result(),
        Outcome::Admit
    );
    gateway.stop().await.expect("stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_through_invented_codes_is_slowed_and_learns_nothing() {
    let city = City::open(Store::Sqlite, Town::of(2))
        .await
        .expect("SQLite is always there");
    let gateway = delivered(&city).await;

    let mut clerk = GateServiceClient::new(city.door(Role::SchoolClerk, &school_path(2)));
    let request = IssuePersonCodeRequest {
        person: city.student(2, 1, 1).to_owned(),
    };
    let issued = clerk.issue_person_code(request).await.expect("issued");
    let PersonCode { person_code, .. } = issued.into_inner();
    let mut known = gate(&city, &gateway, "guard-1");
    let mut refusals = Vec::new();
    for person_code in [person_code, Uuid::new_v4().to_string()] {
        let refused = known
            .resolve_person_code(ResolvePersonCodeRequest { person_code })
            .await
            .expect_err("nobody of this school");
        refusals.push((told(&refused), refused.details().to_vec()));
    }
    assert_eq!(refusals[0].0.0, Code::InvalidArgument);
    assert_eq!(refusals[0], refusals[1], "of another school, and of none");

    let mut gate_of = gate(&city, &gateway, "guard-2");
    let codes = answered(async || {
        let person_code = Uuid::new_v4().to_string();
        let request = ResolvePersonCodeRequest { person_code };
        match gate_of.resolve_person_code(request).await {
            Ok(found) => panic!("{found:?}"),
            Err(status) if status.code() == Code::InvalidArgument => Ok(()),
            Err(status) => Err(status),
        }
    });
    let codes = codes.await;
    assert!(ANSWERED.contains(&codes), "{codes} codes were answered");
    gateway.stop().await.expect("stops");
}

fn median(mut taken: Vec<Duration>) -> Duration {
    taken.sort_unstable();
    taken[taken.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_about_somebody_elsewhere_takes_as_long_as_one_about_nobody() {
    let city = City::open(Store::Sqlite, Town::of(2))
        .await
        .expect("SQLite is always there");
    let mut gate = GateServiceClient::new(city.door(Role::Guard, &school_path(1)));
    let mut taken = [Vec::new(), Vec::new()];
    for pair in 0..PAIRS {
        let elsewhere = city.student(2, 1, pair % STUDENTS + 1).to_owned();
        let names = [elsewhere, invented()];
        // Each is the first as often as the other, so that whatever else the machine does slows both.
        let order = if pair % 2 == 0 { [0, 1] } else { [1, 0] };
        for which in order {
            let begun = Instant::now();
            let decided = gate.check_entry(check_entry(1, &names[which], "")).await;
            taken[which].push(begun.elapsed());
            decided.expect("decided");
        }
    }
    let [elsewhere, nobody] = taken.map(median);
    let (shorter, longer) = (elsewhere.min(nobody), elsewhere.max(nobody));
    assert!(
        longer <= shorter * 5 / 4,
        "{elsewhere:?} for somebody elsewhere, {nobody:?} for nobody"
    );
}
