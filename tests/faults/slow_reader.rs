//! Somebody reads the feed of the register one message a second while others write: they write as before,
//! nobody keeps for the reader what it does not take, and it misses nothing, also when it is sent away and
//! comes back with its token.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kit::auth::Role;
use proto::roster::roster_event::State;
use proto::roster::roster_feed_client::RosterFeedClient;
use proto::roster::{RosterEvent, SnapshotRequest, WatchRequest};
use tests::city::{City, Door, Store};
use tests::town::CITY;
use tests::{students_of_schools, until, within};
use tokio::sync::watch;

use super::campaign::Campaign;
use super::clients::{Record, guard};
use super::importer::importer;
use super::{all_of, town};

/// How many calls to the register are acknowledged with and without the reader.
const CALLS: u32 = 60;
/// How many messages the reader takes while others write.
const MESSAGES: u32 = 6;
/// How long the reader takes for each of them.
const PACE: Duration = Duration::from_secs(1);
/// How much longer 99 of 100 calls may take with the reader: so many times as long, and this besides.
const TIMES: u32 = 4;
const BESIDES: Duration = Duration::from_millis(500);
/// How much memory the register and the gateway may take besides, in bytes.
const MEMORY: u64 = 64 << 20;
/// An organisation that is founded when nobody writes any more.
const LAST: &str = "base-03";
/// A page of class group rolls is larger than other messages.
const MAX_MESSAGE: usize = 16 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_holds_up_nobody_and_misses_nothing_sqlite() {
    slow_reader(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_holds_up_nobody_and_misses_nothing_postgres() {
    slow_reader(Store::Postgres).await;
}

async fn slow_reader(store: Store) {
    let Some(city) = City::open(store, town()).await else {
        return;
    };
    let (city, campaign) = (Arc::new(city), Campaign::new());
    let mut clients = tokio::task::JoinSet::<Record>::new();
    clients.spawn(importer(campaign.clone(), city.clone()));
    for at in 1..=city.town.schools {
        clients.spawn(guard(campaign.clone(), city.clone(), at, 1));
    }
    campaign.more("roster", CALLS).await;
    let (before, had) = (campaign.tally.p99(), memory(&city).await);

    let door = city.narrow_door(Role::CityOfficer, CITY);
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
    campaign.end();
    let all = all_of(clients).await;
    city.catch_up(LAST).await;
    let reader = within("the reader catches up", reading).await;
    let reader = reader.expect("the reader ends well");

    let notes = [
        format!("99 of 100 calls took {before:?} at most before, {after:?} with the reader"),
        format!("memory of the register and the gateway in bytes: {had:?} before, {has:?} then"),
        format!("the reader was sent away {} times; {all}", reader.sent_away),
    ];
    let heading = format!("A slow reader on {store:?}");
    campaign.tally.report(&heading, &notes);
    assert!(after <= before * TIMES + BESIDES, "{notes:?}");
    if let (Some(had), Some(has)) = (had, has) {
        assert!(has <= had + MEMORY, "{notes:?}");
    }
    let officer = city.door(Role::CityOfficer, CITY);
    let register = students_of_schools(officer, city.town.schools).await;
    assert_eq!(reader.students(), register.expect("students").len());
}

/// The memory of the register and the gateway together; none where the machine does not tell.
async fn memory(city: &City) -> Option<u64> {
    Some(city.memory("roster").await? + city.memory("gateway").await?)
}

/// Somebody who keeps a copy of the rolls.
struct Reader {
    feed: RosterFeedClient<Door>,
    resume_token: String,
    /// The version of each roll, and how many are on it.
    rolls: BTreeMap<String, (i64, usize)>,
    /// How many messages came.
    taken: watch::Sender<u32>,
    sent_away: u32,
}

impl Reader {
    /// Takes a snapshot.
    async fn begin(door: Door) -> Self {
        let mut reader = Self {
            feed: RosterFeedClient::new(door).max_decoding_message_size(MAX_MESSAGE),
            resume_token: String::new(),
            rolls: BTreeMap::new(),
            taken: watch::Sender::new(0),
            sent_away: 0,
        };
        let snapshot = reader.feed.snapshot(SnapshotRequest::default()).await;
        let mut pages = snapshot.expect("a snapshot").into_inner();
        while let Some(page) = pages.message().await.expect("a page") {
            reader.apply(page.events);
            reader.resume_token = page.resume_token;
        }
        reader
    }

    /// Watches until the last organisation comes: slowly as long as others write.
    async fn read(mut self, campaign: Campaign) -> Self {
        loop {
            let mut pages = until("the feed is watched", || {
                let (mut feed, resume_token) = (self.feed.clone(), self.resume_token.clone());
                async move { feed.watch(WatchRequest { resume_token }).await.ok() }
            })
            .await
            .into_inner();
            while let Ok(Some(page)) = pages.message().await {
                self.resume_token = page.resume_token;
                if self.apply(page.events) {
                    return self;
                }
                self.taken.send_modify(|taken| *taken += 1);
                if !campaign.is_over() {
                    tokio::time::sleep(PACE).await;
                }
            }
            self.sent_away += 1;
        }
    }

    /// Keeps what is newer than what is known; whether the last organisation is among it.
    fn apply(&mut self, events: Vec<RosterEvent>) -> bool {
        let mut last = false;
        for event in events {
            last |= event.entity == format!("organizations/{LAST}");
            let Some(State::ClassGroupRoll(roll)) = event.state else {
                continue;
            };
            let known = self.rolls.entry(event.entity).or_default();
            if event.version > known.0 {
                *known = (event.version, roll.members.len());
            }
        }
        last
    }

    /// How many students stand on the rolls.
    fn students(&self) -> usize {
        self.rolls.values().map(|(_, members)| members).sum()
    }
}
