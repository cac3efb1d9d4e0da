//! Every service is restarted in order while clients write, one replica of two after the other. No call
//! fails: one that met a replica on its way out is acknowledged within a few tries under the same id. Where a service
//! behind the gateway is restarted no reading call fails at its first try, which the gateway repeats, and a write fails
//! with UNAVAILABLE only. Those who follow the register are sent away, come back with their token, miss nothing, and see
//! nothing twice.
//!
//! On PostgreSQL alone, where replicas share a database. `CAMPUS_CUTS` says how often this happens: once for
//! every fifty faults; once when it is not set.

use std::sync::Arc;
use std::time::Instant;

use kit::auth::Role;
use tests::city::{City, Fittings, Store};
use tests::process::SERVICES;
use tests::town::CITY;
use tests::{students_of_schools, within};
use tokio::task::JoinSet;

use super::campaign::Campaign;
use super::judge::judge;
use super::reader::{LAST, Reader};
use super::report::{Errand, Tally};
use super::{all_of, everybody, settings, town};

/// How often every service is restarted when nobody says how many faults strike, and for how many of them
/// once.
const USUAL: u32 = 1;
const EACH: u32 = 50;
/// How many replicas each service has.
const REPLICAS: u32 = 2;
/// How often a call is made at most before it counts as failed, as with clients of gRPC.
const TRIES: u32 = 5;
/// How many follow the register.
const READERS: u32 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_while_every_service_is_restarted_one_replica_after_the_other_postgres() {
    let fittings = Fittings {
        replicas: REPLICAS,
        ..Fittings::default()
    };
    let Some(city) = City::open_with(Store::Postgres, town(), fittings).await else {
        return;
    };
    let (city, campaign, begun) = (Arc::new(city), Campaign::new(), Instant::now());
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let reader = Reader::begin(city.door(Role::CityOfficer, CITY)).await;
        readers.spawn(reader.read(campaign.clone()));
    }
    let mut clients = everybody(&campaign, &city);
    let rolled = async {
        for _ in 0..settings::seldom(USUAL, EACH) {
            for service in SERVICES {
                campaign.more(service, 1).await;
                let label = ("rolling restart", service.to_owned());
                campaign.under(label, &[service], city.roll(service)).await;
            }
        }
    };
    tokio::select! {
        () = rolled => {}
        Some(ended) = clients.join_next() => panic!("a client ended early: {ended:?}"),
    }
    campaign.end();
    let all = all_of(clients).await;
    let heading = format!(
        "Every service restarted in {:.1} s, {REPLICAS} replicas each; a call was made {} times at most",
        begun.elapsed().as_secs_f64(),
        campaign.attempts()
    );
    let first = campaign.tally.first_failures();
    let notes = [
        all.to_string(),
        format!("failed at the first try: {first:?}"),
    ];
    campaign.tally.report(&heading, &notes);
    assert!(
        campaign.attempts() <= TRIES,
        "a call was acknowledged after {} tries only",
        campaign.attempts()
    );
    campaign.tally.is_free_of_internal_errors();
    first_tries_are_borne(&campaign.tally);
    nothing_is_missed(&city, readers).await;
    judge(&campaign, &city, all).await;
}

/// What fails at the first try while the gateway stays: no reading call, and a write of the replica that went.
fn first_tries_are_borne(tally: &Tally) {
    for ((errand, place, code), count) in tally.first_failures() {
        if place != "gateway" {
            let expected = (Errand::Write, "Unavailable");
            assert_eq!((errand, &*code), expected, "{place}: {count} calls");
        }
    }
}

/// Each of those who follow the register was sent away, and has seen each change once.
async fn nothing_is_missed(city: &City, mut readers: JoinSet<Reader>) {
    city.catch_up(LAST).await;
    let officer = city.door(Role::CityOfficer, CITY);
    let register = students_of_schools(officer, city.town.schools).await;
    let register = register.expect("students").len();
    while let Some(reader) = within("a reader catches up", readers.join_next()).await {
        let reader = reader.expect("a reader ends well");
        assert!(reader.sent_away > 0, "every replica was restarted");
        assert_eq!((reader.students(), reader.seen_again), (register, 0));
    }
}
