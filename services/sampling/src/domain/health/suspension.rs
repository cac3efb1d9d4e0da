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
    /// A human ends it before its first day.
    Cancel,
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
            (Self::Decided, E::Cancel) => Some(Self::Ended),
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

/// A suspension is for at most so many civil days.
pub const MOST_DAYS: u16 = 30;

/// What was decided, as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Where the suspension stands.
    pub state: SuspensionState,
    /// Who stays away.
    pub reach: Reach,
    /// The first day away.
    pub first: Day,
    /// The first day back.
    pub back: Day,
}

/// Why a decision is not amended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unamended {
    /// Nothing was decided, or it is over.
    State,
    /// The day of return has come.
    Returned,
    /// Somebody would be back by the narrower scope.
    Narrower,
    /// The day of return is over, before the first day, or leaves no day to whoever is added.
    TooSoon,
    /// The days would be more than [`MOST_DAYS`].
    TooLong,
    /// Everything stays as it is.
    Nothing,
}

impl Decided {
    /// This with another reach and another day of return, each as before when none is given; ended
    /// when nobody is to stay away any day (rules 1.20 to 1.22).
    ///
    /// # Errors
    /// What is wrong first.
    pub fn amend(
        self,
        reach: Option<Reach>,
        back: Option<Day>,
        today: Day,
    ) -> Result<Self, Unamended> {
        use SuspensionState as S;
        if !matches!(self.state, S::Decided | S::Applying | S::InForce) {
            return Err(Unamended::State);
        }
        if today >= self.back {
            return Err(Unamended::Returned);
        }
        let (reach, back) = (reach.unwrap_or(self.reach), back.unwrap_or(self.back));
        if reach < self.reach {
            return Err(Unamended::Narrower);
        }
        if (reach, back) == (self.reach, self.back) {
            return Err(Unamended::Nothing);
        }
        let soonest = today.max(self.first);
        if back < soonest || (reach > self.reach && back == soonest) {
            return Err(Unamended::TooSoon);
        }
        if back.number().saturating_sub(self.first.number()) > MOST_DAYS {
            return Err(Unamended::TooLong);
        }
        let cancelled = self.state.after(SuspensionEvent::Cancel);
        let state = cancelled
            .filter(|_| back == self.first)
            .unwrap_or(self.state);
        Ok(Self {
            state,
            reach,
            back,
            ..self
        })
    }
}

/// The first day on which people are back after `days` civil days away from `first`.
pub fn back(first: Day, days: u16) -> Day {
    Day::from_number(first.number().saturating_add(days))
}

#[cfg(test)]
#[path = "suspension_tests.rs"]
mod tests;
