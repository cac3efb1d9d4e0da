//! The ledger below whoever sends, one suite for both databases.

use crate::town;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use kit::db::{Database, Tx, statement};
use notification::Migrator;
use notification::domain::audience::Audience;
use notification::domain::delivery::{Attempt, Counts, Event, Failure, Fate, Key, Receipt, State};
use notification::domain::message::{
    Category, Group, Message, Phase, Progress, Recipients, State as MessageState, Urgency,
};
use notification::domain::party::Party;
use notification::store::Store;
use notification::store::deliveries::{Due, Hold, Outcome};
use notification::store::messages::Figures;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::town::people::everybody;
use crate::town::post::contact;
use crate::town::{family, morning, roster, staff};

kit::store_suite!(Migrator;
    a_cut_at_any_point_leaves_nobody_out_and_nobody_twice,
    nobody_takes_what_another_one_has,
    what_presses_goes_first_and_the_oldest_before_others,
    an_emergency_that_was_taken_before_still_goes_first,
    an_attempt_is_settled,
    whatever_is_told_in_whatever_order_the_end_is_the_same,
    what_is_over_expires_a_part_at_a_time,
    who_is_unreachable_has_the_inbox,
    commits_give_the_order_of_arrivals,
    what_waits_is_told_to_operators,
);

fn party(name: &str) -> Party {
    Party::parse(name).expect("a party")
}

fn message(number: u128, parties: &[String]) -> Message {
    Message {
        organization: "fz".to_owned(),
        id: Uuid::from_u128(number),
        org_path: "fz".to_owned(),
        state: MessageState::Expanding,
        category: Category::Notice,
        urgency: Urgency::Ordinary,
        template: "notice".to_owned(),
        template_version: 1,
        values: BTreeMap::new(),
        recipients: Recipients {
            parties: parties.iter().map(|name| party(name)).collect(),
            ..Recipients::default()
        },
        channels: vec!["sms".to_owned()],
        exercise: false,
        author: "officer".to_owned(),
        basis: String::new(),
        confidential: false,
        created: morning(),
        expires: morning() + Message::LIFE,
        expanded: None,
        progress: Progress::BEGIN,
    }
}

async fn begin(db: &Database) -> Tx {
    db.begin().await.expect("a transaction")
}

async fn commit(tx: Tx) {
    tx.commit().await.expect("committed");
}

/// Writes the next part of a message, as a replica does.
async fn part(tx: &Tx, id: Uuid, chunk: u32) -> Option<Message> {
    let message = Store::message_to_change(tx, id).await.expect("read");
    let message = message.filter(|one| one.state == MessageState::Expanding)?;
    let (sources, up_to) = if message.progress.phase == Phase::Few {
        let tree = Store::organizations(tx, "fz").await.expect("read");
        let audience = message.recipients.audience.clone().unwrap_or_default();
        let audience = audience.addressed(tree).into_iter().map(|one| one.id);
        let targets = (
            audience.collect(),
            Vec::new(),
            &message.recipients.parties[..],
        );
        Store::keep_targets(tx, id, targets).await.expect("kept");
        (Store::few(tx, &message), None)
    } else {
        let slice = Store::slice(tx, &message, chunk).await.expect("a slice");
        (vec![slice.source], slice.up_to)
    };
    let mut written = Figures::default();
    for source in &sources {
        let rows = Store::write_rows(tx, &message, source, morning()).await;
        written.add(rows.expect("written"));
    }
    let message = message.advance(up_to, morning()).expect("goes on");
    Store::save_progress(tx, message.clone())
        .await
        .expect("saved");
    Store::end_part(tx, &message, written).await.expect("ended");
    Some(message)
}

async fn expand(db: &Database, message: Message) {
    let id = message.id;
    let tx = begin(db).await;
    Store::insert_message(&tx, message).await.expect("stored");
    commit(tx).await;
    loop {
        let tx = begin(db).await;
        let Some(_) = part(&tx, id, 1000).await else {
            return;
        };
        commit(tx).await;
    }
}

