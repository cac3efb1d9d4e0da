//! What the store remembers of checks, the same on both databases.

use std::collections::BTreeSet;

use kit::db::Database;
use sampling::Migrator;
use sampling::domain::day::Day;
use sampling::domain::health::check::Unit;
use sampling::domain::health::disease::Severity;
use sampling::domain::health::dormitory::{self, Resident};
use sampling::domain::health::rules::Slot;
use sampling::domain::health::sign::Sign;
use sampling::domain::health::symptom::{Symptom, Symptoms};
use sampling::domain::health::tally::{DayTally, SlotTally};
use sampling::domain::roll::{GroupKind, PersonId};
use sampling::store::health::checks::{self, CheckRow};
use sampling::store::health::dormitories::{self, DormitoryRow};
use sampling::store::health::expectations::{self, ExpectationRow};
use sampling::store::health::units::{self, Range};
use sampling::store::health::{days, signs, windows};

kit::store_suite!(Migrator;
    counts_of_a_day_are_found_below_a_place,
    rooms_follow_the_rolls_of_their_groups,
    checks_are_found_by_their_keys_and_in_their_order,
    people_with_symptoms_are_counted_once,
    who_is_away_ill_is_counted_on_every_day_until_the_return,
);

const SCHOOL: &str = "fz/350102/2135010001";
const OTHER: &str = "fz/350102/2135010002";

fn day(number: u16) -> Day {
    Day::from_number(number)
}

async fn counts_of_a_day_are_found_below_a_place(db: Database) {
    let tx = db.begin().await.expect("a transaction");
    let keys: BTreeSet<(String, Day)> = [(SCHOOL, 8123), (OTHER, 8123), (SCHOOL, 8124)]
        .map(|(school, number)| (school.to_owned(), day(number)))
        .into();
    let mut tallies = days::of(&tx, &keys).await.expect("counts");
    assert!(tallies.values().all(|tally| *tally == DayTally::default()));
    for (number, tally) in (1..).zip(tallies.values_mut()) {
        tally.ill = number;
        *tally.slot_mut(Slot::Noon) = SlotTally {
            submitted: number,
            ..SlotTally::default()
        };
    }
    days::save(&tx, &tallies).await.expect("saved");
    assert_eq!(days::of(&tx, &keys).await.expect("counts"), tallies);
    tx.commit().await.expect("committed");
    let found = async |place: &str, number| {
        let found = days::of_day(db.read(), place, day(number)).await;
        let found = found.expect("counts").into_iter();
        found.map(|(school, _)| school).collect::<Vec<_>>()
    };
    assert_eq!(found("", 8123).await, [SCHOOL, OTHER]);
    assert_eq!(found("fz/350102", 8123).await, [SCHOOL, OTHER]);
    assert_eq!(found(SCHOOL, 8123).await, [SCHOOL]);
    assert_eq!(found("fz/350103", 8123).await, [""; 0]);
    let first = async |since| {
        days::first_since(db.read(), day(since))
            .await
            .expect("a day")
    };
    assert_eq!(first(8000).await, Some(day(8123)));
    assert_eq!(first(8124).await, Some(day(8124)));
    assert_eq!(first(8125).await, None);
}

fn room(room: &str, group: &str, people: &[u8]) -> DormitoryRow {
    let residents: Vec<Resident> = people
        .iter()
        .map(|number| Resident {
            person: PersonId([*number; 16]),
            on_leave: false,
        })
        .collect();
    DormitoryRow {
        place: format!("{SCHOOL}/{}", dormitory::id(SCHOOL, room)),
        group_path: format!("{SCHOOL}/{group}"),
        school: SCHOOL.to_owned(),
        room: room.to_owned(),
        expected: i32::try_from(people.len()).expect("few"),
        members: dormitory::pack(&residents),
    }
}

