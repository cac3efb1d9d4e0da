//! Documents of warnings on their way to other systems: a real peer reads what this service issued.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::town::{CITY, morning, on_both};
use chrono::Duration;
use kit::auth::Role;
use kit::clock::ManualClock;
use kit::drain::Drain;
use kit::scratch::Scratch;
use notification::{Config, WarningConfig};
use proto::notification as pb;
use proto::notification::delivery::{Failure, State};
use proto::notification::warning_info::Severity;
use proto::notification::warning_reference::Type;
use uuid::Uuid;

use crate::peers::{Answer, Peer, Received};
use crate::town::centre::centre;
use crate::town::post::Post;
use crate::town::ways::{at, is, message, states, until};
use crate::town::world::{NOWHERE, SENDER, by, reason, settings};

on_both!(
    every_centre_gets_the_chain_as_it_was_written,
    a_centre_that_is_down_gets_the_same_document_again_and_the_next_after_it,
    a_document_that_is_refused_is_a_dead_letter_and_holds_up_no_other,
    an_exercise_reaches_centres_of_exercises_only,
    a_repeated_request_sends_one_document,
    replicas_send_each_document_once,
    a_cancel_reaches_the_centre_after_the_end_of_what_it_calls_off,
    no_preference_holds_up_a_document,
    nobody_sends_messages_by_a_channel_of_documents,
    without_a_centre_nothing_is_carried,
);

fn accepted(_: &Received) -> Answer {
    Answer::Http("HTTP/1.1 202 Accepted", String::new())
}

/// A centre that takes nothing until it is up.
async fn awakening() -> (Peer, Arc<AtomicBool>) {
    let up = Arc::new(AtomicBool::new(false));
    let works = up.clone();
    let peer = Peer::start(move |request| match works.load(Ordering::SeqCst) {
        true => accepted(request),
        false => Answer::Http("HTTP/1.1 503 Service Unavailable", String::new()),
    });
    (peer.await, up)
}

fn read(request: &Received) -> cap::Message {
    cap::read(request.body.as_bytes()).expect("a document")
}

fn read_all(peer: &Peer) -> Vec<cap::Message> {
    peer.received().iter().map(read).collect()
}

async fn every_centre_gets_the_chain_as_it_was_written(scratch: Scratch) {
    let (first, second) = (Peer::start(accepted).await, Peer::start(accepted).await);
    let ways = vec![centre("city", &first.url), centre("province", &second.url)];
    let mut post = Post::with(scratch, ways).await;
    let warning = post.warn(false).await;
    let mut written = Vec::new();
    for of in [Type::Alert, Type::Update, Type::Cancel] {
        let answer = post.export(&warning, of).await;
        let deliveries = until(&mut post, &answer.carrier, is(State::Sent)).await;
        let told: Vec<_> = deliveries
            .iter()
            .map(|one| (&*one.recipient, &*one.channel, one.attempt_count))
            .collect();
        let expected = [(CITY, "channels/city", 1), (CITY, "channels/province", 1)];
        assert_eq!(told, expected);
        written.push(cap::read(&answer.document).expect("a document"));
        post.world.clock.advance(Duration::minutes(1));
    }
    for peer in [&first, &second] {
        assert_eq!(read_all(peer), written);
    }
    let [alert, update, cancel] = &written[..] else {
        panic!("three documents")
    };
    assert_eq!(
        (&*alert.sender, alert.status),
        (SENDER, cap::Status::Actual)
    );
    assert_eq!(cancel.message_type, cap::MessageType::Cancel);
    assert_eq!(cancel.references, [alert.reference(), update.reference()]);
    let received = first.received();
    assert_eq!(
        received[0].header("content-type"),
        Some("application/cap+xml; charset=utf-8")
    );
    let keys: std::collections::BTreeSet<_> = received
        .iter()
        .map(|one| one.header("idempotency-key").expect("a key").to_owned())
        .collect();
    assert_eq!(keys.len(), 3, "a key for each document");
    // What carries a document says of what, and for whom.
    let request = pb::GetMessageRequest {
        name: post.export_name(&warning).await,
    };
    let request = by("officer", Role::CityOfficer, "fz", request);
    let carrier = post.world.deliveries.get_message(request).await;
    let carrier = carrier.expect("a message").into_inner();
    assert_eq!(carrier.basis, warning);
    assert_eq!(carrier.category(), pb::message::Category::Warning);
    assert_eq!(carrier.channels, ["channels/city", "channels/province"]);
    assert_eq!(carrier.counts.expect("counts").sent, 2);
}

impl Post {
    /// The message that carries the latest document of a warning.
    async fn export_name(&mut self, warning: &str) -> String {
        let request = pb::ListMessagesRequest {
            parent: CITY.to_owned(),
            ..Default::default()
        };
        let request = by("officer", Role::CityOfficer, "fz", request);
        let page = self.world.deliveries.list_messages(request).await;
        let messages = page.expect("a page").into_inner().messages;
        let carrier = messages.into_iter().find(|one| one.basis == warning);
        carrier.expect("a carrier").name
    }
}