async fn rows(db: &Database, id: Uuid) -> Vec<(Key, State)> {
    let store = Store::new(db.clone());
    let rows = store.deliveries(id, None, None, None, 1000).await;
    let rows = rows.expect("listed").into_iter();
    rows.map(|row| (row.key, row.state)).collect()
}

/// The figures that are kept are those of the rows.
async fn figures_are_right(db: &Database, id: Uuid) -> Figures {
    let mut counted = Figures::default();
    for (key, state) in rows(db, id).await {
        counted.counts.add(state, 1);
        counted.recipients += i64::from(key.channel == "inbox");
    }
    let kept = Store::figures(db.read(), &[id]).await.expect("read");
    assert_eq!(kept[&id], counted);
    counted
}

async fn a_cut_at_any_point_leaves_nobody_out_and_nobody_twice(db: Database) {
    roster(&db, &town::town(), 1).await;
    roster(&db, &everybody(), 1).await;

    contact(&db, &family(141), "sms").await;
    let mut chance = proptest::test_runner::TestRunner::deterministic();
    for number in 1..=10_u32 {
        let id = Uuid::from_u128(number.into());
        let mut all = message(number.into(), &[family(101), staff(1)]);
        all.recipients.audience = Some(Audience::of(vec!["fz".to_owned()]));
        all.recipients.groups = Group::ALL.into();
        let tx = begin(&db).await;
        Store::insert_message(&tx, all).await.expect("stored");
        commit(tx).await;
        let mut cuts = 0;
        loop {
            let cut = any::<bool>()
                .new_tree(&mut chance)
                .expect("a case")
                .current();
            let tx = begin(&db).await;
            let Some(_) = part(&tx, id, number).await else {
                break;
            };
            if cut && cuts < 20 {
                cuts += 1;
                tx.rollback().await.expect("cut");
            } else {
                commit(tx).await;
            }
        }
        let rows = rows(&db, id).await;
        let distinct: BTreeSet<&Key> = rows.iter().map(|(key, _)| key).collect();
        // Eighteen pupils, seven of the staff, six organisations, and one telephone.
        assert_eq!(
            (rows.len(), distinct.len()),
            (32, 32),
            "{number} at a time, {cuts} cuts"
        );
        figures_are_right(&db, id).await;
        let sql = "SELECT COUNT(*) FROM message_targets";
        let left = db.read().query_one_raw(statement(db.read(), sql, [])).await;
        let left: i64 = left
            .expect("read")
            .expect("a row")
            .try_get_by_index(0)
            .expect("a number");
        assert_eq!(left, 0, "nothing is kept once it is expanded");
    }
}

/// A message to the staff with these numbers, each with a telephone.
async fn telephoned(db: &Database, number: u128, staff_numbers: &[u128]) -> Message {
    let parties: Vec<String> = staff_numbers.iter().map(|number| staff(*number)).collect();
    if number == 1 {
        for party in &parties {
            contact(db, party, "sms").await;
        }
    }
    message(number, &parties)
}

async fn what_waits_is_told_to_operators(db: Database) {
    let first = telephoned(&db, 1, &[1, 2]).await;
    let created = first.created.timestamp_millis();
    expand(&db, first).await;
    let tx = begin(&db).await;
    let second = message(2, &[staff(1)]);
    Store::insert_message(&tx, second).await.expect("stored");
    commit(tx).await;
    let read = db.read();
    assert_eq!(Store::waiting(read, "sms").await.expect("counted"), 2);
    assert_eq!(Store::waiting(read, "other").await.expect("counted"), 0);
    let oldest = Store::oldest_waiting(read, "sms").await.expect("found");
    assert_eq!(oldest, [(Urgency::Ordinary as i16, created)]);
    let expanding = Store::oldest_expanding(read).await.expect("found");
    assert_eq!(expanding, Some(created));
}

/// How long what was taken is hidden from others, in milliseconds.
const VISIBILITY: i64 = 300_000;

