//! How the people of two clusters relate: a pure function.

use std::collections::BTreeSet;

/// How one cluster stands to another by the people of both. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum Relation {
    /// Everybody of the other one is among its people.
    Contains = 1,
    /// All its people are among those of the other one.
    Within = 2,
    /// Some are.
    Overlaps = 3,
}

impl Relation {
    /// The number of this relation.
    pub fn code(self) -> i16 {
        self as i16
    }
}

/// How one relates to another, and how many people both have; none when they have nobody in common.
/// Two with the same people contain each other.
pub fn relation(one: &BTreeSet<&[u8]>, other: &BTreeSet<&[u8]>) -> Option<(Relation, usize)> {
    let both = one.intersection(other).count();
    let relation = if both == 0 {
        return None;
    } else if both == other.len() {
        Relation::Contains
    } else if both == one.len() {
        Relation::Within
    } else {
        Relation::Overlaps
    };
    Some((relation, both))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn people(ids: &[[u8; 1]]) -> BTreeSet<&[u8]> {
        ids.iter().map(<[u8; 1]>::as_slice).collect()
    }

    #[test]
    fn a_class_is_within_its_school_and_a_room_overlaps_both() {
        let school = [[1], [2], [3], [4]];
        let class = [[1], [2]];
        let room = [[2], [9]];
        let of = |one: &[[u8; 1]], other: &[[u8; 1]]| relation(&people(one), &people(other));
        assert_eq!(of(&school, &class), Some((Relation::Contains, 2)));
        assert_eq!(of(&class, &school), Some((Relation::Within, 2)));
        assert_eq!(of(&class, &room), Some((Relation::Overlaps, 1)));
        assert_eq!(of(&class, &[[9]]), None);
        assert_eq!(of(&class, &class), Some((Relation::Contains, 2)));
    }

    proptest! {
        #[test]
        fn seen_from_the_other_side_it_is_the_converse(
            one in proptest::collection::btree_set(0_u8..8, 1..6),
            other in proptest::collection::btree_set(0_u8..8, 1..6),
        ) {
            let one: Vec<[u8; 1]> = one.into_iter().map(|id| [id]).collect();
            let other: Vec<[u8; 1]> = other.into_iter().map(|id| [id]).collect();
            let there = relation(&people(&one), &people(&other));
            let back = relation(&people(&other), &people(&one));
            let converse = |found: Option<(Relation, usize)>| found.map(|(relation, both)| {
                let same = both == one.len() && both == other.len();
                let relation = match relation {
                    Relation::Contains if !same => Relation::Within,
                    Relation::Within => Relation::Contains,
                    relation => relation,
                };
                (relation, both)
            });
            prop_assert_eq!(converse(there), back);
        }
    }
}
