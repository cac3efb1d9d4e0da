//! Messages to one recipient each, stored together: one suite for both databases.

use std::collections::BTreeSet;

use kit::db::Database;
use notification::Migrator;
use notification::domain::delivery::{Counts, State};
use notification::domain::message::{State as MessageState, Urgency};
use notification::store::Store;
use notification::store::direct::Way;
use uuid::Uuid;

use crate::town::letters::{by_inbox_and, letter, reader, stored};
use crate::town::morning;
use crate::town::scan::number;

kit::store_suite!(Migrator;
    each_message_has_its_ledger_and_its_place_among_arrivals,
    a_cut_leaves_nothing,
    what_goes_into_no_inbox_has_no_arrival,
);

async fn each_message_has_its_ledger_and_its_place_among_arrivals(db: Database) {
    let both = || by_inbox_and(&["sms"]);
    stored(
        &db,
        (1..=300).map(|number| letter(number, both())).collect(),
    )
    .await;
    stored(&db, vec![letter(301, by_inbox_and(&[]))]).await;
    let store = Store::new(db.clone());
    let figures = Store::figures(db.read(), &[Uuid::from_u128(7)]).await;
    let figures = figures.expect("read")[&Uuid::from_u128(7)];
    let counts = Counts {
        sent: 1,
        queued: 1,
        ..Counts::default()
    };
    assert_eq!((figures.recipients, figures.counts), (1, counts));
    let found = Store::message(db.read(), Uuid::from_u128(7)).await;
    let found = found.expect("read").expect("a message");
    assert_eq!(
        (found.state, found.expanded),
        (MessageState::Expanded, Some(morning()))
    );
    let ledger = store.deliveries(found.id, None, None, None, 10).await;
    let ledger: Vec<_> = ledger
        .expect("listed")
        .into_iter()
        .map(|one| (one.key.channel, one.state, one.sent, one.next_attempt))
        .collect();
    let due = morning() - Urgency::Urgent.head_start();
    let expected = [
        ("inbox".to_owned(), State::Sent, Some(morning()), None),
        ("sms".to_owned(), State::Queued, None, Some(due)),
    ];
    assert_eq!(ledger, expected);
    // Each has a place of its own, none is left out, and the last transaction has the last one.
    let mut places = BTreeSet::new();
    for number in 1..=301 {
        let arrived = store
            .arrivals(&reader(number), (0, 1000), 10)
            .await
            .expect("read");
        let [(message, place)] = arrived[..] else {
            panic!("one arrival of {number}")
        };
        assert_eq!(message, Uuid::from_u128(number));
        places.insert(place);
        assert_eq!(place == 301, number == 301);
    }
    assert_eq!(places, (1..=301).collect());
    assert_eq!(store.messages_revision().await.expect("read"), 301);
}

async fn a_cut_leaves_nothing(db: Database) {
    let tx = db.begin().await.expect("a transaction");
    let all = vec![letter(1, by_inbox_and(&["sms"]))];
    Store::insert_direct(&tx, all.clone())
        .await
        .expect("written");
    drop(tx);
    let found = Store::message(db.read(), Uuid::from_u128(1)).await;
    assert_eq!(found.expect("read"), None);
    let store = Store::new(db.clone());
    assert_eq!(store.messages_revision().await.expect("read"), 0);
    stored(&db, all).await;
    assert_eq!(store.messages_revision().await.expect("read"), 1);
}

async fn what_goes_into_no_inbox_has_no_arrival(db: Database) {
    stored(&db, vec![letter(1, vec![Way::Channel("sms".to_owned())])]).await;
    assert_eq!(number(&db, "SELECT COUNT(*) FROM message_parts").await, 0);
}
