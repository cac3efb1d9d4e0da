//! A city's draw, timed against writing as many bare rows. The whole city runs on demand:
//! `cargo test --release -p sampling --test draw_api city -- --ignored --nocapture`.

use std::time::Instant;

use super::town::{CITY, DISTRICT, Roster, Town, class, school_path};
use kit::bulk::{Column, insert};
use kit::db::{Backend, Database, statement};
use proto::sampling::sampling_plan::Kind;
use proto::sampling::{GetCoverageRequest, GetVerificationKeyRequest};
use sampling::domain::commitment::PublicKey;
use sea_orm::ConnectionTrait;

#[tokio::test(flavor = "multi_thread")]
async fn a_small_city_is_drawn_and_verified_on_sqlite() {
    run(kit::scratch::sqlite(), 20, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_city_is_drawn_and_verified_on_postgres() {
    let Some(database) = kit::scratch::postgres().await else {
        return;
    };
    run(database, 20, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "3,000 schools take minutes; the small city above proves the same on every run"]
async fn the_whole_city_on_sqlite() {
    run(kit::scratch::sqlite(), 3000, 13).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "3,000 schools take minutes; the small city above proves the same on every run"]
async fn the_whole_city_on_postgres() {
    let Some(database) = kit::scratch::postgres().await else {
        return;
    };
    run(database, 3000, 13).await;
}

#[expect(clippy::print_stderr, reason = "figures are what this is for")]
fn tell(what: &str, since: Instant) {
    eprintln!("{what:48} {:8.3} s", since.elapsed().as_secs_f64());
}

async fn run(database: kit::scratch::Scratch, schools: u32, classes: u32) {
    let roster = Roster::town();
    let mut first = 0;
    for school in 0..schools {
        let id = format!("21350{school:05}");
        roster.organization(&id, &school_path(&id));
        for number in 0..classes {
            let size = 30 + (school + number) % 17;
            roster.class(class(&id, &format!("p2019-{number:02}"), first, size));
            first += size;
        }
    }
    let (people, groups) = (first, schools * classes);
    let start = Instant::now();
    let town = Town::start(database, roster).await;
    tell(&format!("{people} people on {groups} rolls heard"), start);
    town.plan("students", Kind::StudentRotation).await;

    let mut picked = 0;
    for day in 1..=3 {
        floor(&town, picked).await;
        let start = Instant::now();
        let drawn = town.draw("students", CITY).await;
        tell(
            &format!(
                "day {day}: {} picks drawn, signed, durable",
                drawn.pick_count
            ),
            start,
        );
        assert_eq!(drawn.class_group_count.unsigned_abs(), groups);
        assert_eq!(drawn.drawn_school_count.unsigned_abs(), schools);
        picked = drawn.pick_count.unsigned_abs();
        let start = Instant::now();
        assert_eq!(town.draw("students", CITY).await.class_group_count, 0);
        tell("the same again", start);
        if day < 3 {
            town.next_day();
        }
    }
    let start = Instant::now();
    let request = || GetCoverageRequest {
        scope: format!("organizations/{CITY}"),
    };
    for _ in 0..20 {
        let coverage = town
            .coverage()
            .get_coverage(request())
            .await
            .expect("coverage")
            .into_inner();
        assert_eq!(coverage.eligible_count, i64::from(people));
    }
    tell("coverage of the city, twenty times", start);

    town.next_day();
    let start = Instant::now();
    let one = town.draw("students", "2135000000").await;
    tell("one school", start);
    assert_eq!(one.class_group_count.unsigned_abs(), classes);

    // The draws of the day before are closed by this one for every school.
    town.draw("students", DISTRICT).await;
    town.clock.advance(chrono::Duration::days(-1));
    let start = Instant::now();
    let file = town.export("students", CITY).await;
    tell(&format!("{} MB published", file.len() >> 20), start);
    let key = town
        .draws()
        .get_verification_key(GetVerificationKeyRequest {})
        .await
        .expect("a key");
    let key: [u8; 32] = key
        .into_inner()
        .public_key
        .as_ref()
        .try_into()
        .expect("32 bytes");
    let key = PublicKey::from_bytes(&key).expect("a key");
    let start = Instant::now();
    let report = sampling::verify(file.as_slice(), &key).expect("a true file");
    tell("verified offline", start);
    assert_eq!(report.candidates, people as usize);
}

/// Writes as many bare rows of person, group and day as were picked, as fast as we know.
async fn floor(town: &Town, rows: u32) {
    let db = Database::connect(&town.database)
        .await
        .expect("the database");
    let blob = if db.backend() == Backend::Postgres {
        "BYTEA"
    } else {
        "BLOB"
    };
    let tx = db.begin().await.expect("a transaction");
    let sql = format!(
        "CREATE TABLE bare (person {blob} NOT NULL, path TEXT NOT NULL, day INTEGER NOT NULL)"
    );
    tx.execute_raw(statement(&tx, &sql, []))
        .await
        .expect("a table");
    tx.commit().await.expect("committed");
    let people = (0..rows)
        .map(|n| [[0; 12].as_slice(), &n.to_be_bytes()].concat())
        .collect();
    let paths = (0..rows)
        .map(|n| format!("fz/350102/2135000000/p2019-{:02}", n % 13))
        .collect();
    let columns = vec![
        ("person", Column::Bytes(people)),
        ("path", Column::Text(paths)),
        ("day", Column::Int(vec![8000; rows as usize])),
    ];
    let start = Instant::now();
    let tx = db.begin().await.expect("a transaction");
    insert(&tx, "bare", columns, "").await.expect("rows");
    tx.commit().await.expect("committed");
    tell(&format!("floor: {rows} bare rows"), start);
    let tx = db.begin().await.expect("a transaction");
    tx.execute_raw(statement(&tx, "DROP TABLE bare", []))
        .await
        .expect("dropped");
    tx.commit().await.expect("committed");
    db.close().await;
}
