//! The law of the feed: no gap, no repeat, commit order, whatever writers and readers do.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use kit::db::{Backend, Database, DatabaseConfig, Tx, statement};
use kit::drain::Drain;
use kit::feed::{Change, Feed, announce, spawn_sequencer};
use kit::migration::Ending;
use kit::org::OrgPath;
use proto::error::ErrorReason;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sea_orm::ConnectionTrait;
use sea_orm_migration::{MigrationTrait, MigratorTrait};

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        kit::migration::tables()
    }
}

kit::store_suite!(Migrator;
    readers_that_restart_see_every_change_once_and_in_commit_order,
    a_snapshot_and_the_watch_after_it_converge,
    a_place_from_before_the_retention_or_a_restore_is_refused,
    in_a_new_epoch_no_place_of_before_counts,
    a_reader_sees_its_own_place_only,
    a_rolled_back_change_is_never_seen,
    the_drain_ends_a_watch_whose_place_stays_good,
);

const WRITERS: u64 = 8;
const ENTITIES: u64 = 2500;
/// How many entities one transaction changes at most.
const BIGGEST: u64 = 100;

/// How many changes the law is tried on; the environment may ask for more or fewer.
#[expect(
    clippy::disallowed_methods,
    reason = "a test may be asked to run longer or shorter"
)]
fn changes() -> u64 {
    std::env::var("CAMPUS_FEED_CHANGES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(100_000)
}

fn change(entity: u64, version: i64, path: &str) -> Change {
    Change {
        feed: "test",
        kind: "thing",
        entity: format!("things/{entity}"),
        version,
        removed: version % 7 == 0,
        org_path: path.parse().expect("a path"),
        payload: version.to_le_bytes().to_vec(),
        latest: true,
    }
}

/// Changes some entities, not more than `most`, in one transaction: they are locked first, in one
/// order for all writers, then announced.
async fn write(db: &Database, rng: &mut StdRng, most: u64) -> u64 {
    let mut chosen: Vec<u64> = (0..rng.random_range(1..=BIGGEST).min(most))
        .map(|_| rng.random_range(0..ENTITIES))
        .collect();
    chosen.sort_unstable();
    chosen.dedup();
    let tx = db.begin().await.expect("begins");
    let mut changes = Vec::new();
    for (entity, version) in bump(&tx, &chosen).await {
        changes.push(change(entity, version, "fz/350102"));
    }
    // Announced in two parts, so that another writer can come between.
    let rest = changes.split_off(changes.len() / 2);
    announce(&tx, changes).await.expect("announces");
    if rng.random_bool(0.3) {
        tokio::task::yield_now().await;
    }
    announce(&tx, rest).await.expect("announces");
    tx.commit().await.expect("commits");
    chosen.len() as u64
}

async fn bump(tx: &Tx, entities: &[u64]) -> Vec<(u64, i64)> {
    let ids: Vec<String> = entities.iter().map(ToString::to_string).collect();
    let ids = ids.join(", ");
    if tx.backend() == Backend::Postgres {
        let lock = format!("SELECT id FROM things WHERE id IN ({ids}) ORDER BY id FOR UPDATE");
        tx.query_all_raw(statement(tx, &lock, []))
            .await
            .expect("locks");
    }
    let sql = format!(
        "UPDATE things SET version = version + 1 WHERE id IN ({ids}) RETURNING id, version"
    );
    let rows = tx.query_all_raw(statement(tx, &sql, [])).await;
    let number = |row: &sea_orm::QueryResult, place| -> i64 {
        row.try_get_by_index(place).expect("a number")
    };
    rows.expect("bumps")
        .iter()
        .map(|row| (number(row, 0).unsigned_abs(), number(row, 1)))
        .collect()
}

async fn create_things(db: &Database) {
    let tx = db.begin().await.expect("begins");
    tx.execute_unprepared("CREATE TABLE things (id BIGINT PRIMARY KEY, version BIGINT NOT NULL)")
        .await
        .expect("creates");
    for entity in 0..ENTITIES {
        let sql = format!("INSERT INTO things VALUES ({entity}, 0)");
        tx.execute_unprepared(&sql).await.expect("inserts");
    }
    tx.commit().await.expect("commits");
}

/// The resume token of an empty snapshot.
async fn start(feed: &Feed) -> String {
    let mut pages = feed.snapshot(OrgPath::root(), String::new());
    let mut token = String::new();
    while let Some(page) = pages.next().await {
        token = page.expect("a page").resume_token;
    }
    token
}

/// Reads until `total` changes were seen, starting again at random places.
async fn read(db: Database, mut token: String, total: u64, seed: u64) -> Vec<(String, i64)> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut seen: Vec<(String, i64)> = Vec::new();
    while (seen.len() as u64) < total {
        // Another process, as far as the feed can tell; it ends with its reader.
        let process = Drain::new();
        let feed = Feed::new(db.clone(), "test", process.clone());
        let mut pages = feed
            .watch(OrgPath::root(), token.clone())
            .await
            .expect("watches");
        let mut left = rng.random_range(1..40);
        while left > 0 && (seen.len() as u64) < total {
            let page = pages.next().await.expect("goes on").expect("a page");
            seen.extend(
                page.items
                    .iter()
                    .map(|item| (item.entity.clone(), item.version)),
            );
            token = page.resume_token;
            left -= 1;
        }
        process.signal();
    }
    seen
}

