//! Messages on their way out: when they leave, by which channel and how often.

use crate::town;
use crate::town::on_both;
use std::collections::BTreeSet;

use chrono::Duration;
use kit::auth::Role;
use kit::clock::Clock;
use kit::scratch::Scratch;
use notification::ChannelConfig;
use notification::domain::pace::Pace;
use proto::notification as pb;
use proto::notification::delivery::{Failure, State};
use proto::notification::message::{Category, Urgency};
use tonic::Status;

use crate::peers::{Peer, Received, sms, taken};
use crate::town::post::Post;
use crate::town::staff;
use crate::town::ways::{at, channel, is, message, phone, prefer, reachable, until, waits};
use crate::town::world::{by, reason};

on_both!(
    a_message_leaves_with_its_words_and_is_sent,
    what_comes_at_night_waits_for_the_morning_unless_it_is_an_emergency,
    ordinary_messages_are_gathered_once_a_day,
    an_exercise_says_so_and_never_meets_what_is_real,
    a_paused_channel_sends_nothing,
    what_only_comes_to_the_inbox_leaves_by_no_channel,
    replicas_share_a_budget_and_send_nothing_twice,
    an_address_has_a_budget_of_its_own,
    an_emergency_overtakes_what_waits_for_the_same_address,
    what_expires_is_not_sent,
);

async fn a_message_leaves_with_its_words_and_is_sent(scratch: Scratch) {
    let peer = Peer::start(taken).await;
    let mut post = Post::with(scratch, vec![sms("sms", &peer.url)]).await;
    reachable(&mut post, "sms", &[1]).await;
    // Somebody else is told in the inbox only.
    let sent = post.city(message("sms", &[1, 2], Urgency::Urgent)).await;
    let name = sent.expect("sent").name;
    let deliveries = until(&mut post, &name, is(State::Sent)).await;
    let [delivery] = &deliveries[..] else {
        panic!("one delivery")
    };
    assert_eq!(
        (&*delivery.recipient, delivery.attempt_count),
        (&*staff(1), 1)
    );
    assert_eq!(delivery.failure(), Failure::Unspecified);
    let sent_at = delivery.send_time.and_then(kit::field::from_timestamp);
    assert_eq!(sent_at, Some(town::morning()));
    let [request] = &peer.received()[..] else {
        panic!("one request")
    };
    let json: serde_json::Value = serde_json::from_str(&request.body).expect("JSON");
    assert_eq!(
        (&json["to"], &json["text"]),
        (&phone(1).into(), &"通知 请按时返校".into())
    );
    let (_, id) = delivery.name.rsplit_once('/').expect("a name");
    let message = name.rsplit('/').next().expect("a name");
    assert_eq!(json["id"], format!("{message}~{id}"));
}

async fn what_comes_at_night_waits_for_the_morning_unless_it_is_an_emergency(scratch: Scratch) {
    let peer = Peer::start(taken).await;
    let mut post = Post::with(scratch, vec![sms("sms", &peer.url)]).await;
    reachable(&mut post, "sms", &[1]).await;
    post.world.clock.set(at(23));
    let urgent = post.city(message("sms", &[1], Urgency::Urgent)).await;
    let urgent = urgent.expect("sent").name;
    let found = until(&mut post, &urgent, waits(at(24))).await;
    let next = found[0]
        .next_attempt_time
        .and_then(kit::field::from_timestamp);
    let next = next.expect("an instant");
    assert!(
        at(30) <= next && next < at(30) + Duration::minutes(1),
        "{next}"
    );
    assert_eq!(found[0].attempt_count, 0);
    let emergency = post.city(message("sms", &[1], Urgency::Emergency)).await;
    let emergency = emergency.expect("sent").name;
    until(&mut post, &emergency, is(State::Sent)).await;
    assert_eq!(peer.received().len(), 1);
    post.world.clock.set(at(30) + Duration::minutes(1));
    until(&mut post, &urgent, is(State::Sent)).await;
    assert_eq!(peer.received().len(), 2);
}

async fn ordinary_messages_are_gathered_once_a_day(scratch: Scratch) {
    let peer = Peer::start(taken).await;
    let mut post = Post::with(scratch, vec![sms("sms", &peer.url)]).await;
    reachable(&mut post, "sms", &[1]).await;
    // At noon.
    prefer(&mut post, 1, |preferences| preferences.digest_minute = 720).await;
    let mut names = Vec::new();
    for _ in 0..3 {
        let sent = post.city(message("sms", &[1], Urgency::Ordinary)).await;
        names.push(sent.expect("sent").name);
        post.world.clock.advance(Duration::minutes(7));
    }
    for name in &names {
        let found = until(&mut post, name, waits(at(11))).await;
        let next = found[0]
            .next_attempt_time
            .and_then(kit::field::from_timestamp);
        let next = next.expect("an instant");
        assert!(
            at(12) <= next && next < at(12) + Duration::minutes(1),
            "{next}"
        );
    }
    let sent = post.city(message("sms", &[1], Urgency::Urgent)).await;
    until(&mut post, &sent.expect("sent").name, is(State::Sent)).await;
    post.world.clock.set(at(12) + Duration::minutes(1));
    for name in &names {
        until(&mut post, name, is(State::Sent)).await;
    }
    let received = peer.received();
    let [_, digest] = &received[..] else {
        panic!("one text for three: {received:?}")
    };
    let json: serde_json::Value = serde_json::from_str(&digest.body).expect("JSON");
    let text = json["text"].as_str().expect("a text");
    assert!(
        text.starts_with("您有 3 条消息 1. 通知\n请按时返校\n\n2. "),
        "{text}"
    );
    assert!(json["id"].as_str().expect("an id").starts_with("digest~"));
}