async fn claim(db: &Database, now: DateTime<Utc>, limit: u32) -> Vec<Due> {
    let tx = begin(db).await;
    let now = now.timestamp_millis();
    let until = now + VISIBILITY;
    let due = Store::claim(&tx, "sms", Hold { now, until }, limit).await;
    commit(tx).await;
    due.expect("taken")
}

async fn settle(db: &Database, key: Key, attempt: Attempt) {
    let tx = begin(db).await;
    let outcomes = vec![Outcome { key, attempt }];
    Store::settle(&tx, outcomes, morning().timestamp_millis())
        .await
        .expect("settled");
    commit(tx).await;
}

async fn nobody_takes_what_another_one_has(db: Database) {
    let numbers: Vec<u128> = (1..=30).collect();
    let message = telephoned(&db, 1, &numbers).await;
    expand(&db, message).await;
    let claims = (0..4).map(|_| claim(&db, morning(), 10));
    let taken = futures_util::future::join_all(claims).await;
    let keys: Vec<Key> = taken.into_iter().flatten().map(|due| due.key).collect();
    let distinct: BTreeSet<&Key> = keys.iter().collect();
    assert_eq!((keys.len(), distinct.len()), (30, 30));
    let later = morning() + Duration::milliseconds(VISIBILITY - 1);
    assert!(
        claim(&db, later, 100).await.is_empty(),
        "whoever has them may be at it"
    );
    let later = later + Duration::milliseconds(1);
    assert_eq!(
        claim(&db, later, 100).await.len(),
        30,
        "whoever had them is gone"
    );
}

async fn what_presses_goes_first_and_the_oldest_before_others(db: Database) {
    let first = telephoned(&db, 1, &[1]).await;
    let later = Message {
        created: morning() + Duration::minutes(1),
        ..telephoned(&db, 2, &[1]).await
    };
    let urgent = Message {
        urgency: Urgency::Urgent,
        ..telephoned(&db, 3, &[1]).await
    };
    let emergency = Message {
        urgency: Urgency::Emergency,
        ..telephoned(&db, 4, &[1]).await
    };
    expand(&db, first).await;
    settle(
        &db,
        claim(&db, morning(), 1).await.remove(0).key,
        Attempt::Wait {
            until: morning().timestamp_millis() - 1,
        },
    )
    .await;
    for message in [later, urgent, emergency] {
        expand(&db, message).await;
    }
    let mut order = Vec::new();
    for _ in 0..4 {
        let due = claim(&db, morning(), 1).await;
        order.extend(due.into_iter().map(|due| due.message.id.as_u128()));
    }
    assert_eq!(order, [4, 3, 1, 2]);
}

/// Its next attempt is later than those of what has waited for long.
async fn an_emergency_that_was_taken_before_still_goes_first(db: Database) {
    let emergency = Message {
        urgency: Urgency::Emergency,
        ..telephoned(&db, 1, &[1, 2, 3]).await
    };
    let id = emergency.id;
    expand(&db, emergency).await;
    for due in claim(&db, morning(), 2).await {
        let at = (morning() + Duration::seconds(2)).timestamp_millis();
        let failure = Failure::Timeout;
        settle(&db, due.key, Attempt::Retry { at, failure }).await;
    }
    let ordinary = telephoned(&db, 2, &[1, 2, 3]).await;
    expand(&db, ordinary).await;
    let taken = claim(&db, morning() + Duration::seconds(2), 4).await;
    let emergencies = taken.iter().filter(|due| due.message.id == id).count();
    assert_eq!((taken.len(), emergencies), (4, 3));
    // Whoever had them is gone: nothing overtakes them then either.
    let later = morning() + Duration::seconds(2) + Duration::milliseconds(VISIBILITY);
    let taken = claim(&db, later, 3).await;
    assert!(taken.iter().all(|due| due.message.id == id), "{taken:?}");
}