async fn a_centre_that_is_down_gets_the_same_document_again_and_the_next_after_it(
    scratch: Scratch,
) {
    let (peer, up) = awakening().await;
    let mut post = Post::with(scratch, vec![centre("city", &peer.url)]).await;
    let warning = post.warn(false).await;
    let alert = post.export(&warning, Type::Alert).await;
    until(&mut post, &alert.carrier, |one| one.attempt_count == 1).await;
    let cancel = post.export(&warning, Type::Cancel).await;
    post.world.clock.advance(Duration::seconds(2));
    let tried = until(&mut post, &alert.carrier, |one| one.attempt_count == 2).await;
    assert_eq!(tried[0].failure(), Failure::Unreachable);
    // A stop in between loses nothing.
    post.world.stop().await;
    up.store(true, Ordering::SeqCst);
    post.world.start().await;
    let waiting = states(&mut post, &cancel.carrier).await;
    assert_eq!(waiting[0].state(), State::Queued);
    post.world.clock.advance(Duration::minutes(10));
    for carrier in [&alert.carrier, &cancel.carrier] {
        until(&mut post, carrier, is(State::Sent)).await;
    }
    let received = peer.received();
    let told: Vec<_> = received.iter().map(|one| read(one).identifier).collect();
    let (one, other) = (&*alert.identifier, &*cancel.identifier);
    assert_eq!(told, [one, one, one, other]);
    let key = |place: usize| received[place].header("idempotency-key");
    assert!(key(0) == key(1) && key(1) == key(2) && key(2) != key(3));
    assert_eq!(received[0].body, received[2].body);
}

async fn a_document_that_is_refused_is_a_dead_letter_and_holds_up_no_other(scratch: Scratch) {
    let up = Arc::new(AtomicBool::new(false));
    let works = up.clone();
    let peer = Peer::start(move |request| {
        let alert = request.body.contains("<msgType>Alert");
        match alert && !works.load(Ordering::SeqCst) {
            true => Answer::Http("HTTP/1.1 400 Bad Request", String::new()),
            false => accepted(request),
        }
    })
    .await;
    let mut post = Post::with(scratch, vec![centre("city", &peer.url)]).await;
    let warning = post.warn(false).await;
    let alert = post.export(&warning, Type::Alert).await;
    let update = post.export(&warning, Type::Update).await;
    let dead = until(&mut post, &alert.carrier, is(State::Failed)).await;
    assert_eq!(dead[0].failure(), Failure::Refused);
    until(&mut post, &update.carrier, is(State::Sent)).await;
    up.store(true, Ordering::SeqCst);
    let request = pb::ResendDeadLettersRequest {
        names: vec![dead[0].name.clone()],
        ..Default::default()
    };
    let request = by("operator", Role::SystemAdmin, "", request);
    let sent = post.world.deliveries.resend_dead_letters(request).await;
    sent.expect("queued");
    until(&mut post, &alert.carrier, is(State::Sent)).await;
    assert_eq!(peer.received().len(), 3);
}

async fn an_exercise_reaches_centres_of_exercises_only(scratch: Scratch) {
    let (real, drill) = (Peer::start(accepted).await, Peer::start(accepted).await);
    let sink = notification::ChannelConfig {
        exercise: true,
        ..centre("drill", &drill.url)
    };
    let mut post = Post::with(scratch, vec![centre("city", &real.url), sink]).await;
    for exercise in [true, false] {
        let warning = post.warn(exercise).await;
        for of in [Type::Alert, Type::Cancel] {
            let answer = post.export(&warning, of).await;
            let deliveries = until(&mut post, &answer.carrier, is(State::Sent)).await;
            let channel = if exercise { "drill" } else { "city" };
            let channels: Vec<_> = deliveries.iter().map(|one| &*one.channel).collect();
            assert_eq!(channels, [format!("channels/{channel}")]);
        }
    }
    let statuses = |peer: &Peer| -> Vec<_> {
        let read = read_all(peer).into_iter();
        read.map(|one| (one.status, one.note.is_some())).collect()
    };
    assert_eq!(statuses(&real), [(cap::Status::Actual, false); 2]);
    assert_eq!(statuses(&drill), [(cap::Status::Exercise, true); 2]);
}

