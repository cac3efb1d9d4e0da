//! What was over long ago is removed, and nothing else.

use std::collections::BTreeMap;

use crate::town::on_both;
use chrono::{DateTime, Duration, Utc};
use kit::auth::Role;
use kit::db::{Database, statement};
use kit::scratch::Scratch;
use notification::Migrator;
use notification::domain::delivery::{Attempt, Failure, Fate, Key, Receipt, State};
use notification::domain::message::Message;
use notification::store::Store;
use notification::store::deliveries::Outcome;
use notification::store::retention::Removed;
use proto::notification as pb;
use proto::notification::warning_reference::Type;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::peers::{Answer, Peer};
use crate::town::cap::{Told, document};
use crate::town::centre::centre;
use crate::town::letters::{by_inbox_and, letter, reader, stored};
use crate::town::morning;
use crate::town::post::Post;
use crate::town::scan::number;
use crate::town::ways::{is, until};
use crate::town::world::{World, by};

on_both!(
    a_message_goes_a_part_at_a_time_and_with_all_of_its_own,
    what_is_not_over_or_was_not_ended_stays,
    a_warning_goes_with_its_chain_and_can_come_again,
    the_record_of_documents_outlives_their_message,
    two_replicas_remove_each_row_once,
    the_service_removes_what_was_kept_long_enough,
);

/// Where messages have their rows, by the column with their id.
const TABLES: [(&str, &str); 5] = [
    ("messages", "id"),
    ("message_counts", "message"),
    ("message_parts", "message"),
    ("deliveries", "message"),
    ("warning_carriers", "carrier"),
];

/// How many rows of a message there are anywhere.
async fn rows(db: &Database, id: Uuid) -> i64 {
    let mut rows = 0;
    for (table, column) in TABLES {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE {column} = $1");
        let row = db
            .read()
            .query_one_raw(statement(db.read(), &sql, [id.into()]));
        let row = row.await.expect("read").expect("a row");
        rows += row.try_get_by_index::<i64>(0).expect("a number");
    }
    rows
}

fn end() -> DateTime<Utc> {
    morning() + Message::LIFE
}

/// Ends what is over at the end of the letters.
async fn expire(db: &Database) {
    let tx = db.begin().await.expect("a transaction");
    let ended = Store::expire(&tx, end().timestamp_millis(), 1000).await;
    ended.expect("ended");
    tx.commit().await.expect("committed");
}

/// Removes a part of what was over before an instant.
async fn remove(db: &Database, before: DateTime<Utc>, limit: u32) -> Removed {
    let tx = db.begin().await.expect("a transaction");
    let removed = Store::remove_messages(&tx, before.timestamp_millis(), limit).await;
    tx.commit().await.expect("committed");
    removed.expect("removed")
}

fn soon() -> DateTime<Utc> {
    end() + Duration::milliseconds(1)
}

async fn a_message_goes_a_part_at_a_time_and_with_all_of_its_own(scratch: Scratch) {
    let db = scratch.open::<Migrator>().await;
    let ways = || by_inbox_and(&["a", "b", "c", "d"]);
    stored(&db, vec![letter(1, ways()), letter(2, by_inbox_and(&[]))]).await;
    let key = |number, channel: &str| Key {
        message: Uuid::from_u128(number),
        recipient: reader(number),
        channel: channel.to_owned(),
    };
    let outcome = |channel, attempt| Outcome {
        key: key(1, channel),
        attempt,
    };
    let outcomes = vec![
        outcome("a", Attempt::Sent),
        outcome("b", Attempt::Dead(Failure::NoRecipient)),
    ];
    let tx = db.begin().await.expect("a transaction");
    let at = morning().timestamp_millis();
    Store::settle(&tx, outcomes, at).await.expect("settled");
    let read = Receipt {
        key: key(2, "inbox"),
        sender: "fz".to_owned(),
        fate: Fate::Read,
        time: morning(),
    };
    Store::record_receipts(&tx, &[&read]).await.expect("read");
    tx.commit().await.expect("committed");
    expire(&db).await;
    let (mut deliveries, mut messages, mut parts) = (BTreeMap::<State, u64>::new(), 0, 0);
    loop {
        let removed = remove(&db, soon(), 2).await;
        if removed == Removed::default() {
            break;
        }
        assert!(removed.deliveries.values().sum::<u64>() <= 2);
        for (state, count) in removed.deliveries {
            *deliveries.entry(state).or_default() += count;
        }
        messages += removed.messages;
        parts += 1;
    }
    // What nobody read in the inbox counts as expired, as do the two that were never sent.
    let expected = [
        (State::Sent, 1),
        (State::Read, 1),
        (State::Failed, 1),
        (State::Expired, 3),
    ];
    assert_eq!(deliveries, expected.into());
    assert_eq!((messages, parts), (2, 3));
    for number in [1, 2] {
        assert_eq!(rows(&db, Uuid::from_u128(number)).await, 0);
    }
}

async fn what_is_not_over_or_was_not_ended_stays(scratch: Scratch) {
    let db = scratch.open::<Migrator>().await;
    stored(&db, vec![letter(1, by_inbox_and(&["a"]))]).await;
    // It is over, but what is queued was not ended yet.
    assert_eq!(remove(&db, soon(), 100).await, Removed::default());
    expire(&db).await;
    // It was over at this very instant, not before.
    assert_eq!(remove(&db, end(), 100).await, Removed::default());
    assert_eq!(rows(&db, Uuid::from_u128(1)).await, 5);
    assert_eq!(remove(&db, soon(), 100).await.messages, 1);
}