async fn an_attempt_is_settled(db: Database) {
    let message = telephoned(&db, 1, &[1]).await;
    let id = message.id;
    expand(&db, message).await;
    let [due] = &claim(&db, morning(), 10).await[..] else {
        panic!("one is due")
    };
    assert_eq!((due.attempts, &due.message.id), (0, &id));
    let later = morning() + Duration::minutes(10);
    let at = later.timestamp_millis();
    // Waiting for the hour is no attempt.
    settle(&db, due.key.clone(), Attempt::Wait { until: at }).await;
    assert!(
        claim(&db, later - Duration::seconds(1), 10)
            .await
            .is_empty()
    );
    assert_eq!(claim(&db, later, 10).await[0].attempts, 0);
    let failure = Failure::Timeout;
    settle(&db, due.key.clone(), Attempt::Retry { at, failure }).await;
    assert_eq!(claim(&db, later, 10).await[0].attempts, 1);
    settle(&db, due.key.clone(), Attempt::Dead(Failure::BadAnswer)).await;
    let store = Store::new(db.clone());
    let dead = store
        .dead_letters("", Some("sms"), None, 10)
        .await
        .expect("listed");
    let [(sender, dead)] = &dead[..] else {
        panic!("one is dead")
    };
    assert_eq!(
        (&**sender, dead.attempts, dead.failure),
        ("fz", 2, Some(Failure::BadAnswer))
    );
    // The provider took it after all, says an attempt that was overtaken.
    settle(&db, due.key.clone(), Attempt::Sent).await;
    let expected = Figures {
        recipients: 1,
        counts: Counts {
            sent: 2,
            ..Counts::default()
        },
    };
    assert_eq!(figures_are_right(&db, id).await, expected);
}

#[derive(Clone, Copy, Debug)]
enum Told {
    Attempt(Attempt),
    Receipt(Fate),
}

/// The rows end as the domain says, in whatever order and pieces it is told.
async fn whatever_is_told_in_whatever_order_the_end_is_the_same(db: Database) {
    let numbers: Vec<u128> = (1..=5).collect();
    let first = telephoned(&db, 1, &numbers).await;
    expand(&db, first).await;
    let at = morning().timestamp_millis();
    let failure = Failure::Unreachable;
    let what = [
        Told::Attempt(Attempt::Sent),
        Told::Attempt(Attempt::Retry { at, failure }),
        Told::Attempt(Attempt::Wait { until: at }),
        Told::Attempt(Attempt::Dead(failure)),
        Told::Receipt(Fate::Delivered),
        Told::Receipt(Fate::Read),
        Told::Receipt(Fate::Failed(failure)),
    ];
    let mut chance = proptest::test_runner::TestRunner::deterministic();
    let told = prop::collection::vec((1..=5_u128, 0..what.len()), 1..25);
    for number in 2..=9 {
        let message = telephoned(&db, number, &numbers).await;
        let id = message.id;
        expand(&db, message).await;
        let told = told.new_tree(&mut chance).expect("a case").current();
        let key = |number: u128| Key {
            message: id,
            recipient: party(&staff(number)),
            channel: "sms".to_owned(),
        };
        let mut expected: BTreeMap<u128, State> = numbers
            .iter()
            .map(|number| (*number, State::Queued))
            .collect();
        for piece in told.chunks(4) {
            let (mut outcomes, mut receipts) = (BTreeMap::new(), Vec::new());
            for (number, index) in piece {
                match what[*index] {
                    Told::Attempt(attempt) => drop(outcomes.insert(key(*number), attempt)),
                    Told::Receipt(fate) => receipts.push(Receipt {
                        key: key(*number),
                        sender: "fz".to_owned(),
                        fate,
                        time: morning(),
                    }),
                }
            }
            let events = outcomes.iter().map(|(key, attempt)| (key, attempt.event()));
            let receipted = receipts.iter().map(|one| (&one.key, one.event()));
            let events: Vec<(&Key, Event)> = events.chain(receipted).collect();
            for (of, event) in events {
                let state = expected.iter_mut().find(|(number, _)| key(**number) == *of);
                let (_, state) = state.expect("one of them");
                *state = state.after(event).unwrap_or(*state);
            }
            let tx = begin(&db).await;
            let outcomes = outcomes
                .into_iter()
                .map(|(key, attempt)| Outcome { key, attempt });
            Store::settle(&tx, outcomes.collect(), at)
                .await
                .expect("settled");
            let receipts: Vec<&Receipt> = receipts.iter().collect();
            Store::record_receipts(&tx, &receipts)
                .await
                .expect("recorded");
            commit(tx).await;
        }
        let rows: BTreeMap<Key, State> = rows(&db, id).await.into_iter().collect();
        for (number, state) in expected {
            assert_eq!(rows[&key(number)], state, "{number} of {told:?}");
        }
        figures_are_right(&db, id).await;
    }
}

