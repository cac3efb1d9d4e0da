//! Request ids, leases and projections, on both databases.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use kit::auth::{Caller, Role};
use kit::db::{Database, Tx, statement};
use kit::drain::Drain;
use kit::feed::Origin;
use kit::lease;
use kit::org::OrgPath;
use kit::projection::{Batch, Batches, Projection, Upstream, follow};
use kit::request::{Once, once};
use kit::status::Problem;
use proto::error::ErrorReason;
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use tonic::Status;

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        kit::migration::tables()
    }
}

kit::store_suite!(Migrator;
    a_repeated_request_gets_the_first_answer,
    a_request_id_belongs_to_one_request,
    a_request_that_failed_may_come_again,
    of_two_holders_one_gets_the_lease,
    a_lease_that_ran_out_changes_hands_and_its_fence_grows,
    a_lease_of_a_clock_that_was_put_back_keeps_nobody_out,
    a_projection_applies_each_batch_once_whatever_breaks,
    a_projection_whose_place_expired_takes_a_new_snapshot,
);

const ID: &str = "5f0c3a52-6f4e-4d1c-9a67-3f1d2f0f7a11";

fn now() -> DateTime<Utc> {
    "2022-04-06T00:00:00Z".parse().expect("an instant")
}

fn caller(subject: &str) -> Caller {
    Caller::new(subject, vec![Role::Principal], OrgPath::root())
}

fn date(day: i32) -> proto::Date {
    proto::Date {
        year: 2022,
        month: 4,
        day,
    }
}

/// Sends one request; the answer of the first time is the day before.
async fn send(db: &Database, who: &str, request: proto::Date) -> Result<proto::Date, Problem> {
    let tx = db.begin().await?;
    let answer = match once(&tx, &caller(who), "Test/Do", ID, &request, now()).await? {
        Once::Repeat(answer) => return Ok(answer),
        Once::First(ticket) => {
            let answer = date(request.day - 1);
            ticket.record(&tx, &answer).await?;
            answer
        }
    };
    tx.commit().await?;
    Ok(answer)
}

async fn a_repeated_request_gets_the_first_answer(db: Database) {
    assert_eq!(send(&db, "one", date(6)).await.expect("first"), date(5));
    assert_eq!(send(&db, "one", date(6)).await.expect("repeat"), date(5));
    assert_eq!(
        send(&db, "two", date(9)).await.expect("another caller's"),
        date(8)
    );
}

async fn a_request_id_belongs_to_one_request(db: Database) {
    send(&db, "one", date(6)).await.expect("first");
    let problem = send(&db, "one", date(7)).await.expect_err("another body");
    assert_eq!(problem.reason(), ErrorReason::RequestIdReused);
    let tx = db.begin().await.expect("begins");
    let refused = once::<proto::Date>(&tx, &caller("one"), "Test/Do", "x", &date(1), now()).await;
    assert_eq!(
        refused.expect_err("no UUID").reason(),
        ErrorReason::InvalidField
    );
}

async fn a_request_that_failed_may_come_again(db: Database) {
    let tx = db.begin().await.expect("begins");
    let first = once::<proto::Date>(&tx, &caller("one"), "Test/Do", ID, &date(6), now()).await;
    assert!(matches!(first, Ok(Once::First(_))));
    drop(tx);
    assert_eq!(send(&db, "one", date(6)).await.expect("again"), date(5));
}

async fn of_two_holders_one_gets_the_lease(db: Database) {
    let ttl = Duration::from_secs(60);
    let held = lease::take(&db, "draws", "a", ttl)
        .await
        .expect("takes")
        .expect("is free");
    assert_eq!(
        lease::take(&db, "draws", "b", ttl).await.expect("takes"),
        None
    );
    let renewed = lease::take(&db, "draws", "a", ttl)
        .await
        .expect("takes")
        .expect("renews");
    assert_eq!(renewed.fence(), held.fence());
    held.release(&db).await.expect("releases");
    let next = lease::take(&db, "draws", "b", ttl)
        .await
        .expect("takes")
        .expect("is free again");
    assert_eq!(next.fence(), renewed.fence() + 1);
}

