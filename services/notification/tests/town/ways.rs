//! The ways out of the town, and what is seen of messages that take them.

use chrono::{Duration, NaiveDate};
use kit::auth::Role;
use kit::clock::start_of;
use proto::notification as pb;
use proto::notification::delivery::State;
use proto::notification::message::Urgency;

use super::post::{Post, notice, to_parties};
use super::world::{by, of};
use super::{SCHOOL_PATH, staff};

/// An hour of the sixth of April 2022 in the city.
pub(crate) fn at(hour: i64) -> chrono::DateTime<chrono::Utc> {
    let day = NaiveDate::from_ymd_opt(2022, 4, 6).expect("a day");
    start_of(day) + Duration::hours(hour)
}

pub(crate) fn phone(number: u128) -> String {
    format!("138{number:08}")
}

/// The staff `numbers` can be reached by `channel`.
pub(crate) async fn reachable(post: &mut Post, channel: &str, numbers: &[u128]) {
    for number in numbers {
        let request = pb::SetContactPointRequest {
            party: staff(*number),
            channel: format!("channels/{channel}"),
            address: phone(*number),
            request_id: String::new(),
        };
        let request = by("officer", Role::CityOfficer, "fz", request);
        let set = post.world.channels.set_contact_point(request).await;
        set.expect("set");
    }
}

/// A notice to the staff `numbers` by `channel` besides the inbox.
pub(crate) fn message(channel: &str, numbers: &[u128], urgency: Urgency) -> pb::Message {
    pb::Message {
        urgency: urgency.into(),
        channels: vec![format!("channels/{channel}")],
        ..notice(to_parties(numbers.iter().map(|number| staff(*number))))
    }
}

pub(crate) async fn prefer(post: &mut Post, number: u128, change: fn(&mut pb::Preferences)) {
    let mut preferences = pb::Preferences {
        party: staff(number),
        digest_minute: -1,
        ..Default::default()
    };
    change(&mut preferences);
    let request = pb::UpdatePreferencesRequest {
        preferences: Some(preferences),
    };
    let request = of(&staff(number), Role::ClassReporter, SCHOOL_PATH, request);
    let stored = post.world.channels.update_preferences(request).await;
    stored.expect("stored");
}

/// Who of a message is in which state by the channels besides the inbox.
pub(crate) async fn states(post: &mut Post, name: &str) -> Vec<pb::Delivery> {
    let ledger = post.ledger(name, "fz", Role::CityOfficer).await;
    let mut ledger = ledger.expect("the ledger");
    ledger.retain(|delivery| delivery.channel != "channels/inbox");
    ledger
}

/// The deliveries of a message once they look as wanted.
pub(crate) async fn until(
    post: &mut Post,
    name: &str,
    wanted: impl Fn(&pb::Delivery) -> bool,
) -> Vec<pb::Delivery> {
    for _ in 0..1000 {
        let found = states(post, name).await;
        if !found.is_empty() && found.iter().all(&wanted) {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let found = states(post, name).await;
    panic!("{name} does not come so far within ten seconds: {found:?}")
}

pub(crate) async fn channel(post: &mut Post, id: &str) -> pb::Channel {
    let request = pb::GetChannelRequest {
        name: format!("channels/{id}"),
    };
    let request = by("operator", Role::SystemAdmin, "", request);
    let found = post.world.channels.get_channel(request).await;
    found.expect("a channel").into_inner()
}

pub(crate) fn is(state: State) -> impl Fn(&pb::Delivery) -> bool {
    move |delivery| delivery.state() == state
}

/// It waits and has been looked at: its next attempt is later than `at`.
pub(crate) fn waits(after: chrono::DateTime<chrono::Utc>) -> impl Fn(&pb::Delivery) -> bool {
    move |delivery| {
        let next = delivery
            .next_attempt_time
            .and_then(kit::field::from_timestamp);
        delivery.state() == State::Queued && next.is_some_and(|next| next > after)
    }
}
