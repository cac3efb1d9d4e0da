//! The suspension of teaching: proposed by a rule, decided by a human, applied at the roster
//! (rules 1.20 to 1.22).

use crate::domain::day::Day;

/// Where a suspension stands. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum SuspensionState {
    /// A rule proposes it.
    Proposed = 1,
    /// Approved, not begun.
    Decided = 2,
    /// Begun: the roster is being told.
    Applying = 3,
    /// The roster has been told.
    InForce = 4,
    /// Over, and the roster has been told.
    Ended = 5,
    /// A human decided against it.
    Rejected = 6,
    /// Its cluster stands no more, or is part of another.
    Withdrawn = 7,
}

/// What happens to a suspension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuspensionEvent {
    /// A human approves.
    Approve,
    /// A human rejects.
    Reject,
    /// Its first day has come.
    Begin,
    /// The roster has it.
    Applied,
    /// The roster has that it is over.
    Ended,
    /// Its cluster stands no more, or is part of another.
    Fell,
    /// Its cluster stands again.
    Rose,
}

impl SuspensionState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Proposed,
        Self::Decided,
        Self::Applying,
        Self::InForce,
        Self::Ended,
        Self::Rejected,
        Self::Withdrawn,
    ];

    /// The number of this state.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The state with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Whether nothing happens to it any more, unless its cluster stands again.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Ended | Self::Rejected | Self::Withdrawn)
    }

    /// The state after an event; none when the event does not start from this state. What a human
    /// decided is not undone by a correction of the facts: only a human ends it.
    pub fn after(self, event: SuspensionEvent) -> Option<Self> {
        use SuspensionEvent as E;
        match (self, event) {
            (Self::Proposed, E::Approve) => Some(Self::Decided),
            (Self::Proposed, E::Reject) => Some(Self::Rejected),
            (Self::Proposed, E::Fell) => Some(Self::Withdrawn),
            (Self::Withdrawn, E::Rose) => Some(Self::Proposed),
            (Self::Decided, E::Begin) => Some(Self::Applying),
            (Self::Applying, E::Applied) => Some(Self::InForce),
            (Self::InForce, E::Ended) => Some(Self::Ended),
            _ => None,
        }
    }
}

/// Who stays away, narrowest first. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum Reach {
    /// A class group.
    ClassGroup = 1,
    /// Every class group of a grade.
    Grade = 2,
    /// The whole school.
    School = 3,
}

impl Reach {
    /// The number of this value.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The value with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        [Self::ClassGroup, Self::Grade, Self::School]
            .into_iter()
            .find(|reach| reach.code() == code)
    }
}

/// The class groups of a school that a suspension is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    /// How wide.
    pub reach: Reach,
    /// The path of the class group; empty when the whole school was proposed.
    pub group: String,
    /// The grade of the class group.
    pub grade: i32,
}

impl Away {
    /// Whether everybody of `other`, at the same school, is among them.
    pub fn covers(&self, other: &Self) -> bool {
        match self.reach {
            Reach::School => true,
            Reach::Grade => other.reach != Reach::School && other.grade == self.grade,
            Reach::ClassGroup => other.reach == Reach::ClassGroup && other.group == self.group,
        }
    }

    /// Whether somebody of `other`, at the same school, is among them.
    pub fn meets(&self, other: &Self) -> bool {
        self.covers(other) || other.covers(self)
    }
}

/// The first day on which people are back after `days` civil days away from `first`.
pub fn back(first: Day, days: u16) -> Day {
    Day::from_number(first.number().saturating_add(days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_that_is_not_named_is_refused() {
        use SuspensionEvent as E;
        use SuspensionState as S;
        let legal = [
            (S::Proposed, E::Approve, S::Decided),
            (S::Proposed, E::Reject, S::Rejected),
            (S::Proposed, E::Fell, S::Withdrawn),
            (S::Withdrawn, E::Rose, S::Proposed),
            (S::Decided, E::Begin, S::Applying),
            (S::Applying, E::Applied, S::InForce),
            (S::InForce, E::Ended, S::Ended),
        ];
        let events = [
            E::Approve,
            E::Reject,
            E::Begin,
            E::Applied,
            E::Ended,
            E::Fell,
            E::Rose,
        ];
        for state in S::ALL {
            for event in events {
                let expected = legal.iter().find(|(s, e, _)| (*s, *e) == (state, event));
                assert_eq!(
                    state.after(event),
                    expected.map(|(_, _, to)| *to),
                    "{state:?} {event:?}"
                );
            }
        }
    }

    #[test]
    fn a_wider_reach_covers_a_narrower_one() {
        let away = |reach, group: &str, grade| Away {
            reach,
            group: group.to_owned(),
            grade,
        };
        let class = away(Reach::ClassGroup, "s/c1", 3);
        let other = away(Reach::ClassGroup, "s/c2", 3);
        let grade = away(Reach::Grade, "s/c1", 3);
        let school = away(Reach::School, "", 0);
        assert!(grade.covers(&other) && school.covers(&grade) && class.covers(&class));
        assert!(!class.covers(&other) && !class.covers(&grade) && !grade.covers(&school));
        assert!(grade.meets(&class) && class.meets(&grade) && !class.meets(&other));
        assert!(!away(Reach::Grade, "s/d", 4).meets(&class));
    }

    #[test]
    fn people_are_back_after_the_days_of_a_suspension() {
        assert_eq!(back(Day::from_number(10), 4), Day::from_number(14));
    }
}
