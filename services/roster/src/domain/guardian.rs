//! Guardians: who answers for a student, and in which order they are called.

use uuid::Uuid;

use super::organization::coded;
use super::student;

coded! {
    /// How a guardian is related to the student.
    Relation {
        /// Father.
        Father = 1 "FATHER",
        /// Mother.
        Mother = 2 "MOTHER",
        /// Grandparent.
        Grandparent = 3 "GRANDPARENT",
        /// Somebody else.
        Other = 4 "OTHER",
    }
}

/// The places in the order of calls.
pub const PRIORITIES: std::ops::RangeInclusive<i16> = 1..=9;

/// A person who answers for a student.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guardian {
    /// Who.
    pub id: Uuid,
    /// For whom.
    pub student: Uuid,
    /// The name shown to staff.
    pub display_name: String,
    /// How related.
    pub relation: Relation,
    /// The phone number, sealed.
    pub sealed: Option<Vec<u8>>,
    /// Called in this order, 1 first.
    pub priority: i16,
    /// Grows with each change.
    pub version: i64,
    /// The instant of the last change, in milliseconds since 1970.
    pub update_time: i64,
}

impl Guardian {
    /// The resource name.
    pub fn name(&self) -> String {
        format!("guardians/{}", self.id)
    }
}

/// Whether guardians of a student in `state` are still added and changed. Removed they are always:
/// nobody has to be kept.
pub fn may_change(state: student::State) -> bool {
    match state {
        student::State::Enrolled => true,
        student::State::Withdrawn | student::State::Graduated => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guardians_change_only_while_the_student_is_on_a_roll() {
        assert!(may_change(student::State::Enrolled));
        assert!(!may_change(student::State::Withdrawn));
        assert!(!may_change(student::State::Graduated));
    }
}
