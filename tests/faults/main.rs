//! Faults of every kind strike while clients write: processes are killed and stopped, connections between any
//! two of them and to PostgreSQL break, stall and become slow, sessions end, the server of the databases
//! crashes, or is lost and a standby takes its place, disks are full, and clocks are wrong. Clients keep what was
//! acknowledged, send what was not again until it is, and send some of it again after that. At the end nothing
//! that was acknowledged is lost, every repeat got the first answer, and no command had two effects.
//!
//! `CAMPUS_CUTS` says how many faults strike on each database, `CAMPUS_SEED` by which chance, and
//! `CAMPUS_REPORT` names a file to which what happened is added. `tests/faults/long` strikes for long.

mod campaign;
mod checks;
mod clients;
mod clocks;
mod day;
mod failover;
mod fanout;
mod fanout_sms;
mod full_disk;
mod importer;
mod inboxes;
mod judge;
mod kinds;
mod provider;
mod reader;
mod reads;
mod replicas;
mod report;
mod rolling;
mod sampler;
mod settings;
mod slow_reader;
mod strikes;

use std::sync::Arc;
use std::time::Instant;

use tests::city::{City, Fittings, Store};
use tests::cluster::Cluster;
use tests::process::SERVICES;
use tests::town::Town;
use tests::within;
use tokio::task::JoinSet;

use campaign::Campaign;
use clients::{Record, guard, planner, writer};
use day::day;
use importer::importer;
use judge::judge;
use kinds::Kind;
use strikes::{Plan, strike};

/// How many faults strike on each database when nobody says it.
const FAULTS: u32 = 40;
/// How many clients write to each gate.
const GUARDS: u32 = 2;
/// How many clients write directives.
const WRITERS: u32 = 3;
/// How many schools, the last ones, swab their pupils. The others have some who are away.
const SITES: u32 = 2;

/// A town with people enough for one tube after the other.
fn town() -> Town {
    Town {
        classes: 4,
        students: 30,
        ..Town::of(5)
    }
}

/// Clients of every kind, who write until the campaign is over.
fn everybody(campaign: &Campaign, city: &Arc<City>) -> JoinSet<Record> {
    let mut clients = JoinSet::new();
    clients.spawn(importer(campaign.clone(), city.clone()));
    clients.spawn(planner(campaign.clone(), city.clone()));
    let schools = city.town.schools;
    for at in 1..=schools {
        clients.spawn(day(campaign.clone(), city.clone(), at));
    }
    for place in 1..=GUARDS {
        for at in 1..=schools {
            clients.spawn(guard(campaign.clone(), city.clone(), at, place));
        }
    }
    for _ in 0..WRITERS {
        clients.spawn(writer(campaign.clone(), city.clone()));
    }
    clients
}

/// What all of these clients had acknowledged, once they have ended.
async fn all_of(mut clients: JoinSet<Record>) -> Record {
    let mut all = Record::default();
    while let Some(record) = within("the clients end", clients.join_next()).await {
        all.add(record.expect("a client ends well"));
    }
    all
}

/// The kinds of faults there are on a database, and what has to be said of them.
fn kinds(store: Store, cluster: Option<&Cluster>) -> (Vec<Kind>, Vec<String>) {
    let mut kinds = Kind::EVERYWHERE.to_vec();
    match (store, cluster) {
        (Store::Sqlite, _) => {}
        (Store::Postgres, Some(_)) => kinds.extend([Kind::Sessions, Kind::Crash]),
        (Store::Postgres, None) => {
            kinds.push(Kind::Sessions);
            let name = Kind::Crash.name();
            let note =
                format!("*** SKIPPED: {name}: no server of PostgreSQL is installed here ***");
            return (kinds, vec![note]);
        }
    }
    (kinds, Vec::new())
}

#[expect(
    clippy::print_stderr,
    reason = "what is left out must not go unnoticed"
)]
fn skipped(what: &str) {
    eprintln!("\n*** SKIPPED: {what} ***\n");
}

/// A city whose connections are all wires, on PostgreSQL with a server of its own where there can be one.
async fn wired(store: Store, town: Town) -> Option<(Option<Cluster>, City)> {
    let cluster = match store {
        Store::Sqlite => None,
        Store::Postgres => Cluster::start().await,
    };
    let server = cluster.as_ref().map(Cluster::url);
    let fittings = Fittings {
        server: server.as_deref(),
        wired: true,
        ..Fittings::default()
    };
    let city = City::open_with(store, town, fittings).await?;
    Some((cluster, city))
}

async fn campaign(store: Store) {
    let Some((cluster, city)) = wired(store, town()).await else {
        return;
    };
    let (kinds, mut notes) = kinds(store, cluster.as_ref());
    let plan = Plan {
        kinds: &kinds,
        services: &SERVICES,
        faults: settings::faults(FAULTS),
        seed: settings::seed(),
    };
    let (city, campaign, begun) = (Arc::new(city), Campaign::new(), Instant::now());
    let mut clients = everybody(&campaign, &city);
    tokio::select! {
        () = strike(&campaign, &city, cluster.as_ref(), &plan) => {}
        Some(ended) = clients.join_next() => panic!("a client ended early: {ended:?}"),
    }
    campaign.end();
    let all = all_of(clients).await;
    notes.push(format!(
        "{all}; {} calls sent again",
        campaign.tally.failures()
    ));
    let heading = format!(
        "{store:?}: {} faults by seed {} in {:.1} s",
        plan.faults,
        plan.seed,
        begun.elapsed().as_secs_f64()
    );
    campaign.tally.report(&heading, &notes);
    campaign.tally.is_free_of_internal_errors();
    let begun = Instant::now();
    judge(&campaign, &city, all).await;
    judged(store, begun);
}

#[expect(clippy::print_stderr, reason = "a campaign says what it did")]
fn judged(store: Store, begun: Instant) {
    eprintln!(
        "{store:?}: judged in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_write_is_lost_or_done_twice_whatever_strikes_sqlite() {
    campaign(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_write_is_lost_or_done_twice_whatever_strikes_postgres() {
    campaign(Store::Postgres).await;
}
