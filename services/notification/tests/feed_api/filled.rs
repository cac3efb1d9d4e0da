//! What stood before there was a feed is in it, and so is what a version without one writes.

use std::collections::BTreeMap;

use chrono::Duration;
use kit::auth::Role;
use kit::db::{Database, statement};
use kit::scratch::Scratch;
use proto::notification::close_directive_request::Outcome;
use proto::notification::notification_event::State;
use sea_orm::ConnectionTrait;

use crate::town::cap::{Told, divide};
use crate::town::listener::applied;
use crate::town::officers::{BUREAU_CLERK, Move, SCHOOL_CLERK, SIGN, Step, recipient};
use crate::town::venue::meeting;
use crate::town::world::World;
use crate::town::{self, BUREAU, OTHER_PATH, SCHOOL, SCHOOL_PATH, on_both, placed, sampling};

on_both!(
    a_filled_database_is_in_the_first_snapshot,
    what_a_version_without_a_feed_writes_is_told_and_counted,
);

/// A town with something in force and something that has ended of each kind.
async fn filled(scratch: Scratch) -> (World, String) {
    let mut world = World::with_heads(scratch).await;
    divide(&world.db).await;
    let ended = world.issued(&[BUREAU]).await.name;
    world.steps(&ended, BUREAU, BUREAU_CLERK, &SIGN).await;
    let close = Move::End(Outcome::Closed, String::new());
    world.moved(&ended, close).await.expect("closed");
    world.draft(&[BUREAU]).await;
    let issued = world.issued(&[BUREAU]).await;
    let (name, hash) = (issued.name, issued.text_sha256.to_vec());
    world.steps(&name, BUREAU, BUREAU_CLERK, &SIGN).await;
    let relayed = world.step(&name, BUREAU, BUREAU_CLERK, Step::Relay(hash));
    relayed.await.expect("relayed");
    world.steps(&name, SCHOOL, SCHOOL_CLERK, &SIGN).await;
    world.convene(meeting(&[BUREAU])).await.expect("called");
    let cancelled = world
        .convene(meeting(&[BUREAU]))
        .await
        .expect("called")
        .name;
    world.cancel_meeting(&cancelled).await.expect("called off");
    let held = [placed(SCHOOL_PATH, "T1", 1), placed(OTHER_PATH, "T2", 1)];
    sampling(&world.db, &world.clock, &held, 1).await;
    let over = town::released(OTHER_PATH, "T2", 2);
    sampling(&world.db, &world.clock, &[over], 1).await;
    world.ingest(&Told::alert(1)).await.expect("taken");
    let over = Told {
        sender: "other@example.cn",
        ..Told::alert(2)
    };
    world.ingest(&over).await.expect("taken");
    (world, name)
}

/// What stands for a service, without the versions.
async fn standing(world: &World) -> BTreeMap<String, State> {
    let told = applied(&world.listen().await.snapshot).into_iter();
    told.map(|(entity, (_, state))| (entity, state)).collect()
}

async fn execute(db: &Database, sqls: &[&str]) {
    let tx = db.begin().await.expect("a transaction");
    for sql in sqls {
        tx.execute_raw(statement(&tx, sql, [])).await.expect(sql);
    }
    tx.commit().await.expect("committed");
}

async fn a_filled_database_is_in_the_first_snapshot(scratch: Scratch) {
    let (mut world, name) = filled(scratch).await;
    // The recipients of the directive that has ended leave within moments.
    let left =
        "SELECT COUNT(*) FROM directive_recipients WHERE announced > 0 AND announced <> version";
    while world.number(left).await > 0 {
        tokio::task::yield_now().await;
    }
    world.caught_up().await;
    let before = standing(&world).await;
    assert_eq!(before.len(), 7, "{before:?}");
    let progress = world.progress(&name).await;
    world.stop().await;
    // As the version without a feed leaves it.
    let forget = [
        "DELETE FROM feed_log",
        "DELETE FROM feed_latest",
        "DELETE FROM feed_head",
        "DELETE FROM directive_counts",
        "UPDATE alerts SET announced = 0",
        "UPDATE directives SET announced = 0",
        "UPDATE directive_recipients SET announced = 0",
        "UPDATE meetings SET announced = 0",
        "UPDATE warnings SET announced = 0, version = 0, leaves_at = 0",
    ];
    execute(&world.db, &forget).await;
    world.start().await;
    let mut listener = world.listen().await;
    let mut events = listener.snapshot.clone();
    while applied(&events).len() < 7 {
        let event = listener.heard().await;
        // What was announced while the snapshot was read is in both.
        if !events.contains(&event) {
            events.push(event);
        }
    }
    let told = applied(&events).into_iter();
    let told: BTreeMap<_, _> = told.map(|(entity, (_, state))| (entity, state)).collect();
    assert_eq!(told, before);
    assert_eq!(world.progress(&name).await, progress);
    // What is over for more than a week is not taken up.
    world.stop().await;
    execute(&world.db, &forget).await;
    world.clock.advance(Duration::days(8));
    world.start().await;
    let unannounced = "SELECT COUNT(*) FROM warnings WHERE announced <> came_at";
    while world.number(unannounced).await > 0 {
        tokio::task::yield_now().await;
    }
    world.caught_up().await;
    let told = standing(&world).await;
    assert!(!told.keys().any(|entity| entity.starts_with("warnings/")));
}

async fn what_a_version_without_a_feed_writes_is_told_and_counted(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let name = world.issued(&[BUREAU]).await.name;
    sampling(&world.db, &world.clock, &[placed(SCHOOL_PATH, "T1", 1)], 1).await;
    let alert = world.the_alert().await.name;
    world.caught_up().await;
    let mut listener = world.listen().await;
    let signed = "UPDATE directive_recipients SET state = 4, acknowledged_at = due_at - 1, \
                  version = version + 1 WHERE organization = '350102'";
    let seen = "UPDATE alerts SET state = 2, revision = revision + 1";
    execute(&world.db, &[signed, seen]).await;
    let bureau = recipient(&name, BUREAU);
    let mut heard = [listener.heard().await.entity, listener.heard().await.entity];
    heard.sort();
    let mut expected = [alert, bureau];
    expected.sort();
    assert_eq!(heard, expected);
    let directive = world
        .get(&name, Role::CityOfficer, "fz")
        .await
        .expect("read");
    assert_eq!(
        (directive.recipient_count, directive.acknowledged_count),
        (3, 1)
    );
}