async fn a_lease_that_ran_out_changes_hands_and_its_fence_grows(db: Database) {
    let over = Duration::ZERO;
    let first = lease::take(&db, "draws", "a", over)
        .await
        .expect("takes")
        .expect("is free");
    let take = async {
        loop {
            let taken = lease::take(&db, "draws", "b", Duration::from_secs(60)).await;
            if let Some(lease) = taken.expect("takes") {
                return lease;
            }
            tokio::task::yield_now().await;
        }
    };
    let second = tokio::time::timeout(Duration::from_secs(5), take)
        .await
        .expect("runs out");
    assert_eq!(second.fence(), first.fence() + 1);
    let tx = db.begin().await.expect("begins");
    assert!(
        !first.holds(&tx).await.expect("reads"),
        "the old holder can have no effect"
    );
    assert!(second.holds(&tx).await.expect("reads"));
}

async fn a_lease_of_a_clock_that_was_put_back_keeps_nobody_out(db: Database) {
    let ttl = Duration::from_secs(60);
    let ahead = lease::take(&db, "draws", "a", ttl)
        .await
        .expect("takes")
        .expect("is free");
    let tx = db.begin().await.expect("begins");
    tx.execute_unprepared("UPDATE leases SET expires_at = expires_at + 3600000")
        .await
        .expect("as by a clock that was an hour ahead");
    tx.commit().await.expect("commits");
    let next = lease::take(&db, "draws", "b", ttl)
        .await
        .expect("takes")
        .expect("nobody waits for an hour");
    assert_eq!(next.fence(), ahead.fence() + 1);
    let tx = db.begin().await.expect("begins");
    assert!(!ahead.holds(&tx).await.expect("reads"));
}

#[tokio::test]
async fn what_a_standby_refuses_may_be_sent_again_postgres() {
    let Some(scratch) = kit::scratch::postgres().await else {
        return;
    };
    let db = scratch.open::<Migrator>().await;
    let tx = db.begin().await.expect("begins");
    tx.execute_unprepared("SET TRANSACTION READ ONLY")
        .await
        .expect("as at a standby");
    let write = tx.execute_unprepared("DELETE FROM leases").await;
    let refused = Problem::from(write.expect_err("it only reads"));
    assert_eq!(refused.reason(), ErrorReason::Unavailable);
}

#[tokio::test]
async fn a_text_with_what_no_text_has_is_its_callers_mistake_postgres() {
    let Some(scratch) = kit::scratch::postgres().await else {
        return;
    };
    let db = scratch.open::<Migrator>().await;
    let tx = db.begin().await.expect("begins");
    let sql = "SELECT method FROM requests WHERE principal = $1";
    let read = tx.query_one_raw(statement(&tx, sql, ["\u{0}".into()]));
    let refused = Problem::from(read.await.expect_err("not taken"));
    assert_eq!(refused.reason(), ErrorReason::MessageMalformed);
}

/// Limits the file to so many pages; to those that it has, when they are more.
async fn limit(tx: &Tx, pages: u32) {
    let limit = format!("PRAGMA max_page_count = {pages}");
    tx.execute_unprepared(&limit).await.expect("a limit");
}

/// Keeps a request of a mebibyte.
async fn keep(tx: &Tx, id: &str) -> Result<(), DbErr> {
    let insert = format!(
        "INSERT INTO requests (principal, request_id, method, request_hash, created_at) \
         VALUES ('one', '{id}', 'Test/Do', zeroblob(1048576), 0)"
    );
    tx.execute_unprepared(&insert).await.map(drop)
}

