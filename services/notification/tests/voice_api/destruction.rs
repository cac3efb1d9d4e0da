//! T21: what was said in confidence during an emergency is destroyed with its key, and an old backup shows
//! nothing.

use std::path::Path;
use std::time::Duration;

use kit::clock::Clock;
use kit::db::{Backend, Database, statement};
use kit::field::to_timestamp;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::concern::Category;
use proto::notification::concern_service_client::ConcernServiceClient;
use proto::notification::support_case::{CloseReason, Grade};
use proto::notification::support_service_client::SupportServiceClient;
use proto::roster as rpb;
use proto::roster::roster_event::State as Fact;
use sea_orm::ConnectionTrait;
use tonic::{Code, Status};

use crate::town::counsellors::NOTE;
use crate::town::officers::once;
use crate::town::scan::number;
use crate::town::voices::{TEXT, concern, counsellor, parent, principal};
use crate::town::world::{World, channel};
use crate::town::{SCHOOL, on_both, roster};

const EMERGENCY: &str = "emergencies/0190b0c0-0000-7000-8000-000000000001";
const JOB: &str = "destructionJobs/0190b0c0-0000-7000-8000-000000000002";

on_both!(
    an_old_backup_shows_nothing_of_a_destroyed_emergency,
    what_is_kept_by_law_opens_under_another_key,
    what_is_dealt_with_stays_until_it_is_over,
);

/// A folder for secrets, and the service in the town with it.
async fn house(scratch: Scratch) -> (tempfile::TempDir, World) {
    let home = tempfile::tempdir().expect("a folder");
    let world = World::confiding(scratch, home.path().to_owned()).await;
    (home, world)
}

/// The secrets of this service, which has a folder of its own.
fn secrets(home: &Path) -> usize {
    std::fs::read_dir(home.join("notification")).map_or(0, Iterator::count)
}

async fn texts(db: &Database, sql: &str) -> Vec<String> {
    let rows = db.read().query_all_raw(statement(db.read(), sql, []));
    let rows = rows.await.expect("read");
    let text = |row: &sea_orm::QueryResult| row.try_get_by_index(0).expect("a text");
    rows.iter().map(text).collect()
}

