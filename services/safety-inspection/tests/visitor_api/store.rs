//! One suite for both databases.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use kit::db::Database;
use kit::rows::Lock;
use safety_inspection::Migrator;
use safety_inspection::domain::gate::observation::Crew;
use safety_inspection::domain::visitor::state::{State, Verb};
use safety_inspection::domain::visitor::visit::{Verification, Visit};
use safety_inspection::store::Store;
use safety_inspection::store::visits::{KeptVisit, VisitEvent, VisitFilter};
use uuid::Uuid;

use crate::city::{SCHOOL_PATH, staff};

kit::store_suite!(Migrator;
    a_visit_is_read_as_it_was_kept,
    the_longest_waiting_come_first,
    lists_are_complete_and_in_order,
    a_visit_is_forgotten_with_its_history,
);

fn at(minute: i64) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2022-04-06T00:00:00Z".parse().expect("an instant");
    start + Duration::minutes(minute)
}

fn visit(number: u128, path: &str) -> KeptVisit {
    let visit = Visit {
        id: Uuid::from_u128(number),
        organization: "2135010001".to_owned(),
        org_path: path.to_owned(),
        state: State::Requested,
        host: staff(21).parse().ok(),
        companions: 2,
        companions_inside: 0,
        day: NaiveDate::from_ymd_opt(2022, 4, 6).expect("a day"),
        closes: at(960),
        expected_leave: Some(at(120)),
        urgent: true,
        verification: Some(Verification::NotOnRecord),
        document_seen: true,
        confirmed_by: "host-1".to_owned(),
        crew: Some(Crew::Police),
        badge: "017".to_owned(),
        entered: Some(at(1)),
        left: Some(at(2)),
        overstayed: Some(at(3)),
        responsible: staff(32),
        after_due: Some(at(4)),
        after: Some(at(5)),
        after_overdue: Some(at(4)),
        due: Some(at(i64::try_from(number).expect("small"))),
        created: at(0),
        updated: at(6),
    };
    KeptVisit {
        visit,
        card: vec![1, 2, 3],
        checked: vec![4],
    }
}

async fn keep(db: &Database, kept: &KeptVisit, verb: Verb) -> VisitEvent {
    let event = VisitEvent {
        verb,
        from: (verb != Verb::Request).then_some(State::Requested),
        to: kept.visit.state,
        actor: "guard-1".to_owned(),
        note: "备注".to_owned(),
        time: at(7),
    };
    let tx = db.begin().await.expect("a transaction");
    Store::save_visit(&tx, kept, &event).await.expect("kept");
    tx.commit().await.expect("committed");
    event
}

async fn a_visit_is_read_as_it_was_kept(db: Database) {
    let mut kept = visit(1, SCHOOL_PATH);
    let first = keep(&db, &kept, Verb::Request).await;
    let read = async |id| Store::visit(db.read(), Uuid::from_u128(id), Lock::No).await;
    assert_eq!(read(1).await.expect("read"), Some(kept.clone()));
    assert_eq!(read(2).await.expect("read"), None);
    kept.visit.state = State::Overstay;
    (kept.visit.due, kept.visit.host, kept.visit.crew) = (None, None, None);
    kept.checked.clear();
    let second = keep(&db, &kept, Verb::Overstay).await;
    assert_eq!(read(1).await.expect("read"), Some(kept));
    let events = Store::visit_events(db.read(), Uuid::from_u128(1)).await;
    assert_eq!(events.expect("read"), [first, second]);
}

async fn the_longest_waiting_come_first(db: Database) {
    for number in [3, 1, 2, 9] {
        keep(&db, &visit(number, SCHOOL_PATH), Verb::Request).await;
    }
    let mut never = visit(4, SCHOOL_PATH);
    never.visit.due = None;
    keep(&db, &never, Verb::Request).await;
    let due = async |minute, limit| {
        let due = Store::visits_due(db.read(), at(minute), limit)
            .await
            .expect("read");
        due.into_iter().map(|id| id.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(due(3, 10).await, [1, 2, 3]);
    assert_eq!(due(3, 2).await, [1, 2]);
    assert_eq!(due(0, 10).await, [] as [u128; 0]);
    assert_eq!(due(1_000_000, 10).await, [1, 2, 3, 9]);
}

async fn lists_are_complete_and_in_order(db: Database) {
    let sister = "fz/350102/21350100019";
    for number in 1..=5 {
        keep(&db, &visit(number, SCHOOL_PATH), Verb::Request).await;
        keep(&db, &visit(number + 10, sister), Verb::Request).await;
    }
    let mut other = visit(6, SCHOOL_PATH);
    other.visit.state = State::Left;
    other.visit.day = other.visit.day.succ_opt().expect("a day");
    keep(&db, &other, Verb::Request).await;
    let list = async |place: &str, filter: VisitFilter| {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = Store::visits_below(db.read(), (place, at(600)), &filter, after, 2).await;
            let page = page.expect("read");
            all.extend(page.iter().map(|kept| kept.visit.id.as_u128()));
            match page.last() {
                Some(last) if page.len() == 2 => {
                    after = Some((last.visit.org_path.clone(), last.visit.id));
                }
                _ => return all,
            }
        }
    };
    let all = VisitFilter::default();
    assert_eq!(list(SCHOOL_PATH, all).await, [1, 2, 3, 4, 5, 6]);
    let district = [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15];
    assert_eq!(list("fz/350102", all).await, district);
    assert!(list("fz/350103", all).await.is_empty());
    let left = VisitFilter {
        state: Some(State::Left),
        ..all
    };
    assert_eq!(list("fz", left).await, [6]);
    let day = VisitFilter {
        day: Some(other.visit.day),
        ..all
    };
    assert_eq!(list("fz", day).await, [6]);
    let nobody = VisitFilter {
        host: staff(22).parse().ok(),
        ..all
    };
    assert!(list("fz", nobody).await.is_empty());
}

async fn a_visit_is_forgotten_with_its_history(db: Database) {
    for number in [1, 2] {
        keep(&db, &visit(number, SCHOOL_PATH), Verb::Request).await;
    }
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let tx = db.begin().await.expect("a transaction");
    Store::forget_visit(&tx, one).await.expect("forgotten");
    tx.commit().await.expect("committed");
    let left = Store::visit(db.read(), one, Lock::No).await.expect("read");
    assert_eq!(left, None);
    let events = Store::visit_events(db.read(), one).await.expect("read");
    assert!(events.is_empty());
    let events = Store::visit_events(db.read(), two).await.expect("read");
    assert_eq!(events.len(), 1);
}
