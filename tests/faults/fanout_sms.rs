//! Notification is killed while a provider takes messages: after they were taken from the ledger, while the
//! provider has them, and before what became of them is stored. The provider sees each delivery under one
//! key, however often it comes, and nobody is left out.
//!
//! `CAMPUS_CUTS` says how many cuts are made on each database; 10 when it is not set.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kit::auth::Role;
use proto::notification::channel_service_client::ChannelServiceClient;
use proto::notification::delivery::State;
use proto::notification::delivery_service_client::DeliveryServiceClient;
use proto::notification::message::{Category, Urgency};
use proto::notification::recipients::Group;
use proto::notification::{
    Audience, Delivery, ListDeliveriesRequest, Message, Recipients, SendMessageRequest,
    SetContactPointRequest,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tests::city::{City, Store};
use tests::every;
use tests::town::{CITY, Town};
use tests::until;
use uuid::Uuid;

use super::campaign::Campaign;
use super::fanout::{cuts, expanded, send};
use super::provider::Provider;

/// How many deliveries one process takes at most: four at once, four times.
const TAKEN: usize = 16;

/// A town with families enough for some cuts of one message.
fn town() -> Town {
    Town {
        classes: 4,
        ..Town::of(3)
    }
}

/// What was taken and not settled is taken again after ten seconds.
fn sending(url: &str) -> String {
    format!(
        "[sending]\npoll = \"50ms\"\nvisibility = \"10s\"\n[[channels]]\nid = \"sms\"\nkind = \"sms\"\n\
         url = \"{url}\"\ninsecure = true\ntimeout = \"2s\"\nconcurrency = 4\n[channels.request]\n\
         json = '{{\"id\": \"{{id}}\", \"to\": \"{{address}}\"}}'\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_sees_one_key_for_each_delivery_when_notification_is_killed_sqlite() {
    killed(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_sees_one_key_for_each_delivery_when_notification_is_killed_postgres() {
    killed(Store::Postgres).await;
}

async fn killed(store: Store) {
    let provider = Provider::start().await;
    let sending = sending(&provider.url);
    let Some(city) = City::open_sending(store, town(), &sending).await else {
        return;
    };
    let (city, campaign) = (Arc::new(city), Campaign::new());
    let families = families(&campaign, &city).await;
    let (mut chance, begun) = (ChaCha8Rng::seed_from_u64(19), Instant::now());
    let mut messages = Vec::new();
    for _ in 0..cuts() {
        let wanted = provider.requests() + chance.random_range(1..TAKEN / 2);
        // There is always more to send than one process may have taken.
        if provider.asked().len() + 2 * TAKEN > messages.len() * families.len() {
            messages.push(send(&campaign, &city, &to_families()).await);
        }
        provider.reach(wanted).await;
        // Each cut finds the sending at another point of its way.
        let pause = Duration::from_micros(chance.random_range(0..20_000));
        tokio::time::sleep(pause).await;
        city.kill("notification").await;
        city.start_again("notification").await;
    }
    let mut expected = BTreeMap::new();
    for name in &messages {
        let message = name.rsplit('/').next().expect("a name");
        expanded(&city, name).await;
        for delivery in sent(&city, name).await {
            let (_, id) = delivery.name.rsplit_once('/').expect("a name");
            let address = families[&delivery.recipient].clone();
            expected.insert(format!("{message}~{id}"), address);
        }
    }
    assert_eq!(expected.len(), messages.len() * families.len());
    let asked = provider.asked();
    let repeats = asked.values().filter(|one| one.addresses.len() > 1).count();
    report(store, messages.len(), repeats, begun);
    assert!(repeats > 0, "no cut found a message on its way");
    assert!(
        asked.keys().eq(expected.keys()),
        "one key for each delivery, and no other"
    );
    for (key, one) in asked {
        let address = &expected[&key];
        assert!(one.addresses.iter().all(|to| to == address), "{key}");
    }
}

#[expect(clippy::print_stderr, reason = "a campaign says what it did")]
fn report(store: Store, messages: usize, repeats: usize, begun: Instant) {
    eprintln!(
        "{store:?}: {} cuts in {:.1} s over {messages} messages, {repeats} deliveries came more than \
         once under their key",
        cuts(),
        begun.elapsed().as_secs_f64()
    );
}

/// Gives every family a telephone; who has which.
async fn families(campaign: &Campaign, city: &City) -> BTreeMap<String, String> {
    let door = city.door(Role::CityOfficer, CITY);
    let mut families = BTreeMap::new();
    let town = city.town;
    for school in 1..=town.schools {
        for class in 1..=town.classes {
            for place in 1..=town.students {
                let party = City::guardians_of(city.student(school, class, place));
                let address = format!("139{:08}", families.len());
                let request = SetContactPointRequest {
                    party: party.clone(),
                    channel: "channels/sms".to_owned(),
                    address: address.clone(),
                    request_id: Uuid::new_v4().to_string(),
                };
                let set = || {
                    let (door, request) = (door.clone(), request.clone());
                    async move {
                        ChannelServiceClient::new(door)
                            .set_contact_point(request)
                            .await
                    }
                };
                campaign.insist("notification", "a telephone", set).await;
                families.insert(party, address);
            }
        }
    }
    families
}

/// An emergency: it leaves at once, whatever the hour.
fn to_families() -> SendMessageRequest {
    let message = Message {
        category: Category::Notice.into(),
        urgency: Urgency::Emergency.into(),
        template: "templates/notice".to_owned(),
        values: ["title", "body"]
            .map(|name| (name.to_owned(), "请立即到校接学生".to_owned()))
            .into(),
        recipients: Some(Recipients {
            audience: Some(Audience {
                organizations: vec![format!("organizations/{CITY}")],
                ..Audience::default()
            }),
            groups: vec![Group::Families.into()],
            ..Recipients::default()
        }),
        channels: vec!["channels/sms".to_owned()],
        ..Message::default()
    };
    SendMessageRequest {
        parent: format!("organizations/{CITY}"),
        message: Some(message),
        request_id: Uuid::new_v4().to_string(),
    }
}

/// The deliveries of a message by the provider, once all of them were sent.
async fn sent(city: &City, name: &str) -> Vec<Delivery> {
    let door = city.door(Role::CityOfficer, CITY);
    until("everything is sent", || async {
        let ledger = every(|page_token| {
            let request = ListDeliveriesRequest {
                parent: name.to_owned(),
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
        let mut ledger = ledger.await.ok()?;
        ledger.retain(|delivery| delivery.channel == "channels/sms");
        let all = ledger.iter().all(|one| one.state() == State::Sent);
        all.then_some(ledger)
    })
    .await
}
