//! What the service tells operators of messages and duties rises when they wait, and falls when they do not.

mod peers;
#[expect(
    unused_imports,
    unused_macros,
    reason = "the databases follow one another here"
)]
mod town;

use chrono::TimeDelta;
use kit::auth::Role;
use kit::lease::Held;
use kit::scratch::Scratch;
use kit::telemetry::{Looker, Told};
use proto::notification as pb;
use proto::notification::concern::Category;
use proto::notification::message::Urgency;

use peers::{Peer, sms, taken};
use town::officers::{BUREAU_CLERK, SCHOOL_CLERK, SIGN, Step, WORK};
use town::post::Post;
use town::ways::{message, reachable};
use town::world::{TOLD, World, by};
use town::{BUREAU, BUREAU_PATH, SCHOOL};

const UNDELIVERED: &str = "campus_notification_undelivered";
const WAITING: &str = "campus_notification_undelivered_age_seconds";
const EXPANDING: &str = "campus_notification_expanding_age_seconds";
const OVERDUE: &str = "campus_notification_overdue";
const MISSED: &str = "campus_notification_deadlines_age_seconds";
const ALL: &str = "service=\"notification\"";
const SMS: &str = "channel=\"sms\"";
const URGENT: &str = "channel=\"sms\",service=\"notification\",urgency=\"URGENT\"";

async fn pause(post: &mut Post, paused: bool) {
    let name = "channels/sms".to_owned();
    let channels = &mut post.world.channels;
    let done = if paused {
        let ask = pb::PauseChannelRequest { name };
        channels
            .pause_channel(by("operator", Role::SystemAdmin, "", ask))
            .await
    } else {
        let ask = pb::ResumeChannelRequest { name };
        channels
            .resume_channel(by("operator", Role::SystemAdmin, "", ask))
            .await
    };
    done.expect("done");
}

/// A channel that is paused, and somebody who keeps inboxes from being filled.
async fn messages_wait(post: &mut Post, look: Looker) {
    pause(post, true).await;
    let sent = post.city(message("sms", &[1], Urgency::Urgent)).await;
    let sent = sent.expect("sent").name;
    post.expanded(&sent).await;
    post.world.clock.advance(TimeDelta::minutes(10));
    look.all(&[(UNDELIVERED, SMS, 1.0), (WAITING, URGENT, 600.0)])
        .await;
    pause(post, false).await;
    look.all(&[(UNDELIVERED, SMS, 0.0), (WAITING, URGENT, 0.0)])
        .await;

    let lease = Held::take(&post.world.db, "messages").await;
    let sent = post.city(message("sms", &[1], Urgency::Urgent)).await;
    sent.expect("sent");
    post.world.clock.advance(TimeDelta::minutes(5));
    look.all(&[(EXPANDING, ALL, 300.0)]).await;
    lease.release();
    look.all(&[(EXPANDING, ALL, 0.0)]).await;
}

/// What is late of a directive, from its arrival to the judgement of what a school reports.
async fn a_directive_waits(post: &mut Post, look: Looker) {
    const UNREAD: &str = "what=\"directives_unread\"";
    const UNSIGNED: &str = "what=\"directives_unsigned\"";
    const RELAYS: &str = "what=\"relays\"";
    const JUDGEMENTS: &str = "what=\"judgements\"";
    let world = &mut post.world;
    let lease = Held::take(&world.db, "overdue").await;
    let issued = world.issued(&[BUREAU]).await;
    let name = &*issued.name;
    world.clock.advance(TimeDelta::days(1));
    let (unread, unsigned) = (
        look.until(OVERDUE, UNREAD, |count| count >= 1.0).await,
        look.until(OVERDUE, UNSIGNED, |count| count >= 1.0).await,
    );
    assert!(unread <= unsigned, "{unread} of {unsigned}");
    look.until(MISSED, ALL, |age| age >= 3600.0).await;
    lease.release();
    look.all(&[(MISSED, ALL, 0.0)]).await;
    world.steps(name, BUREAU, BUREAU_CLERK, &SIGN).await;
    look.until(OVERDUE, UNREAD, |count| count < unread.max(1.0))
        .await;
    look.until(OVERDUE, UNSIGNED, |count| count < unsigned)
        .await;

    world.clock.advance(TimeDelta::hours(3));
    look.all(&[(OVERDUE, RELAYS, 1.0)]).await;
    let relay = Step::Relay(issued.text_sha256.to_vec());
    world.steps(name, BUREAU, BUREAU_CLERK, &[relay]).await;
    look.all(&[(OVERDUE, RELAYS, 0.0)]).await;

    world.steps(name, SCHOOL, SCHOOL_CLERK, &SIGN).await;
    world.steps(name, SCHOOL, SCHOOL_CLERK, &WORK).await;
    world.clock.advance(TimeDelta::hours(25));
    look.all(&[(OVERDUE, JUDGEMENTS, 1.0)]).await;
    let accepted = world.accept(name, SCHOOL, BUREAU_PATH).await;
    accepted.expect("accepted");
    look.all(&[(OVERDUE, JUDGEMENTS, 0.0)]).await;
}

/// Messages that were kept for as long as they may be.
async fn what_is_removed_is_counted(post: &mut Post, look: Looker) {
    const REMOVED: &str = "campus_retention_removed_total";
    const MESSAGES: &str = "kind=\"message\"";
    let before = look.value(REMOVED, MESSAGES).await.unwrap_or_default();
    post.world.clock.advance(TimeDelta::days(800));
    look.until(REMOVED, MESSAGES, |count| count > before).await;
}

async fn a_concern_waits(scratch: Scratch) {
    const CONCERNS: &str = "what=\"concerns\"";
    let mut world = World::peopled(scratch).await;
    let look = Looker::at(world.operators_page());
    let concern = world.submitted(Category::Living).await;
    look.all(&[(OVERDUE, CONCERNS, 0.0)]).await;
    world.clock.advance(TimeDelta::days(40));
    look.all(&[(OVERDUE, CONCERNS, 1.0)]).await;
    world.answered(&concern.name).await;
    look.all(&[(OVERDUE, CONCERNS, 0.0)]).await;
    world.stop().await;
}

async fn what_waits_is_told(scratch: Scratch) {
    let peer = Peer::start(taken).await;
    let mut post = Post::with(scratch, vec![sms("sms", &peer.url)]).await;
    reachable(&mut post, "sms", &[1]).await;
    let look = Looker::at(post.world.operators_page());
    messages_wait(&mut post, look).await;
    a_directive_waits(&mut post, look).await;
    what_is_removed_is_counted(&mut post, look).await;
    post.world.stop().await;
}

/// One test, since telemetry starts once a process.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_told_until_it_waits_no_more() {
    let told = Told::start("notification");
    TOLD.get_or_init(|| told.config.clone());
    told.on_both(what_waits_is_told).await;
    told.on_both(a_concern_waits).await;
}