async fn rooms_follow_the_rolls_of_their_groups(db: Database) {
    let tx = db.begin().await.expect("a transaction");
    let (one, two) = (room("3-201", "p1", &[1, 2]), room("3-202", "p1", &[3]));
    let shared = room("3-201", "p2", &[4]);
    let all = [one.clone(), two.clone(), shared.clone()];
    dormitories::replace(&tx, &[], &all).await.expect("stored");
    let schools = [SCHOOL.to_owned(), OTHER.to_owned()];
    expectations::recount(&tx, &schools).await.expect("counted");
    let expected = async |tx: &kit::db::Tx| {
        let rows = expectations::below(tx, SCHOOL).await.expect("rows");
        rows.iter()
            .map(|row| (row.rooms, row.boarders))
            .collect::<Vec<_>>()
    };
    assert_eq!(expected(&tx).await, [(2, 4)]);
    // The first group's people leave the second room; the other group's row is not touched.
    let moved = room("3-201", "p1", &[1, 2, 3]);
    let schools_changed =
        dormitories::replace(&tx, &[one, two], std::slice::from_ref(&moved)).await;
    assert_eq!(
        schools_changed.expect("stored"),
        BTreeSet::from([SCHOOL.to_owned()])
    );
    let rows = dormitories::at(&tx, vec![moved.place.as_str().into()]).await;
    assert_eq!(rows.expect("rows"), [moved.clone(), shared]);
    expectations::recount(&tx, &schools).await.expect("counted");
    assert_eq!(expected(&tx).await, [(1, 4)]);
    let unchanged = dormitories::replace(
        &tx,
        std::slice::from_ref(&moved),
        std::slice::from_ref(&moved),
    );
    assert_eq!(unchanged.await.expect("nothing to do"), BTreeSet::new());
    let none = dormitories::replace(&tx, &[moved], &[])
        .await
        .expect("removed");
    assert_eq!(none.len(), 1);
    expectations::recount(&tx, &schools).await.expect("counted");
    assert_eq!(expected(&tx).await, [(1, 1)]);
    let everywhere = expectations::below(&tx, "").await.expect("rows");
    let empty = ExpectationRow {
        school: OTHER.to_owned(),
        ..ExpectationRow::default()
    };
    assert_eq!(everywhere.last(), Some(&empty));
    tx.commit().await.expect("committed");
}

fn check(place: &str, slot: Slot, number: u16) -> CheckRow {
    CheckRow {
        day: i32::from(number),
        slot: slot.code(),
        place: place.to_owned(),
        unit: 1,
        client: vec![1; 16],
        identity: vec![2; 16],
        digest: vec![3; 16],
        version: 1,
        submission_count: 1,
        ..CheckRow::default()
    }
}

async fn checks_are_found_by_their_keys_and_in_their_order(db: Database) {
    let tx = db.begin().await.expect("a transaction");
    let places = ["p1", "p2", "p3"].map(|id| format!("{SCHOOL}/{id}"));
    let rows: Vec<CheckRow> = places
        .iter()
        .flat_map(|place| {
            [
                check(place, Slot::Morning, 8123),
                check(place, Slot::Noon, 8123),
            ]
        })
        .collect();
    let gone = rows[0].clone().superseded();
    let twice = [gone.clone(), gone.clone()];
    checks::save(&tx, &rows, &twice).await.expect("stored");
    let keys: Vec<_> = rows.iter().map(|row| row.key().expect("a key")).collect();
    let found = checks::standing(&tx, keys[1..4].iter())
        .await
        .expect("rows");
    assert_eq!(found.len(), 3);
    assert!(found.contains(&rows[1]) && found.contains(&rows[2]) && found.contains(&rows[3]));
    assert_eq!(
        checks::superseded(&tx, keys.iter()).await.expect("rows"),
        [gone]
    );
    let of = (day(8123), Slot::Morning);
    let list = async |range: Range, limit| {
        let rows = checks::list(&tx, of, &range, limit).await.expect("rows");
        rows.into_iter().map(|row| row.place).collect::<Vec<_>>()
    };
    assert_eq!(list(Range::below(SCHOOL, ""), 2).await, places[..2]);
    assert_eq!(list(Range::below(SCHOOL, &places[1]), 2).await, places[2..]);
    assert_eq!(list(Range::one(&places[1], ""), 2).await, places[1..2]);
    assert_eq!(list(Range::below(OTHER, ""), 2).await, [""; 0]);
    let missing =
        units::missing_groups(&tx, of, &[Unit::ClassGroup], &Range::below("fz", ""), 9).await;
    assert_eq!(missing.expect("rows"), []);
    tx.commit().await.expect("committed");
}

