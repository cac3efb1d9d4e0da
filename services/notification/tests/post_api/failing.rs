//! Providers that fail: messages are sent again, in time and not for ever, and never twice.

use crate::town;
use crate::town::on_both;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use chrono::Duration;
use kit::auth::Role;
use kit::scratch::Scratch;
use notification::ChannelConfig;
use proto::notification as pb;
use proto::notification::delivery::{Failure, State};
use proto::notification::message::Urgency;

use crate::peers::{Answer, Peer, Received, code, sms, taken};
use crate::town::post::Post;
use crate::town::staff;
use crate::town::ways::{at, channel, is, message, phone, prefer, reachable, states, until, waits};
use crate::town::world::by;

on_both!(
    a_provider_that_is_down_gets_the_same_message_again,
    an_answer_that_was_lost_is_asked_for_again_and_the_message_counts_once,
    a_digest_that_is_sent_again_is_the_same_one,
    a_digest_that_waits_for_its_address_stays_in_one_piece,
    a_provider_that_throttles_is_left_alone_as_long_as_it_asks,
    a_provider_that_fails_in_a_row_rests_and_says_so,
    what_fails_too_often_is_a_dead_letter_that_can_be_sent_again,
    nobody_at_an_address_ends_it_until_the_address_is_set_again,
    a_dead_letter_that_is_sent_again_gives_its_address_another_chance,
    what_was_taken_and_not_sent_at_the_drain_is_sent_after_it,
);

async fn a_provider_that_is_down_gets_the_same_message_again(scratch: Scratch) {
    let up = Arc::new(AtomicBool::new(false));
    let works = up.clone();
    let peer = Peer::start(move |request| match works.load(Ordering::SeqCst) {
        true => taken(request),
        false => Answer::Http("HTTP/1.1 502 Bad Gateway", String::new()),
    })
    .await;
    let mut post = Post::with(scratch, vec![sms("sms", &peer.url)]).await;
    reachable(&mut post, "sms", &[1]).await;
    let sent = post.city(message("sms", &[1], Urgency::Urgent)).await;
    let name = sent.expect("sent").name;
    let failed = until(&mut post, &name, |one| one.attempt_count == 1).await;
    assert_eq!(failed[0].failure(), Failure::Unreachable);
    assert_eq!(failed[0].state(), State::Queued);
    post.world.clock.advance(Duration::seconds(2));
    until(&mut post, &name, |one| one.attempt_count == 2).await;
    up.store(true, Ordering::SeqCst);
    post.world.clock.advance(Duration::seconds(4));
    until(&mut post, &name, is(State::Sent)).await;
    let received = peer.received();
    assert_eq!(received.len(), 3);
    let ids: BTreeSet<_> = received
        .iter()
        .map(|one| one.header("x-request-id").map(ToOwned::to_owned))
        .collect();
    assert_eq!(ids.len(), 1, "the same key each time");
    assert_eq!(channel(&mut post, "sms").await.failures_in_row, 0);
}

/// It takes a message and its answer is lost; then it lies that it never did; then it says that it has it.
async fn an_answer_that_was_lost_is_asked_for_again_and_the_message_counts_once(scratch: Scratch) {
    let turns = AtomicUsize::new(0);
    let peer = Peer::start(move |request| match turns.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::Close,
        1 => code(1),
        2 => taken(request),
        _ => code(500),
    })
    .await;
    let mut post = Post::with(scratch, vec![sms("sms", &peer.url)]).await;
    reachable(&mut post, "sms", &[1]).await;
    let sent = post.city(message("sms", &[1], Urgency::Urgent)).await;
    let name = sent.expect("sent").name;
    for (attempt, wait) in [(1, 2), (2, 4)] {
        until(&mut post, &name, |one| one.attempt_count == attempt).await;
        post.world.clock.advance(Duration::seconds(wait));
    }
    let sent = until(&mut post, &name, is(State::Sent)).await;
    assert_eq!(sent[0].attempt_count, 3);
    // What follows is of another message, and takes nothing back.
    let other = post.city(message("sms", &[1], Urgency::Urgent)).await;
    let other = other.expect("sent").name;
    let refused = until(&mut post, &other, is(State::Failed)).await;
    assert_eq!(refused[0].failure(), Failure::Refused);
    assert_eq!(states(&mut post, &name).await, sent);
    let keys: Vec<_> = peer
        .received()
        .iter()
        .map(|one| one.header("x-request-id").map(ToOwned::to_owned))
        .collect();
    assert_eq!(keys.len(), 4);
    assert!(keys[..3].iter().all(|key| *key == keys[0]), "one key");
    assert_ne!(keys[3], keys[0]);
}

