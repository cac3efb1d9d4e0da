use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::gate::clearance::{Control, Medical};

const SCHOOL: &str = "fz/350102/2135010001";

fn student(number: u128) -> PersonName {
    PersonName {
        kind: PersonKind::Student,
        id: Uuid::from_u128(number),
    }
}

fn roll(path: &str, numbers: &[u128]) -> Roll {
    let member = |number: &u128| Member {
        person: student(*number),
        on_leave: false,
    };
    Roll {
        org_path: path.to_owned(),
        in_person: true,
        grade: 3,
        members: numbers.iter().map(member).collect(),
    }
}

#[test]
fn somebody_belongs_to_the_school_of_the_roll() {
    let mut index = Index::default();
    index.set_roll("a", Some(roll("fz/350102/2135010001/p2019-01", &[1, 2])));
    assert_eq!(index.standing(student(1), SCHOOL), Standing::Expected);
    assert_eq!(
        index.standing(student(1), "fz/350102/2135010002"),
        Standing::Unknown
    );
    assert_eq!(
        index.standing(student(1), "fz/350102/213501000"),
        Standing::Unknown
    );
    assert_eq!(index.standing(student(3), SCHOOL), Standing::Unknown);
    assert_eq!(index.grade(student(1), SCHOOL), 3);
    assert_eq!(index.grade(student(1), "fz/350102/2135010002"), 0);
    index.set_roll("a", Some(roll("fz/350102/2135010001/p2019-01", &[2])));
    assert_eq!(index.standing(student(1), SCHOOL), Standing::Unknown);
    index.set_roll("a", None);
    assert!(index.is_empty());
}

#[test]
fn suspension_and_leave_are_told_apart() {
    let mut index = Index::default();
    let mut suspended = roll("fz/350102/2135010001/p2019-01", &[1]);
    suspended.in_person = false;
    index.set_roll("a", Some(suspended));
    let mut away = roll("fz/350102/2135010001/p2019-02", &[2]);
    away.members[0].on_leave = true;
    index.set_roll("b", Some(away));
    assert_eq!(
        index.standing(student(1), SCHOOL),
        Standing::ClassNotInPerson
    );
    assert_eq!(index.standing(student(2), SCHOOL), Standing::OnLeave);
}

#[test]
fn a_move_between_schools_is_seamless_in_either_order() {
    let other = "fz/350102/2135010002";
    for departs_first in [true, false] {
        let mut index = Index::default();
        index.set_roll("a", Some(roll("fz/350102/2135010001/p2019-01", &[1])));
        index.set_roll("b", Some(roll("fz/350102/2135010002/p2019-01", &[])));
        let depart = |index: &mut Index| {
            index.set_roll("a", Some(roll("fz/350102/2135010001/p2019-01", &[])));
        };
        if departs_first {
            depart(&mut index);
        }
        index.set_roll("b", Some(roll("fz/350102/2135010002/p2019-01", &[1])));
        assert_eq!(index.standing(student(1), other), Standing::Expected);
        if !departs_first {
            assert_eq!(index.standing(student(1), SCHOOL), Standing::Expected);
            depart(&mut index);
        }
        assert_eq!(index.standing(student(1), other), Standing::Expected);
        assert_eq!(index.standing(student(1), SCHOOL), Standing::Unknown);
    }
}

fn april(day: u32) -> chrono::NaiveDate {
    chrono::NaiveDate::from_ymd_opt(2022, 4, day).unwrap()
}

#[test]
fn whom_a_restricted_region_let_go_watches_the_own_health_first() {
    let mut index = Index::default();
    index.set_roll("a", Some(roll("fz/350102/2135010001/p2019-01", &[1])));
    index.set_lifted(student(1), april(6));
    let policy = GatePolicy::default();
    let kept_out = |day| index.people(SCHOOL, &policy, april(day)).1;
    let waits = [(student(1), Finding::UnderControl)];
    assert_eq!((kept_out(6), kept_out(8)), (waits.to_vec(), waits.to_vec()));
    assert!(kept_out(9).is_empty());
    // A graver measure stands as it is.
    let isolated = Clearance {
        control: Control::Isolated,
        medical: Medical::Normal,
    };
    index.set_clearance(student(1), Some(isolated));
    assert_eq!(index.clearance_on(april(6), student(1), &policy), isolated);
}

#[test]
fn the_block_list_names_who_must_not_enter() {
    let mut index = Index::default();
    index.set_roll("a", Some(roll("fz/350102/2135010001/p2019-01", &[3, 1, 2])));
    let held = Clearance {
        control: Control::PoolHold,
        medical: Medical::Normal,
    };
    index.set_clearance(student(2), Some(held));
    index.set_clearance(student(9), Some(held));
    let (members, blocked) = index.people(SCHOOL, &GatePolicy::default(), april(6));
    assert_eq!(members, [student(1), student(2), student(3)]);
    assert_eq!(blocked, [(student(2), Finding::Held)]);
    index.set_clearance(student(2), None);
    assert!(
        index
            .people(SCHOOL, &GatePolicy::default(), april(6))
            .1
            .is_empty()
    );
}

proptest! {
    /// After any sequence of rolls the index says what the last version of each roll says.
    #[test]
    fn the_index_equals_the_rolls(
        changes in prop::collection::vec(
            (0..4_u8, prop::collection::btree_set(0..12_u128, 0..6), any::<bool>()),
            1..40,
        ),
    ) {
        let mut index = Index::default();
        let mut model: BTreeMap<u8, BTreeSet<u128>> = BTreeMap::new();
        for (number, members, removed) in changes {
            let path = format!("fz/350102/213501000{number}/p2019-01");
            let list: Vec<u128> = members.iter().copied().collect();
            if removed {
                model.remove(&number);
                index.set_roll(&path, None);
            } else {
                model.insert(number, members);
                index.set_roll(&path, Some(roll(&path, &list)));
            }
            for person in 0..12_u128 {
                for school in 0..4_u8 {
                    let here = model.get(&school).is_some_and(|m| m.contains(&person));
                    // Nothing tells somebody of another school from somebody of none.
                    let expected = if here {
                        Standing::Expected
                    } else {
                        Standing::Unknown
                    };
                    let at = format!("fz/350102/213501000{school}");
                    prop_assert_eq!(index.standing(student(person), &at), expected);
                }
            }
        }
    }
}
