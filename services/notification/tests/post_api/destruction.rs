//! What was told during an emergency, and the care for who was at home: found by its time, deleted a part at a
//! time once it is over.

use chrono::{DateTime, Duration, Utc};
use kit::db::{Database, statement};
use notification::Migrator;
use notification::domain::message::Message;
use notification::store::Store;
use notification::store::destruction::{CARE, CONTROLLED, NOTICES, Part, Span};
use notification::store::direct::{Direct, Way};
use sea_orm::{ConnectionTrait, Value};
use uuid::{NoContext, Timestamp, Uuid};

use crate::town::letters::{by_inbox_and, letter, stored};
use crate::town::morning;
use crate::town::scan::number;

kit::store_suite!(Migrator;
    messages_go_with_their_ledger_a_part_at_a_time,
    a_message_on_its_way_is_waited_for,
    notices_go_once_they_are_told,
    care_goes_once_it_is_done,
    who_is_under_control_stays_until_they_are_free,
);

fn span() -> Span {
    Span {
        start: morning(),
        end: morning() + Duration::hours(1),
    }
}

/// Just before, at the first and the last instant of, and just after the emergency.
fn times() -> [DateTime<Utc>; 4] {
    let Span { start, end } = span();
    let step = Duration::milliseconds(1);
    [start - step, start, end - step, end]
}

/// An id that was made at an instant.
fn id_at(time: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(time.timestamp()).expect("after 1970");
    let nanos = time.timestamp_subsec_nanos();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, nanos))
}

fn letter_at(time: DateTime<Utc>, reader: u128, ways: Vec<Way>) -> Direct {
    let direct = letter(reader, ways);
    let message = Message {
        id: id_at(time),
        created: time,
        expires: time + Message::LIFE,
        ..direct.message
    };
    Direct { message, ..direct }
}

async fn insert(db: &Database, sql: &str, values: Vec<Value>) {
    let tx = db.begin().await.expect("a transaction");
    let insert = statement(&tx, sql, values);
    tx.execute_raw(insert).await.expect("written");
    tx.commit().await.expect("committed");
}

async fn delete(db: &Database, part: &Part) -> u64 {
    let tx = db.begin().await.expect("a transaction");
    let gone = part.delete(&tx, &span(), 100).await.expect("deleted");
    tx.commit().await.expect("committed");
    gone
}

async fn left(db: &Database, part: &Part) -> i64 {
    part.count(db.read(), &span()).await.expect("counted")
}

/// Ends the messages that are over in a week.
async fn expire(db: &Database) {
    let tx = db.begin().await.expect("a transaction");
    let later = (morning() + Duration::days(7)).timestamp_millis();
    Store::expire(&tx, later, 1000).await.expect("ended");
    tx.commit().await.expect("committed");
}

async fn messages_go_with_their_ledger_a_part_at_a_time(db: Database) {
    let letters = times().into_iter().zip(1..);
    let letters = letters.map(|(time, reader)| letter_at(time, reader, by_inbox_and(&["a", "b"])));
    stored(&db, letters.collect()).await;
    expire(&db).await;
    let during = Store::messages_during(db.read(), &span()).await;
    assert_eq!(during.expect("counted"), 2);
    let (mut deliveries, mut messages, mut parts) = (0, 0, 0);
    loop {
        let tx = db.begin().await.expect("a transaction");
        let removed = Store::destroy_messages(&tx, &span(), 2).await;
        let removed = removed.expect("destroyed");
        tx.commit().await.expect("committed");
        let some: u64 = removed.deliveries.values().sum();
        assert!(some <= 2);
        if some + removed.messages == 0 {
            break;
        }
        deliveries += some;
        messages += removed.messages;
        parts += 1;
    }
    assert_eq!((deliveries, messages), (6, 2));
    assert!(parts >= 3, "{parts}");
    let during = Store::messages_during(db.read(), &span()).await;
    assert_eq!(during.expect("counted"), 0);
    for (table, rows) in [("messages", 2), ("message_counts", 2), ("deliveries", 6)] {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        assert_eq!(number(&db, &sql).await, rows, "{table}");
    }
}

