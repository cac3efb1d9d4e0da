//! The tables of the log on both databases.

mod floors;
mod tables;
mod tampering;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use ed25519_dalek::SigningKey;
use proto::audit::ExportRecordsRequest;
use sea_orm::ConnectionTrait;
use sea_orm_migration::{MigrationTrait, MigratorTrait};

use super::export::Export;
use super::log::Shelf;
use super::retention::cut;
use super::search::{self, Filter};
use super::*;
use crate::auth::{Permission, Role};
use crate::clock::{Clock, ManualClock};
use crate::db::{Database, statement};
use crate::drain::Drain;
use crate::rows::Row;

const SERVICE: &str = "roster";
const READ: &str = "/campus.roster.v1.StudentService/GetStudent";
const ACT: &str = "/campus.roster.v1.StudentService/WithdrawStudent";

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        crate::migration::tables()
    }
}

crate::store_suite!(Migrator;
    an_act_is_recorded_with_its_transaction_and_not_without,
    two_replicas_chain_each_record_once,
    a_chainer_that_is_killed_loses_nothing_and_repeats_nothing,
    a_log_that_was_cut_verifies_from_its_anchor,
    a_period_is_exported_between_two_signed_heads_and_verifies_alone,
    what_is_searched_for_is_found,
    a_log_that_is_changed_in_the_database_is_found,
    what_waits_for_the_chain_or_for_a_signature_grows_old,
);

