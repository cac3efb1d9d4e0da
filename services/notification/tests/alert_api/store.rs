//! One suite for both databases.

use crate::town;
use chrono::Duration;
use kit::clock::{Clock, ManualClock};
use kit::db::{Database, statement};
use kit::projection::Projection;
use notification::Migrator;
use notification::domain::alert::{Alert, State, Step, Verb};
use notification::store::Store;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proto::sampling::hold::State as HoldState;
use sea_orm::ConnectionTrait;

use crate::town::{
    SCHOOL_PATH, duties, hold, morning, placed, policy, released, roster, sampling, staff,
};

kit::store_suite!(Migrator;
    a_hold_raises_one_alert_however_often_it_is_told,
    an_older_version_changes_nothing,
    a_hold_that_comes_back_raises_another_alert,
    the_alert_is_the_same_however_events_arrive,
    every_kind_is_the_same_however_events_arrive,
    what_a_new_snapshot_does_not_mention_is_over,
    what_left_the_feed_long_ago_is_forgotten,
    the_deadline_is_that_of_the_policy_at_the_place_and_day,
    alerts_follow_who_answers,
    alerts_follow_their_school,
    an_overdue_alert_is_marked_once,
    a_person_and_the_fact_may_meet,
    every_change_gets_the_next_revision,
);

fn clock() -> ManualClock {
    ManualClock::at(morning() + Duration::minutes(1))
}

async fn latest(db: &Database, code: &str) -> Option<Alert> {
    let tx = db.begin().await.expect("a transaction");
    let latest = Store::latest_alerts(&tx, &[&format!("holds/{code}")]).await;
    tx.rollback().await.expect("given up");
    latest.expect("read").pop()
}

async fn all(db: &Database) -> Vec<Alert> {
    let store = Store::new(db.clone());
    store
        .alerts("", (None, None), None, 100)
        .await
        .expect("read")
}

async fn tell(db: &Database, event: proto::sampling::SamplingEvent) {
    sampling(db, &clock(), &[event], 1).await;
}

async fn a_hold_raises_one_alert_however_often_it_is_told(db: Database) {
    roster(&db, &town::town(), 1).await;
    for generation in [1, 1, 2] {
        let told = [placed(SCHOOL_PATH, "T1", 1), placed(SCHOOL_PATH, "T1", 1)];
        sampling(&db, &clock(), &told, generation).await;
    }
    let [alert] = &all(&db).await[..] else {
        panic!("one alert")
    };
    assert_eq!(
        (
            &*alert.owner,
            alert.figures.people,
            alert.state,
            alert.episode
        ),
        (&*staff(1), 9, State::Open, 1)
    );
    assert_eq!(
        (alert.occurred, alert.due, alert.raised),
        (morning(), morning() + Duration::minutes(10), clock().now())
    );
    assert_eq!(alert.org_path, SCHOOL_PATH);
}

async fn an_older_version_changes_nothing(db: Database) {
    tell(&db, released(SCHOOL_PATH, "T1", 2)).await;
    tell(&db, placed(SCHOOL_PATH, "T1", 1)).await;
    assert_eq!(latest(&db, "T1").await, None);
    tell(&db, placed(SCHOOL_PATH, "T1", 3)).await;
    tell(&db, released(SCHOOL_PATH, "T1", 2)).await;
    let alert = latest(&db, "T1").await.expect("raised");
    assert_eq!((alert.state, alert.resolved), (State::Open, None));
}

async fn a_hold_that_comes_back_raises_another_alert(db: Database) {
    tell(&db, placed(SCHOOL_PATH, "T1", 1)).await;
    tell(&db, released(SCHOOL_PATH, "T1", 2)).await;
    let first = latest(&db, "T1").await.expect("raised");
    assert_eq!(first.state, State::Resolved);
    assert!(first.resolved.as_ref().is_some_and(Step::is_by_fact));
    tell(&db, placed(SCHOOL_PATH, "T1", 3)).await;
    let second = latest(&db, "T1").await.expect("raised");
    assert_eq!((second.episode, second.state), (2, State::Open));
    assert_ne!(second.id, first.id);
    assert_eq!(all(&db).await, [second, first]);
}