/// Waits until a query gives a row, at most a minute: its first text.
async fn until(db: &Database, sql: &str) -> String {
    for _ in 0..1200 {
        if let Some(found) = texts(db, sql).await.pop() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never a row: {sql}");
}

fn event(entity: &str, version: i64, state: Fact) -> rpb::RosterEvent {
    rpb::RosterEvent {
        entity: entity.to_owned(),
        version,
        state: Some(state),
        ..rpb::RosterEvent::default()
    }
}

/// Declares an emergency; from here on the service holds its key.
async fn declared(world: &mut World) -> rpb::Emergency {
    world.clock.advance(chrono::Duration::minutes(1));
    let emergency = rpb::Emergency {
        name: EMERGENCY.to_owned(),
        start_time: Some(to_timestamp(world.clock.now())),
        ..rpb::Emergency::default()
    };
    let declared = event(EMERGENCY, 1, Fact::Emergency(emergency.clone()));
    roster(&world.db, &[declared], 1).await;
    until(&world.db, "SELECT emergency FROM emergency_keys").await;
    world.stop().await;
    world.start().await;
    emergency
}

/// Ends the emergency an hour later and orders the destruction. Messages are kept: they are over in days.
async fn ordered(world: &World, emergency: rpb::Emergency, kept: &[&str]) {
    world.clock.advance(chrono::Duration::hours(1));
    let emergency = rpb::Emergency {
        end_time: Some(to_timestamp(world.clock.now())),
        ..emergency
    };
    let keeps = kept.iter().chain(&["messages"]);
    let keeps = keeps.map(|category| rpb::KeptCategory {
        service: "notification".to_owned(),
        category: (*category).to_owned(),
        legal_reason: "网络安全法第二十一条".to_owned(),
    });
    let order = rpb::DestructionOrder {
        destruction_job: JOB.to_owned(),
        emergency: Some(emergency.clone()),
        keeps: keeps.collect(),
    };
    let events = [
        event(EMERGENCY, 2, Fact::Emergency(emergency)),
        event(JOB, 1, Fact::DestructionOrder(order)),
    ];
    roster(&world.db, &events, 1).await;
}

/// Waits until everything is destroyed: what is to be reported.
async fn done(world: &World) -> serde_json::Value {
    let progress = until(
        &world.db,
        "SELECT progress FROM destructions WHERE phase = 3",
    )
    .await;
    serde_json::from_str(&progress).expect("JSON")
}

/// A concern that was answered and judged.
async fn closed(world: &World, submitted: pb::Concern) -> String {
    world.answered(&submitted.name).await;
    let judged = world.rate(&parent(), &submitted.name, (5, "")).await;
    judged.expect("judged").name
}

/// A case that was opened and ended.
async fn ended(world: &World) -> String {
    let opened = world.opened(Grade::Orange).await.name;
    let ended = world.close(&counsellor(), &opened, CloseReason::Left).await;
    ended.expect("ended").name
}

/// How each concern is sealed, in their order: 01 by a data key, 02 by the key of an emergency.
async fn layouts(db: &Database, table: &str, order: &str) -> Vec<String> {
    let hex = match db.backend() {
        Backend::Postgres => "encode(words, 'hex')",
        Backend::Sqlite => "hex(words)",
    };
    let sealed = texts(db, &format!("SELECT {hex} FROM {table} ORDER BY {order}")).await;
    let head = |sealed: &String| sealed.chars().take(2).collect();
    sealed.iter().map(head).collect()
}

/// Asks a service on a backup, with the secrets that there are now, for a concern and a case.
async fn on_backup(world: &World, backup: &Scratch, concern: &str, case: &str) -> [Code; 2] {
    let running = world.replica_on(backup).await;
    let mut concerns = ConcernServiceClient::new(channel(&running));
    let get = pb::GetConcernRequest {
        name: concern.to_owned(),
        ..Default::default()
    };
    let concern = concerns.get_concern(principal().asks(get)).await;
    let mut support = SupportServiceClient::new(channel(&running));
    let name = case.to_owned();
    let get = counsellor().asks(pb::GetSupportCaseRequest { name });
    let case = support.get_support_case(get).await;
    running.stop().await.expect("stopped");
    let code = |status: Status| status.code();
    [
        concern.map_or_else(code, |_| Code::Ok),
        case.map_or_else(code, |_| Code::Ok),
    ]
}

async fn an_old_backup_shows_nothing_of_a_destroyed_emergency(scratch: Scratch) {
    let (home, mut world) = house(scratch).await;
    let submitted = world.submitted(Category::Living).await;
    let before = closed(&world, submitted).await;
    let case_before = ended(&world).await;
    let emergency = declared(&mut world).await;
    assert_eq!(secrets(home.path()), 1);
    let ask = pb::SubmitConcernRequest {
        parent: SCHOOL.to_owned(),
        concern: Some(concern(Category::Living)),
        request_id: once(),
    };
    let submit = async || {
        let ask = parent().asks(ask.clone());
        world.concerns().submit_concern(ask).await
    };
    let submitted = submit().await.expect("submitted").into_inner();
    let during = closed(&world, submitted.concern.expect("a concern")).await;
    let case = ended(&world).await;
    let of_words = ["01", "02"];
    assert_eq!(layouts(&world.db, "concerns", "id").await, of_words);
    assert_eq!(layouts(&world.db, "support_cases", "id").await, of_words);
    let entries = layouts(&world.db, "support_entries", "support_case, sequence").await;
    assert_eq!(entries, ["01", "01", "02", "02"]);

    let backup = world.scratch.backup().await;
    let opened = on_backup(&world, &backup, &during, &case).await;
    assert_eq!(opened, [Code::Ok; 2], "as long as the secret is there");

    ordered(&world, emergency, &[]).await;
    let progress = done(&world).await;
    assert_eq!(secrets(home.path()), 0, "the secret is gone");
    let keys = texts(&world.db, "SELECT emergency FROM emergency_keys").await;
    assert_eq!(keys, [] as [String; 0]);
    for category in [2, 3] {
        let counts = &progress["counts"][category];
        assert_eq!(counts["destroyed"], 1, "{progress}");
        assert_eq!(counts["exposed"], 0, "{progress}");
        assert_eq!(counts["remaining"], 0, "{progress}");
    }
    assert_eq!(progress["samples"].as_array().map(Vec::len), Some(2));
    assert_eq!(progress["opened"], 0);
    assert_eq!(progress["fingerprint"].as_str().map(str::len), Some(16));
    for table in ["concerns", "support_cases"] {
        let rows = number(&world.db, &format!("SELECT COUNT(*) FROM {table}")).await;
        assert_eq!(rows, 1, "{table}");
    }
    let gone = world.look(&principal(), &during, "").await;
    assert_eq!(gone.expect_err("destroyed").code(), Code::NotFound);
    let read = world.look(&principal(), &before, "").await.expect("there");
    assert_eq!(read.text, TEXT);
    let read = world.read(&counsellor(), &case_before).await;
    assert_eq!(read.expect("there").note, NOTE);
    let seen = "SELECT COUNT(*) FROM support_accesses WHERE method = 'OpenSupportCase' \
                AND support_case NOT IN (SELECT id FROM support_cases)";
    let seen = number(&world.db, seen).await;
    assert_eq!(seen, 1, "who opened it is on record");

    let again = submit().await.expect_err("a repeat");
    assert_eq!(again.code(), Code::NotFound, "its answer is gone too");
    assert_eq!(number(&world.db, "SELECT COUNT(*) FROM concerns").await, 1);

    let shut = on_backup(&world, &backup, &during, &case).await;
    assert_eq!(shut, [Code::Internal; 2], "nobody opens it any more");
    let other = on_backup(&world, &backup, &before, &case_before).await;
    assert_eq!(other, [Code::Ok; 2], "what is of no emergency is restored");
    assert_eq!(secrets(home.path()), 0, "no other secret took its place");
}

async fn what_is_kept_by_law_opens_under_another_key(scratch: Scratch) {
    let (home, mut world) = house(scratch).await;
    let emergency = declared(&mut world).await;
    let submitted = world.submitted(Category::Living).await;
    let concern = closed(&world, submitted).await;
    let case = ended(&world).await;
    let shown = world.look(&principal(), &concern, "").await.expect("read");
    ordered(&world, emergency, &["concerns", "support-cases"]).await;
    let progress = done(&world).await;
    for category in [2, 3] {
        let counts = &progress["counts"][category];
        assert_eq!(counts["resealed"], 1, "{progress}");
        assert_eq!(counts["destroyed"], 0, "{progress}");
    }
    assert_eq!(secrets(home.path()), 0);
    let kept = world.look(&principal(), &concern, "").await;
    assert_eq!(kept.expect("kept"), shown);
    // What is written into it from here on does not end either.
    let reopened = world.reopen(&counsellor(), &case, Grade::Red).await;
    assert_eq!(reopened.expect("kept").note, NOTE);
    let entries = layouts(&world.db, "support_entries", "sequence").await;
    assert_eq!(entries, ["01", "01", "01"]);
}

async fn what_is_dealt_with_stays_until_it_is_over(scratch: Scratch) {
    let (home, mut world) = house(scratch).await;
    let emergency = declared(&mut world).await;
    let submitted = world.submitted(Category::Living).await;
    let case = world.opened(Grade::Orange).await.name;
    ordered(&world, emergency, &[]).await;
    let shredded = "SELECT job FROM destructions WHERE phase < 3 \
                    AND NOT EXISTS (SELECT 1 FROM emergency_keys) \
                    AND progress LIKE '%\"remaining\":1%'";
    until(&world.db, shredded).await;
    assert_eq!(secrets(home.path()), 0, "the secret does not wait");
    let read = world.look(&principal(), &submitted.name, "").await;
    assert_eq!(read.expect("there").text, TEXT);
    closed(&world, submitted).await;
    let read = world.read(&counsellor(), &case).await;
    assert_eq!(read.expect("there").note, NOTE);
    let ended = world.close(&counsellor(), &case, CloseReason::Left).await;
    ended.expect("ended");
    let progress = done(&world).await;
    for category in [2, 3] {
        let counts = &progress["counts"][category];
        assert_eq!(counts["resealed"], 1, "{progress}");
        assert_eq!(counts["destroyed"], 1, "{progress}");
        assert_eq!(counts["exposed"], 1, "a backup made meanwhile shows it");
        assert_eq!(counts["remaining"], 0, "{progress}");
    }
}