async fn readers_that_restart_see_every_change_once_and_in_commit_order(db: Database) {
    create_things(&db).await;
    let drain = Drain::new();
    // Three sequencers race, as replicas do.
    for _ in 0..3 {
        spawn_sequencer(db.clone(), drain.clone());
    }
    let token = start(&Feed::new(db.clone(), "test", drain.clone())).await;
    let share = changes() / WRITERS;
    let total = share * WRITERS;
    // Readers follow while the writers commit: a gap shows only then.
    let readers: Vec<_> = (0..3)
        .map(|seed| tokio::spawn(read(db.clone(), token.clone(), total, seed)))
        .collect();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let db = db.clone();
            tokio::spawn(async move {
                let mut rng = StdRng::seed_from_u64(writer);
                let mut left = share;
                while left > 0 {
                    left -= write(&db, &mut rng, left).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("writes");
    }
    let mut all = Vec::new();
    for reader in readers {
        all.push(reader.await.expect("reads"));
    }
    drain.signal();
    for seen in &all {
        assert_eq!(seen.len() as u64, total, "no gap and no repeat");
        let mut versions: HashMap<&str, i64> = HashMap::new();
        for (entity, version) in seen {
            let last = versions.entry(entity).or_default();
            assert_eq!(*version, *last + 1, "commit order of {entity}");
            *last = *version;
        }
    }
    assert_eq!(all[0], all[1], "every reader sees the same order");
    assert_eq!(all[1], all[2], "every reader sees the same order");
}

async fn a_snapshot_and_the_watch_after_it_converge(db: Database) {
    create_things(&db).await;
    let drain = Drain::new();
    spawn_sequencer(db.clone(), drain.clone());
    let feed = Feed::new(db.clone(), "test", drain.clone());
    let writer = {
        let db = db.clone();
        tokio::spawn(async move {
            let mut rng = StdRng::seed_from_u64(5);
            for _ in 0..300 {
                write(&db, &mut rng, 40).await;
            }
        })
    };
    let mut replica: HashMap<String, (i64, bool)> = HashMap::new();
    let apply = |replica: &mut HashMap<String, (i64, bool)>, page: &kit::feed::Page| {
        for item in &page.items {
            let entry = replica.entry(item.entity.clone()).or_default();
            if item.version > entry.0 {
                *entry = (item.version, item.removed);
            }
        }
    };
    let mut token = String::new();
    let mut pages = feed.snapshot(OrgPath::root(), String::new());
    while let Some(page) = pages.next().await {
        let page = page.expect("a page");
        apply(&mut replica, &page);
        token = page.resume_token;
    }
    writer.await.expect("writes");
    let mut truth: HashMap<String, (i64, bool)> = HashMap::new();
    let rows = db
        .read()
        .query_all_raw(statement(
            db.read(),
            "SELECT id, version FROM things WHERE version > 0",
            [],
        ))
        .await
        .expect("reads");
    for row in rows {
        let (id, version): (i64, i64) = (
            row.try_get_by_index(0).expect("id"),
            row.try_get_by_index(1).expect("version"),
        );
        truth.insert(format!("things/{id}"), (version, version % 7 == 0));
    }
    let mut pages = feed.watch(OrgPath::root(), token).await.expect("watches");
    let converge = async {
        while replica != truth {
            let page = pages.next().await.expect("goes on").expect("a page");
            apply(&mut replica, &page);
        }
    };
    tokio::time::timeout(Duration::from_secs(20), converge)
        .await
        .expect("converges");
    drain.signal();
}

async fn a_place_from_before_the_retention_or_a_restore_is_refused(db: Database) {
    create_things(&db).await;
    let drain = Drain::new();
    let feed = Feed::new(db.clone(), "test", drain.clone());
    let token = start(&feed).await;
    let mut rng = StdRng::seed_from_u64(1);
    write(&db, &mut rng, 40).await;
    if db.backend() == Backend::Postgres {
        kit::feed::sequencer::sequence_all(&db)
            .await
            .expect("sequences");
    }
    assert!(feed.watch(OrgPath::root(), token.clone()).await.is_ok());
    for sql in [
        "UPDATE feed_head SET floor = 1",
        "UPDATE feed_head SET floor = 0, epoch = 'new'",
    ] {
        let tx = db.begin().await.expect("begins");
        tx.execute_unprepared(sql).await.expect("updates");
        tx.commit().await.expect("commits");
        let refused = feed
            .watch(OrgPath::root(), token.clone())
            .await
            .err()
            .expect("refused");
        assert_eq!(refused.reason(), ErrorReason::ResumeTokenExpired, "{sql}");
    }
    let refused = feed
        .watch(OrgPath::root(), "nonsense".to_owned())
        .await
        .err()
        .expect("refused");
    assert_eq!(refused.reason(), ErrorReason::ResumeTokenExpired);
}

async fn in_a_new_epoch_no_place_of_before_counts(db: Database) {
    create_things(&db).await;
    let feed = Feed::new(db.clone(), "test", Drain::new());
    let mut rng = StdRng::seed_from_u64(1);
    write(&db, &mut rng, 40).await;
    if db.backend() == Backend::Postgres {
        kit::feed::sequencer::sequence_all(&db)
            .await
            .expect("sequences");
    }
    let before = start(&feed).await;
    assert!(feed.watch(OrgPath::root(), before.clone()).await.is_ok());
    let feeds = kit::feed::epoch::begin(&db).await.expect("begins");
    assert_eq!(feeds, ["test"]);
    let refused = feed.watch(OrgPath::root(), before).await.err();
    let reason = refused.expect("refused").reason();
    assert_eq!(reason, ErrorReason::ResumeTokenExpired);
    let after = start(&feed).await;
    assert!(feed.watch(OrgPath::root(), after).await.is_ok());
}

async fn a_reader_sees_its_own_place_only(db: Database) {
    let drain = Drain::new();
    spawn_sequencer(db.clone(), drain.clone());
    let feed = Feed::new(db.clone(), "test", drain.clone());
    let district: OrgPath = "fz/350102".parse().expect("a path");
    let first = |entity| {
        change(
            entity,
            1,
            if entity % 2 == 0 {
                "fz/350102/s1"
            } else {
                "fz/350103/s2"
            },
        )
    };
    let put = |entities: std::ops::Range<u64>| {
        let db = db.clone();
        async move {
            let tx = db.begin().await.expect("begins");
            announce(&tx, entities.map(first).collect())
                .await
                .expect("announces");
            tx.commit().await.expect("commits");
        }
    };
    put(0..10).await;
    let names = |page: &kit::feed::Page| -> Vec<String> {
        page.items.iter().map(|item| item.entity.clone()).collect()
    };
    let expected = |entities: std::ops::Range<u64>| -> Vec<String> {
        entities
            .filter(|entity| entity % 2 == 0)
            .map(|entity| format!("things/{entity}"))
            .collect()
    };
    let snapshot = async || {
        let page = feed.snapshot(district.clone(), String::new()).next().await;
        page.expect("a page").expect("a page")
    };
    // On PostgreSQL the snapshot holds what the sequencer has moved. The place that goes with it
    // is where it began, so only the next one says a place that is surely after the move.
    let moved = async {
        while snapshot().await.items.is_empty() {
            tokio::task::yield_now().await;
        }
        snapshot().await
    };
    let page = tokio::time::timeout(Duration::from_secs(10), moved)
        .await
        .expect("is moved");
    assert_eq!(names(&page), expected(0..10));
    let mut pages = feed
        .watch(district.clone(), page.resume_token.clone())
        .await
        .expect("watches");
    put(10..20).await;
    let mut seen = Vec::new();
    while seen.len() < 5 {
        seen.extend(names(
            &pages.next().await.expect("goes on").expect("a page"),
        ));
    }
    assert_eq!(seen, expected(10..20));
    let elsewhere = feed.watch(OrgPath::root(), page.resume_token).await;
    assert!(elsewhere.is_err(), "a token is bound to its scope");
    drain.signal();
}

async fn a_rolled_back_change_is_never_seen(db: Database) {
    let drain = Drain::new();
    spawn_sequencer(db.clone(), drain.clone());
    let feed = Arc::new(Feed::new(db.clone(), "test", drain.clone()));
    let token = start(&feed).await;
    let tx = db.begin().await.expect("begins");
    announce(&tx, vec![change(1, 1, "fz")])
        .await
        .expect("announces");
    drop(tx);
    let tx = db.begin().await.expect("begins");
    announce(&tx, vec![change(2, 1, "fz")])
        .await
        .expect("announces");
    tx.commit().await.expect("commits");
    let mut pages = feed.watch(OrgPath::root(), token).await.expect("watches");
    let page = pages.next().await.expect("goes on").expect("a page");
    assert_eq!(page.items[0].entity, "things/2");
    drain.signal();
}

async fn the_drain_ends_a_watch_whose_place_stays_good(db: Database) {
    create_things(&db).await;
    let drain = Drain::new();
    let feed = Feed::new(db.clone(), "test", drain.clone());
    let mut token = start(&feed).await;
    let mut pages = feed
        .watch(OrgPath::root(), token.clone())
        .await
        .expect("watches");
    let mut rng = StdRng::seed_from_u64(3);
    let mut written = 0;
    for ending in [false, true] {
        let fresh = write(&db, &mut rng, 40).await;
        if db.backend() == Backend::Postgres {
            kit::feed::sequencer::sequence_all(&db)
                .await
                .expect("sequences");
        }
        written += fresh;
        let mut seen = 0;
        while seen < fresh && !ending {
            let page = pages.next().await.expect("goes on").expect("a page");
            seen += page.items.len() as u64;
            token = page.resume_token;
        }
    }
    drain.signal();
    let ended = async {
        loop {
            match pages.next().await.expect("an end with a reason") {
                Ok(page) => token = page.resume_token,
                Err(problem) => return problem.reason(),
            }
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(10), ended).await;
    assert_eq!(ended.expect("ends"), ErrorReason::Unavailable);
    // Another replica goes on from the last place, wherever the drain cut.
    let drain = Drain::new();
    let feed = Feed::new(db.clone(), "test", drain.clone());
    let marker = write(&db, &mut rng, 1).await;
    if db.backend() == Backend::Postgres {
        kit::feed::sequencer::sequence_all(&db)
            .await
            .expect("sequences");
    }
    let mut pages = feed.watch(OrgPath::root(), token).await.expect("goes on");
    let mut versions = 0;
    while versions < marker {
        let page = pages.next().await.expect("goes on").expect("a page");
        versions += page.items.len() as u64;
    }
    assert!(
        (marker..=marker + written).contains(&versions),
        "nothing is told twice"
    );
    drain.signal();
}

#[tokio::test]
async fn the_command_says_which_feeds_are_in_a_new_epoch() {
    let both = [Some(kit::scratch::sqlite()), kit::scratch::postgres().await];
    for scratch in both.into_iter().flatten() {
        let run = async || {
            let mut lines = Vec::new();
            let mut say = |line: &str| lines.push(line.to_owned());
            let ending = kit::feed::epoch::carry_out("roster", &scratch, &mut say).await;
            (ending, lines)
        };
        let (ending, lines) = run().await;
        assert_eq!(ending, Ending::Failed, "no schema: {lines:?}");
        let db = scratch.open::<Migrator>().await;
        let head = "INSERT INTO feed_head (feed, epoch) VALUES ('grades', 'a'), ('classes', 'b')";
        let tx = db.begin().await.expect("begins");
        tx.execute_unprepared(head).await.expect("heads");
        tx.commit().await.expect("commits");
        let (ending, lines) = run().await;
        assert_eq!(ending, Ending::UpToDate);
        assert_eq!(lines, ["roster: a new epoch of classes, grades"]);
    }
    let nowhere = DatabaseConfig {
        acquire_timeout: Duration::from_millis(100),
        ..DatabaseConfig::new("postgres://nobody@127.0.0.1:1/nothing")
    };
    let ending = kit::feed::epoch::carry_out("roster", &nowhere, &mut |_| {}).await;
    assert_eq!(ending, Ending::Unavailable);
}
