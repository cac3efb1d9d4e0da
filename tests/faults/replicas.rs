//! One of two replicas of a service becomes slow, freezes and is killed while clients read and write through a gateway
//! as it is delivered. No reading call fails; a write fails of the replica that went away only, with UNAVAILABLE, and is
//! acknowledged when it is sent once more under the same id. Ten seconds later everything is as before, and who calls
//! other services notices nothing.
//!
//! On PostgreSQL alone, where replicas share a database. `CAMPUS_CUTS` says how often each of this happens:
//! once for every fifty faults; once when it is not set.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kit::auth::Role;
use proto::roster::ListStudentsRequest;
use proto::roster::student_service_client::StudentServiceClient;
use proto::safety::gate_service_client::GateServiceClient;
use proto::safety::{GateDecision, ListGateDecisionsRequest};
use tests::city::{City, Door, Fittings, Store, caller};
use tests::process::Process;
use tests::town::{CITY, Town, school, school_path};
use tests::verbs::{check_entry, request_id};
use tests::wire::Flow;
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::reads::decided;
use super::report::Tally;
use super::settings;

/// The service of which a replica is struck.
const STRUCK: &str = "safety-inspection";
const REPLICAS: u32 = 2;
/// How often each strikes when nobody says how many faults there are, and for how many of them once.
const USUAL: u32 = 1;
const EACH: u32 = 50;
/// How many clients there are of each kind.
const CLIENTS: u32 = 3;
/// How long a client waits before its next call.
const PAUSE: Duration = Duration::from_millis(5);
/// How long calls are looked at before a replica is struck.
const BEFORE: Duration = Duration::from_secs(3);
/// By then everything is as before,
const OVER: Duration = Duration::from_secs(10);
/// which is looked at for so long.
const AFTER: Duration = Duration::from_secs(3);
/// How much longer 99 of 100 calls may take then, or take at all, besides what the fault itself adds to each.
const TIMES: u32 = 5;
const KEPT: Duration = Duration::from_millis(250);
/// By how much each piece to and from a slow replica is late.
const LATE: Duration = Duration::from_millis(100);

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Reads from the service that is struck.
    Read,
    /// Writes to it.
    Write,
    /// Reads from another one.
    Other,
}

/// An answer; of a write with what was acknowledged.
type Answered = Result<Option<GateDecision>, Status>;

/// What became of a call.
#[derive(Debug)]
struct Told {
    kind: Kind,
    begun: Instant,
    /// How long the first try took.
    took: Duration,
    failed: Option<Status>,
    /// What was acknowledged, at the first or the second try.
    decision: Option<GateDecision>,
}

/// Somebody's calls, until they are over.
#[derive(Clone)]
struct Client {
    gateway: String,
    city: Arc<City>,
    over: Arc<AtomicBool>,
    school: u32,
}

impl Client {
    fn door(&self, role: Role, place: &str) -> Door {
        self.city.door_through(&self.gateway, caller(role, place))
    }

    fn gate(&self) -> GateServiceClient<Door> {
        GateServiceClient::new(self.door(Role::Guard, &school_path(self.school)))
    }

    async fn reads(self) -> Vec<Told> {
        let gate = self.gate();
        let request = ListGateDecisionsRequest {
            parent: format!("organizations/{}", school(self.school)),
            page_size: 5,
            ..ListGateDecisionsRequest::default()
        };
        self.calls(Kind::Read, || {
            let (mut gate, request) = (gate.clone(), request.clone());
            async move { gate.list_gate_decisions(request).await.map(|_| None) }
        })
        .await
    }

    async fn reads_elsewhere(self) -> Vec<Told> {
        let students = StudentServiceClient::new(self.door(Role::CityOfficer, CITY));
        let request = ListStudentsRequest {
            parent: format!("organizations/{}", school(self.school)),
            page_size: 5,
            ..ListStudentsRequest::default()
        };
        self.calls(Kind::Other, || {
            let (mut students, request) = (students.clone(), request.clone());
            async move { students.list_students(request).await.map(|_| None) }
        })
        .await
    }

    /// Lets somebody in; what failed is sent once more.
    async fn writes(self) -> Vec<Told> {
        let gate = self.gate();
        let person = self.city.student(self.school, 1, 1).to_owned();
        let mut all = Vec::new();
        while !self.over.load(Ordering::Relaxed) {
            let request = check_entry(self.school, &person, &request_id());
            let write = || {
                let (mut gate, request) = (gate.clone(), request.clone());
                async move {
                    let decided = gate.check_entry(request).await?;
                    Ok(Some(decided.into_inner()))
                }
            };
            let (first, second) = (write(), write());
            let mut told = call(Kind::Write, first).await;
            if told.failed.is_some() {
                told.decision = call(Kind::Write, second).await.decision;
            }
            all.push(told);
            tokio::time::sleep(PAUSE).await;
        }
        all
    }

    async fn calls<F, Fut>(&self, kind: Kind, send: F) -> Vec<Told>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Answered>,
    {
        let mut all = Vec::new();
        while !self.over.load(Ordering::Relaxed) {
            all.push(call(kind, send()).await);
            tokio::time::sleep(PAUSE).await;
        }
        all
    }
}

async fn call(kind: Kind, sending: impl Future<Output = Answered>) -> Told {
    let begun = Instant::now();
    let answered = sending.await;
    let took = begun.elapsed();
    let (failed, decision) = match answered {
        Ok(decision) => (None, decision),
        Err(status) => (Some(status), None),
    };
    Told {
        kind,
        begun,
        took,
        failed,
        decision,
    }
}

