//! What an emergency gathered is destroyed in several services: the roster decides and announces, each service
//! destroys its records piece by piece and reports. Every process may die at every step.

mod keeper;
pub(crate) mod plants;
mod roster;
mod validate;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kit::channel::Channel;
use kit::db::Backend;
use proto::roster::RunDestructionRequest;
use proto::roster::destruction_service_client::DestructionServiceClient;
use rusqlite::types::Value as Stored;
use tonic::{Code, Request};

use crate::chance::Chance;
use crate::database::{Fate, Plant, Store};
use crate::net;
use crate::world::{Storm, World};
use validate::Seen;

const ROSTER: &[&str] = &["roster-1", "roster-2"];
/// The services, each with its replicas.
const KEEPERS: [(&str, [&str; 2]); 2] = [
    ("sampling", ["sampling-1", "sampling-2"]),
    ("safety", ["safety-1", "safety-2"]),
];
const CLERK: &str = "clerk";
/// How many jobs are ordered, every third of which is refused.
const JOBS: u32 = 3;
/// How finely time passes.
const TICK: Duration = Duration::from_millis(10);
/// How long the clerk waits for an answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many statements a replica sends in such a run, more or less.
const STATEMENTS: u64 = 160;

/// Whether anybody may still do something twice: as long as a lease is held.
const HELD: &str = "SELECT count(*) FROM leases WHERE expires_at > now_millis()";

/// What the clerk was told: the jobs that were acknowledged, and those that were refused.
type Told = Arc<Mutex<(Vec<String>, Vec<String>)>>;

/// Runs it by one seed, and tells what is wrong with it.
pub(crate) fn run(world: &World, plant: Plant) -> Vec<String> {
    let chance = Chance::of(world.seed, "sagas");
    let backend = if chance.hits(0.75) {
        Backend::Postgres
    } else {
        Backend::Sqlite
    };
    let store = |name, tables: &[&str]| {
        let with = (world.trouble.clone(), world.trace.clone());
        let store = Store::new((name, backend), plant, kit::migration::tables(), with);
        for table in tables {
            store.make(&table.replace("PLACE", "TEXT"));
        }
        store
    };
    let register = store("roster", &roster::TABLES);
    let keepers = KEEPERS.map(|(service, _)| {
        let store = store(service, &kit::destruction::TABLES);
        store.make(keeper::RECORDS);
        fill(&store, &chance);
        store
    });
    let before: Vec<_> = keepers.iter().map(records).collect();
    let told = Told::default();
    let mut sim = world.simulation(TICK);
    let rosters = if backend == Backend::Postgres {
        ROSTER
    } else {
        &ROSTER[..1]
    };
    for host in rosters.iter().copied() {
        let register = register.clone();
        sim.host(host, move || roster::replica(register.open(host)));
    }
    let of = |what: &str| Chance::of(world.seed, what);
    for ((service, hosts), store) in KEEPERS.into_iter().zip(&keepers) {
        for host in hosts {
            let (store, ways) = (store.clone(), of(host));
            sim.host(host, move || {
                let channel = net::channel(ways.clone(), rosters);
                keeper::replica(service, store.open(host), channel)
            });
        }
    }
    let (ways, draws, heard) = (of("clerk's way"), of(CLERK), told.clone());
    sim.host(CLERK, move || {
        clerk(
            net::channel(ways.clone(), rosters),
            draws.clone(),
            heard.clone(),
        )
    });
    let mut mortal: Vec<&'static str> = rosters.to_vec();
    mortal.extend(KEEPERS.iter().flat_map(|(_, hosts)| hosts.iter().copied()));
    let fates = [Fate::DiesBefore, Fate::DiesAfter, Fate::Lost, Fate::Unheard];
    let step = chance.between(1, STATEMENTS);
    world
        .trouble
        .plan(chance.one(&mortal), step, chance.one(&fates));
    let storm = Storm {
        silent: mortal.clone(),
        linked: mortal.iter().chain([&CLERK]).copied().collect(),
        mortal,
        often: chance.one(&[0.0, 0.005, 0.02]),
        silence: 12_000,
        rough: Duration::from_secs(12),
        longest: Duration::from_secs(300),
    };
    let driven = world.drive(&mut sim, &storm, || rests((&register, &keepers), &told));
    drop(sim);
    let mut wrong = world.trouble.wrongs();
    wrong.extend(driven.err());
    wrong.extend(validate::violations(&seen(
        &register, &keepers, before, &told,
    )));
    wrong
}