/// Ordinary messages for the noon of somebody.
async fn gathered(post: &mut Post, count: usize) -> Vec<String> {
    reachable(post, "sms", &[1]).await;
    prefer(post, 1, |preferences| preferences.digest_minute = 720).await;
    let mut names = Vec::new();
    for _ in 0..count {
        let sent = post.city(message("sms", &[1], Urgency::Ordinary)).await;
        names.push(sent.expect("sent").name);
        post.world.clock.advance(Duration::minutes(7));
    }
    for name in &names {
        until(post, name, waits(at(11))).await;
    }
    names
}

fn keys_and_texts(peer: &Peer) -> Vec<(String, String)> {
    let of = |one: &Received| {
        let key = one.header("x-request-id").expect("a key");
        let json: serde_json::Value = serde_json::from_str(&one.body).expect("JSON");
        let text = json["text"].as_str().expect("a text");
        (key.to_owned(), text.to_owned())
    };
    peer.received().iter().map(of).collect()
}

/// The provider takes a digest and its answer is lost. After that one row is taken at a time, and its
/// recipient wants no digests any more.
async fn a_digest_that_is_sent_again_is_the_same_one(scratch: Scratch) {
    let turns = AtomicUsize::new(0);
    let peer = Peer::start(move |request| match turns.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Answer::Close,
        _ => taken(request),
    })
    .await;
    let config = ChannelConfig {
        rest_after: 1,
        ..sms("sms", &peer.url)
    };
    let mut post = Post::with(scratch, vec![config]).await;
    let names = gathered(&mut post, 3).await;
    post.world.clock.set(at(12) + Duration::minutes(1));
    for name in &names {
        until(&mut post, name, |one| one.attempt_count == 1).await;
    }
    // What comes meanwhile is not put into what the provider may have.
    let fourth = post.city(message("sms", &[1], Urgency::Ordinary)).await;
    let fourth = fourth.expect("sent").name;
    post.expanded(&fourth).await;
    post.world.clock.advance(Duration::hours(1));
    until(&mut post, &fourth, waits(at(35))).await;
    post.world.clock.advance(Duration::hours(1));
    for name in &names {
        until(&mut post, name, |one| one.attempt_count == 2).await;
    }
    prefer(&mut post, 1, |preferences| preferences.digest_minute = -1).await;
    post.world.clock.advance(Duration::hours(1));
    for name in &names {
        let sent = until(&mut post, name, is(State::Sent)).await;
        assert_eq!(sent[0].attempt_count, 3);
    }
    let received = keys_and_texts(&peer);
    assert_eq!(received.len(), 3, "{received:?}");
    assert!(received[0].1.starts_with("您有 3 条消息"), "{received:?}");
    assert!(
        received.iter().all(|one| *one == received[0]),
        "{received:?}"
    );
    // The one that came meanwhile leaves with a key of its own.
    post.world.clock.set(at(37));
    until(&mut post, &fourth, is(State::Sent)).await;
    let received = keys_and_texts(&peer);
    assert_eq!(received.len(), 4);
    assert_ne!(received[3].0, received[0].0);
}

/// Its address has had enough when its hour comes.
async fn a_digest_that_waits_for_its_address_stays_in_one_piece(scratch: Scratch) {
    let peer = Peer::start(taken).await;
    let config = ChannelConfig {
        address_budget_per_minute: 1,
        concurrency: 1,
        ..sms("sms", &peer.url)
    };
    let mut post = Post::with(scratch, vec![config]).await;
    let names = gathered(&mut post, 5).await;
    post.world.clock.set(at(12) - Duration::seconds(1));
    let sent = post.city(message("sms", &[1], Urgency::Urgent)).await;
    until(&mut post, &sent.expect("sent").name, is(State::Sent)).await;
    // A millisecond before the address may get the next one.
    let spent = at(12) + Duration::seconds(59);
    post.world.clock.set(spent);
    for name in &names {
        until(&mut post, name, waits(spent)).await;
    }
    post.world.clock.advance(Duration::seconds(1));
    for name in &names {
        until(&mut post, name, is(State::Sent)).await;
    }
    let received = keys_and_texts(&peer);
    assert_eq!(received.len(), 2, "{received:?}");
    assert!(received[1].1.starts_with("您有 5 条消息"), "{received:?}");
}