async fn two_replicas_remove_each_row_once(scratch: Scratch) {
    let db = scratch.open::<Migrator>().await;
    stored(
        &db,
        (1..=60)
            .map(|number| letter(number, by_inbox_and(&["a"])))
            .collect(),
    )
    .await;
    expire(&db).await;
    let work = async || {
        let (mut deliveries, mut messages) = (0, 0);
        loop {
            let removed = remove(&db, soon(), 7).await;
            let found = removed.deliveries.values().sum::<u64>();
            if found + removed.messages == 0 {
                return (deliveries, messages);
            }
            deliveries += found;
            messages += removed.messages;
        }
    };
    let (one, other) = tokio::join!(work(), work());
    assert!(one.0 + other.0 <= 120 && one.1 + other.1 <= 60);
    // Each passes over what the other is at, and the last one finds it.
    let (rest, last) = work().await;
    assert_eq!((one.0 + other.0 + rest, one.1 + other.1 + last), (120, 60));
    assert_eq!(number(&db, "SELECT COUNT(*) FROM message_counts").await, 0);
}

async fn ingest(world: &mut World, told: &Told<'_>) -> pb::Warning {
    let ask = pb::IngestWarningRequest {
        document: document(told).into_bytes().into(),
    };
    let ask = by("met-1", Role::PartnerSystem, "fz", ask);
    let taken = world.warnings.ingest_warning(ask).await;
    taken.expect("taken").into_inner()
}

async fn remove_warnings(db: &Database, before: DateTime<Utc>) -> u64 {
    let tx = db.begin().await.expect("a transaction");
    let removed = Store::remove_warnings(&tx, before.timestamp_millis()).await;
    tx.commit().await.expect("committed");
    removed.expect("removed")
}

async fn a_warning_goes_with_its_chain_and_can_come_again(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    // Two that turn out to be one, one that was called off, and one that is a day younger.
    ingest(&mut world, &Told::alert(1)).await;
    ingest(&mut world, &Told::alert(2)).await;
    ingest(&mut world, &Told::update(3, &[1, 2])).await;
    ingest(&mut world, &Told::alert(10)).await;
    ingest(&mut world, &Told::cancel(11, &[10])).await;
    world.clock.advance(Duration::days(1));
    let younger = ingest(&mut world, &Told::alert(20)).await;
    let db = world.db.clone();
    let came = morning();
    assert_eq!(remove_warnings(&db, came).await, 0);
    // Those that are in force stay, however long ago they came.
    let soon = came + Duration::milliseconds(1);
    assert_eq!(remove_warnings(&db, soon).await, 1);
    let later = came + Duration::hours(2);
    assert_eq!(remove_warnings(&db, later).await, 1);
    assert_eq!(remove_warnings(&db, later).await, 0);
    for table in [
        "warnings",
        "warning_documents",
        "warning_texts",
        "warning_divisions",
    ] {
        let left = number(&db, &format!("SELECT COUNT(*) FROM {table}")).await;
        assert_eq!(left, 1, "{table}");
    }
    let again = ingest(&mut world, &Told::alert(1)).await;
    assert_ne!(again.name, younger.name);
    assert_eq!(again.chain.len(), 1);
}

async fn the_record_of_documents_outlives_their_message(scratch: Scratch) {
    let peer = Peer::start(|_| Answer::ok("")).await;
    let mut post = Post::with(scratch, vec![centre("city", &peer.url)]).await;
    let warning = post.warn(false).await;
    let alert = post.export(&warning, Type::Alert).await;
    until(&mut post, &alert.carrier, is(pb::delivery::State::Sent)).await;
    let db = post.world.db.clone();
    let remove = async |before: DateTime<Utc>| {
        let tx = db.begin().await.expect("a transaction");
        let removed = Store::remove_exports(&tx, before.timestamp_millis()).await;
        tx.commit().await.expect("committed");
        removed.expect("removed")
    };
    let later = morning() + Duration::days(4000);
    // Without it the cancel would be refused, or the alert be written twice.
    assert_eq!(remove(later).await, 0);
    let sql = "DELETE FROM messages";
    let delete = statement(db.read(), sql, []);
    let tx = db.begin().await.expect("a transaction");
    tx.execute_raw(delete).await.expect("deleted");
    tx.commit().await.expect("committed");
    assert_eq!(remove(morning()).await, 0);
    assert_eq!(remove(later).await, 1);
}

/// The service looks by itself: the message that is a day older goes, the younger one stays.
async fn the_service_removes_what_was_kept_long_enough(scratch: Scratch) {
    let peer = Peer::start(|_| Answer::ok("")).await;
    let mut post = Post::with(scratch, vec![centre("city", &peer.url)]).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let warning = post.warn(false).await;
        post.expanded(&warning).await;
        let alert = post.export(&warning, Type::Alert).await;
        until(&mut post, &alert.carrier, is(pb::delivery::State::Sent)).await;
        let of = |name: &str| name.rsplit('/').next().and_then(|id| id.parse().ok());
        ids.push([&warning, &alert.carrier].map(|name| of(name).expect("an id")));
        post.world.clock.advance(Duration::days(1));
    }
    let [older, younger]: [[Uuid; 2]; 2] = ids.try_into().expect("two");
    let db = post.world.db.clone();
    // A day and a half after the end of the first, a school year later.
    post.world
        .clock
        .set(end() + Duration::days(366) + Duration::hours(12));
    for id in older {
        let mut left = rows(&db, id).await;
        for _ in 0..1000 {
            if left == 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            left = rows(&db, id).await;
        }
        assert_eq!(left, 0, "ten seconds later");
    }
    for id in younger {
        assert!(rows(&db, id).await > 0);
    }
}