async fn an_exercise_says_so_and_never_meets_what_is_real(scratch: Scratch) {
    let (real, sink) = (Peer::start(taken).await, Peer::start(taken).await);
    let drill = ChannelConfig {
        exercise: true,
        ..sms("drill", &sink.url)
    };
    let mut post = Post::with(scratch, vec![sms("sms", &real.url), drill]).await;
    reachable(&mut post, "sms", &[1]).await;
    reachable(&mut post, "drill", &[1]).await;
    let exercise = |channel: &str, exercise: bool| pb::Message {
        exercise,
        ..message(channel, &[1], Urgency::Emergency)
    };
    for (channel, is_exercise) in [("sms", true), ("drill", false)] {
        let refused: Status = post
            .city(exercise(channel, is_exercise))
            .await
            .expect_err("refused");
        assert_eq!(reason(&refused), "CHANNEL_EXERCISE");
    }
    let unknown = post.city(exercise("pigeon", true)).await;
    let unknown = unknown.expect_err("refused");
    assert!(unknown.message().contains("message.channels[0]"));
    let sent = post.city(exercise("drill", true)).await.expect("sent");
    until(&mut post, &sent.name, is(State::Sent)).await;
    let [request] = &sink.received()[..] else {
        panic!("one request")
    };
    let json: serde_json::Value = serde_json::from_str(&request.body).expect("JSON");
    assert_eq!(json["text"], "【演练】通知 【演练】请按时返校");
    assert!(real.received().is_empty());
}

async fn a_paused_channel_sends_nothing(scratch: Scratch) {
    let peer = Peer::start(taken).await;
    let mut post = Post::with(scratch, vec![sms("sms", &peer.url)]).await;
    reachable(&mut post, "sms", &[1]).await;
    let name = "channels/sms".to_owned();
    let pause = pb::PauseChannelRequest { name: name.clone() };
    let pause = by("operator", Role::SystemAdmin, "", pause);
    post.world
        .channels
        .pause_channel(pause)
        .await
        .expect("paused");
    let sent = post.city(message("sms", &[1], Urgency::Emergency)).await;
    let waiting = sent.expect("sent").name;
    post.expanded(&waiting).await;
    assert_eq!(channel(&mut post, "sms").await.queued_count, 1);
    assert!(peer.received().is_empty());
    let resume = pb::ResumeChannelRequest { name };
    let resume = by("operator", Role::SystemAdmin, "", resume);
    post.world
        .channels
        .resume_channel(resume)
        .await
        .expect("resumed");
    until(&mut post, &waiting, is(State::Sent)).await;
}

async fn what_only_comes_to_the_inbox_leaves_by_no_channel(scratch: Scratch) {
    let peer = Peer::start(taken).await;
    let mut post = Post::with(scratch, vec![sms("sms", &peer.url)]).await;
    reachable(&mut post, "sms", &[1]).await;
    prefer(&mut post, 1, |preferences| {
        preferences.inbox_only_categories = vec!["REMINDER".to_owned()];
    })
    .await;
    let reminder = pb::Message {
        category: Category::Reminder.into(),
        ..message("sms", &[1], Urgency::Urgent)
    };
    let sent = post.city(reminder.clone()).await.expect("sent");
    let found = until(&mut post, &sent.name, is(State::Expired)).await;
    assert_eq!(found[0].attempt_count, 0);
    let emergency = pb::Message {
        urgency: Urgency::Emergency.into(),
        ..reminder
    };
    let sent = post.city(emergency).await.expect("sent");
    until(&mut post, &sent.name, is(State::Sent)).await;
    assert_eq!(peer.received().len(), 1);
}