async fn a_message_on_its_way_is_waited_for(db: Database) {
    stored(&db, vec![letter_at(morning(), 1, by_inbox_and(&["a"]))]).await;
    let destroy = async || {
        let tx = db.begin().await.expect("a transaction");
        let removed = Store::destroy_messages(&tx, &span(), 100).await;
        tx.commit().await.expect("committed");
        removed.expect("destroyed").messages
    };
    assert_eq!(destroy().await, 0);
    let during = Store::messages_during(db.read(), &span()).await;
    assert_eq!(during.expect("counted"), 1);
    expire(&db).await;
    assert_eq!(destroy().await, 1);
}

async fn notices_go_once_they_are_told(db: Database) {
    for (time, done) in times().into_iter().zip([true, true, false, true]) {
        let values = vec![
            id_at(time).into(),
            time.timestamp_millis().into(),
            done.into(),
        ];
        let sql = "INSERT INTO notices (id, event, basis, party, together, create_at, done) \
                   VALUES ($1, 1, '', '', '', $2, $3)";
        insert(&db, sql, values).await;
    }
    assert_eq!(left(&db, &NOTICES).await, 2);
    assert_eq!(delete(&db, &NOTICES).await, 1);
    assert_eq!(left(&db, &NOTICES).await, 1, "one is not told yet");
    insert(&db, "UPDATE notices SET done = TRUE", Vec::new()).await;
    assert_eq!(delete(&db, &NOTICES).await, 1);
    assert_eq!(number(&db, "SELECT COUNT(*) FROM notices").await, 2);
}

async fn care_goes_once_it_is_done(db: Database) {
    // Done, done, overdue, done.
    for (time, state) in times().into_iter().zip([2_i16, 2, 3, 2]) {
        let values = vec![
            id_at(time).into(),
            Uuid::new_v4().into(),
            state.into(),
            time.timestamp_millis().into(),
        ];
        let sql = "INSERT INTO care_tasks (id, organization, class_group, org_path, student, kind, \
                   state, day, due_at, complete_at, completer, late) \
                   VALUES ($1, 's', 'c', 'fz/s/c', $2, 1, $3, '2022-04-06', $4, 0, '', FALSE)";
        insert(&db, sql, values).await;
    }
    assert_eq!(left(&db, &CARE).await, 2);
    assert_eq!(delete(&db, &CARE).await, 1);
    assert_eq!(left(&db, &CARE).await, 1, "one is overdue");
    let free = "UPDATE care_tasks SET state = 4 WHERE state = 3";
    insert(&db, free, Vec::new()).await;
    assert_eq!(delete(&db, &CARE).await, 1);
    assert_eq!(number(&db, "SELECT COUNT(*) FROM care_tasks").await, 2);
}

async fn who_is_under_control_stays_until_they_are_free(db: Database) {
    for (time, under) in times().into_iter().zip([false, false, true, false]) {
        let values = vec![
            id_at(time).into(),
            under.into(),
            time.timestamp_millis().into(),
        ];
        let sql = "INSERT INTO controlled (student, under, since_at, planned, version, generation, \
                   free_at) VALUES ($1, $2, $3, '', 1, 1, 0)";
        insert(&db, sql, values).await;
    }
    assert_eq!(left(&db, &CONTROLLED).await, 2);
    assert_eq!(delete(&db, &CONTROLLED).await, 1);
    assert_eq!(left(&db, &CONTROLLED).await, 1, "one is at home still");
    insert(&db, "UPDATE controlled SET under = FALSE", Vec::new()).await;
    assert_eq!(delete(&db, &CONTROLLED).await, 1);
    assert_eq!(number(&db, "SELECT COUNT(*) FROM controlled").await, 2);
}
