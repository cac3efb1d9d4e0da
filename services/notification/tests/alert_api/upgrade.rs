//! A database of the version that knew holds only goes on where it was.

use crate::town::on_both;
use kit::clock::ManualClock;
use kit::db::{Database, statement};
use kit::scratch::Scratch;
use notification::Migrator;
use notification::domain::alert::{Alert, State, Step};
use notification::domain::change::Event;
use notification::domain::fact::{Figures, Kind, Severity};
use notification::store::Store;
use sea_orm::ConnectionTrait;
use sea_orm_migration::sea_query::DynIden;
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use uuid::Uuid;

use crate::town::{SCHOOL_PATH, morning, placed, released, sampling, staff};

on_both!(an_alert_of_a_hold_goes_on_after_the_upgrade);

/// The schema before there were alerts of other facts.
struct Before;

#[async_trait::async_trait]
impl MigratorTrait for Before {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = Migrator::migrations();
        migrations.retain(|migration| migration.name() < "m20261125");
        migrations
    }

    fn migration_table_name() -> DynIden {
        Migrator::migration_table_name()
    }
}

/// Writes as the version before did: one hold in force with its alert, and one that is over.
async fn held_before(db: &Database) {
    let tx = db.begin().await.expect("a transaction");
    for (name, active) in [("holds/T1", true), ("holds/T0", false)] {
        let sql = "INSERT INTO holds (name, version, generation, active) VALUES ($1, 3, 1, $2)";
        let insert = statement(&tx, sql, [name.into(), active.into()]);
        tx.execute_raw(insert).await.expect("written");
    }
    let insert = statement(
        &tx,
        "INSERT INTO alerts (id, organization, org_path, state, escalated, basis, episode, stands, \
         subjects, people, owner, occur_time, raise_time, due_time, due_at, sequence, revision) \
         VALUES ($1, '2135010001', $2, 1, TRUE, 'holds/T1', 1, TRUE, '[\"tubes/T1\"]', 9, $3, $4, \
         $4, $4, $5, 1, 1)",
        [
            Uuid::from_u128(1).into(),
            SCHOOL_PATH.into(),
            staff(1).into(),
            morning().into(),
            morning().timestamp_millis().into(),
        ],
    );
    tx.execute_raw(insert).await.expect("written");
    let sql = "UPDATE alerts_revision SET value = 1";
    tx.execute_raw(statement(&tx, sql, []))
        .await
        .expect("written");
    tx.commit().await.expect("committed");
}

async fn an_alert_of_a_hold_goes_on_after_the_upgrade(scratch: Scratch) {
    let db = scratch.open::<Before>().await;
    held_before(&db).await;
    db.migrate::<Migrator>().await.expect("upgraded");
    let store = Store::new(db.clone());
    let the_alert = async || -> Alert {
        let alerts = store.alerts("", (None, Some(Kind::HoldPlaced)), None, 10);
        let alerts = alerts.await.expect("read");
        let [alert] = &alerts[..] else {
            panic!("one alert")
        };
        alert.clone()
    };
    let alert = the_alert().await;
    assert_eq!(
        (alert.id, alert.severity, alert.state, alert.upper()),
        (
            Uuid::from_u128(1),
            Severity::Critical,
            State::Open,
            Some("350102")
        )
    );
    // It had gone one step up, and whoever was to know had been told.
    assert_eq!((alert.level, alert.told_level), (1, 1));
    assert_eq!((alert.due, alert.next), (morning(), Some(morning())));
    assert_eq!((alert.occurred, alert.raised), (morning(), morning()));
    let entries = store.alert_entries(alert.id, 0, 10).await.expect("read");
    let events: Vec<Event> = entries.into_iter().map(|(_, entry)| entry.event).collect();
    assert_eq!(events, [Event::Raised]);
    let figures = Figures {
        people: 9,
        ..Figures::default()
    };
    assert_eq!(alert.figures, figures);
    // What the version before had seen changes nothing; what it had not is heard.
    let clock = ManualClock::at(morning());
    sampling(&db, &clock, &[released(SCHOOL_PATH, "T1", 2)], 1).await;
    sampling(&db, &clock, &[placed(SCHOOL_PATH, "T1", 3)], 1).await;
    assert_eq!(the_alert().await, alert);
    sampling(&db, &clock, &[released(SCHOOL_PATH, "T1", 4)], 1).await;
    let ended = the_alert().await;
    assert_eq!((ended.id, ended.state), (alert.id, State::Resolved));
    assert!(ended.resolved.as_ref().is_some_and(Step::is_by_fact));
}