fn now() -> DateTime<Utc> {
    "2022-04-06T00:00:00Z".parse().expect("an instant")
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn call(path: &str, subject: &str, at: DateTime<Utc>) -> Arc<Call> {
    let caller = Caller {
        subject: subject.to_owned(),
        roles: vec![Role::Principal, Role::SchoolDoctor],
        scope: "fz/350102/2135010001".parse().expect("a place"),
        ..Caller::default()
    };
    Arc::new(Call::new(
        &caller,
        path,
        at,
        "0af7651916cd43dd8448eb211c80319c".to_owned(),
    ))
}

fn acting(path: &str, subject: &str) -> Caller {
    Caller {
        subject: subject.to_owned(),
        call: Some(call(path, subject, now())),
        ..Caller::default()
    }
}

async fn count(db: &Database, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    let row = db
        .read()
        .query_one_raw(statement(db.read(), &sql, []))
        .await;
    let row = row.expect("a count").expect("a row");
    row.try_get_by_index(0).expect("a number")
}

async fn all(db: &Database) -> Vec<Record> {
    let records = search::range(db.read(), (0, i64::MAX), 100_000).await;
    records.expect("records")
}

/// Writes `count` records that wait to be chained.
async fn written(db: &Database, count: usize) {
    let tx = db.begin().await.expect("a transaction");
    for one in 0..count {
        act(&tx, &acting(ACT, &format!("subject-{one}")));
    }
    tx.commit().await.expect("a commit");
}

async fn an_act_is_recorded_with_its_transaction_and_not_without(db: Database) {
    let caller = acting(ACT, "principal-1");
    let call = caller.call.clone().expect("a call");
    let tx = db.begin().await.unwrap();
    act(&tx, &caller);
    tx.rollback().await.unwrap();
    assert!(!call.is_recorded());
    let tx = db.begin().await.unwrap();
    act(&tx, &caller);
    drop(tx);
    assert_eq!(count(&db, "audit_pending").await, 0);

    let tx = db.begin().await.unwrap();
    act(&tx, &caller);
    act(&tx, &caller);
    let place = "fz/350102/2135010001".parse().unwrap();
    let _ = caller.require(Permission::RosterWrite, &place);
    tx.commit().await.unwrap();
    assert!(call.is_recorded());
    let tx = db.begin().await.unwrap();
    act(&tx, &caller);
    act(&tx, &acting(READ, "reads"));
    act(&tx, &Caller::default());
    tx.commit().await.unwrap();

    assert_eq!(chain_all(&db, SERVICE).await.unwrap(), 1);
    let records = all(&db).await;
    let [record] = &records[..] else {
        panic!("one record");
    };
    let expected = Record {
        sequence: 1,
        time: now().timestamp_millis(),
        subject: "principal-1".to_owned(),
        roles: "principal\nschool-doctor".to_owned(),
        scope: place.to_string(),
        method: ACT.to_owned(),
        kind: Kind::Act as i32,
        place: place.to_string(),
        trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
        call_count: 1,
        previous_hash: GENESIS.to_vec(),
        hash: record.hash.clone(),
        ..Record::default()
    };
    assert_eq!(*record, expected);
}

async fn two_replicas_chain_each_record_once(db: Database) {
    for _ in 0..20 {
        written(&db, 30).await;
    }
    let replica = |db: Database| async move {
        // Whoever finds the head taken leaves it to the other.
        while count(&db, "audit_pending").await > 0 {
            chain_all(&db, SERVICE).await.expect("chains");
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(replica(db.clone()), replica(db.clone()));
    let records = all(&db).await;
    assert_eq!(records.len(), 600);
    let mut verification = Verification::new(SERVICE, [], &[]).unwrap();
    for record in &records {
        verification.push(record).unwrap();
    }
    assert_eq!(verification.finish().unwrap().last, 600);
    let mut subjects: Vec<_> = records.iter().map(|record| &record.subject).collect();
    subjects.sort_unstable();
    subjects.dedup();
    assert_eq!(subjects.len(), 30);
}

async fn a_chainer_that_is_killed_loses_nothing_and_repeats_nothing(db: Database) {
    for pause in 0..25_u64 {
        written(&db, 40).await;
        let chaining = tokio::spawn({
            let db = db.clone();
            async move { chain_all(&db, SERVICE).await }
        });
        // It is cut at another moment each time, and what follows holds wherever that is.
        let _ = tokio::time::timeout(Duration::from_micros(pause * 300), async {
            while !chaining.is_finished() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        chaining.abort();
        let _ = chaining.await;
    }
    while count(&db, "audit_pending").await > 0 {
        chain_all(&db, SERVICE).await.unwrap();
    }
    let records = all(&db).await;
    assert_eq!(records.len(), 1000);
    let mut verification = Verification::new(SERVICE, [], &[]).unwrap();
    for record in &records {
        verification.push(record).unwrap();
    }
}

fn shelf(db: &Database, clock: &ManualClock) -> Shelf {
    Shelf {
        db: db.clone(),
        service: SERVICE,
        clock: Arc::new(clock.clone()),
        key: key(),
        trusted: vec![key().verifying_key()],
        elsewhere: None,
        least_days: (180, 1096),
        floors: Arc::default(),
    }
}

async fn verified(db: &Database) -> Result<Verdict, Fault> {
    let checkpoints = search::checkpoints(db.read(), (0, 0), 1000).await.unwrap();
    let trusted = [key().verifying_key()];
    let mut verification = Verification::new(SERVICE, checkpoints, &trusted)?;
    for record in all(db).await {
        verification.push(&record)?;
    }
    verification.finish()
}

async fn what_waits_for_the_chain_or_for_a_signature_grows_old(db: Database) {
    let later = now() + chrono::Duration::seconds(90);
    let waiting = async || figures::waiting(&db, later).await.expect("read");
    assert_eq!(waiting().await, [0.0, 0.0, 0.0]);
    written(&db, 3).await;
    assert_eq!(waiting().await, [3.0, 90.0, 0.0]);
    chain_all(&db, SERVICE).await.expect("chained");
    assert_eq!(waiting().await, [0.0, 0.0, 90.0]);
    let shelf = shelf(&db, &ManualClock::at(later));
    notary::sign_head(&shelf).await.expect("signed");
    assert_eq!(waiting().await, [0.0, 0.0, 0.0]);
}

async fn a_log_that_was_cut_verifies_from_its_anchor(db: Database) {
    let clock = ManualClock::at(now());
    let shelf = shelf(&db, &clock);
    let day = |days| now() + chrono::Duration::days(days);
    let tx = db.begin().await.unwrap();
    let mut records = Vec::new();
    for (days, partner) in [
        (0, ""),
        (1, "laboratories/fz-lab-1"),
        (2, ""),
        (3, "health-commission"),
        (200, ""),
        (201, ""),
    ] {
        let mut record = call(READ, "somebody", day(days)).record(Kind::Read);
        record.partner = partner.to_owned();
        record.resources = format!("students/{days}");
        records.push(record);
    }
    write(&tx, &records).await.unwrap();
    tx.commit().await.unwrap();
    chain_all(&db, SERVICE).await.unwrap();
    notary::sign_head(&shelf).await.unwrap();

    clock.set(day(179));
    assert_eq!(cut(&shelf).await.unwrap(), 0);
    clock.set(day(190));
    assert_eq!(cut(&shelf).await.unwrap(), 2);
    let sequences = |records: Vec<Record>| {
        let sequences = records.iter().map(|record| record.sequence);
        sequences.collect::<Vec<_>>()
    };
    assert_eq!(sequences(all(&db).await), [2, 4, 5, 6]);
    assert_eq!(count(&db, "audit_names").await, 4);
    assert_eq!(verified(&db).await.unwrap().records, 4);

    // What was kept cannot be taken away or added to unnoticed.
    let tx = db.begin().await.unwrap();
    let gone = "DELETE FROM audit_records WHERE sequence = 2";
    tx.execute_unprepared(gone).await.unwrap();
    tx.commit().await.unwrap();
    let fault = verified(&db).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::KeptDiffers);
    let tx = db.begin().await.unwrap();
    let mut taken = records[1].clone();
    taken.sequence = 2;
    Record::add(&tx, &[taken]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(verified(&db).await.unwrap_err().kind, FaultKind::Changed);

    // Three years later partners' records go as well; the head stays.
    clock.set(day(1500));
    assert!(cut(&shelf).await.unwrap() > 0);
    assert_eq!(sequences(all(&db).await), [6]);
    assert_eq!(verified(&db).await.unwrap().last, 6);
    written(&db, 1).await;
    chain_all(&db, SERVICE).await.unwrap();
    assert_eq!(verified(&db).await.unwrap().last, 7);
}

/// What an export gives: checkpoints and records.
async fn exported(shelf: &Shelf, request: &ExportRecordsRequest) -> (Vec<Checkpoint>, Vec<Record>) {
    let export = Export::begin(shelf.clone(), request, i64::MAX).await;
    let (mut checkpoints, mut records) = (Vec::new(), Vec::new());
    let mut next = Some(export.expect("begins"));
    while let Some(export) = next.take() {
        if let Some((piece, rest)) = export.piece().await.expect("a piece") {
            checkpoints.extend(piece.checkpoints.into_iter().map(Checkpoint::from_pb));
            records.extend(piece.records.into_iter().map(from_pb));
            next = Some(rest);
        }
    }
    let checkpoints: Option<Vec<_>> = checkpoints.into_iter().collect();
    let records: Option<Vec<_>> = records.into_iter().collect();
    (checkpoints.expect("whole"), records.expect("whole"))
}

async fn a_period_is_exported_between_two_signed_heads_and_verifies_alone(db: Database) {
    let clock = ManualClock::at(now());
    let shelf = shelf(&db, &clock);
    let day = |days| now() + chrono::Duration::days(days);
    for days in 0..4 {
        let records = [0, 1].map(|_| call(READ, "somebody", day(days)).record(Kind::Read));
        let tx = db.begin().await.unwrap();
        write(&tx, &records).await.unwrap();
        tx.commit().await.unwrap();
        chain_all(&db, SERVICE).await.unwrap();
        clock.set(day(days) + chrono::Duration::hours(2));
        notary::sign_head(&shelf).await.unwrap();
    }
    let period = |start: Option<i64>, end: Option<i64>| ExportRecordsRequest {
        start_time: start.map(|days| crate::field::to_timestamp(day(days))),
        end_time: end.map(|days| crate::field::to_timestamp(day(days))),
        ..ExportRecordsRequest::default()
    };
    let (checkpoints, records) = exported(&shelf, &period(Some(1), Some(2))).await;
    let sequences =
        |records: &[Record]| -> Vec<i64> { records.iter().map(|record| record.sequence).collect() };
    // The day itself, and what was chained up to the first head that was signed an hour after it.
    assert_eq!(sequences(&records), [3, 4, 5, 6]);
    let signed: Vec<i64> = checkpoints.iter().map(|one| one.sequence).collect();
    assert_eq!(signed, [2, 4, 6]);
    let verdict = |records: &[Record]| {
        let trusted = [key().verifying_key()];
        let mut verification = Verification::new(SERVICE, checkpoints.clone(), &trusted)?;
        verification.begin_after(&checkpoints[0]);
        for record in records {
            verification.push(record)?;
        }
        verification.finish()
    };
    let whole = verdict(&records).unwrap();
    assert_eq!((whole.records, whole.checkpoints, whole.last), (4, 2, 6));
    assert_eq!(verdict(&records[1..]).unwrap_err().kind, FaultKind::Missing);
    let cut = verdict(&records[..3]).unwrap_err();
    assert_eq!(cut.kind, FaultKind::Truncated);

    let (_, from_the_beginning) = exported(&shelf, &period(Some(-1), Some(1))).await;
    assert_eq!(sequences(&from_the_beginning), [1, 2, 3, 4]);
    let (_, to_the_end) = exported(&shelf, &period(Some(3), Some(9))).await;
    assert_eq!(sequences(&to_the_end), [7, 8]);
    let both = ExportRecordsRequest {
        start_sequence: 3,
        ..period(Some(1), None)
    };
    let refused = Export::begin(shelf, &both, i64::MAX).await;
    assert!(refused.is_err(), "a period stands alone");
}

async fn what_is_searched_for_is_found(db: Database) {
    let tx = db.begin().await.unwrap();
    let mut records = Vec::new();
    for one in 0..30_i64 {
        let at = now() + chrono::Duration::minutes(one);
        let mut record = call(READ, &format!("subject-{}", one % 3), at).record(Kind::Read);
        record.resources = format!("students/{}\norganizations/{}", one % 5, one % 2);
        record.place = format!("fz/35010{}", one % 2);
        records.push(record);
    }
    write(&tx, &records).await.unwrap();
    tx.commit().await.unwrap();
    chain_all(&db, SERVICE).await.unwrap();
    let found = async |filter: Filter| {
        let found = search::newest(db.read(), &filter, i64::MAX, 100).await;
        let found = found.unwrap();
        assert!(found.is_sorted_by(|one, next| one.sequence > next.sequence));
        found.len()
    };
    let usual = Filter::default;
    assert_eq!(found(usual()).await, 30);
    let minutes = |minutes| Some((now() + chrono::Duration::minutes(minutes)).timestamp_millis());
    for (filter, expected) in [
        (
            Filter {
                start: minutes(10),
                end: minutes(15),
                ..usual()
            },
            5,
        ),
        (
            Filter {
                subject: "subject-1".to_owned(),
                ..usual()
            },
            10,
        ),
        (
            Filter {
                resource: "students/4".to_owned(),
                ..usual()
            },
            6,
        ),
        (
            Filter {
                resource: "students/9".to_owned(),
                ..usual()
            },
            0,
        ),
        (
            Filter {
                place: "fz/350101".parse().unwrap(),
                ..usual()
            },
            15,
        ),
        (
            Filter {
                place: "fz".parse().unwrap(),
                ..usual()
            },
            30,
        ),
        (
            Filter {
                place: "fz/35010".parse().unwrap(),
                ..usual()
            },
            0,
        ),
        (
            Filter {
                kind: Kind::Act as i32,
                ..usual()
            },
            0,
        ),
        (
            Filter {
                method: READ.to_owned(),
                before: 11,
                ..usual()
            },
            10,
        ),
        (
            Filter {
                subject: "subject-0".to_owned(),
                resource: "organizations/0".to_owned(),
                place: "fz/350100".parse().unwrap(),
                kind: Kind::Read as i32,
                ..usual()
            },
            5,
        ),
    ] {
        let told = format!("{filter:?}");
        assert_eq!(found(filter).await, expected, "{told}");
    }
}

async fn a_log_that_is_changed_in_the_database_is_found(db: Database) {
    let clock = ManualClock::at(now());
    let shelf = shelf(&db, &clock);
    written(&db, 20).await;
    chain_all(&db, SERVICE).await.unwrap();
    notary::sign_head(&shelf).await.unwrap();
    assert_eq!(verified(&db).await.unwrap().checkpoints, 1);
    for (sql, kind) in [
        (
            "UPDATE audit_records SET subject = 'nobody' WHERE sequence = 7",
            FaultKind::Changed,
        ),
        (
            "DELETE FROM audit_records WHERE sequence = 7",
            FaultKind::Missing,
        ),
        (
            "DELETE FROM audit_records WHERE sequence > 15",
            FaultKind::Missing,
        ),
    ] {
        let tx = db.begin().await.unwrap();
        tx.execute_unprepared(sql).await.unwrap();
        tx.commit().await.unwrap();
        let fault = verified(&db).await.unwrap_err();
        assert_eq!((fault.kind, fault.sequence), (kind, 7), "{sql}");
    }
}

#[tokio::test]
async fn what_was_written_is_chained_soon() {
    let scratch = crate::scratch::sqlite();
    let db = scratch.open::<Migrator>().await;
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(now()));
    let config = AuditConfig::default();
    let audit = Audit::start(db.clone(), SERVICE, (&config, false), clock, Drain::new());
    let _audit = audit.unwrap();
    written(&db, 3).await;
    tokio::time::timeout(Duration::from_secs(20), async {
        while all(&db).await.len() < 3 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("chained");
    assert_eq!(count(&db, "audit_pending").await, 0);
}
