//! The server with all databases is killed for good while clients write, and a standby that has everything that was
//! acknowledged takes its place behind the same address. Services go on by themselves, and so do those who read a feed:
//! nothing is missing there, so it is the same feed, and tokens for places in it stay good.
//!
//! `CAMPUS_CUTS` says how often this happens: once for every fifty faults; twice when it is not set.

use std::sync::Arc;
use std::time::Instant;

use kit::auth::Role;
use tests::city::{City, Fittings, Store};
use tests::pair::Pair;
use tests::process::SERVICES;
use tests::town::CITY;
use tests::{students_of_schools, within};

use super::campaign::Campaign;
use super::judge::judge;
use super::reader::{LAST, Reader};
use super::{all_of, everybody, settings, skipped, town};

/// How often the server is lost when nobody says how many faults strike, and for how many of them once.
const USUAL: u32 = 2;
const EACH: u32 = 50;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_a_standby_takes_over_postgres() {
    let Some(mut pair) = Pair::start().await else {
        skipped("a fail-over: no server of PostgreSQL is installed here");
        return;
    };
    let url = pair.url();
    let fittings = Fittings {
        server: Some(&url),
        ..Fittings::default()
    };
    let Some(city) = City::open_with(Store::Postgres, town(), fittings).await else {
        return;
    };
    let (city, campaign, begun) = (Arc::new(city), Campaign::new(), Instant::now());
    let reader = Reader::begin(city.door(Role::CityOfficer, CITY)).await;
    let reading = tokio::spawn(reader.read(campaign.clone()));
    let mut clients = everybody(&campaign, &city);
    let failing = async {
        for number in 1..=settings::seldom(USUAL, EACH) {
            if number > 1 {
                pair.complete().await;
            }
            for service in SERVICES {
                campaign.more(service, 3).await;
            }
            let early = number.is_multiple_of(2);
            let place = if early {
                "all databases, led to the standby early"
            } else {
                "all databases"
            };
            let label = ("fail-over", place.to_owned());
            let fault = pair.fail_over(early);
            campaign.under(label, &SERVICES[..4], fault).await;
        }
    };
    tokio::select! {
        () = failing => {}
        Some(ended) = clients.join_next() => panic!("a client ended early: {ended:?}"),
    }
    campaign.end();
    let all = all_of(clients).await;
    city.catch_up(LAST).await;
    let reader = within("the reader catches up", reading).await;
    let reader = reader.expect("the reader ends well");
    let heading = format!(
        "The server of all databases lost in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    let notes = [
        all.to_string(),
        format!("the reader was sent away {} times", reader.sent_away),
    ];
    campaign.tally.report(&heading, &notes);
    let officer = city.door(Role::CityOfficer, CITY);
    let register = students_of_schools(officer, city.town.schools).await;
    assert_eq!(reader.students(), register.expect("students").len());
    campaign.tally.is_free_of_internal_errors();
    judge(&campaign, &city, all).await;
}