fn sign(source: &str, person: u8, group: &str, number: u16, symptoms: &[Symptom]) -> Sign {
    Sign {
        source: source.to_owned(),
        person: PersonId([person; 16]),
        kind: GroupKind::Students,
        group: format!("{SCHOOL}/{group}"),
        dormitory: String::new(),
        day: day(number),
        until: Day::NEVER,
        symptoms: symptoms.iter().copied().collect::<Symptoms>(),
        temperature: 0,
        diagnosis: None,
        ruled_out: None,
        severity: Severity::Mild,
        onset: Day::NEVER,
        time: 0,
    }
}

async fn people_with_symptoms_are_counted_once(db: Database) {
    let tx = db.begin().await.expect("a transaction");
    let said = [
        sign("a", 1, "p1", 8123, &[Symptom::Fever]),
        sign("b", 1, "p1", 8123, &[Symptom::Fever, Symptom::Cough]),
        sign("a", 2, "p1", 8123, &[]),
        sign("a", 3, "p2", 8123, &[Symptom::Cough]),
        sign("c", 1, "p1", 8121, &[Symptom::Rash]),
        sign("d", 1, "p1", 8120, &[Symptom::Jaundice]),
    ];
    let all: Vec<&Sign> = said.iter().collect();
    signs::save(&tx, &all, 1).await.expect("stored");
    let (each, ill) = signs::counts(&tx, SCHOOL, day(8123)).await.expect("counts");
    assert_eq!((each[0], each[1], ill), (1, 2, 2));
    let wanted = [
        (SCHOOL.to_owned(), day(8121)),
        (OTHER.to_owned(), day(8123)),
    ];
    let counts = signs::counts_of(&tx, &wanted.clone().into())
        .await
        .expect("counts");
    assert_eq!((counts[&wanted[0]].1, counts[&wanted[1]].1), (1, 0));
    tx.commit().await.expect("committed");
    // Three days running: the rash of two days ago counts, the jaundice before it does not.
    let rolling = signs::rolling(db.read(), SCHOOL, day(8121), day(8123))
        .await
        .expect("counts");
    let (each, ill) = rolling[&format!("{SCHOOL}/p1")];
    assert_eq!((each[0], each[1], each[8], each[12], ill), (1, 1, 1, 0, 1));
    assert_eq!(rolling[&format!("{SCHOOL}/p2")].1, 1);
    // It is asked of a school, and of nothing above it.
    let rolling = signs::rolling(db.read(), "fz/350102", day(8121), day(8123))
        .await
        .expect("counts");
    assert_eq!(rolling.len(), 0);
}

async fn who_is_away_ill_is_counted_on_every_day_until_the_return(db: Database) {
    let away = |source: &str, person, from, until: u16| Sign {
        until: day(until),
        ..sign(source, person, "p1", from, &[Symptom::Fever])
    };
    let said = [
        away("absences/a", 1, 8119, 8122),
        away("absences/b", 2, 8121, u16::MAX),
        sign("checks/c", 2, "p1", 8121, &[Symptom::Cough]),
    ];
    let tx = db.begin().await.expect("a transaction");
    let all: Vec<&Sign> = said.iter().collect();
    signs::save(&tx, &all, 1).await.expect("stored");
    let wanted = (8118..=8124).map(|number| (SCHOOL.to_owned(), day(number)));
    let wanted: BTreeSet<_> = wanted.collect();
    let counts = signs::counts_of(&tx, &wanted).await.expect("counts");
    let ill: Vec<u32> = counts.values().map(|(_, ill)| *ill).collect();
    assert_eq!(ill, [0, 1, 1, 2, 2, 1, 1]);
    windows::recount(&tx, &wanted).await.expect("counted");
    tx.commit().await.expect("committed");
    for (end, ill) in [(8118, 0), (8120, 1), (8122, 2), (8124, 2), (8125, 1)] {
        let counts = windows::below(db.read(), SCHOOL, day(end)).await;
        assert_eq!(counts.expect("counts")[SCHOOL].ill, ill, "{end}");
        let rolling = signs::rolling(db.read(), SCHOOL, windows::first_of(day(end)), day(end));
        let rolling = rolling.await.expect("counts");
        let counted = rolling.get(&format!("{SCHOOL}/p1"));
        assert_eq!(counted.map_or(0, |(_, ill)| *ill), ill, "{end}");
    }
    let going_on = signs::schools_going_on(db.read(), day(8123)).await;
    assert_eq!(going_on.expect("schools"), [SCHOOL]);
}