async fn a_provider_that_throttles_is_left_alone_as_long_as_it_asks(scratch: Scratch) {
    let busy = Arc::new(AtomicBool::new(true));
    let throttles = busy.clone();
    let peer = Peer::start(
        move |request| match throttles.swap(false, Ordering::SeqCst) {
            true => Answer::Http(
                "HTTP/1.1 429 Too Many Requests\r\nretry-after: 120",
                String::new(),
            ),
            false => taken(request),
        },
    )
    .await;
    let mut post = Post::with(scratch, vec![sms("sms", &peer.url)]).await;
    reachable(&mut post, "sms", &[1, 2]).await;
    let sent = post.city(message("sms", &[1], Urgency::Urgent)).await;
    let throttled = sent.expect("sent").name;
    let found = until(&mut post, &throttled, |one| one.attempt_count == 1).await;
    assert_eq!(found[0].failure(), Failure::Throttled);
    let rests = channel(&mut post, "sms").await.rest_until;
    let until_then = town::morning() + Duration::seconds(120);
    assert_eq!(rests, Some(kit::field::to_timestamp(until_then)));
    // Nothing leaves meanwhile, not even to others.
    let sent = post.city(message("sms", &[2], Urgency::Emergency)).await;
    let other = sent.expect("sent").name;
    post.expanded(&other).await;
    post.world.clock.advance(Duration::seconds(119));
    assert_eq!(peer.received().len(), 1);
    post.world.clock.advance(Duration::seconds(1));
    until(&mut post, &throttled, is(State::Sent)).await;
    until(&mut post, &other, is(State::Sent)).await;
    assert_eq!(channel(&mut post, "sms").await.rest_until, None);
}