/// Any order, any repeats, any cuts into transactions: the end is the same.
async fn the_alert_is_the_same_however_events_arrive(db: Database) {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let orders = prop::collection::vec(1..=6_i64, 1..12);
    for round in 0..12 {
        let versions = orders.new_tree(&mut runner).expect("a case").current();
        let code = format!("T{round}");
        let of = |version: i64| match version % 3 {
            0 => released(SCHOOL_PATH, &code, version),
            1 => placed(SCHOOL_PATH, &code, version),
            _ => hold(SCHOOL_PATH, &code, version, HoldState::ResolvedPositive),
        };
        for part in versions.chunks(2) {
            let events: Vec<_> = part.iter().map(|version| of(*version)).collect();
            sampling(&db, &clock(), &events, 1).await;
        }
        let last = versions.iter().max().copied().unwrap_or_default();
        let alert = latest(&db, &code).await;
        let open = alert.as_ref().is_some_and(|a| a.state == State::Open);
        assert_eq!(open, last % 3 != 0, "{versions:?}");
        let stands = alert.is_some_and(|alert| alert.stands);
        assert_eq!(stands, last % 3 == 1, "{versions:?}");
    }
}

/// Whatever the kind, repeats, orders and new snapshots: the latest word counts.
async fn every_kind_is_the_same_however_events_arrive(db: Database) {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let orders = prop::collection::vec(1..=9_i64, 1..12);
    for example in town::examples::examples() {
        let versions = orders.new_tree(&mut runner).expect("a case").current();
        let of = |version: i64| match version % 3 {
            0 => example.gone(version),
            1 => example.stands(version),
            _ => example.over(version),
        };
        for version in &versions {
            tell(&db, of(*version)).await;
        }
        let last = versions.iter().max().copied().unwrap_or_default();
        // A new snapshot tells the same again.
        let open = async || {
            let kind = (Some(State::Open), Some(example.kind));
            let found = Store::new(db.clone()).alerts("", kind, None, 100).await;
            found.expect("read").len()
        };
        let expected = usize::from(last % 3 == 1);
        assert_eq!(open().await, expected, "{:?} {versions:?}", example.kind);
        sampling(&db, &clock(), &[of(last)], 2).await;
        assert_eq!(open().await, expected, "{:?} {versions:?}", example.kind);
    }
}

async fn what_left_the_feed_long_ago_is_forgotten(db: Database) {
    tell(&db, placed(SCHOOL_PATH, "T1", 1)).await;
    tell(&db, released(SCHOOL_PATH, "T1", 2)).await;
    let remembered = async |days| {
        let clock = ManualClock::at(morning() + Duration::days(days));
        sampling(&db, &clock, &[placed(SCHOOL_PATH, "T2", 1)], 1).await;
        let sql = "SELECT COUNT(*) FROM facts";
        let row = db.read().query_one_raw(statement(db.read(), sql, [])).await;
        let row = row.expect("read").expect("a row");
        row.try_get_by_index::<i64>(0).expect("a number")
    };
    assert_eq!(remembered(13).await, 2);
    assert_eq!(remembered(15).await, 1);
    assert_eq!(
        latest(&db, "T1").await.expect("kept").state,
        State::Resolved
    );
}

async fn what_a_new_snapshot_does_not_mention_is_over(db: Database) {
    tell(&db, placed(SCHOOL_PATH, "T1", 5)).await;
    tell(&db, placed(SCHOOL_PATH, "T2", 5)).await;
    // Restored from a copy: versions begin again, T2 was never positive.
    sampling(&db, &clock(), &[placed(SCHOOL_PATH, "T1", 1)], 2).await;
    let tx = db.begin().await.expect("a transaction");
    town::facts(&clock()).sweep(&tx, 2).await.expect("swept");
    tx.commit().await.expect("committed");
    let state = async |code| latest(&db, code).await.expect("raised").state;
    assert_eq!(state("T1").await, State::Open);
    assert_eq!(state("T2").await, State::Resolved);
}

async fn the_deadline_is_that_of_the_policy_at_the_place_and_day(db: Database) {
    roster(&db, &[policy(2, 25)], 1).await;
    tell(&db, placed(SCHOOL_PATH, "T1", 1)).await;
    let alert = latest(&db, "T1").await.expect("raised");
    assert_eq!(alert.due, morning() + Duration::minutes(25));
}

