//! One suite for both databases.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use kit::db::Database;
use safety_inspection::Migrator;
use safety_inspection::domain::hazard::accountability::Act;
use safety_inspection::domain::hazard::course::{Course, ProgressDue, Supervision};
use safety_inspection::domain::hazard::entry::{Hazard, Home, LedgerNumber};
use safety_inspection::domain::hazard::report::{Category, Source};
use safety_inspection::domain::hazard::state::{Bureau, Grade, State};
use safety_inspection::domain::hazard::terms::Terms;
use safety_inspection::store::Store;
use safety_inspection::store::hazards::{Heeded, Listed, Record, Trail};
use uuid::Uuid;

kit::store_suite!(Migrator;
    a_hazard_is_read_back_as_it_was,
    numbers_begin_again_each_january_and_stand_once,
    time_finds_only_what_waits_for_it,
    every_open_major_hazard_is_counted_however_many_there_are,
    a_recurrence_is_the_last_one_closed_in_time,
    the_first_sight_of_a_record_counts,
);

fn now() -> DateTime<Utc> {
    "2022-04-06T00:00:00Z".parse().expect("an instant")
}

fn day(offset: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2022, 4, 6).expect("a day") + Duration::days(offset)
}

fn hazard(number: u128, path: &str) -> Hazard {
    Hazard {
        id: Uuid::from_u128(number),
        home: Home {
            organization: path.rsplit('/').next().unwrap_or_default().to_owned(),
            org_path: path.to_owned(),
        },
        number: LedgerNumber {
            year: 2022,
            sequence: i32::try_from(number).expect("small"),
        },
        place: "hall".to_owned(),
        category: Category::Fire,
        source: Source::Own,
        origin: String::new(),
        description: "疏散通道堆物".to_owned(),
        major_rules: vec!["fz-2022-fire-01".to_owned(), "fz-2022-fire-06".to_owned()],
        finder: "staff/1".to_owned(),
        found: now(),
        state: State::Rectifying,
        grade: Some(Grade::Major),
        recurrence_of: String::new(),
        due: day(10),
        escalation: Some(Bureau::District),
        closed: None,
        course: Course {
            progress_due: Some(ProgressDue {
                day: day(7),
                told: false,
            }),
            overdue_told: true,
            escalated: Some(day(11)),
            supervision: Some(Supervision {
                bureau: Bureau::City,
                demand: "限期整改".to_owned(),
                supervisor: "staff/2".to_owned(),
                start: now(),
                watched: Some(("已停用".to_owned(), now())),
                lifted: None,
            }),
            ..Course::default()
        },
    }
}

async fn save(db: &Database, hazards: &[Hazard]) {
    let tx = db.begin().await.expect("a transaction");
    let terms = Terms::default();
    for hazard in hazards {
        let saved = Store::save_hazard(&tx, hazard, &terms);
        saved.await.expect("saved");
    }
    tx.commit().await.expect("committed");
}

async fn a_hazard_is_read_back_as_it_was(db: Database) {
    let one = hazard(1, "fz/350102/a");
    let other = Hazard {
        grade: None,
        escalation: None,
        closed: Some(now()),
        state: State::Closed,
        major_rules: Vec::new(),
        course: Course::default(),
        ..hazard(2, "fz/350102/b")
    };
    save(&db, &[one.clone(), other.clone()]).await;
    let read = async |organization: &str, id| {
        let found = Store::hazard(db.read(), organization, Uuid::from_u128(id)).await;
        found.expect("read")
    };
    assert_eq!(read("a", 1).await, Some(one.clone()));
    assert_eq!(read("b", 2).await, Some(other.clone()));
    assert_eq!(read("b", 1).await, None, "of another organisation");
    let list = async |place: &str, listed| {
        let found = Store::hazards(db.read(), place, listed, 10).await;
        found.expect("read")
    };
    let all = Listed::default();
    assert_eq!(list("fz/350102", all).await, [other, one.clone()]);
    assert_eq!(list("fz/350102/a", all).await, std::slice::from_ref(&one));
    assert_eq!(list("fz/35010", all).await, []);
    let overdue = |today| Listed {
        overdue: Some(today),
        ..all
    };
    assert_eq!(list("fz", overdue(day(10))).await, []);
    assert_eq!(
        list("fz", overdue(day(11))).await,
        std::slice::from_ref(&one)
    );
    let supervised = Listed {
        supervised: true,
        ..all
    };
    assert_eq!(list("fz", supervised).await, [one]);
}

