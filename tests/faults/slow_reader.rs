//! Somebody reads the feed of the register one message a second while others write, and some take nothing of
//! it at all: the others write as before, nobody keeps for readers what they do not take, those who take
//! nothing are sent away, and nobody misses anything who comes back with a token.

use std::sync::Arc;
use std::time::Duration;

use kit::auth::Role;
use tests::city::{City, Fittings, Store};
use tests::town::CITY;
use tests::{students_of_schools, until, within};
use tokio::task::JoinSet;

use super::campaign::Campaign;
use super::clients::{Record, guard};
use super::importer::importer;
use super::reader::{LAST, Reader};
use super::{all_of, town};

/// How many calls to the register are acknowledged with and without the reader.
const CALLS: u32 = 60;
/// How many messages the reader takes while others write.
const MESSAGES: u32 = 6;
/// How many readers take nothing: with the slow one fewer than one caller may have.
const STALLED: u32 = 6;
/// How long they are borne.
const BOUNDS: &str = "reader_patience = \"6s\"\n";
/// How much longer 99 of 100 calls may take with readers: so many times as long, and this besides.
const TIMES: u32 = 4;
const BESIDES: Duration = Duration::from_millis(500);
/// How much memory the register and the gateway may take besides, in bytes.
const MEMORY: u64 = 32 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_holds_up_nobody_and_misses_nothing_sqlite() {
    slow_reader(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_holds_up_nobody_and_misses_nothing_postgres() {
    slow_reader(Store::Postgres).await;
}

async fn slow_reader(store: Store) {
    let fittings = Fittings {
        bounds: BOUNDS,
        ..Fittings::default()
    };
    let Some(city) = City::open_with(store, town(), fittings).await else {
        return;
    };
    let (city, campaign) = (Arc::new(city), Campaign::new());
    let mut clients = JoinSet::<Record>::new();
    clients.spawn(importer(campaign.clone(), city.clone()));
    for at in 1..=city.town.schools {
        clients.spawn(guard(campaign.clone(), city.clone(), at, 1));
    }
    campaign.more("roster", CALLS).await;
    let (before, had) = (campaign.tally.p99(), memory(&city).await);

    let door = city.narrow_door(Role::CityOfficer, CITY);
    let followers = watched(&city).await;
    let mut stalled = Vec::new();
    for _ in 0..STALLED {
        stalled.push(Reader::begin(door.clone()).await.stall().await);
    }
    assert_eq!(watched(&city).await, followers + STALLED);
    let reader = Reader::begin(door).await;
    let mut taken = reader.taken.subscribe();
    let reading = tokio::spawn(reader.read(campaign.clone()));
    campaign.more("roster", CALLS).await;
    let enough = taken.wait_for(|taken| *taken >= MESSAGES);
    drop(
        within("the reader goes on", enough)
            .await
            .expect("it reads"),
    );
    let (after, has) = (campaign.tally.p99(), memory(&city).await);
    until("only the slow reader is left", || async {
        (watched(&city).await <= followers + 1).then_some(())
    })
    .await;
    campaign.end();
    let all = all_of(clients).await;
    let mut resumed = JoinSet::new();
    for reader in stalled {
        resumed.spawn(reader.resume().await.read(campaign.clone()));
    }
    city.catch_up(LAST).await;
    let reader = within("the reader catches up", reading).await;
    let reader = reader.expect("the reader ends well");
    let resumed = within("the others catch up", resumed.join_all()).await;

    let notes = [
        format!("99 of 100 calls took {before:?} at most before, {after:?} with readers"),
        format!("memory of the register and the gateway in bytes: {had:?} before, {has:?} then"),
        format!(
            "the slow reader was sent away {} times; {all}",
            reader.sent_away
        ),
    ];
    let heading = format!("A slow reader and {STALLED} who take nothing on {store:?}");
    campaign.tally.report(&heading, &notes);
    assert!(after <= before * TIMES + BESIDES, "{notes:?}");
    if let (Some(had), Some(has)) = (had, has) {
        assert!(has <= had + MEMORY, "{notes:?}");
    }
    let officer = city.door(Role::CityOfficer, CITY);
    let register = students_of_schools(officer, city.town.schools).await;
    let register = register.expect("students").len();
    for reader in resumed.iter().chain([&reader]) {
        assert_eq!(reader.students(), register);
    }
}

/// How many follow the register, by what it says of the calls under way.
async fn watched(city: &City) -> u32 {
    let page = city.page("roster", "/metrics").await;
    let counted = page.lines().filter(|line| {
        line.starts_with("campus_rpc_in_flight{") && line.contains("method=\"Watch\"")
    });
    let counted = counted.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u32>().ok());
    counted.sum()
}

/// The memory of the register and the gateway together; none where the machine does not tell.
async fn memory(city: &City) -> Option<u64> {
    Some(city.memory("roster").await? + city.memory("gateway").await?)
}
