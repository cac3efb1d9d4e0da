//! The clocks of processes are an hour ahead or behind, jump while clients write, and are wrong when a process starts.
//! What was acknowledged is there once. With PostgreSQL, services go by the clock of their database: each has two
//! replicas whose clocks are wrong in opposite directions, and every time that is written down is right all the same.
//! With SQLite a service goes by its own: what it writes down is as wrong as that, tokens of its neighbours are refused
//! while their clocks are apart, and it hears of them when clocks are right again.
//!
//! Callers have tokens that are good by all of these clocks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use kit::clock::{Clock, SystemClock, civil_date};
use kit::field::from_timestamp;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tests::city::{City, Fittings, Store};
use tests::process::SERVICES;
use tests::wrong_clock::WrongClock;
use tokio::task::JoinSet;

use super::campaign::Campaign;
use super::clients::{Record, guard, writer};
use super::importer::importer;
use super::judge::judge;
use super::{all_of, everybody, settings, town};

/// How many clocks jump when nobody says how many faults strike.
const JUMPS: u32 = 20;
/// So many jumps, and a process that jumped is killed and started again.
const KILLS: u32 = 3;
/// How far a clock jumps, in seconds.
const HOUR: i64 = 3600;
/// By how much a time that was written down may differ: services and their database agree on it to less.
const BORNE: TimeDelta = TimeDelta::seconds(2);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_done_twice_while_clocks_are_wrong_sqlite() {
    wrong_clocks(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_done_twice_while_clocks_are_wrong_postgres() {
    wrong_clocks(Store::Postgres).await;
}

async fn wrong_clocks(store: Store) {
    if !WrongClock::can_be_had() {
        return;
    }
    let fittings = Fittings {
        replicas: if store == Store::Postgres { 2 } else { 1 },
        clocks: true,
        ..Fittings::default()
    };
    let Some(city) = City::open_with(store, town(), fittings).await else {
        return;
    };
    let (city, campaign) = (Arc::new(city), Campaign::new());
    let (begun, began) = (SystemClock.now(), Instant::now());
    let mut clients = match store {
        Store::Postgres => everybody(&campaign, &city),
        Store::Sqlite => whoever_needs_no_day(&campaign, &city),
    };
    tokio::select! {
        () = jump(&campaign, &city, store) => {}
        Some(ended) = clients.join_next() => panic!("a client ended early: {ended:?}"),
    }
    campaign.end();
    let all = all_of(clients).await;
    let ended = SystemClock.now();
    let heading = format!(
        "{store:?}: {} jumps of clocks by seed {} in {:.1} s",
        settings::faults(JUMPS),
        settings::seed(),
        began.elapsed().as_secs_f64()
    );
    campaign.tally.report(&heading, &[all.to_string()]);
    match store {
        Store::Postgres => times_are_right(&all, begun, ended),
        Store::Sqlite => {
            for service in SERVICES {
                city.move_clocks(service, 0).await;
            }
        }
    }
    judge(&campaign, &city, all).await;
}

/// Clients whose calls are about no day and no order of times: where a service goes by a clock that jumps, a draw may be
/// of yesterday, and a tube sealed before it was opened.
fn whoever_needs_no_day(campaign: &Campaign, city: &Arc<City>) -> JoinSet<Record> {
    let mut clients = JoinSet::new();
    clients.spawn(importer(campaign.clone(), city.clone()));
    for at in 1..=city.town.schools {
        clients.spawn(guard(campaign.clone(), city.clone(), at, 1));
    }
    clients.spawn(writer(campaign.clone(), city.clone()));
    clients
}

/// Moves one clock after the other.
async fn jump(campaign: &Campaign, city: &City, store: Store) {
    let mut chance = ChaCha8Rng::seed_from_u64(settings::seed());
    let writing: &[&'static str] = match store {
        Store::Postgres => &SERVICES,
        Store::Sqlite => &["roster", "safety-inspection", "notification", "gateway"],
    };
    for number in 1..=settings::faults(JUMPS) {
        let service = writing[chance.random_range(0..writing.len())];
        let ahead = of_today(chance.random_range(-1_i64..=1) * HOUR);
        campaign.more(service, chance.random_range(1..8)).await;
        let pause = Duration::from_micros(chance.random_range(0..4_000));
        tokio::time::sleep(pause).await;
        let label = ("moved clock", service.to_owned());
        let moved = city.move_clocks(service, ahead);
        campaign.under(label, &[service], moved).await;
        if number.is_multiple_of(KILLS) {
            let label = ("kill -9 with a wrong clock", service.to_owned());
            let killed = async {
                city.kill(service).await;
                city.start_again(service).await;
            };
            campaign.under(label, &[service], killed).await;
        }
    }
}

/// The same jump, or the opposite one where it would lead to another day.
fn of_today(ahead: i64) -> i64 {
    let now = SystemClock.now();
    let there = now + TimeDelta::seconds(ahead);
    if civil_date(there) == civil_date(now) {
        ahead
    } else {
        -ahead
    }
}

/// Whatever was written down was written while the clients wrote.
fn times_are_right(all: &Record, begun: DateTime<Utc>, ended: DateTime<Utc>) {
    let decided = all.decisions.iter().map(|one| one.decide_time);
    let drafted = all.directives.iter().map(|one| one.create_time);
    let planned = all.plans.iter().map(|one| one.create_time);
    let imported = all.imports.iter().map(|one| one.create_time);
    for time in decided.chain(drafted).chain(planned).chain(imported) {
        let time = time.and_then(from_timestamp).expect("a time");
        assert!(
            begun - BORNE <= time && time <= ended + BORNE,
            "{time} is not between {begun} and {ended}"
        );
    }
}