/// Everybody's calls before and after `strike`, and when it struck.
async fn under(
    city: &Arc<City>,
    gateway: &Process,
    strike: impl Future<Output = ()>,
) -> (Vec<Told>, Instant) {
    let over = Arc::<AtomicBool>::default();
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let client = Client {
            gateway: gateway.address(),
            city: city.clone(),
            over: over.clone(),
            school: 1 + number % city.town.schools,
        };
        clients.spawn(client.clone().reads());
        clients.spawn(client.clone().writes());
        clients.spawn(client.reads_elsewhere());
    }
    tokio::time::sleep(BEFORE).await;
    let struck = Instant::now();
    strike.await;
    tokio::time::sleep((OVER + AFTER).saturating_sub(struck.elapsed())).await;
    over.store(true, Ordering::Relaxed);
    let mut all = Vec::new();
    while let Some(told) = clients.join_next().await {
        all.extend(told.expect("a client ends well"));
    }
    (all, struck)
}

/// How long 99 of 100 of some calls took at most.
fn p99<'a>(calls: impl Iterator<Item = &'a Told>) -> Duration {
    let tally = Tally::default();
    for told in calls {
        tally.took(told.took);
    }
    tally.p99()
}

/// Holds what became of calls against what is promised; a call to a replica that goes on being slow is late by
/// `late`.
fn judge(what: &str, all: &[Told], struck: Instant, late: Duration) {
    let (mut notes, mut failed) = (vec![what.to_owned()], BTreeMap::<Kind, u32>::new());
    for told in all {
        let Some(status) = &told.failed else { continue };
        *failed.entry(told.kind).or_default() += 1;
        let reason = status.get_details_error_info().map(|info| info.reason);
        assert_eq!(told.kind, Kind::Write, "{what}: {status:?}");
        let expected = (Code::Unavailable, Some("UNAVAILABLE".to_owned()));
        assert_eq!((status.code(), reason), expected, "{what}: {status:?}");
        assert!(
            told.decision.is_some(),
            "{what}: sent once more: {status:?}"
        );
        assert!(told.begun < struck + OVER, "{what}: it goes on failing");
    }
    for kind in [Kind::Read, Kind::Write, Kind::Other] {
        let of = |told: &&Told| told.kind == kind;
        let before = all.iter().filter(|told| told.begun + told.took < struck);
        let after = all.iter().filter(|told| {
            // Who calls another service is not touched at any time.
            let from = if kind == Kind::Other {
                struck
            } else {
                struck + OVER
            };
            told.begun >= from
        });
        let (before, after) = (p99(before.filter(of)), p99(after.filter(of)));
        let longest = all.iter().filter(of).map(|told| told.took).max();
        let longest = longest.unwrap_or_default();
        notes.push(format!(
            "{kind:?}: {before:?} before, {after:?} after, {longest:?} at most"
        ));
        assert!(!after.is_zero(), "{what}: {kind:?} goes on");
        // Who calls another service is not late at all.
        let late = if kind == Kind::Other {
            Duration::ZERO
        } else {
            late
        };
        assert!(after <= (before * TIMES).max(KEPT) + late, "{notes:?}");
        assert!(longest <= OVER, "{notes:?}");
    }
    notes.push(format!("failed at the first try: {failed:?}"));
    Tally::default().report("A replica is struck", &notes);
}

/// Each write that was acknowledged is kept once, and no other.
async fn kept(city: &City, all: &[Told]) {
    let mut acknowledged: Vec<&str> = all
        .iter()
        .filter_map(|told| Some(&*told.decision.as_ref()?.name))
        .collect();
    let mut kept = Vec::new();
    for at in 1..=city.town.schools {
        let decided = decided(city, at).await.expect("decisions");
        kept.extend(decided.into_iter().map(|one| one.name));
    }
    acknowledged.sort_unstable();
    kept.sort_unstable();
    assert_eq!(kept, acknowledged);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_reading_call_fails_when_a_replica_is_slow_frozen_or_killed_postgres() {
    let fittings = Fittings {
        replicas: REPLICAS,
        ..Fittings::default()
    };
    let Some(city) = City::open_with(Store::Postgres, Town::of(2), fittings).await else {
        return;
    };
    let city = Arc::new(city);
    let (gateway, wire) = city.another_gateway(STRUCK).await;
    let both = || City::are_called(&gateway, STRUCK, 2);
    let mut all = Vec::new();

    for _ in 0..settings::seldom(USUAL, EACH) {
        both().await;
        let slow = async { wire.set(Flow::Late(LATE)) };
        let (told, struck) = under(&city, &gateway, slow).await;
        wire.set(Flow::Free);
        // A call and its answer are late by a piece each.
        judge("slow", &told, struck, 2 * LATE);
        let failed = told.iter().filter(|told| told.failed.is_some()).count();
        assert_eq!(failed, 0, "a slow replica answers all the same");
        all.extend(told);

        both().await;
        let freeze = async { city.replica(STRUCK, 0).await.freeze().await };
        let (told, struck) = under(&city, &gateway, freeze).await;
        city.replica(STRUCK, 0).await.thaw().await;
        judge("frozen", &told, struck, Duration::ZERO);
        all.extend(told);

        both().await;
        let kill = async { city.replica(STRUCK, 0).await.kill().await };
        let (told, struck) = under(&city, &gateway, kill).await;
        city.replica(STRUCK, 0).await.start_again().await;
        judge("killed", &told, struck, Duration::ZERO);
        all.extend(told);
    }

    both().await;
    kept(&city, &all).await;
}
