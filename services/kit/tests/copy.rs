//! What PostgreSQL streams out.

use futures_util::future::try_join_all;
use kit::copy::copy_out;
use kit::db::{Database, DatabaseConfig};
use kit::scratch;
use sea_orm::DbErr;
use sea_orm::sqlx::{PgPool, query, query_scalar};
use tokio::sync::Notify;

const NUMBERS: &str = "COPY (SELECT generate_series(1, 1000000)) TO STDOUT";

/// A database with as many connections as questions are asked at once.
async fn database() -> Option<(Database, scratch::Scratch)> {
    let scratch = scratch::postgres().await?;
    let config = DatabaseConfig {
        max_connections: 3,
        ..(*scratch).clone()
    };
    let database = Database::connect(&config).await.expect("it opens");
    Some((database, scratch))
}

async fn ask(pool: &PgPool, number: i32) -> Result<(i32, i32), sea_orm::sqlx::Error> {
    let answer = query_scalar("SELECT $1").bind(number).fetch_one(pool);
    Ok((number, answer.await?))
}

/// Every question gets its own answer.
async fn answers_fit(pool: &PgPool) {
    let answers = try_join_all((0..24).map(|number| ask(pool, number))).await;
    for (number, answer) in answers.expect("questions are answered") {
        assert_eq!(answer, number);
    }
}

#[tokio::test]
async fn all_parts_come_in_their_order() {
    let Some((database, _scratch)) = database().await else {
        return;
    };
    let pool = database.postgres().expect("a pool");
    let mut read = Vec::new();
    let reading = copy_out(pool, NUMBERS, |part| {
        read.extend_from_slice(part);
        Ok(())
    });
    reading.await.expect("it is read");
    let read = String::from_utf8(read).expect("numbers");
    let numbers = read
        .lines()
        .map(|line| line.parse::<i32>().expect("a number"));
    assert!(numbers.eq(1..=1_000_000));
    answers_fit(pool).await;
}

/// The same, and in its midst it waits for a lock.
const STALLED: &str = "COPY (SELECT CASE WHEN number = 500000 THEN pg_advisory_lock(1)::text END \
    FROM generate_series(1, 1000000) number) TO STDOUT";

#[tokio::test]
async fn a_reader_that_goes_away_leaves_nobody_the_rest_of_its_answer() {
    let Some((database, _scratch)) = database().await else {
        return;
    };
    let pool = database.postgres().expect("a pool");
    for _ in 0..3 {
        let mut holder = pool.acquire().await.expect("a connection");
        let lock = query("SELECT pg_advisory_lock(1)").execute(&mut *holder);
        lock.await.expect("the lock is free");
        let came = Notify::new();
        let reading = copy_out(pool, STALLED, |_| {
            came.notify_one();
            Ok(())
        });
        tokio::select! {
            () = came.notified() => {}
            ended = reading => panic!("nobody gave the lock up: {ended:?}"),
        }
        let unlock = query("SELECT pg_advisory_unlock(1)").execute(&mut *holder);
        unlock.await.expect("the lock is given up");
        drop(holder);
        answers_fit(pool).await;
    }
}

#[tokio::test]
async fn a_reader_that_stops_leaves_nobody_the_rest_of_its_answer() {
    let Some((database, _scratch)) = database().await else {
        return;
    };
    let pool = database.postgres().expect("a pool");
    for _ in 0..6 {
        let stopped = copy_out(pool, NUMBERS, |_| Err(DbErr::Custom("enough".to_owned())));
        assert_eq!(stopped.await, Err(DbErr::Custom("enough".to_owned())));
        answers_fit(pool).await;
    }
}