async fn replicas_share_a_budget_and_send_nothing_twice(scratch: Scratch) {
    let peer = Peer::start(taken).await;
    let config = ChannelConfig {
        budget_per_minute: 20,
        ..sms("sms", &peer.url)
    };
    let mut post = Post::with(scratch, vec![config]).await;
    let second = post.world.replica().await;
    let numbers = [1, 2, 3, 11, 21, 31, 32];
    reachable(&mut post, "sms", &numbers).await;
    let mut names = Vec::new();
    for _ in 0..6 {
        let sent = post
            .city(message("sms", &numbers, Urgency::Emergency))
            .await;
        let name = sent.expect("sent").name;
        post.expanded(&name).await;
        names.push(name);
    }
    let total = names.len() * numbers.len();
    // What one alone would send, whenever it looked.
    let pace = Pace::new(20).expect("a budget");
    let (mut spent, mut expected) = (0, 0);
    while expected < total {
        let now = post.world.clock.now().timestamp_millis();
        let available = pace.available(spent, now);
        let granted = available.min(u32::try_from(total - expected).expect("few"));
        spent = pace.charge(spent, now, granted);
        expected += granted as usize;
        assert_eq!(peer.wait_for(expected).await.len(), expected);
        post.world.clock.advance(Duration::seconds(5));
    }
    for name in &names {
        until(&mut post, name, is(State::Sent)).await;
    }
    let received = peer.received();
    let ids: BTreeSet<_> = received
        .iter()
        .map(|one| one.header("x-request-id").map(ToOwned::to_owned))
        .collect();
    assert_eq!((received.len(), ids.len()), (total, total));
    second.stop().await.expect("stopped");
}

async fn an_address_has_a_budget_of_its_own(scratch: Scratch) {
    let peer = Peer::start(taken).await;
    let config = ChannelConfig {
        address_budget_per_minute: 1,
        ..sms("sms", &peer.url)
    };
    let mut post = Post::with(scratch, vec![config]).await;
    reachable(&mut post, "sms", &[1, 2]).await;
    let sent = post.city(message("sms", &[1, 2], Urgency::Urgent)).await;
    let first = sent.expect("sent").name;
    until(&mut post, &first, is(State::Sent)).await;
    let sent = post.city(message("sms", &[1], Urgency::Urgent)).await;
    let second = sent.expect("sent").name;
    let later = town::morning() + Duration::seconds(59);
    let found = until(&mut post, &second, waits(later)).await;
    assert_eq!(found[0].attempt_count, 0);
    post.world.clock.advance(Duration::seconds(61));
    until(&mut post, &second, is(State::Sent)).await;
    assert_eq!(peer.received().len(), 3);
}

/// Such as a robot of a group that takes one message a minute.
async fn an_emergency_overtakes_what_waits_for_the_same_address(scratch: Scratch) {
    let peer = Peer::start(taken).await;
    let config = ChannelConfig {
        address_budget_per_minute: 1,
        ..sms("sms", &peer.url)
    };
    let mut post = Post::with(scratch, vec![config]).await;
    reachable(&mut post, "sms", &[1]).await;
    let name = "channels/sms".to_owned();
    let pause = pb::PauseChannelRequest { name: name.clone() };
    let pause = by("operator", Role::SystemAdmin, "", pause);
    let paused = post.world.channels.pause_channel(pause).await;
    paused.expect("paused");
    let mut names = Vec::new();
    for urgency in [Urgency::Ordinary, Urgency::Urgent, Urgency::Emergency] {
        let sent = post.city(message("sms", &[1], urgency)).await;
        let name = sent.expect("sent").name;
        post.expanded(&name).await;
        names.push(name);
    }
    let resume = pb::ResumeChannelRequest { name };
    let resume = by("operator", Role::SystemAdmin, "", resume);
    let resumed = post.world.channels.resume_channel(resume).await;
    resumed.expect("resumed");
    let [ordinary, urgent, emergency] = &names[..] else {
        panic!("three messages")
    };
    until(&mut post, emergency, is(State::Sent)).await;
    // The others wait for the next minute, and another emergency comes before it.
    let later = town::morning() + Duration::seconds(59);
    for name in [ordinary, urgent] {
        until(&mut post, name, waits(later)).await;
    }
    let sent = post.city(message("sms", &[1], Urgency::Emergency)).await;
    let second = sent.expect("sent").name;
    until(&mut post, &second, waits(later)).await;
    for next in [&second, urgent, ordinary] {
        post.world.clock.advance(Duration::seconds(61));
        until(&mut post, next, is(State::Sent)).await;
    }
    let order: Vec<String> = peer.received().iter().map(message_of).collect();
    let expected = [emergency, &second, urgent, ordinary];
    assert!(
        order
            .iter()
            .zip(expected)
            .all(|(id, name)| name.ends_with(id.as_str())),
        "{order:?} instead of {expected:?}"
    );
    assert_eq!(order.len(), 4);
}

/// The id of the message that a request carries.
fn message_of(request: &Received) -> String {
    let key = request.header("x-request-id").expect("a key");
    key.split('~').next().unwrap_or_default().to_owned()
}

async fn what_expires_is_not_sent(scratch: Scratch) {
    let peer = Peer::start(taken).await;
    let mut post = Post::with(scratch, vec![sms("sms", &peer.url)]).await;
    reachable(&mut post, "sms", &[1]).await;
    post.world.clock.set(at(23));
    let mut short = message("sms", &[1], Urgency::Urgent);
    short.expire_time = Some(kit::field::to_timestamp(at(25)));
    let sent = post.city(short).await.expect("sent");
    until(&mut post, &sent.name, waits(at(24))).await;
    post.world.clock.set(at(25));
    until(&mut post, &sent.name, is(State::Expired)).await;
    assert!(peer.received().is_empty());
}
