//! What sampling gathered for an emergency: found by its time, deleted once it is over.

use kit::db::{Backend, Database, statement};
use sampling::Migrator;
use sampling::domain::day::Day;
use sampling::store::destruction::{CASES, CHECKS, CONTACTS, HOLDS, Part, Span, TUBES};
use sea_orm::ConnectionTrait;

kit::store_suite!(Migrator;
    every_table_can_be_asked,
    tubes_go_with_their_people_unless_they_are_under_way,
    a_hold_in_force_stays_until_it_ends,
    a_case_stays_until_it_is_closed_and_its_contacts_with_it,
);

/// 6 April 2022, 08:00 to 18:00 in Asia/Shanghai.
fn span() -> Span {
    let day = chrono::NaiveDate::from_ymd_opt(2022, 4, 6).expect("a day");
    Span {
        start: START,
        end: END,
        first_day: Day::from(day),
        last_day: Day::from(day),
    }
}

const START: i64 = 1_649_203_200_000;
const END: i64 = START + 36_000_000;

async fn write(db: &Database, sql: &str) {
    let tx = db.begin().await.expect("a transaction");
    tx.execute_unprepared(sql).await.expect("written");
    tx.commit().await.expect("committed");
}

/// Bytes as each of the databases writes them.
fn bytes(db: &Database, hex: &str) -> String {
    match db.backend() {
        Backend::Postgres => format!("'\\x{hex}'"),
        Backend::Sqlite => format!("X'{hex}'"),
    }
}

async fn keys(db: &Database, sql: &str) -> Vec<String> {
    let rows = db.read().query_all_raw(statement(db.read(), sql, [])).await;
    let rows = rows.expect("read");
    let text = |row: &sea_orm::QueryResult| row.try_get_by_index(0).expect("a text");
    rows.iter().map(text).collect()
}

async fn delete(db: &Database, part: &Part) -> u64 {
    let tx = db.begin().await.expect("a transaction");
    let gone = part.delete(&tx, &span(), 100).await.expect("deleted");
    tx.commit().await.expect("committed");
    gone
}

/// What leaves the snapshot of the feed next, with its place and version.
async fn leaving(db: &Database, part: &Part) -> Vec<String> {
    let tx = db.begin().await.expect("a transaction");
    let found = part.leaving(&tx, &span(), 100).await.expect("found");
    tx.commit().await.expect("committed");
    let told = found.iter();
    told.map(|it| format!("{} {} {}", it.name, it.org_path, it.version))
        .collect()
}

async fn every_table_can_be_asked(db: Database) {
    let single = [TUBES, HOLDS];
    let parts = single.iter().chain(&CHECKS).chain(&CASES);
    for part in parts.chain(&CONTACTS) {
        assert_eq!(leaving(&db, part).await, [] as [String; 0], "{part:?}");
        assert_eq!(delete(&db, part).await, 0, "{part:?}");
        let left = part.count(db.read(), &span()).await;
        assert_eq!(left.expect("counted"), 0, "{part:?}");
    }
}

/// A tube that was sealed at an instant, with one swab.
async fn tube(db: &Database, code: &str, state: i16, sealed: i64) {
    let day = span().first_day.number();
    let (no, yes) = ("FALSE", "TRUE");
    write(
        db,
        &format!(
            "INSERT INTO tubes (code, laboratory, lot, capacity, subject, state, org_path, \
             class_group, point, draw, day, swab_count, parent, seal_time, sealed_by, courier, \
             receive_time, late, due_time, result, result_version, reason, policy_version, \
             positives, version, disease, holds) VALUES ('{code}', 'lab', 'lot', 10, 1, {state}, \
             'fz', '', '', '', {day}, 1, '', {sealed}, '', '', 0, {no}, 0, 0, 0, '', '', 0, 5, 16, \
             {yes})"
        ),
    )
    .await;
    let person = bytes(db, &format!("{:032x}", code.len()));
    write(
        db,
        &format!(
            "INSERT INTO swabs (tube, person, kind, org_path, day, campaign, scan_time, counted) \
             VALUES ('{code}', {person}, 1, 'fz', {day}, '{code}', {sealed}, {yes})"
        ),
    )
    .await;
}