/// Orders one job after the other, again until each is decided.
async fn clerk(channel: Channel, chance: Chance, told: Told) -> turmoil::Result {
    let mut client = DestructionServiceClient::new(channel);
    for number in 1..=JOBS {
        let order = RunDestructionRequest {
            name: roster::job(number),
            request_id: chance.uuid().to_string(),
        };
        loop {
            let mut request = Request::new(order.clone());
            request.set_timeout(PATIENCE);
            let answer = tokio::time::timeout(PATIENCE, client.run_destruction(request)).await;
            let decided = match answer {
                Ok(Ok(_)) => Some(true),
                Ok(Err(status)) if status.code() == Code::FailedPrecondition => Some(false),
                _ => None,
            };
            if let Some(taken) = decided {
                let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                let list = if taken { &mut told.0 } else { &mut told.1 };
                list.push(order.name);
                break;
            }
            let wait = chance.between(10, 500);
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
    }
    std::future::pending().await
}

/// Puts records of each job and category into a service.
fn fill(store: &Store, chance: &Chance) {
    let mut id = 0;
    for number in 1..=JOBS {
        for category in keeper::CATEGORIES {
            for _ in 0..chance.between(0, 8) {
                id += 1;
                let emergency = roster::emergency(number).hyphenated();
                store.make(&format!(
                    "INSERT INTO records VALUES ({id}, '{emergency}', '{category}')"
                ));
            }
        }
    }
}

/// How many records a service has of each job: to be destroyed, to be kept.
fn records(store: &Store) -> Vec<(String, (i64, i64))> {
    let service = store.name();
    let count = |number: u32| {
        let emergency = roster::emergency(number).hyphenated();
        let of = |category: &str| {
            store.number(&format!(
                "SELECT count(*) FROM records WHERE emergency = '{emergency}' \
                 AND category = '{category}'"
            ))
        };
        let (mut gone, mut kept) = (0, 0);
        for category in keeper::CATEGORIES {
            if (number, service, category) == roster::KEPT {
                kept += of(category);
            } else {
                gone += of(category);
            }
        }
        (roster::job(number), (gone, kept))
    };
    (1..=JOBS).map(count).collect()
}

fn rests((register, keepers): (&Store, &[Store; 2]), told: &Told) -> bool {
    let (acknowledged, refused) = told.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let jobs = i64::from(JOBS);
    let acknowledged = i64::try_from(acknowledged.len()).unwrap_or_default();
    let refused = i64::try_from(refused.len()).unwrap_or_default();
    let heard = "SELECT count(*) FROM destructions WHERE phase = 4";
    acknowledged + refused == jobs
        && keepers
            .iter()
            .all(|store| store.number(heard) == acknowledged)
        && register.number("SELECT count(*) FROM reports") >= 2 * acknowledged
        && keepers.iter().all(|store| store.number(HELD) == 0)
}

fn seen(
    register: &Store,
    keepers: &[Store; 2],
    before: Vec<Vec<(String, (i64, i64))>>,
    told: &Told,
) -> Seen {
    let text = |value: &Stored| match value {
        Stored::Text(text) => text.clone(),
        other => panic!("{other:?} is no text"),
    };
    let number = |value: &Stored| match value {
        Stored::Integer(number) => *number,
        other => panic!("{other:?} is no number"),
    };
    let (acknowledged, refused) = told.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut seen = Seen {
        acknowledged,
        refused,
        ..Seen::default()
    };
    let jobs = register.look("SELECT id FROM jobs");
    seen.ordered = jobs.iter().map(|row| text(&row[0])).collect();
    let reports = register.look("SELECT job, service, destroyed, remaining FROM reports");
    let report = |row: &Vec<Stored>| {
        (
            text(&row[0]),
            text(&row[1]),
            number(&row[2]),
            number(&row[3]),
        )
    };
    seen.reports = reports.iter().map(report).collect();
    for (store, before) in keepers.iter().zip(before) {
        let keyed = |(job, counts): (String, (i64, i64))| ((job, store.name().to_owned()), counts);
        seen.before.extend(before.into_iter().map(keyed));
        seen.after.extend(records(store).into_iter().map(keyed));
        for row in store.look("SELECT job, phase FROM destructions") {
            let key = (text(&row[0]), store.name().to_owned());
            seen.heard.insert(key, number(&row[1]));
        }
    }
    seen
}
