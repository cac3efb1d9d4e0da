//! What is kept of drills and duty, on both databases.

use chrono::{DateTime, Duration, Utc};
use kit::db::Database;
use kit::rows::Lock;
use kit::scratch::Scratch;
use safety_inspection::Migrator;
use safety_inspection::domain::drill::{Drill, Ending, Plan, Signal, State, Type};
use safety_inspection::domain::duty::{Crew, Planned, Shift, ShiftState, Span};
use safety_inspection::domain::history::Move;
use safety_inspection::store::Store;
use safety_inspection::store::drills::Filter;
use safety_inspection::store::records::Record;
use uuid::Uuid;

macro_rules! suite {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(kit::scratch::sqlite().open::<super::Migrator>().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                let Some(scratch) = kit::scratch::postgres().await else { return };
                let scratch: super::Scratch = scratch;
                super::$test(scratch.open::<super::Migrator>().await).await;
            })+
        }
    };
}

suite!(
    a_drill_is_read_back_and_counted_by_type_and_time,
    shifts_are_found_by_time_and_by_who_is_awaited,
    histories_are_numbered_and_kept_apart,
);

fn now() -> DateTime<Utc> {
    "2022-04-06T01:00:00Z".parse().expect("an instant")
}

fn drill(number: u128, organization: &str, state: State, days: i64) -> Record<Drill> {
    let at = now() + Duration::days(days);
    Record {
        id: Uuid::from_u128(number),
        organization: organization.to_owned(),
        org_path: format!("fz/d/{organization}"),
        value: Drill {
            state,
            plan: Plan {
                kind: Type::EpidemicFull,
                scenario: "全要素演练".to_owned(),
                leader: "staff/leader".to_owned(),
                at,
                storeys: 1,
                routes: String::new(),
                riders: Vec::new(),
            },
            signal: Some(Signal {
                at,
                by: "staff/leader".to_owned(),
                target_seconds: None,
                policy_version: String::new(),
            }),
            all_out: None,
            groups: Vec::new(),
            ending: Ending::default(),
            review: None,
        },
    }
}

async fn a_drill_is_read_back_and_counted_by_type_and_time(db: Database) {
    let tx = db.begin().await.expect("a transaction");
    let all = [
        drill(1, "s", State::Archived, 0),
        drill(2, "s", State::Archived, -40),
        drill(3, "s", State::Reviewed, 1),
        drill(4, "t", State::Archived, 2),
    ];
    for one in &all {
        Store::save_drill(&tx, one).await.expect("saved");
    }
    tx.commit().await.expect("committed");
    let read = Store::drill(db.read(), "s", all[0].id, Lock::No)
        .await
        .expect("read");
    assert_eq!(read.as_ref(), Some(&all[0]));
    let elsewhere = Store::drill(db.read(), "t", all[0].id, Lock::No)
        .await
        .expect("read");
    assert_eq!(elsewhere, None);

    let latest = async |kind, since| {
        let found = Store::counted_drill(db.read(), "s", kind, since)
            .await
            .expect("read");
        found.map(|found| (found.name, found.signal))
    };
    let month = now() - Duration::days(30);
    let name = all[0].name("drills");
    assert_eq!(latest(Type::EpidemicFull, month).await, Some((name, now())));
    assert_eq!(latest(Type::Fire, month).await, None);
    let later = now() + Duration::seconds(1);
    assert_eq!(
        latest(Type::EpidemicFull, later).await,
        None,
        "reviewed is not archived"
    );

    let inner = (now(), now() + Duration::days(1));
    let outer = (now() - Duration::days(60), now() + Duration::days(10));
    let done = Store::drills_done(db.read(), "fz/d", inner, outer)
        .await
        .expect("read");
    let mut done: Vec<_> = done
        .into_iter()
        .map(|one| (one.organization, one.inner, one.outer))
        .collect();
    done.sort();
    assert_eq!(done, [("s".to_owned(), 1, 2), ("t".to_owned(), 0, 1)]);
    let archived = Filter {
        state: Some(State::Archived),
        kind: None,
    };
    let page = async |before| {
        let found = Store::drills(db.read(), "fz/d", archived, before, 2).await;
        let found = found.expect("read").into_iter();
        found.map(|one| one.id.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(page(None).await, [4, 2]);
    assert_eq!(page(Some(Uuid::from_u128(2))).await, [1]);
}

fn shift(number: u128, organization: &str, hours: (i64, i64)) -> Record<Shift> {
    let planned = Planned {
        span: Span {
            start: now() + Duration::hours(hours.0),
            end: now() + Duration::hours(hours.1),
        },
        crew: Crew {
            leader: "staff/leader".to_owned(),
            staff: Vec::new(),
            posts: Vec::new(),
            phone: String::new(),
        },
    };
    Record {
        id: Uuid::from_u128(number),
        organization: organization.to_owned(),
        org_path: format!("fz/d/{organization}"),
        value: Shift::scheduled(planned, "roster", Duration::minutes(15)),
    }
}

async fn shifts_are_found_by_time_and_by_who_is_awaited(db: Database) {
    let mut there = shift(4, "t", (0, 12));
    there.value.state = ShiftState::OnDuty;
    let all = [
        shift(1, "s", (0, 24)),
        shift(2, "s", (24, 48)),
        shift(3, "s", (48, 60)),
        there,
    ];
    let tx = db.begin().await.expect("a transaction");
    Store::save_shifts(&tx, &all).await.expect("saved");
    tx.commit().await.expect("committed");
    let within = async |from: i64, to: i64| {
        let span = Span {
            start: now() + Duration::hours(from),
            end: now() + Duration::hours(to),
        };
        let organizations = ["s".to_owned(), "t".to_owned()];
        let found = Store::shifts_within(db.read(), &organizations, span).await;
        let found = found.expect("read").into_iter();
        found.map(|one| one.id.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(within(23, 24).await, [1]);
    assert_eq!(within(24, 25).await, [2]);
    assert_eq!(within(11, 49).await, [1, 2, 3, 4]);
    assert_eq!(within(60, 70).await, []);
    let next = Store::following_shift(db.read(), &all[0])
        .await
        .expect("read");
    assert_eq!(next.as_ref(), Some(&all[1]));
    let last = Store::following_shift(db.read(), &all[2])
        .await
        .expect("read");
    assert_eq!(last, None);
    let awaited = async |minutes| {
        let at = now() + Duration::minutes(minutes);
        let found = Store::unattended_shifts(db.read(), at, 10)
            .await
            .expect("read");
        found
            .into_iter()
            .map(|(_, id)| id.as_u128())
            .collect::<Vec<_>>()
    };
    assert_eq!(awaited(15).await, []);
    assert_eq!(awaited(16).await, [1], "whoever came is not awaited");
    assert_eq!(awaited(24 * 60 + 16).await, [1, 2]);
}

async fn histories_are_numbered_and_kept_apart(db: Database) {
    let moved = |to| Move {
        from: "",
        to,
        step: "STEP",
    };
    let tx = db.begin().await.expect("a transaction");
    for (resource, to) in [("a", "ONE"), ("b", "OTHER"), ("a", "TWO"), ("a", "THREE")] {
        let moved = moved(to);
        let noted = Store::note_move(&tx, resource, &moved, ("staff/x", "note"), now());
        noted.await.expect("noted");
    }
    tx.commit().await.expect("committed");
    let history = Store::history(db.read(), "a").await.expect("read");
    let told: Vec<_> = history.iter().map(|one| &*one.to).collect();
    assert_eq!(told, ["ONE", "TWO", "THREE"]);
    assert_eq!((&*history[0].actor, history[0].at), ("staff/x", now()));
}
