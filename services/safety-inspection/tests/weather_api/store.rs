//! One suite for both databases: many organisations at once.

use kit::db::{Database, statement};
use kit::org::OrgPath;
use kit::rows::Lock;
use proto::roster as pb;
use proto::roster::organization::Kind;
use proto::roster::roster_event::State;
use safety_inspection::Migrator;
use safety_inspection::store::Store;
use safety_inspection::store::weather::alarms::{AlarmRow, RESPONSE};
use safety_inspection::store::weather::{NEVER, PlanRow};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::city::{event, roster, tree};

kit::store_suite!(Migrator;
    three_thousand_schools_are_warned_at_once_and_each_task_once,
    overlapping_alarms_end_one_by_one,
    who_answers_is_found_for_many_as_for_one,
);

const SCHOOLS: usize = 3000;

fn school(number: usize) -> pb::RosterEvent {
    let district = 350_102 + number % 2;
    let id = format!("21{number:08}");
    let path = format!("fz/{district}/{id}");
    let organization = pb::Organization {
        name: format!("organizations/{id}"),
        kind: Kind::School.into(),
        display_name: "某小学".to_owned(),
        org_path: path.clone(),
        division_code: district.to_string(),
        ..Default::default()
    };
    let state = State::Organization(organization);
    event(&format!("organizations/{id}"), &path, 3, state)
}

fn plan() -> Vec<PlanRow> {
    let line = |region: &str, level, action, word: &str| PlanRow {
        region: region.to_owned(),
        level,
        action,
        kind: Kind::School as i16,
        minutes: 60,
        word: word.to_owned(),
    };
    vec![
        line("", 2, 1, "duty"),
        line("", 2, 2, "inspect"),
        line("", 4, 1, "duty"),
        // Another district has a table of its own.
        line("fz/350103", 2, 1, "duty"),
        line("fz/350103", 4, 1, "duty"),
    ]
}

fn alarm(number: u128, level: i16, divisions: &str) -> AlarmRow {
    let id = Uuid::from_u128(number);
    AlarmRow {
        id,
        origin: RESPONSE,
        joined: id,
        organization: "fz".to_owned(),
        place: "fz".to_owned(),
        kind: 1,
        level,
        state: 1,
        divisions: divisions.to_owned(),
        expires_at: NEVER,
        ..AlarmRow::default()
    }
}

/// Saves an alarm in a turn of its own; its state may be the second: ended.
async fn settle(db: &Database, row: AlarmRow, at: i64) {
    let tx = db.begin().await.expect("a transaction");
    let known = Store::weather_alarm(&tx, (RESPONSE, row.id), Lock::Yes).await;
    let known = known.expect("read");
    let from = known.as_ref().map_or(0, |known| known.state);
    let changes = known.map_or(0, |known| known.changes);
    let row = AlarmRow { changes, ..row };
    let turn = Store::weather_turn(&tx, at, "officer", row.name())
        .await
        .expect("a turn");
    Store::save_weather_alarm(&tx, row, from, &turn)
        .await
        .expect("saved");
    Store::settle_weather(&tx, &plan(), &turn)
        .await
        .expect("settled");
    tx.commit().await.expect("committed");
}

async fn count(db: &Database, what: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM {what}");
    let row = db
        .read()
        .query_one_raw(statement(db.read(), &sql, []))
        .await;
    let row = row.expect("counted").expect("a row");
    row.try_get_by_index(0).expect("a number")
}

async fn three_thousand_schools_are_warned_at_once_and_each_task_once(db: Database) {
    roster(&db, &tree::tree(), 2).await;
    let schools: Vec<_> = (0..SCHOOLS).map(school).collect();
    roster(&db, &schools, 2).await;
    settle(&db, alarm(1, 2, ""), 1000).await;
    let there = "weather_states WHERE state = 2 AND level = 2 AND kind = 5";
    // Two schools of the tree are of this kind, one in each district.
    assert_eq!(count(&db, there).await, 3002);
    assert_eq!(count(&db, "weather_tasks").await, 1501 * 2 + 1501);
    assert_eq!(count(&db, "weather_tasks WHERE owner = ''").await, 0);
    for (level, at) in [(4, 2000), (2, 3000), (2, 4000)] {
        settle(&db, alarm(1, level, ""), at).await;
    }
    assert_eq!(
        count(&db, "weather_tasks").await,
        1501 * 2 + 1501,
        "none twice"
    );
    assert_eq!(
        count(&db, "weather_tasks WHERE state = 1").await,
        1501 * 2 + 1501
    );
    let again = "weather_tasks WHERE action = 2 AND due_at = 3603000";
    assert_eq!(count(&db, again).await, 1501, "the time runs anew");
    let first = "weather_tasks WHERE action = 1 AND due_at = 3601000";
    assert_eq!(
        count(&db, first).await,
        3002,
        "what went on is due as before"
    );
    // Warned, down and up again for each campus; a level that stays leaves no trace.
    let moved = "weather_changes WHERE subject LIKE '%/weatherState'";
    let campuses = count(&db, "weather_states").await;
    assert_eq!(count(&db, moved).await, campuses * 3);
}

async fn overlapping_alarms_end_one_by_one(db: Database) {
    roster(&db, &tree::tree(), 2).await;
    let level = async |id: &str| {
        let row = Store::weather_state(db.read(), id, Lock::No)
            .await
            .expect("read");
        row.map(|row| (row.state, row.level))
    };
    settle(&db, alarm(1, 4, ""), 1000).await;
    settle(&db, alarm(2, 2, "350102"), 2000).await;
    assert_eq!(level("2135010003").await, Some((2, 2)));
    assert_eq!(level("2135010002").await, Some((2, 4)));
    let ended = AlarmRow {
        state: 2,
        ..alarm(2, 2, "350102")
    };
    settle(&db, ended, 3000).await;
    assert_eq!(level("2135010003").await, Some((2, 4)));
    let ended = AlarmRow {
        state: 2,
        ..alarm(1, 4, "")
    };
    settle(&db, ended, 4000).await;
    assert_eq!(level("2135010003").await, Some((1, 0)));
    assert_eq!(level("fz").await, None, "a bureau has no campus");
    assert_eq!(count(&db, "weather_areas").await, 0);
    assert_eq!(count(&db, "weather_tasks WHERE state = 1").await, 0);
}

async fn who_answers_is_found_for_many_as_for_one(db: Database) {
    roster(&db, &tree::tree(), 2).await;
    let paths = [
        "fz/350102/2135010001",
        "fz/350102/2135010003",
        "fz/350103/2135010002",
        "fz",
    ];
    let paths: Vec<OrgPath> = paths
        .iter()
        .map(|path| path.parse().expect("a place"))
        .collect();
    let many = Store::answerables(db.read(), &paths, "WEATHER", "")
        .await
        .expect("found");
    for (path, found) in paths.iter().zip(many) {
        let one = Store::answerable(db.read(), path, "WEATHER", "")
            .await
            .expect("found");
        assert_eq!(found, one, "{path}");
        assert!(found.is_some(), "{path}");
    }
}
