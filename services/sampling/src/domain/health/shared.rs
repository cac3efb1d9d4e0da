//! What people share beside class and dormitory: a seat plan, a bus, a meal, a source of water (rules
//! 1.15, 1.24). A school or a case worker says who belongs to which group.

use std::collections::{BTreeMap, BTreeSet};

use super::illness::Case;
use crate::domain::roll::PersonId;

/// What a group shares. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
#[expect(missing_docs, reason = "the contract says what each kind means")]
pub enum SharedKind {
    Seats = 1,
    Bus = 2,
    Meal = 3,
    Water = 4,
}

impl SharedKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Seats, Self::Bus, Self::Meal, Self::Water];

    /// The number of this kind.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The kind with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// A seat, by row and column from 1; 0 where it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seat {
    /// From the front.
    pub row: i16,
    /// From the left.
    pub column: i16,
}

impl Seat {
    /// Whether two seats are next to each other: in front, behind, beside or across a corner. Of a
    /// seat that is not known nothing is said.
    pub fn is_beside(self, other: Self) -> bool {
        let known = |seat: Self| seat.row > 0 && seat.column > 0;
        let near = |one: i16, other: i16| one.abs_diff(other) <= 1;
        known(self)
            && known(other)
            && self != other
            && near(self.row, other.row)
            && near(self.column, other.column)
    }
}

/// The groups of one school by which cases are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    people: BTreeMap<(SharedKind, PersonId), BTreeSet<String>>,
    class_groups: BTreeMap<(SharedKind, String), BTreeSet<String>>,
}

impl Shared {
    /// This person belongs to a group.
    pub fn person(&mut self, kind: SharedKind, group: &str, person: PersonId) {
        let groups = self.people.entry((kind, person)).or_default();
        groups.insert(group.to_owned());
    }

    /// The whole class group at this place belongs to a group.
    pub fn class_group(&mut self, kind: SharedKind, group: &str, path: &str) {
        let groups = self.class_groups.entry((kind, path.to_owned()));
        groups.or_default().insert(group.to_owned());
    }

    /// The groups of a kind to which somebody belongs, each once.
    pub fn groups(&self, kind: SharedKind, case: &Case) -> BTreeSet<&str> {
        let own = self.people.get(&(kind, case.person));
        let of_class = self.class_groups.get(&(kind, case.group.clone()));
        let both = own.into_iter().chain(of_class).flatten();
        both.map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seats_around_one_are_beside_it() {
        let seat = |row, column| Seat { row, column };
        let middle = seat(3, 3);
        let beside = (1..=5).flat_map(|row| (1..=5).map(move |column| seat(row, column)));
        assert_eq!(beside.filter(|one| middle.is_beside(*one)).count(), 8);
        assert!(!middle.is_beside(middle));
        assert!(!middle.is_beside(seat(0, 3)), "a seat that is not known");
    }

    #[test]
    fn kinds_survive_as_numbers() {
        for kind in SharedKind::ALL {
            assert_eq!(SharedKind::from_code(kind.code()), Some(kind));
        }
        assert_eq!(SharedKind::from_code(0), None);
    }
}