async fn tubes_go_with_their_people_unless_they_are_under_way(db: Database) {
    for (code, state, sealed) in [
        ("before", 7, START - 1),
        ("closed", 11, START),
        ("testing", 6, START + 1),
        ("negative", 7, END - 1),
        ("later", 7, END),
    ] {
        tube(&db, code, state, sealed).await;
    }
    let told = leaving(&db, &TUBES).await;
    assert_eq!(
        told,
        ["tubes/negative fz 5"],
        "a closed one has left the feed"
    );
    assert_eq!(delete(&db, &TUBES).await, 2);
    let left = ["before", "later", "testing"];
    assert_eq!(
        keys(&db, "SELECT code FROM tubes ORDER BY code").await,
        left
    );
    assert_eq!(
        keys(&db, "SELECT tube FROM swabs ORDER BY tube").await,
        left
    );
    let waits = TUBES.count(db.read(), &span()).await.expect("counted");
    assert_eq!(waits, 1, "the one at the laboratory is waited for");
}

async fn a_hold_in_force_stays_until_it_ends(db: Database) {
    for (tube, state, ended) in [("over", 2, END), ("positive", 3, END), ("force", 1, 0)] {
        write(
            &db,
            &format!(
                "INSERT INTO holds (tube, org_path, class_group, state, released_version, \
                 start_time, notify_due, recheck_due, end_time, end_reason, positives, \
                 policy_version, version) VALUES ('{tube}', 'fz', '', {state}, 0, {START}, 0, 0, {ended}, \
                 '', 0, '', 1)"
            ),
        )
        .await;
        write(
            &db,
            &format!(
                "INSERT INTO hold_events (hold, sequence, time, kind, person, actor, reason) VALUES \
                 ('{tube}', 1, {START}, 'placed', '', '', '')"
            ),
        )
        .await;
    }
    let told = leaving(&db, &HOLDS).await;
    assert_eq!(told, ["holds/positive fz 1"], "the other has left the feed");
    assert_eq!(delete(&db, &HOLDS).await, 2);
    assert_eq!(keys(&db, "SELECT tube FROM holds").await, ["force"]);
    assert_eq!(keys(&db, "SELECT hold FROM hold_events").await, ["force"]);
    write(&db, &format!("UPDATE holds SET end_time = {END}")).await;
    assert_eq!(delete(&db, &HOLDS).await, 1);
}

async fn a_case_stays_until_it_is_closed_and_its_contacts_with_it(db: Database) {
    let person = bytes(&db, "00000000000000000000000000000001");
    write(
        &db,
        &format!(
            "INSERT INTO cases (id, subject, person, kind, org_path, school, dormitory, disease, \
             certainty, severity, onset, detection, basis, event_kind, people, detect_time, \
             open_time, confirm_time, death_time, close_time, outcome, urgent, first_due, \
             first_time, follow_up, follow_due, last_report, reports, events, late, \
             policy_version, version) VALUES ('c', 1, {person}, 1, 'fz', 'fz', '', 16, 1, 1, 0, 1, \
             '', 0, 1, {START}, {START}, 0, 0, 0, 0, FALSE, 0, 0, 0, 0, 0, 0, 0, FALSE, '', 1)"
        ),
    )
    .await;
    write(
        &db,
        &format!(
            "INSERT INTO case_contacts (case_id, person, kind, org_path, relation, degree, \
             last_day, via, control, until, add_time, added_by, remove_time, removed_by, \
             remove_reason) VALUES ('c', {person}, 1, 'fz', 1, 1, 0, '', 1, 0, {START}, '', 0, '', \
             '')"
        ),
    )
    .await;
    let cases = &CASES[0];
    let contacts = &CONTACTS[0];
    assert_eq!(delete(&db, contacts).await, 0);
    assert_eq!(delete(&db, cases).await, 0);
    let waits = cases.count(db.read(), &span()).await.expect("counted");
    assert_eq!(waits, 1);
    write(&db, &format!("UPDATE cases SET close_time = {END}")).await;
    assert_eq!(delete(&db, contacts).await, 1);
    assert_eq!(delete(&db, cases).await, 1);
}
