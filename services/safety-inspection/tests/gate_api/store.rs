//! One suite for both databases.

use chrono::{DateTime, NaiveDate, Utc};
use kit::db::Database;
use kit::projection::Projection;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proto::sampling::clearance::Control;
use safety_inspection::domain::gate::decision::{Checks, Outcome, Standing};
use safety_inspection::domain::gate::finding::Finding;
use safety_inspection::domain::gate::index::Index;
use safety_inspection::domain::gate::observation::{
    Cities, City, Colour, ColourSource, Further, Identification, Observation, Symptoms,
    Temperature, TravelCard, TravelSource,
};
use safety_inspection::domain::gate::policy::GatePolicy;
use safety_inspection::domain::person::PersonName;
use safety_inspection::store::Store;
use safety_inspection::store::gate::decisions::{Appended, Filter, Override, Record};
use safety_inspection::{Migrator, RosterProjection};
use uuid::Uuid;

use crate::city::{
    OTHER_PATH, SCHOOL_PATH, clearance, clearance_at, held, released, roster, student,
};

kit::store_suite!(Migrator;
    facts_reach_the_index,
    a_restricted_region_has_a_time_after_it,
    old_versions_change_nothing,
    a_new_snapshot_forgets_what_is_gone,
    the_index_is_the_same_however_events_arrive,
    a_decision_is_stored_once,
    decisions_are_listed_newest_first,
    a_decision_is_overridden_once,
    many_writers_lose_nothing,
);

fn name(number: u128) -> PersonName {
    student(number).parse().expect("a name")
}

fn now() -> DateTime<Utc> {
    "2022-04-06T00:00:00Z".parse().expect("an instant")
}

async fn index(db: &Database) -> Index {
    let mut index = Index::default();
    catch_up(db, &mut index, 0).await;
    index
}

async fn catch_up(db: &Database, index: &mut Index, revision: i64) -> i64 {
    let store = Store::new(db.clone());
    store
        .catch_up(revision, |change| change(index))
        .await
        .expect("read")
}

async fn facts_reach_the_index(db: Database) {
    roster(&db, &crate::city::city(), 1).await;
    clearance(&db, &[held(&student(2), 1)], 1).await;
    let mut index = index(&db).await;
    assert_eq!(index.len(), 8);
    assert_eq!(index.org_path("2135010001"), Some(SCHOOL_PATH));
    assert_eq!(index.standing(name(1), SCHOOL_PATH), Standing::Expected);
    assert_eq!(index.standing(name(1), OTHER_PATH), Standing::Unknown);
    let staff = crate::city::staff(21).parse().expect("a name");
    assert_eq!(index.standing(staff, SCHOOL_PATH), Standing::Expected);
    let policy = index.policy(SCHOOL_PATH, kit::clock::civil_date(now()));
    assert_eq!(policy.version, "fuzhou-2022-04@1");
    assert_eq!(index.clearance(name(2)).finding(false), Finding::Held);

    let reached = catch_up(&db, &mut index, 0).await;
    clearance(&db, &[released(&student(2), 2)], 1).await;
    assert!(catch_up(&db, &mut index, reached).await > reached);
    assert_eq!(index.clearance(name(2)).finding(false), Finding::Clear);
}

/// Rule 4.9: whom a restricted region let go watches the own health before the return.
async fn a_restricted_region_has_a_time_after_it(db: Database) {
    let mut restricted = held(&student(2), 1);
    if let Some(told) = &mut restricted.clearance {
        told.control = Control::RegionRestricted.into();
    }
    clearance(&db, &[restricted], 1).await;
    let mut index = index(&db).await;
    let lifted = "2022-04-06T00:30:00Z".parse().expect("an instant");
    clearance_at(&db, &[released(&student(2), 2)], 1, lifted).await;
    // Whoever follows and whoever loads all of it know the same.
    catch_up(&db, &mut index, 0).await;
    let mut loaded = Index::default();
    catch_up(&db, &mut loaded, 0).await;
    let policy = GatePolicy::default();
    for known in [index, loaded] {
        let on = |day| {
            let today = NaiveDate::from_ymd_opt(2022, 4, day).expect("a day");
            let clearance = known.clearance_on(today, name(2), &policy);
            clearance.finding(false)
        };
        let found = [on(6), on(8), on(9)];
        let waits = Finding::UnderControl;
        assert_eq!(found, [waits, waits, Finding::Clear]);
    }
}

