//! Alerts about people end with an emergency, once nothing can raise them again.

use chrono::Duration;
use kit::clock::ManualClock;
use kit::db::Database;
use notification::Migrator;
use notification::store::Store;
use notification::store::destruction::{ALERTS, Span};
use proto::sampling::SamplingEvent;
use sea_orm::ConnectionTrait;

use crate::town;
use crate::town::scan::number;
use crate::town::{SCHOOL_PATH, morning, placed, released, roster, sampling};

kit::store_suite!(Migrator;
    an_alert_goes_once_its_fact_has_ended_it,
    what_a_human_has_ended_stays_until_its_entity_has_left_the_feed,
    records_of_the_campus_and_other_times_stay,
);

/// The hour in which alerts are raised here.
fn span() -> Span {
    Span {
        start: morning(),
        end: morning() + Duration::hours(1),
    }
}

async fn tell(db: &Database, event: SamplingEvent) {
    let clock = ManualClock::at(morning() + Duration::minutes(1));
    sampling(db, &clock, &[event], 1).await;
}

async fn write(db: &Database, sql: &str) {
    let tx = db.begin().await.expect("a transaction");
    tx.execute_unprepared(sql).await.expect("written");
    tx.commit().await.expect("committed");
}

async fn destroy(db: &Database) -> u64 {
    let tx = db.begin().await.expect("a transaction");
    Store::lock_alerts(&tx).await.expect("locked");
    let gone = ALERTS.delete(&tx, &span(), 100).await.expect("deleted");
    tx.commit().await.expect("committed");
    gone
}

async fn left(db: &Database) -> i64 {
    ALERTS.count(db.read(), &span()).await.expect("counted")
}

async fn an_alert_goes_once_its_fact_has_ended_it(db: Database) {
    roster(&db, &town::town(), 1).await;
    tell(&db, placed(SCHOOL_PATH, "A", 1)).await;
    tell(&db, placed(SCHOOL_PATH, "B", 1)).await;
    tell(&db, released(SCHOOL_PATH, "A", 2)).await;
    assert_eq!(left(&db).await, 2);
    assert_eq!(destroy(&db).await, 1);
    assert_eq!(left(&db).await, 1, "one stands, and is waited for");
    let of_nobody = "WHERE alert NOT IN (SELECT id FROM alerts)";
    for table in ["alert_entries", "told"] {
        let all = number(&db, &format!("SELECT COUNT(*) FROM {table}")).await;
        assert!(all > 0, "{table}");
        let orphans = number(&db, &format!("SELECT COUNT(*) FROM {table} {of_nobody}")).await;
        assert_eq!(orphans, 0, "{table}");
    }
    tell(&db, released(SCHOOL_PATH, "B", 2)).await;
    assert_eq!(destroy(&db).await, 1);
    assert_eq!(left(&db).await, 0);
    // The feed tells again of what it has told.
    tell(&db, released(SCHOOL_PATH, "B", 2)).await;
    tell(&db, placed(SCHOOL_PATH, "B", 1)).await;
    assert_eq!(left(&db).await, 0, "nothing is raised again");
}

async fn what_a_human_has_ended_stays_until_its_entity_has_left_the_feed(db: Database) {
    roster(&db, &town::town(), 1).await;
    tell(&db, placed(SCHOOL_PATH, "A", 1)).await;
    let ended = r#"{"subject":"officer-1","time":"2022-04-06T01:45:00Z","comment":"已处置"}"#;
    let end =
        format!("UPDATE alerts SET state = 4, stands = FALSE, next_at = 0, resolved = '{ended}'");
    write(&db, &end).await;
    assert_eq!(destroy(&db).await, 0);
    assert_eq!(left(&db).await, 1);
    tell(&db, released(SCHOOL_PATH, "A", 2)).await;
    // What its feed has not told of it yet is told first.
    write(&db, "UPDATE alerts SET announced = revision + 1").await;
    assert_eq!(destroy(&db).await, 0);
    write(&db, "UPDATE alerts SET announced = revision").await;
    assert_eq!(destroy(&db).await, 1);
}

async fn records_of_the_campus_and_other_times_stay(db: Database) {
    roster(&db, &town::town(), 1).await;
    for code in ["A", "B", "C"] {
        tell(&db, placed(SCHOOL_PATH, code, 1)).await;
        tell(&db, released(SCHOOL_PATH, code, 2)).await;
    }
    // One is of a hazard, one was raised at the very end.
    write(&db, "UPDATE alerts SET kind = 11 WHERE basis = 'holds/B'").await;
    let end = span().end.timestamp_millis();
    let late = format!("UPDATE alerts SET raise_at = {end} WHERE basis = 'holds/C'");
    write(&db, &late).await;
    assert_eq!(left(&db).await, 1);
    assert_eq!(destroy(&db).await, 1);
    let kept = "SELECT COUNT(*) FROM alerts WHERE basis IN ('holds/B', 'holds/C')";
    assert_eq!(number(&db, kept).await, 2);
}
