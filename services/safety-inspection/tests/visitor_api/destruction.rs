//! T21: what was gathered for an emergency is destroyed with its key, and an old backup shows nothing.

use std::path::Path;
use std::time::Duration;

use kit::clock::Clock;
use kit::db::{Database, statement};
use kit::field::to_timestamp;
use kit::scratch::Scratch;
use proto::roster as rpb;
use proto::roster::roster_event::State as Fact;
use proto::safety::visit::State;
use proto::safety::visitor_service_client::VisitorServiceClient;
use sea_orm::ConnectionTrait;
use tonic::Code as Grpc;

use crate::book::Book;
use crate::city::world::{World, serve_with, told, well};
use crate::city::{event, roster, student};

const EMERGENCY: &str = "emergencies/0190b0c0-0000-7000-8000-000000000001";
const JOB: &str = "destructionJobs/0190b0c0-0000-7000-8000-000000000002";

mod sqlite {
    #[tokio::test(flavor = "multi_thread")]
    async fn an_old_backup_shows_nothing_of_a_destroyed_emergency() {
        super::an_old_backup_shows_nothing(kit::scratch::sqlite()).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_kept_by_law_opens_under_another_key() {
        super::what_is_kept_opens(kit::scratch::sqlite()).await;
    }
}

mod postgres {
    #[tokio::test(flavor = "multi_thread")]
    async fn an_old_backup_shows_nothing_of_a_destroyed_emergency() {
        let Some(scratch) = kit::scratch::postgres().await else {
            return;
        };
        super::an_old_backup_shows_nothing(scratch).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_kept_by_law_opens_under_another_key() {
        let Some(scratch) = kit::scratch::postgres().await else {
            return;
        };
        super::what_is_kept_opens(scratch).await;
    }
}

fn emergency(start: rpb::Emergency, world: &World, version: i64) -> rpb::RosterEvent {
    let ended = (version > 1).then(|| to_timestamp(world.clock.now()));
    let emergency = rpb::Emergency {
        end_time: ended,
        ..start
    };
    event(EMERGENCY, "", version, Fact::Emergency(emergency))
}

/// The first texts of a table's column.
async fn texts(db: &Database, sql: &str) -> Vec<String> {
    let rows = db.read().query_all_raw(statement(db.read(), sql, []));
    let rows = rows.await.expect("read");
    let text = |row: &sea_orm::QueryResult| row.try_get_by_index(0).expect("a text");
    rows.iter().map(text).collect()
}

/// Waits until a query gives so many rows, at most half a minute.
async fn until(db: &Database, sql: &str, rows: usize) {
    for _ in 0..600 {
        if texts(db, sql).await.len() == rows {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never {rows} rows: {sql}");
}

fn secrets(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// Declares an emergency and waits until there is a key for it.
async fn declared(world: &World) -> rpb::Emergency {
    let start = rpb::Emergency {
        name: EMERGENCY.to_owned(),
        start_time: Some(to_timestamp(world.clock.now())),
        ..rpb::Emergency::default()
    };
    roster(&world.db, &[emergency(start.clone(), world, 1)], 2).await;
    until(&world.db, "SELECT emergency FROM emergency_keys", 1).await;
    start
}

/// Ends the emergency an hour later and orders the destruction, and waits until it is done.
async fn destroyed(world: &World, start: rpb::Emergency, kept: &[&str]) -> serde_json::Value {
    world.clock.advance(chrono::Duration::hours(1));
    let ended = emergency(start, world, 2);
    let Some(Fact::Emergency(emergency)) = ended.state.clone() else {
        panic!("an emergency");
    };
    let keeps = kept.iter().map(|category| rpb::KeptCategory {
        service: "safety-inspection".to_owned(),
        category: (*category).to_owned(),
        legal_reason: "行政复议尚未终结".to_owned(),
    });
    let order = rpb::DestructionOrder {
        destruction_job: JOB.to_owned(),
        emergency: Some(emergency),
        keeps: keeps.collect(),
    };
    let order = event(JOB, "", 1, Fact::DestructionOrder(order));
    roster(&world.db, &[ended, order], 2).await;
    let done = "SELECT progress FROM destructions WHERE phase = 3";
    until(&world.db, done, 1).await;
    let progress = texts(&world.db, done).await.remove(0);
    serde_json::from_str(&progress).expect("JSON")
}

/// Asks a service on a backup for a visit, with the secrets that there are now.
async fn on_backup(world: &World, backup: &Scratch, folder: &Path, visit: &str) -> Grpc {
    let folder = folder.to_owned();
    let (channel, running) = serve_with(backup, &world.clock, |config| {
        config.emergencies.secret_folder = Some(folder);
    })
    .await;
    let mut book = Book {
        client: VisitorServiceClient::new(channel),
    };
    let answer = book.get(visit).await;
    drop(running);
    answer.map_or_else(|status| told(&status).0, |_| Grpc::Ok)
}

async fn an_old_backup_shows_nothing(scratch: Scratch) {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("secrets");
    let of = folder.clone();
    let mut world = World::with(scratch, |config| {
        config.emergencies.secret_folder = Some(of);
    })
    .await;
    let mut book = Book::of(&world).await;
    let (before, _) = book.bring(&world, State::Admitted).await;
    world.clock.advance(chrono::Duration::minutes(1));
    let start = declared(&world).await;
    assert_eq!(secrets(&folder), 1);
    let (during, _) = book.bring(&world, State::Admitted).await;
    world.check(well(&student(1))).await.expect("decided");
    let cards = "SELECT hex(card) FROM visits ORDER BY id";
    let cards = match world.db.backend() {
        kit::db::Backend::Postgres => cards.replace("hex(card)", "encode(card, 'hex')"),
        kit::db::Backend::Sqlite => cards.to_owned(),
    };
    let heads: Vec<String> = texts(&world.db, &cards)
        .await
        .iter()
        .map(|card| card[..2].to_owned())
        .collect();
    assert_eq!(heads, ["01", "02"], "each under the key of its time");

    let backup = world.scratch.backup().await;
    let opened = on_backup(&world, &backup, &folder, &during).await;
    assert_eq!(
        opened,
        Grpc::Ok,
        "a backup can be used as long as the secret is there"
    );

    let progress = destroyed(&world, start, &[]).await;
    assert_eq!(secrets(&folder), 0, "the secret is gone");
    let keys = texts(&world.db, "SELECT emergency FROM emergency_keys").await;
    assert_eq!(keys, [] as [String; 0]);
    let counts = &progress["counts"];
    assert_eq!(counts[0]["destroyed"], 1);
    assert_eq!(counts[0]["exposed"], 0);
    assert!(counts[1]["destroyed"].as_i64() >= Some(1), "{progress}");
    assert_eq!(counts[1]["destroyed"], counts[1]["exposed"]);
    assert_eq!(progress["samples"].as_array().map(Vec::len), Some(1));
    assert_eq!(progress["opened"], 0);
    assert_eq!(progress["fingerprint"].as_str().map(str::len), Some(16));
    let gone = book.get(&during).await.expect_err("destroyed");
    assert_eq!(told(&gone).0, Grpc::NotFound);
    book.get(&before).await.expect("not of the emergency");

    let shut = on_backup(&world, &backup, &folder, &during).await;
    assert_eq!(shut, Grpc::Internal, "nobody opens it any more");
    let other = on_backup(&world, &backup, &folder, &before).await;
    assert_eq!(other, Grpc::Ok, "what is of no emergency is restored");
    assert_eq!(secrets(&folder), 0, "no other secret took its place");
}

async fn what_is_kept_opens(scratch: Scratch) {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("secrets");
    let of = folder.clone();
    let world = World::with(scratch, |config| {
        config.emergencies.secret_folder = Some(of);
    })
    .await;
    let mut book = Book::of(&world).await;
    let start = declared(&world).await;
    let (kept, _) = book.bring(&world, State::Left).await;
    let shown = book.get(&kept).await.expect("read");
    let progress = destroyed(&world, start, &["visits"]).await;
    assert_eq!(progress["counts"][0]["resealed"], 1);
    assert_eq!(progress["counts"][0]["destroyed"], 0);
    assert_eq!(secrets(&folder), 0);
    assert_eq!(book.get(&kept).await.expect("kept"), shown);
}
