//! Services are killed with SIGKILL while they write. Clients keep what was acknowledged, send what
//! was not again until it is, and send some of it again after that. At the end nothing that was
//! acknowledged is lost, every repeat got the first answer, and no command had two effects.
//!
//! `CAMPUS_CUTS` says how many cuts are made on each database; 100 when it is not set.

mod campaign;
mod checks;
mod clients;
mod fanout;
mod fanout_sms;
mod importer;
mod inboxes;
mod judge;
mod provider;
mod reads;
mod sampler;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tests::city::{City, Store};
use tests::process::SERVICES;
use tests::town::Town;
use tests::within;

use campaign::Campaign;
use clients::{Record, guard, planner, writer};
use importer::importer;
use judge::judge;
use sampler::sampler;

/// How many clients write to each gate.
const GUARDS: u32 = 2;
/// How many clients write directives.
const WRITERS: u32 = 3;
/// How many schools, the last ones, have a client that fills tubes.
const SITES: u32 = 2;

/// A town with people enough for one tube after the other.
fn town() -> Town {
    Town {
        classes: 4,
        students: 30,
        ..Town::of(5)
    }
}

/// Kills one of the services by chance each time it has acknowledged some writes more, with others
/// under way; gives how often each was killed.
async fn cut(
    campaign: &Campaign,
    city: &City,
    services: &[&'static str],
    cuts: u32,
    seed: u64,
) -> BTreeMap<&'static str, u32> {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut killed = BTreeMap::new();
    for number in 0..cuts {
        let service = services[chance.random_range(0..services.len())];
        let mut acknowledged = campaign.acknowledged[service].subscribe();
        let until = *acknowledged.borrow() + chance.random_range(1..12);
        let wait = acknowledged.wait_for(|count| *count >= until);
        let waited = within(&format!("cut {number}: writes to {service} go on"), wait).await;
        drop(waited.expect("the counters stay"));
        // The next call is cut at another point of its way each time.
        let pause = Duration::from_micros(chance.random_range(0..4_000));
        tokio::time::sleep(pause).await;
        city.kill(service).await;
        city.start_again(service).await;
        *killed.entry(service).or_default() += 1;
    }
    killed
}

async fn campaign(store: Store) {
    let Some(city) = City::open(store, town()).await else {
        return;
    };
    let (city, campaign, begun) = (Arc::new(city), Campaign::new(), Instant::now());
    let mut clients = tokio::task::JoinSet::new();
    clients.spawn(importer(campaign.clone(), city.clone()));
    clients.spawn(planner(campaign.clone(), city.clone()));
    let schools = city.town.schools;
    for at in schools - SITES + 1..=schools {
        clients.spawn(sampler(campaign.clone(), city.clone(), at));
    }
    for place in 1..=GUARDS {
        for at in 1..=schools {
            clients.spawn(guard(campaign.clone(), city.clone(), at, place));
        }
    }
    for _ in 0..WRITERS {
        clients.spawn(writer(campaign.clone(), city.clone()));
    }
    let killed = tokio::select! {
        killed = cut(&campaign, &city, &SERVICES, cuts(), 7) => killed,
        Some(ended) = clients.join_next() => panic!("a client ended early: {ended:?}"),
    };
    campaign.end();
    let mut all = Record::default();
    while let Some(record) = within("the clients end", clients.join_next()).await {
        all.add(record.expect("a client ends well"));
    }
    report(store, &killed, &all, &campaign, begun);
    let begun = Instant::now();
    judge(&campaign, &city, all).await;
    judged(store, begun);
}

#[expect(clippy::print_stderr, reason = "a campaign says what it did")]
fn report(
    store: Store,
    killed: &BTreeMap<&str, u32>,
    all: &Record,
    campaign: &Campaign,
    begun: Instant,
) {
    eprintln!(
        "{store:?}: {} cuts in {:.1} s {killed:?}; acknowledged {} imports of {} students, {} plans, \
         {} draws, {} replacements, {} tubes with results, {} gate decisions, {} directives; {} calls \
         sent again",
        killed.values().sum::<u32>(),
        begun.elapsed().as_secs_f64(),
        all.imports.len(),
        all.students.len(),
        all.plans.len(),
        all.draws.len(),
        all.replacements.len(),
        all.tubes.len(),
        all.decisions.len(),
        all.directives.len(),
        campaign.again.load(Ordering::Relaxed),
    );
}

#[expect(clippy::print_stderr, reason = "a campaign says what it did")]
fn judged(store: Store, begun: Instant) {
    eprintln!(
        "{store:?}: judged in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a campaign runs is up to who starts it"
)]
fn cuts() -> u32 {
    let cuts = std::env::var("CAMPUS_CUTS").ok();
    cuts.map_or(100, |cuts| cuts.parse().expect("CAMPUS_CUTS is a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_write_is_lost_or_done_twice_when_processes_are_killed_sqlite() {
    campaign(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_write_is_lost_or_done_twice_when_processes_are_killed_postgres() {
    campaign(Store::Postgres).await;
}
