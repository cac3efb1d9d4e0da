//! Processes that migrate one database at the same time.

use std::time::Duration;

use futures_util::future::try_join_all;
use kit::db::Backend;
use kit::migration::{Limits, MIGRATING, MigrateError, Schema};
use kit::scratch::{self, Scratch};
use sea_orm::{ConnectionTrait, Statement};

use super::steps::{Graded, Indexed, Older, Whole};
use crate::{has, migrate, on_both, open, soon};

on_both!(
    replicas_that_start_together_take_turns,
    who_migrates_keeps_others_waiting_for_a_time,
);

async fn replicas_that_start_together_take_turns(scratch: Scratch) {
    let mut replicas = Vec::new();
    for _ in 0..6 {
        replicas.push(open(&scratch).await);
    }
    let schema = Schema::of::<Indexed>();
    let all = replicas
        .iter()
        .map(|replica| migrate(replica, &schema, Limits::default()));
    let applied = try_join_all(all).await.expect("each finds its schema");
    let mut applied = applied.concat();
    applied.sort_unstable();
    assert_eq!(applied, ["m1_pupils", "m2_by_place"], "each by one of them");
}

async fn who_migrates_keeps_others_waiting_for_a_time(scratch: Scratch) {
    let theirs = open(&scratch).await;
    let other = theirs.begin().await.expect("a transaction");
    if theirs.backend() == Backend::Postgres {
        let lock = format!("SELECT pg_advisory_xact_lock({MIGRATING})");
        other.execute_unprepared(&lock).await.expect("the lock");
    }
    let db = open(&scratch).await;
    let schema = Schema::of::<Whole>();
    let refused = migrate(&db, &schema, soon())
        .await
        .expect_err("not our turn");
    assert!(matches!(refused, MigrateError::Busy { .. }), "{refused:?}");
    assert!(!has(&db, "pupils").await);
    other.rollback().await.expect("given up");
    migrate(&db, &schema, Limits::default())
        .await
        .expect("our turn");
}

/// A table that is in use is not waited for with everybody queueing behind: readers pass while the
/// migration tries again and again.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_in_use_is_changed_between_its_users_on_postgres() {
    let Some(scratch) = scratch::postgres().await else {
        return;
    };
    let db = open(&scratch).await;
    db.migrate::<Older>().await.expect("migrated");
    let user = db.begin().await.expect("a transaction");
    user.execute_unprepared("INSERT INTO pupils VALUES (2, 'xm')")
        .await
        .expect("written");
    let limits = Limits {
        within: Duration::from_secs(60),
        lock: Duration::from_millis(50),
    };
    let schema = Schema::of::<Graded>();
    let migrating = migrate(&db, &schema, limits);
    let using = async {
        // It has waited for the table, and given up, more than once.
        let mut waits = 0;
        while waits < 3 {
            waits += u32::from(is_waited_for(&db).await);
            db.read()
                .execute_unprepared("SELECT * FROM pupils")
                .await
                .expect("a reader passes");
        }
        user.commit().await.expect("committed");
    };
    let (migrated, ()) = tokio::join!(migrating, using);
    assert_eq!(migrated.expect("applied"), ["m2_grades"]);
}

/// Whether somebody waits for the table.
async fn is_waited_for(db: &kit::db::Database) -> bool {
    let sql = "SELECT 1 FROM pg_locks WHERE relation = 'pupils'::regclass AND NOT granted";
    let backend = db.read().get_database_backend();
    let found = db
        .read()
        .query_one_raw(Statement::from_string(backend, sql))
        .await;
    found.expect("read").is_some()
}