async fn what_is_over_expires_a_part_at_a_time(db: Database) {
    let numbers: Vec<u128> = (1..=7).collect();
    for number in 1..=2 {
        let message = telephoned(&db, number, &numbers).await;
        expand(&db, message).await;
    }
    let key = claim(&db, morning(), 1).await.remove(0).key;
    let over = (morning() + Message::LIFE).timestamp_millis();
    let mut ended = Vec::new();
    loop {
        let tx = begin(&db).await;
        let count = Store::expire(&tx, over, 5).await.expect("ended");
        commit(tx).await;
        ended.push(count);
        if count == 0 {
            break;
        }
    }
    assert_eq!(ended, [5, 5, 4, 0]);
    let store = Store::new(db.clone());
    let now = morning() + Message::LIFE;
    assert!(!store.is_any_over(now).await.expect("read"));
    // The attempt that was under way has the last word.
    settle(&db, key, Attempt::Sent).await;
    for number in 1..=2 {
        let counts = figures_are_right(&db, Uuid::from_u128(number)).await.counts;
        assert_eq!(counts.queued, 0);
    }
}

async fn who_is_unreachable_has_the_inbox(db: Database) {
    let message = telephoned(&db, 1, &[1, 2]).await;
    let sql = "UPDATE contact_points SET unreachable = TRUE WHERE party = $1";
    let bytes = Uuid::from_u128(2).as_bytes().to_vec();
    let update = statement(db.read(), sql, [bytes.into()]);
    let tx = begin(&db).await;
    tx.execute_raw(update).await.expect("changed");
    commit(tx).await;
    let id = message.id;
    expand(&db, message).await;
    let counts = figures_are_right(&db, id).await.counts;
    assert_eq!((counts.sent, counts.queued), (2, 1));
}

/// A message that was stored later and is expanded earlier comes earlier, and nobody waits for it twice.
async fn commits_give_the_order_of_arrivals(db: Database) {
    let store = Store::new(db.clone());
    let me = party(&staff(1));
    for number in [3, 1, 2] {
        let message = message(number, &[staff(1)]);
        let message = Message {
            channels: Vec::new(),
            ..message
        };
        expand(&db, message).await;
    }
    let latest = store.messages_revision().await.expect("read");
    assert_eq!(latest, 3);
    let ids = |found: Vec<(Uuid, i64)>| -> Vec<(u128, i64)> {
        found.iter().map(|(id, at)| (id.as_u128(), *at)).collect()
    };
    let arrivals = store.arrivals(&me, (0, latest), 10).await.expect("read");
    assert_eq!(ids(arrivals), [(3, 1), (1, 2), (2, 3)]);
    let arrivals = store.arrivals(&me, (1, 2), 10).await.expect("read");
    assert_eq!(ids(arrivals), [(1, 2)]);
    let unread = store.unread(&me, 2, Uuid::nil(), 10).await.expect("read");
    assert_eq!(ids(unread), [(1, 2), (3, 1)]);
    let other = party(&staff(2));
    assert!(
        store
            .arrivals(&other, (0, latest), 10)
            .await
            .expect("read")
            .is_empty()
    );
}