/// SQLite rolls back by itself when its disk is full, which must not leave the one connection that writes inside of a
/// transaction that nobody commits.
#[tokio::test]
async fn what_is_committed_after_the_disk_was_full_is_there_sqlite() {
    let scratch = kit::scratch::sqlite();
    let db = scratch.open::<Migrator>().await;
    let tx = db.begin().await.expect("begins");
    limit(&tx, 1).await;
    let refused = Problem::from(keep(&tx, "a").await.expect_err("there is no room"));
    assert_eq!(refused.reason(), ErrorReason::StorageFull);
    drop(tx);
    for (id, commits) in [("b", true), ("c", false), ("d", true)] {
        let tx = db.begin().await.expect("begins");
        limit(&tx, 1_000_000).await;
        keep(&tx, id).await.expect("there is room");
        if commits {
            tx.commit().await.expect("commits");
        }
    }
    let ids = "SELECT group_concat(request_id, ' ') FROM \
               (SELECT request_id FROM requests ORDER BY request_id)";
    let row = db.read().query_one_raw(statement(db.read(), ids, [])).await;
    let ids: String = row
        .expect("reads")
        .expect("a row")
        .try_get_by_index(0)
        .expect("a text");
    assert_eq!(ids, "b d");
}

/// A feed of numbers that breaks at given places. Watching goes on after the number in the token.
#[derive(Clone)]
struct Numbers {
    last: u64,
    breaks: Arc<Mutex<Vec<u64>>>,
    expired: Arc<Mutex<Option<u64>>>,
}

#[async_trait::async_trait]
impl Upstream for Numbers {
    type Event = u64;

    async fn snapshot(&mut self, page_token: String) -> Result<Batches<u64>, Status> {
        let from: u64 = page_token.parse().unwrap_or(0);
        let pages: Vec<Result<Batch<u64>, Status>> = (from..3)
            .map(|page| {
                if take(&self.breaks, 1000 + page) {
                    return Err(Status::unavailable("cut"));
                }
                let last = page == 2;
                Ok(Batch {
                    events: vec![page],
                    page_token: if last {
                        String::new()
                    } else {
                        (page + 1).to_string()
                    },
                    resume_token: if last { "2".to_owned() } else { String::new() },
                    origin: Origin::default(),
                })
            })
            .collect();
        Ok(until_error(pages))
    }

    async fn watch(&mut self, resume_token: String) -> Result<Batches<u64>, Status> {
        let after: u64 = resume_token
            .parse()
            .map_err(|_| Status::internal("token"))?;
        let expires = {
            let mut expired = self.expired.lock().expect("unpoisoned");
            if *expired == Some(after) {
                expired.take()
            } else {
                None
            }
        };
        if expires.is_some() {
            return Err(Problem::new(ErrorReason::ResumeTokenExpired).into());
        }
        let batches: Vec<Result<Batch<u64>, Status>> = (after + 1..=self.last)
            .map(|number| {
                if take(&self.breaks, number) {
                    return Err(Status::unavailable("cut"));
                }
                Ok(Batch {
                    events: vec![number],
                    page_token: String::new(),
                    resume_token: number.to_string(),
                    origin: Origin::default(),
                })
            })
            .collect();
        let at_end = !batches.iter().any(Result::is_err);
        let batches = until_error(batches);
        Ok(if at_end {
            batches.chain(futures_util::stream::pending()).boxed()
        } else {
            batches
        })
    }
}

fn take(breaks: &Mutex<Vec<u64>>, place: u64) -> bool {
    let mut breaks = breaks.lock().expect("unpoisoned");
    let found = breaks.iter().position(|at| *at == place);
    found.map(|at| breaks.remove(at)).is_some()
}

fn until_error(batches: Vec<Result<Batch<u64>, Status>>) -> Batches<u64> {
    let mut broken = false;
    let kept: Vec<_> = batches
        .into_iter()
        .take_while(|batch| !std::mem::replace(&mut broken, batch.is_err()))
        .collect();
    futures_util::stream::iter(kept).boxed()
}