async fn a_repeated_request_sends_one_document(scratch: Scratch) {
    let peer = Peer::start(accepted).await;
    let mut post = Post::with(scratch, vec![centre("city", &peer.url)]).await;
    let warning = post.warn(false).await;
    let ask = pb::ExportWarningRequest {
        message: warning.clone(),
        r#type: Type::Alert.into(),
        event: "台风".to_owned(),
        severity: Severity::Severe.into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let first = post.export_as(ask.clone()).await;
    let again = post.export_as(ask).await;
    assert_eq!(first, again);
    // Whatever the repeat had queued would have left before the next document.
    let cancel = post.export(&warning, Type::Cancel).await;
    until(&mut post, &cancel.carrier, is(State::Sent)).await;
    let told: Vec<_> = read_all(&peer)
        .into_iter()
        .map(|one| one.identifier)
        .collect();
    assert_eq!(told, [first.identifier, cancel.identifier]);
}

async fn replicas_send_each_document_once(scratch: Scratch) {
    let peer = Peer::start(accepted).await;
    let mut post = Post::with(scratch, vec![centre("city", &peer.url)]).await;
    let other = post.world.replica().await;
    let mut carriers = Vec::new();
    for _ in 0..10 {
        let warning = post.warn(false).await;
        for of in [Type::Alert, Type::Cancel] {
            carriers.push(post.export(&warning, of).await.carrier);
        }
    }
    for carrier in &carriers {
        until(&mut post, carrier, is(State::Sent)).await;
    }
    other.stop().await.expect("stopped");
    let documents = read_all(&peer);
    let told: std::collections::BTreeSet<_> = documents.iter().map(|one| &one.identifier).collect();
    assert_eq!((documents.len(), told.len()), (20, 20));
    // No cancel came before the alert that it calls off.
    for (place, cancel) in documents.iter().enumerate() {
        let before: Vec<_> = documents[..place]
            .iter()
            .map(cap::Message::reference)
            .collect();
        assert!(cancel.references.iter().all(|one| before.contains(one)));
    }
}

async fn a_cancel_reaches_the_centre_after_the_end_of_what_it_calls_off(scratch: Scratch) {
    let peer = Peer::start(accepted).await;
    let mut post = Post::with(scratch, vec![centre("city", &peer.url)]).await;
    let warning = post.warn(false).await;
    let alert = post.export(&warning, Type::Alert).await;
    until(&mut post, &alert.carrier, is(State::Sent)).await;
    post.cancel(&warning).await.expect("stopped");
    post.world.clock.advance(Duration::days(4));
    let update = post.export(&warning, Type::Update).await;
    until(&mut post, &update.carrier, is(State::Expired)).await;
    let cancel = post.export(&warning, Type::Cancel).await;
    until(&mut post, &cancel.carrier, is(State::Sent)).await;
    let told: Vec<_> = read_all(&peer)
        .into_iter()
        .map(|one| one.identifier)
        .collect();
    assert_eq!(told, [alert.identifier, cancel.identifier]);
}

async fn no_preference_holds_up_a_document(scratch: Scratch) {
    let peer = Peer::start(accepted).await;
    let mut post = Post::with(scratch, vec![centre("city", &peer.url)]).await;
    let preferences = pb::Preferences {
        party: CITY.to_owned(),
        digest_minute: 720,
        inbox_only_categories: vec!["WARNING".to_owned()],
        ..Default::default()
    };
    let request = pb::UpdatePreferencesRequest {
        preferences: Some(preferences),
    };
    let request = by("officer", Role::CityOfficer, "fz", request);
    post.world
        .channels
        .update_preferences(request)
        .await
        .expect("set");
    // In the middle of the night.
    post.world.clock.set(at(23));
    let warning = post.warn(false).await;
    let alert = post.export(&warning, Type::Alert).await;
    until(&mut post, &alert.carrier, is(State::Sent)).await;
    assert_eq!(peer.received().len(), 1);
}

async fn nobody_sends_messages_by_a_channel_of_documents(scratch: Scratch) {
    let mut post = Post::with(scratch, vec![centre("city", "http://127.0.0.1:9/cap")]).await;
    let message = message("city", &[1], pb::message::Urgency::Urgent);
    let refused = post.city(message).await.expect_err("refused");
    assert_eq!(reason(&refused), "INVALID_FIELD");
    assert!(
        refused.message().contains("message.channels[0]"),
        "{}",
        refused.message()
    );
}

/// Nothing ever leaves under the name of nobody.
#[tokio::test]
async fn without_a_sender_the_service_does_not_start() {
    let scratch = kit::scratch::sqlite();
    let ways = [centre("city", "http://127.0.0.1:9/cap")];
    let config = Config {
        warnings: WarningConfig::default(),
        ..settings(&scratch, NOWHERE, &ways)
    };
    let clock = Arc::new(ManualClock::at(morning()));
    let started = notification::start(config, clock, Drain::new()).await;
    let refused = started.expect_err("refused").to_string();
    assert!(
        refused.starts_with("configuration: warnings.sender: required by channels.city"),
        "{refused}"
    );
}

async fn without_a_centre_nothing_is_carried(scratch: Scratch) {
    let mut post = Post::with(scratch, Vec::new()).await;
    let warning = post.warn(false).await;
    let alert = post.export(&warning, Type::Alert).await;
    assert_eq!(alert.carrier, "");
    assert!(cap::read(&alert.document).is_ok());
}