async fn old_versions_change_nothing(db: Database) {
    clearance(&db, &[released(&student(2), 2)], 1).await;
    clearance(&db, &[held(&student(2), 1)], 1).await;
    assert_eq!(
        index(&db).await.clearance(name(2)).finding(false),
        Finding::Clear
    );
    clearance(&db, &[held(&student(2), 3), released(&student(2), 4)], 1).await;
    assert_eq!(
        index(&db).await.clearance(name(2)).finding(false),
        Finding::Clear
    );
}

async fn a_new_snapshot_forgets_what_is_gone(db: Database) {
    roster(&db, &crate::city::city(), 1).await;
    let mut index = index(&db).await;
    let reached = catch_up(&db, &mut index, 0).await;
    // Restored from a copy: versions begin again, the other school is gone.
    let again = [
        crate::city::organization("2135010001", SCHOOL_PATH),
        crate::city::class_roll(SCHOOL_PATH, 1, &[1]),
    ];
    roster(&db, &again, 2).await;
    let tx = db.begin().await.expect("a transaction");
    RosterProjection::default()
        .sweep(&tx, 2)
        .await
        .expect("swept");
    tx.commit().await.expect("committed");
    catch_up(&db, &mut index, reached).await;
    assert_eq!(index.len(), 1);
    assert_eq!(index.org_path("2135010002"), None);
    assert_eq!(index.standing(name(2), SCHOOL_PATH), Standing::Unknown);
}

/// Any order, any repeats, any cuts into transactions: the end is the same.
async fn the_index_is_the_same_however_events_arrive(db: Database) {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let orders = prop::collection::vec(1..=6_i64, 1..12);
    for round in 0..12_u128 {
        let versions = orders.new_tree(&mut runner).expect("a case").current();
        let person = student(1000 + round);
        let of = |version: i64| match version % 2 {
            0 => released(&person, version),
            _ => held(&person, version),
        };
        for part in versions.chunks(2) {
            let events: Vec<_> = part.iter().map(|version| of(*version)).collect();
            clearance(&db, &events, 1).await;
        }
        let last = versions.iter().max().copied().unwrap_or_default();
        let expected = if last % 2 == 0 {
            Finding::Clear
        } else {
            Finding::Held
        };
        let found = index(&db)
            .await
            .clearance(name(1000 + round))
            .finding(false);
        assert_eq!(found, expected, "{versions:?}");
    }
}

fn record(number: u128, client: u128) -> Record {
    Record {
        school: "2135010001".to_owned(),
        id: Uuid::from_u128(number),
        org_path: SCHOOL_PATH.to_owned(),
        person: Some(name(1)),
        outcome: Outcome::Deny,
        checks: Checks {
            identity: Finding::Expected,
            temperature: Finding::TemperatureNormal,
            health_code: Finding::ColourAllowed,
            travel_card: Finding::TravelClear,
            clearance: Finding::Held,
            arrival: Finding::ArrivalLate,
        },
        observation: Observation {
            temperature: Temperature::from_tenths(365).ok(),
            colour: Colour::Green,
            travel: Some(TravelCard {
                shown: now().date_naive(),
                starred: true,
                cities: Cities::of([(350_100, false), (310_100, true)].map(
                    |(division, starred)| City {
                        division,
                        starred,
                        last_stay: starred.then(|| now().date_naive()),
                    },
                )),
            }),
            travel_source: TravelSource::Provider,
            further: Further::of(
                [366, 367].map(|tenths| Temperature::from_tenths(tenths).expect("plausible")),
            ),
            symptoms: Symptoms::None,
        },
        device: "东门 1".to_owned(),
        guard: "guard-1".to_owned(),
        policy_version: "fuzhou-2022-04@1".to_owned(),
        decide_time: now(),
        record_time: now(),
        facts_time: Some(now()),
        stale: false,
        offline: false,
        expected: None,
        recheck_of: None,
        identification: Identification::Guard,
        emergency: None,
        colour_source: ColourSource::ProviderSilent,
        client_id: Uuid::from_u128(client),
        fingerprint: 7,
    }
}