async fn a_provider_that_fails_in_a_row_rests_and_says_so(scratch: Scratch) {
    let peer = Peer::start(|_| Answer::Close).await;
    let config = ChannelConfig {
        concurrency: 1,
        rest_after: 3,
        ..sms("sms", &peer.url)
    };
    let mut post = Post::with(scratch, vec![config]).await;
    reachable(&mut post, "sms", &[1, 2, 3]).await;
    let sent = post.city(message("sms", &[1, 2, 3], Urgency::Urgent)).await;
    let name = sent.expect("sent").name;
    until(&mut post, &name, |one| one.attempt_count == 1).await;
    let resting = channel(&mut post, "sms").await;
    assert_eq!((resting.failures_in_row, resting.queued_count), (3, 3));
    let rest = resting.rest_until.and_then(kit::field::from_timestamp);
    let rest = rest.expect("it rests") - town::morning();
    assert!(Duration::seconds(15) <= rest && rest <= Duration::seconds(30));
    let oldest = resting.oldest_time.and_then(kit::field::from_timestamp);
    assert_eq!(oldest, Some(town::morning()));
    // All three are due, but it rests; then one probe is made, and it rests again.
    post.world.clock.advance(rest);
    let fourth = peer.wait_for(4).await;
    assert_eq!(fourth.len(), 4);
    for _ in 0..1000 {
        if channel(&mut post, "sms").await.failures_in_row == 4 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let resting = channel(&mut post, "sms").await;
    assert_eq!(resting.failures_in_row, 4);
    assert_eq!(peer.received().len(), 4);
}

async fn what_fails_too_often_is_a_dead_letter_that_can_be_sent_again(scratch: Scratch) {
    let up = Arc::new(AtomicBool::new(false));
    let works = up.clone();
    let peer = Peer::start(move |request| match works.load(Ordering::SeqCst) {
        true => taken(request),
        false => Answer::ok("nonsense"),
    })
    .await;
    let config = ChannelConfig {
        attempts: 2,
        ..sms("sms", &peer.url)
    };
    let mut post = Post::with(scratch, vec![config]).await;
    reachable(&mut post, "sms", &[1]).await;
    let sent = post.city(message("sms", &[1], Urgency::Urgent)).await;
    let name = sent.expect("sent").name;
    until(&mut post, &name, |one| one.attempt_count == 1).await;
    post.world.clock.advance(Duration::seconds(2));
    let dead = until(&mut post, &name, is(State::Failed)).await;
    assert_eq!(
        (dead[0].attempt_count, dead[0].failure()),
        (2, Failure::BadAnswer)
    );
    assert_eq!(channel(&mut post, "sms").await.dead_count, 1);
    up.store(true, Ordering::SeqCst);
    let resend = pb::ResendDeadLettersRequest {
        names: vec![dead[0].name.clone()],
        request_id: String::new(),
    };
    let resend = by("operator", Role::SystemAdmin, "", resend);
    let queued = post.world.deliveries.resend_dead_letters(resend).await;
    assert_eq!(queued.expect("queued").into_inner().queued_count, 1);
    until(&mut post, &name, is(State::Sent)).await;
    assert_eq!(peer.received().len(), 3);
}

async fn nobody_at_an_address_ends_it_until_the_address_is_set_again(scratch: Scratch) {
    let peer = Peer::start(|request| match request.body.contains(&phone(1)) {
        true => code(4),
        false => taken(request),
    })
    .await;
    let mut post = Post::with(scratch, vec![sms("sms", &peer.url)]).await;
    reachable(&mut post, "sms", &[1, 2]).await;
    let sent = post.city(message("sms", &[1, 2], Urgency::Urgent)).await;
    let name = sent.expect("sent").name;
    let ended = |one: &pb::Delivery| one.state() != State::Queued;
    let found = until(&mut post, &name, ended).await;
    let of = |party: String| found.iter().find(|one| one.recipient == party);
    let nobody = of(staff(1)).expect("a delivery");
    assert_eq!(
        (nobody.state(), nobody.failure()),
        (State::Failed, Failure::NoRecipient)
    );
    assert_eq!(of(staff(2)).expect("a delivery").state(), State::Sent);
    let points = async |post: &mut Post| {
        let request = pb::ListContactPointsRequest { party: staff(1) };
        let request = by("officer", Role::CityOfficer, "fz", request);
        let listed = post.world.channels.list_contact_points(request).await;
        listed.expect("listed").into_inner().contact_points
    };
    assert!(points(&mut post).await[0].unreachable);
    // The next message does not even try.
    let sent = post.city(message("sms", &[1], Urgency::Urgent)).await;
    let name = sent.expect("sent").name;
    post.expanded(&name).await;
    assert_eq!(states(&mut post, &name).await, []);
    reachable(&mut post, "sms", &[1]).await;
    assert!(!points(&mut post).await[0].unreachable);
}

/// The provider was wrong about everybody.
async fn a_dead_letter_that_is_sent_again_gives_its_address_another_chance(scratch: Scratch) {
    let mended = Arc::new(AtomicBool::new(false));
    let works = mended.clone();
    let peer = Peer::start(move |request| match works.load(Ordering::SeqCst) {
        true => taken(request),
        false => code(4),
    })
    .await;
    let mut post = Post::with(scratch, vec![sms("sms", &peer.url)]).await;
    reachable(&mut post, "sms", &[1]).await;
    let sent = post.city(message("sms", &[1], Urgency::Urgent)).await;
    let name = sent.expect("sent").name;
    let dead = until(&mut post, &name, is(State::Failed)).await;
    assert_eq!(dead[0].failure(), Failure::NoRecipient);
    mended.store(true, Ordering::SeqCst);
    let resend = pb::ResendDeadLettersRequest {
        names: vec![dead[0].name.clone()],
        request_id: String::new(),
    };
    let resend = by("operator", Role::SystemAdmin, "", resend);
    let queued = post.world.deliveries.resend_dead_letters(resend).await;
    assert_eq!(queued.expect("queued").into_inner().queued_count, 1);
    until(&mut post, &name, is(State::Sent)).await;
    // The next message tries as well.
    let sent = post.city(message("sms", &[1], Urgency::Urgent)).await;
    let name = sent.expect("sent").name;
    until(&mut post, &name, is(State::Sent)).await;
}

async fn what_was_taken_and_not_sent_at_the_drain_is_sent_after_it(scratch: Scratch) {
    let first = Arc::new(AtomicBool::new(true));
    let peer = Peer::start(move |request| match first.swap(false, Ordering::SeqCst) {
        true => Answer::Silence,
        false => taken(request),
    })
    .await;
    let config = ChannelConfig {
        concurrency: 1,
        timeout: std::time::Duration::from_secs(2),
        ..sms("sms", &peer.url)
    };
    let mut post = Post::with(scratch, vec![config]).await;
    let numbers = [1, 2, 3, 11];
    reachable(&mut post, "sms", &numbers).await;
    let sent = post.city(message("sms", &numbers, Urgency::Urgent)).await;
    let name = sent.expect("sent").name;
    post.expanded(&name).await;
    peer.wait_for(1).await;
    post.world.stop().await;
    // The attempt under way was waited for, and the others were not begun.
    assert_eq!(peer.received().len(), 1);
    post.world.start().await;
    let failed = |one: &pb::Delivery| one.failure() == Failure::Timeout;
    let found = until(&mut post, &name, |one| {
        one.state() == State::Sent || failed(one)
    })
    .await;
    assert_eq!(found.iter().filter(|one| failed(one)).count(), 1);
    post.world.clock.advance(Duration::seconds(2));
    until(&mut post, &name, is(State::Sent)).await;
}