async fn alerts_follow_who_answers(db: Database) {
    let owner = async || latest(&db, "T1").await.expect("raised").owner;
    tell(&db, placed(SCHOOL_PATH, "T1", 1)).await;
    assert_eq!(owner().await, "");
    roster(&db, &[duties(SCHOOL_PATH, 1, &staff(1))], 1).await;
    assert_eq!(owner().await, staff(1));
    roster(&db, &[duties(SCHOOL_PATH, 2, &staff(2))], 1).await;
    assert_eq!(owner().await, staff(2));
    // A new snapshot names nobody.
    let tx = db.begin().await.expect("a transaction");
    town::register(&db).sweep(&tx, 2).await.expect("swept");
    tx.commit().await.expect("committed");
    assert_eq!(owner().await, "");
    roster(&db, &[duties(SCHOOL_PATH, 3, &staff(3))], 2).await;
    tell(&db, released(SCHOOL_PATH, "T1", 2)).await;
    roster(&db, &[duties(SCHOOL_PATH, 4, &staff(4))], 2).await;
    assert_eq!(owner().await, staff(3), "what has ended stays as it was");
}

/// A division is replaced (golden test T22): its school stands elsewhere, with all its alerts.
async fn alerts_follow_their_school(db: Database) {
    roster(&db, &town::town(), 1).await;
    tell(&db, placed(SCHOOL_PATH, "T1", 1)).await;
    tell(&db, released(SCHOOL_PATH, "T1", 2)).await;
    tell(&db, placed(SCHOOL_PATH, "T2", 1)).await;
    let moved = "fz/350112/2135010001";
    let event = proto::roster::RosterEvent {
        version: 2,
        ..town::organization(moved, proto::roster::organization::Kind::School)
    };
    roster(&db, &[event], 1).await;
    let store = Store::new(db.clone());
    let at = async |place| {
        store
            .alerts(place, (None, None), None, 10)
            .await
            .expect("read")
            .len()
    };
    assert_eq!((at(moved).await, at(SCHOOL_PATH).await), (2, 0));
    // An older word about its place changes nothing.
    roster(&db, &town::town(), 1).await;
    assert_eq!((at(moved).await, at(SCHOOL_PATH).await), (2, 0));
}

async fn an_overdue_alert_is_marked_once(db: Database) {
    let store = Store::new(db.clone());
    tell(&db, placed(SCHOOL_PATH, "T1", 1)).await;
    let due = morning() + Duration::minutes(10);
    let mark = async |at| store.escalate_alerts(at).await.expect("marked");
    assert_eq!(mark(due).await, 0);
    assert_eq!(mark(due + Duration::milliseconds(1)).await, 1);
    assert_eq!(mark(due + Duration::minutes(30)).await, 0);
    assert_eq!(latest(&db, "T1").await.expect("raised").level, 1);
}

/// The release of a hold is never lost to somebody who acknowledges at the same moment.
async fn a_person_and_the_fact_may_meet(db: Database) {
    for round in 0..10 {
        let code = format!("T{round}");
        tell(&db, placed(SCHOOL_PATH, &code, 1)).await;
        let alert = latest(&db, &code).await.expect("raised");
        let person = async {
            let tx = db.begin().await.expect("a transaction");
            Store::lock_alerts(&tx).await.expect("locked");
            let found = Store::alert(&tx, alert.id).await.expect("read");
            tokio::task::yield_now().await;
            let step = Step {
                subject: "principal-1".to_owned(),
                time: clock().now(),
                comment: String::new(),
            };
            // Whoever comes second finds it resolved.
            if let Ok(seen) = found.expect("there").apply(Verb::Acknowledge, step) {
                let now = clock().now();
                Store::write_alerts(&tx, seen.into(), now)
                    .await
                    .expect("written");
            }
            tx.commit().await.expect("committed");
        };
        tokio::join!(person, tell(&db, released(SCHOOL_PATH, &code, 2)));
        let ended = latest(&db, &code).await.expect("raised");
        assert_eq!(ended.state, State::Resolved, "{code}");
    }
}

async fn every_change_gets_the_next_revision(db: Database) {
    let store = Store::new(db.clone());
    for number in 1..=3 {
        tell(&db, placed(SCHOOL_PATH, &format!("T{number}"), 1)).await;
    }
    tell(&db, released(SCHOOL_PATH, "T1", 2)).await;
    assert_eq!(store.alert_revision().await.expect("read"), 4);
    let changed = async |span, unresolved| {
        let found = store
            .changed_alerts(SCHOOL_PATH, span, unresolved, 10)
            .await;
        let found = found.expect("read");
        found.into_iter().map(|a| a.basis).collect::<Vec<_>>()
    };
    assert_eq!(changed((0, 4), true).await, ["holds/T2", "holds/T3"]);
    assert_eq!(changed((2, 4), false).await, ["holds/T3", "holds/T1"]);
    assert_eq!(changed((2, 3), false).await, ["holds/T3"]);
    assert!(changed((4, 4), false).await.is_empty());
}