async fn numbers_begin_again_each_january_and_stand_once(db: Database) {
    let many = (0..8).map(|_| {
        let db = db.clone();
        tokio::spawn(async move {
            let tx = db.begin().await.expect("a transaction");
            let number = Store::next_ledger_number(&tx, "a", 2022).await;
            tx.commit().await.expect("committed");
            number.expect("a number").sequence
        })
    });
    let mut numbers = Vec::new();
    for task in many.collect::<Vec<_>>() {
        numbers.push(task.await.expect("finished"));
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
    let tx = db.begin().await.expect("a transaction");
    let mut next = Vec::new();
    for (organization, year) in [("a", 2023), ("b", 2022), ("a", 2022)] {
        let number = Store::next_ledger_number(&tx, organization, year).await;
        next.push(number.expect("a number").to_string());
    }
    assert_eq!(next, ["2023-0001", "2022-0001", "2022-0009"]);
    drop(tx);
}

async fn time_finds_only_what_waits_for_it(db: Database) {
    let one = hazard(1, "fz/350102/a");
    let done = Hazard {
        state: State::Closed,
        ..hazard(2, "fz/350102/a")
    };
    save(&db, &[one, done]).await;
    let waited = async |offset| {
        let found = Store::hazards_waited(db.read(), day(offset), 10).await;
        found.expect("read")
    };
    let none: [Uuid; 0] = [];
    assert_eq!(waited(7).await, none);
    assert_eq!(waited(8).await, [Uuid::from_u128(1)]);
    let tx = db.begin().await.expect("a transaction");
    let delayed = Store::delay_hazard(&tx, Uuid::from_u128(1), day(8)).await;
    delayed.expect("delayed");
    tx.commit().await.expect("committed");
    assert_eq!(waited(8).await, none);
    assert_eq!(waited(9).await, [Uuid::from_u128(1)]);
}

async fn every_open_major_hazard_is_counted_however_many_there_are(db: Database) {
    let general = |number: u128| Hazard {
        grade: Some(Grade::General),
        ..hazard(number, "fz/350102/a")
    };
    let mut all: Vec<Hazard> = (1..=1000).map(general).collect();
    let unjudged = |number: u128, rules: &[&str]| Hazard {
        grade: None,
        major_rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
        ..hazard(number, "fz/350102/a")
    };
    all.extend([
        hazard(1001, "fz/350102/a"),
        unjudged(1002, &["fz-2022-fire-01"]),
        unjudged(1003, &[]),
        Hazard {
            state: State::Closed,
            ..hazard(1004, "fz/350102/a")
        },
        hazard(1005, "fz/350102/b"),
    ]);
    save(&db, &all).await;
    let found = async |organization: &str| {
        let found = Store::open_major_hazards(db.read(), organization).await;
        found.expect("read")
    };
    assert_eq!((found("a").await, found("b").await), (2, 1));
    assert_eq!(found("c").await, 0);
}

async fn a_recurrence_is_the_last_one_closed_in_time(db: Database) {
    let closed = |number: u128, days: i64| Hazard {
        state: State::Closed,
        closed: Some(now() - Duration::days(days)),
        ..hazard(number, "fz/350102/a")
    };
    let open = hazard(3, "fz/350102/a");
    save(&db, &[closed(1, 5), closed(2, 3), open]).await;
    let found = async |category, place: &str, days| {
        let since = now() - Duration::days(days);
        let found = Store::closed_before(db.read(), "a", (category, place), since).await;
        found.expect("read").map(|hazard| hazard.id.as_u128())
    };
    assert_eq!(found(Category::Fire, "hall", 90).await, Some(2));
    assert_eq!(found(Category::Fire, "hall", 2).await, None);
    assert_eq!(found(Category::Fire, "gym", 90).await, None);
    assert_eq!(found(Category::Food, "hall", 90).await, None);
}

async fn the_first_sight_of_a_record_counts(db: Database) {
    let record = |number: u128, hazard: u128, person: &str| Record {
        id: Uuid::from_u128(number),
        hazard: Uuid::from_u128(hazard),
        resource: String::new(),
        home: Home {
            organization: "a".to_owned(),
            org_path: "fz/350102/a".to_owned(),
        },
        act: Act::Found,
        staff_member: person.to_owned(),
        answers_at: "a".to_owned(),
        told: now(),
        seen: None,
    };
    let all = vec![
        record(1, 1, "staff/1"),
        record(2, 1, "staff/2"),
        record(3, 2, "staff/1"),
    ];
    let tx = db.begin().await.expect("a transaction");
    let added = Store::add_accountability(&tx, all.clone()).await;
    added.expect("added");
    let (first, later) = (now() + Duration::hours(1), now() + Duration::hours(2));
    let one = Heeded::Record(Uuid::from_u128(1));
    let of_hazard = Heeded::Hazard(Uuid::from_u128(1));
    for (heeded, at) in [(one, first), (of_hazard, later)] {
        let noted = Store::note_seen(&tx, heeded, "staff/1", at).await;
        noted.expect("noted");
    }
    tx.commit().await.expect("committed");
    let list = async |trail: Trail<'_>| {
        let found = Store::accountability(db.read(), "fz", trail, 10).await;
        found.expect("read")
    };
    let seen = list(Trail::default()).await;
    let seen: Vec<_> = seen.iter().map(|it| (it.id.as_u128(), it.seen)).collect();
    assert_eq!(seen, [(3, None), (2, None), (1, Some(first))]);
    let unseen = Trail {
        staff_member: "staff/1",
        unseen: true,
        ..Trail::default()
    };
    assert_eq!(list(unseen).await, [all[2].clone()]);
    let hazard = Trail {
        hazard: Some(Uuid::from_u128(1)),
        before: Some(Uuid::from_u128(2)),
        ..Trail::default()
    };
    assert_eq!(list(hazard).await.len(), 1);
}
