//! Indexes that PostgreSQL builds while others write.

use std::time::Duration;

use kit::db::Database;
use kit::migration::{Limits, MigrateError, Schema};
use kit::scratch;
use sea_orm::{ConnectionTrait, Statement};

use super::steps::{Indexed, Older, Unique};
use crate::{migrate, names_pending, open};

/// The first column of the first row; false where there is none.
async fn ask(db: &Database, sql: &str) -> bool {
    let backend = db.read().get_database_backend();
    let row = db
        .read()
        .query_one_raw(Statement::from_string(backend, sql))
        .await;
    let row = row.expect("read");
    row.is_some_and(|row| row.try_get_by_index(0).expect("a truth"))
}

const VALID: &str =
    "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('pupils_place')";
const INVALID: &str =
    "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass('pupils_place')";
const CUT: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE datname = current_database() AND query LIKE 'CREATE INDEX CONCURRENTLY%'";

#[tokio::test(flavor = "multi_thread")]
async fn writers_go_on_while_an_index_is_built_and_a_cut_one_is_built_again() {
    let Some(scratch) = scratch::postgres().await else {
        return;
    };
    let db = open(&scratch).await;
    db.migrate::<Older>().await.expect("migrated");
    let schema = Schema::of::<Indexed>();
    // Building waits for whoever has written already.
    let writer = db.begin().await.expect("a transaction");
    writer
        .execute_unprepared("INSERT INTO pupils VALUES (2, 'xm')")
        .await
        .expect("written");
    let building = migrate(&db, &schema, Limits::default());
    let cutting = async {
        while !ask(&db, INVALID).await {}
        let insert = "INSERT INTO pupils VALUES (3, 'qz')";
        db.read()
            .execute_unprepared(insert)
            .await
            .expect("nobody queues");
        assert!(ask(&db, CUT).await, "cut");
        writer.commit().await.expect("committed");
    };
    let (built, ()) = tokio::join!(building, cutting);
    let err = built.expect_err("cut");
    assert!(matches!(err, MigrateError::Failed { .. }), "{err:?}");
    assert!(ask(&db, INVALID).await, "what a cut leaves behind");
    assert_eq!(names_pending(&db, &schema).await, ["m2_by_place"]);

    let built = migrate(&db, &schema, Limits::default()).await;
    assert_eq!(built.expect("built"), ["m2_by_place"]);
    assert!(ask(&db, VALID).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_was_built_before_a_cut_is_found() {
    let Some(scratch) = scratch::postgres().await else {
        return;
    };
    let db = open(&scratch).await;
    db.migrate::<Older>().await.expect("migrated");
    let early = "CREATE INDEX pupils_place ON pupils (place)";
    db.read().execute_unprepared(early).await.expect("built");
    db.migrate::<Indexed>().await.expect("found");
}

#[tokio::test(flavor = "multi_thread")]
async fn building_ends_in_time_also_when_it_waits_for_writers() {
    let Some(scratch) = scratch::postgres().await else {
        return;
    };
    let db = open(&scratch).await;
    db.migrate::<Older>().await.expect("migrated");
    let writer = db.begin().await.expect("a transaction");
    writer
        .execute_unprepared("INSERT INTO pupils VALUES (2, 'xm')")
        .await
        .expect("written");
    let limits = Limits {
        within: Duration::from_secs(1),
        ..Limits::default()
    };
    let schema = Schema::of::<Indexed>();
    let late = migrate(&db, &schema, limits).await.expect_err("in the way");
    assert!(matches!(late, MigrateError::Late { .. }), "{late:?}");
    writer.commit().await.expect("committed");
    db.migrate::<Indexed>().await.expect("built");
    assert!(ask(&db, VALID).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_agree_keep_an_index_from_being_unique_until_they_differ() {
    let Some(scratch) = scratch::postgres().await else {
        return;
    };
    let db = open(&scratch).await;
    db.migrate::<Older>().await.expect("migrated");
    let write = async |sql: &str| db.read().execute_unprepared(sql).await.expect("written");
    write("INSERT INTO pupils VALUES (2, 'fz')").await;
    let schema = Schema::of::<Unique>();
    let err = migrate(&db, &schema, Limits::default()).await;
    let err = err.expect_err("two of a place");
    assert!(matches!(err, MigrateError::Failed { .. }), "{err:?}");
    write("DELETE FROM pupils WHERE id = 2").await;
    migrate(&db, &schema, Limits::default())
        .await
        .expect("built");
    assert!(ask(&db, VALID).await);
}