async fn a_decision_is_stored_once(db: Database) {
    let store = Store::new(db.clone());
    let first = record(1, 100);
    let stored = store
        .append(std::slice::from_ref(&first))
        .await
        .expect("stored");
    assert!(matches!(stored[..], [Appended::Stored]));
    let other = Record {
        fingerprint: 8,
        ..record(3, 100)
    };
    let batch = [record(2, 100), other, record(4, 104), record(5, 104)];
    let stored = store.append(&batch).await.expect("stored");
    let [
        Appended::Repeated(before),
        Appended::Differs,
        Appended::Stored,
        Appended::Repeated(twin),
    ] = &stored[..]
    else {
        panic!("{stored:?}");
    };
    assert_eq!(**before, first);
    assert_eq!(twin.id, Uuid::from_u128(4));
    let found = store
        .decision(db.read(), "2135010001", first.id)
        .await
        .expect("read");
    assert_eq!(found, Some((first, None)));
    // Another school may have the same client id.
    let elsewhere = Record {
        school: "2135010002".to_owned(),
        ..record(6, 100)
    };
    let stored = store.append(&[elsewhere]).await.expect("stored");
    assert!(matches!(stored[..], [Appended::Stored]));
}

async fn decisions_are_listed_newest_first(db: Database) {
    let store = Store::new(db);
    let records: Vec<_> = (1..=1200).map(|number| record(number, number)).collect();
    store.append(&records).await.expect("stored");
    let admitted = Record {
        outcome: Outcome::Admit,
        person: None,
        ..record(2000, 2000)
    };
    store.append(&[admitted]).await.expect("stored");
    let ids = async |filter: Filter, before, limit| {
        let found = store
            .decisions("2135010001", &filter, before, limit)
            .await
            .expect("read");
        found
            .into_iter()
            .map(|(record, _)| record.id.as_u128())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(Filter::default(), None, 3).await, [2000, 1200, 1199]);
    let before = Some(Uuid::from_u128(3));
    assert_eq!(ids(Filter::default(), before, 3).await, [2, 1]);
    let admitted = Filter {
        outcome: Some(Outcome::Admit),
        ..Filter::default()
    };
    assert_eq!(ids(admitted, None, 10).await, [2000]);
    let person = Filter {
        person: Some(name(1)),
        ..Filter::default()
    };
    assert_eq!(ids(person, None, 2).await, [1200, 1199]);
    let nobody = Filter {
        person: Some(name(9)),
        ..Filter::default()
    };
    assert!(ids(nobody, None, 2).await.is_empty());
}

async fn a_decision_is_overridden_once(db: Database) {
    let store = Store::new(db.clone());
    let first = record(1, 1);
    store
        .append(std::slice::from_ref(&first))
        .await
        .expect("stored");
    let word = |reason: &str| Override {
        outcome: Outcome::Admit,
        reason: reason.to_owned(),
        responsible: "principal-1".to_owned(),
        time: now(),
    };
    for (reason, stored) in [("单检阴性", true), ("又一次", false)] {
        let tx = db.begin().await.expect("a transaction");
        let done = Store::override_decision(&tx, "2135010001", first.id, &word(reason)).await;
        assert_eq!(done.expect("written"), stored);
        tx.commit().await.expect("committed");
    }
    let found = store
        .decision(db.read(), "2135010001", first.id)
        .await
        .expect("read");
    assert_eq!(found, Some((first, Some(word("单检阴性")))));
}

async fn many_writers_lose_nothing(db: Database) {
    let writers = (0..8_u128).map(|writer| {
        let store = Store::new(db.clone());
        tokio::spawn(async move {
            for round in 0..10 {
                let first = 1 + writer * 1000 + round * 20;
                let records: Vec<_> = (first..first + 20).map(|n| record(n, n)).collect();
                store.append(&records).await.expect("stored");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("written");
    }
    let all = Store::new(db)
        .decisions("2135010001", &Filter::default(), None, 5000)
        .await;
    assert_eq!(all.expect("read").len(), 1600);
}
