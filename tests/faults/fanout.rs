//! Notification is killed while it writes the ledgers of messages. Everybody is told of every message
//! that was acknowledged, nobody twice, and a message that was sent again is one message: in the ledger,
//! and in the inboxes of those who watch meanwhile.
//!
//! Each cut waits until rows are written: a process takes over only when the lease of the one before has
//! run out, so that one which is killed at once has written nothing. A cut takes about two seconds for that.
//!
//! `CAMPUS_CUTS` says how many cuts are made on each database; 10 when it is not set.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kit::auth::Role;
use proto::notification::delivery_service_client::DeliveryServiceClient;
use proto::notification::message::{Category, State, Urgency};
use proto::notification::recipients::Group;
use proto::notification::{
    Audience, GetMessageRequest, ListDeliveriesRequest, ListMessagesRequest, Message, Recipients,
    SendMessageRequest,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tests::city::{City, Store};
use tests::town::{CITY, DISTRICT, POSTS, Town, school};
use tests::{every, until};
use tonic::Status;
use uuid::Uuid;

use super::campaign::Campaign;
use super::inboxes::{LAST, Watchers};
use super::settings;

/// A town with people enough for some dozens of transactions.
fn town() -> Town {
    Town {
        classes: 4,
        students: 40,
        ..Town::of(3)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_left_out_or_told_twice_when_notification_is_killed_sqlite() {
    fanout(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_left_out_or_told_twice_when_notification_is_killed_postgres() {
    fanout(Store::Postgres).await;
}

async fn fanout(store: Store) {
    let Some(city) = City::open(store, town()).await else {
        return;
    };
    let (city, campaign) = (Arc::new(city), Campaign::new());
    let watchers = Watchers::begin(&campaign, &city);
    let (mut chance, begun) = (ChaCha8Rng::seed_from_u64(17), Instant::now());
    let (mut requests, mut sent, mut midway) = (Vec::new(), BTreeMap::new(), 0);
    for number in 0..cuts() {
        let request = to_everybody("请按时返校");
        let before = written(&city).await.0;
        let name = send(&campaign, &city, &request).await;
        sent.insert(request.request_id.clone(), name);
        requests.push(request);
        until("rows are written", || async {
            (rows(&all_sent(&city).await.ok()?) > before).then_some(())
        })
        .await;
        // Each cut finds the expansion at another point of its way.
        let pause = Duration::from_millis(chance.random_range(0..25));
        tokio::time::sleep(pause).await;
        city.kill("notification").await;
        city.start_again("notification").await;
        midway += u32::from(written(&city).await.1);
        if number % 2 == 0 {
            let again = &requests[chance.random_range(0..requests.len())];
            let name = send(&campaign, &city, again).await;
            assert_eq!(
                sent[&again.request_id], name,
                "a repeat is the same message"
            );
        }
    }
    let names: BTreeSet<String> = sent.into_values().collect();
    assert_eq!(names.len(), requests.len(), "one message for each request");
    let listed = all_sent(&city).await.expect("messages");
    let listed: BTreeSet<String> = listed.into_iter().map(|message| message.name).collect();
    assert_eq!(listed, names, "and no other");
    report(store, midway, begun);
    assert!(
        2 * midway > cuts(),
        "{midway} cuts found a half-written ledger"
    );
    for name in &names {
        let message = expanded(&city, name).await;
        everybody_once(&city, &message).await;
    }
    send(&campaign, &city, &to_everybody(LAST)).await;
    for (recipient, seen) in watchers.end().await {
        let distinct: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(distinct, names, "{recipient} sees each");
        assert_eq!(seen.len(), names.len(), "{recipient} sees each once");
    }
}

#[expect(clippy::print_stderr, reason = "a campaign says what it did")]
fn report(store: Store, midway: u32, begun: Instant) {
    eprintln!(
        "{store:?}: {} cuts in {:.1} s, {midway} of them in a half-written ledger",
        cuts(),
        begun.elapsed().as_secs_f64()
    );
}

/// How many rows there are of all messages.
fn rows(messages: &[Message]) -> i64 {
    messages.iter().map(|message| message.recipient_count).sum()
}

/// How many rows there are, and whether a ledger is half-written.
async fn written(city: &City) -> (i64, bool) {
    let listed = until("messages are listed", || async {
        all_sent(city).await.ok()
    })
    .await;
    let half =
        |message: &Message| message.state() == State::Expanding && message.recipient_count > 0;
    (rows(&listed), listed.iter().any(half))
}

/// Every message that the city sent.
async fn all_sent(city: &City) -> Result<Vec<Message>, Status> {
    let door = city.door(Role::CityOfficer, CITY);
    let listed = every(|page_token| {
        let request = ListMessagesRequest {
            parent: format!("organizations/{CITY}"),
            page_size: 1000,
            page_token,
        };
        let mut client = DeliveryServiceClient::new(door.clone());
        async move {
            let page = client.list_messages(request).await?.into_inner();
            Ok((page.messages, page.next_page_token))
        }
    });
    listed.await
}

/// How often notification is killed.
pub(super) fn cuts() -> u32 {
    settings::faults(10)
}

/// A message to all, some of them in several ways.
fn to_everybody(words: &str) -> SendMessageRequest {
    let recipients = Recipients {
        audience: Some(Audience {
            organizations: vec![
                format!("organizations/{CITY}"),
                format!("organizations/{DISTRICT}"),
            ],
            ..Audience::default()
        }),
        groups: vec![
            Group::Families.into(),
            Group::Staff.into(),
            Group::Organizations.into(),
        ],
        parties: vec![format!("organizations/{}", school(1))],
        ..Recipients::default()
    };
    let message = Message {
        category: Category::Notice.into(),
        urgency: Urgency::Ordinary.into(),
        template: "templates/notice".to_owned(),
        values: ["title", "body"]
            .map(|name| (name.to_owned(), words.to_owned()))
            .into(),
        recipients: Some(recipients),
        ..Message::default()
    };
    SendMessageRequest {
        parent: format!("organizations/{CITY}"),
        message: Some(message),
        request_id: Uuid::new_v4().to_string(),
    }
}

/// Sends a message until it is acknowledged; gives its name.
pub(super) async fn send(campaign: &Campaign, city: &City, request: &SendMessageRequest) -> String {
    let door = city.door(Role::CityOfficer, CITY);
    let send = || {
        let (door, request) = (door.clone(), request.clone());
        async move { DeliveryServiceClient::new(door).send_message(request).await }
    };
    let answer = campaign.insist("notification", "a message", send).await;
    answer.into_inner().name
}

pub(super) async fn expanded(city: &City, name: &str) -> Message {
    let door = city.door(Role::CityOfficer, CITY);
    until("there is a row for everybody", || async {
        let request = GetMessageRequest {
            name: name.to_owned(),
        };
        let mut client = DeliveryServiceClient::new(door.clone());
        let message = client.get_message(request).await.ok()?.into_inner();
        (message.state() == State::Expanded).then_some(message)
    })
    .await
}

async fn everybody_once(city: &City, message: &Message) {
    let door = city.door(Role::CityOfficer, CITY);
    let ledger = every(|page_token| {
        let request = ListDeliveriesRequest {
            parent: message.name.clone(),
            page_size: 1000,
            page_token,
            state: 0,
        };
        let mut client = DeliveryServiceClient::new(door.clone());
        async move {
            let page = client.list_deliveries(request).await?.into_inner();
            Ok((page.deliveries, page.next_page_token))
        }
    });
    let ledger = ledger.await.expect("the ledger");
    let told: BTreeSet<&str> = ledger.iter().map(|one| &*one.recipient).collect();
    assert_eq!(told.len(), ledger.len(), "nobody is told twice");
    assert_eq!(message.recipient_count, ledger.len() as i64);
    let counts = message.counts.expect("counts");
    assert_eq!(counts.sent, message.recipient_count);
    let town = city.town;
    for at in 1..=town.schools {
        assert!(told.contains(&*format!("organizations/{}", school(at))));
        for post in POSTS {
            assert!(told.contains(city.staff(at, post)), "{post} of {at}");
        }
        for class in 1..=town.classes {
            for place in 1..=town.students {
                let student = city.student(at, class, place);
                let family = City::guardians_of(student);
                assert!(told.contains(&*family), "{place} in {class} of {at}");
            }
        }
    }
}