struct Sum {
    fail_once: Mutex<Vec<u64>>,
}

#[async_trait::async_trait]
impl Projection for Sum {
    type Event = u64;

    fn name(&self) -> &'static str {
        "sum"
    }

    async fn apply(&self, tx: &Tx, events: &[u64], generation: i64) -> Result<(), DbErr> {
        for event in events {
            let sql = "INSERT INTO sums (number, times, generation) VALUES ($1, 1, $2) \
                ON CONFLICT (number) DO UPDATE SET times = sums.times + 1, generation = $2";
            let number = i64::try_from(*event).expect("small");
            tx.execute_raw(statement(tx, sql, [number.into(), generation.into()]))
                .await?;
            if take(&self.fail_once, *event) {
                return Err(DbErr::Custom("asked to fail".to_owned()));
            }
        }
        Ok(())
    }

    async fn sweep(&self, tx: &Tx, generation: i64) -> Result<(), DbErr> {
        let sql = "DELETE FROM sums WHERE generation < $1";
        tx.execute_raw(statement(tx, sql, [generation.into()]))
            .await
            .map(|_| ())
    }
}

async fn sums(db: &Database) -> Vec<(i64, i64)> {
    let select = statement(
        db.read(),
        "SELECT number, times FROM sums ORDER BY number",
        [],
    );
    let rows = db.read().query_all_raw(select).await.expect("reads");
    rows.iter()
        .map(|row| {
            (
                row.try_get_by_index(0).expect("n"),
                row.try_get_by_index(1).expect("t"),
            )
        })
        .collect()
}

async fn create_sums(db: &Database) {
    let tx = db.begin().await.expect("begins");
    tx.execute_unprepared(
        "CREATE TABLE sums (number BIGINT PRIMARY KEY, times BIGINT NOT NULL, \
         generation BIGINT NOT NULL)",
    )
    .await
    .expect("creates");
    tx.commit().await.expect("commits");
}

async fn until(db: &Database, wanted: &[(i64, i64)]) {
    let wait = async {
        while sums(db).await != wanted {
            tokio::task::yield_now().await;
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(20), wait).await;
    assert!(done.is_ok(), "{:?} instead of {wanted:?}", sums(db).await);
}

async fn a_projection_applies_each_batch_once_whatever_breaks(db: Database) {
    create_sums(&db).await;
    let upstream = Numbers {
        last: 9,
        breaks: Arc::new(Mutex::new(vec![1001, 4, 7])),
        expired: Arc::default(),
    };
    let drain = Drain::new();
    // Two replicas follow at once, and effects fail now and then.
    let followers = [vec![2, 5], vec![6]].map(|fail_once| {
        let projection = Arc::new(Sum {
            fail_once: Mutex::new(fail_once),
        });
        follow(
            db.clone(),
            upstream.clone(),
            projection,
            None,
            drain.clone(),
        )
    });
    until(&db, &(0..=9).map(|number| (number, 1)).collect::<Vec<_>>()).await;
    drain.signal();
    for follower in followers {
        follower.await.expect("ends");
    }
    assert_eq!(
        sums(&db).await,
        (0..=9).map(|number| (number, 1)).collect::<Vec<_>>()
    );
}

async fn a_projection_whose_place_expired_takes_a_new_snapshot(db: Database) {
    create_sums(&db).await;
    let upstream = Numbers {
        last: 5,
        breaks: Arc::new(Mutex::new(vec![5])),
        expired: Arc::new(Mutex::new(Some(4))),
    };
    let drain = Drain::new();
    let projection = Arc::new(Sum {
        fail_once: Mutex::default(),
    });
    let follower = follow(db.clone(), upstream, projection, None, drain.clone());
    // 3 and 4 came by the first watch, are swept after the second snapshot, and come once more.
    until(&db, &[(0, 2), (1, 2), (2, 2), (3, 1), (4, 1), (5, 1)]).await;
    drain.signal();
    follower.await.expect("ends");
}
