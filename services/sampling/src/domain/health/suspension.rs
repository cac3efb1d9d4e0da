//! The suspension of teaching: proposed by a rule, decided by a human, applied at the roster
//! (rules 1.20 to 1.22).

use std::collections::BTreeMap;

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
    /// A class group, or several that are named.
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

/// Class groups of one school by their paths, with the grade of each.
pub type Classes = BTreeMap<String, i32>;

/// The class groups of a school that a suspension is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Away {
    /// These.
    Classes(Classes),
    /// Every one of a grade.
    Grade(i32),
    /// The whole school.
    School,
}

impl Away {
    /// One class group.
    pub fn one(path: &str, grade: i32) -> Self {
        Self::Classes(BTreeMap::from([(path.to_owned(), grade)]))
    }

    /// How wide.
    pub fn reach(&self) -> Reach {
        match self {
            Self::Classes(_) => Reach::ClassGroup,
            Self::Grade(_) => Reach::Grade,
            Self::School => Reach::School,
        }
    }

    /// Whether everybody of `other`, at the same school, is among them.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::School, _) => true,
            (Self::Grade(own), Self::Grade(other)) => own == other,
            (Self::Grade(own), Self::Classes(others)) => others.values().all(|grade| grade == own),
            (Self::Classes(own), Self::Classes(others)) => {
                others.keys().all(|path| own.contains_key(path))
            }
            (Self::Grade(_) | Self::Classes(_), _) => false,
        }
    }

    /// Whether somebody of `other`, at the same school, is among them.
    pub fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::School, _) | (_, Self::School) => true,
            (Self::Grade(own), Self::Grade(other)) => own == other,
            (Self::Grade(grade), Self::Classes(classes))
            | (Self::Classes(classes), Self::Grade(grade)) => {
                classes.values().any(|own| own == grade)
            }
            (Self::Classes(own), Self::Classes(others)) => {
                others.keys().any(|path| own.contains_key(path))
            }
        }
    }
}

/// A suspension names at most so many class groups.
pub const MOST_CLASSES: usize = 50;

/// Why names are no list of class groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlisted {
    /// More than [`MOST_CLASSES`].
    TooMany,
    /// The one at this place is named before.
    Twice(usize),
    /// The one at this place is no class group of the school.
    Elsewhere(usize),
}

/// The class groups that somebody names; `school` has the path and the grade of each one of the school
/// by its name.
///
/// # Errors
/// What is wrong first.
pub fn listed(
    names: &[String],
    school: &BTreeMap<String, (String, i32)>,
) -> Result<Classes, Unlisted> {
    if names.len() > MOST_CLASSES {
        return Err(Unlisted::TooMany);
    }
    let mut classes = Classes::new();
    for (place, name) in names.iter().enumerate() {
        let (path, grade) = school.get(name).ok_or(Unlisted::Elsewhere(place))?;
        if classes.insert(path.clone(), *grade).is_some() {
            return Err(Unlisted::Twice(place));
        }
    }
    Ok(classes)
}

/// Who is to stay away, as somebody says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// As before.
    Same,
    /// As wide; never narrower than before.
    Reach(Reach),
    /// These class groups, more or fewer than before; never fewer than were proposed.
    Classes(Classes),
}

/// Who is proposed to stay away by a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// Those.
    pub away: Away,
    /// The grade of the class group; 0 when the school is proposed.
    pub grade: i32,
}

impl Proposed {
    /// Those that somebody wants to stay away instead of `before`; none when that would be fewer than
    /// may be (rule 1.22).
    pub fn change(&self, before: &Away, wanted: Wanted) -> Option<Away> {
        match wanted {
            Wanted::Same => Some(before.clone()),
            Wanted::Classes(classes) => {
                let after = Away::Classes(classes);
                after.covers(&self.away).then_some(after)
            }
            Wanted::Reach(reach) => {
                let after = match reach {
                    Reach::ClassGroup => match before {
                        Away::Classes(_) => before.clone(),
                        Away::Grade(_) | Away::School => return None,
                    },
                    Reach::Grade => Away::Grade(self.grade),
                    Reach::School => Away::School,
                };
                after.covers(before).then_some(after)
            }
        }
    }
}

/// A suspension is for at most so many civil days.
pub const MOST_DAYS: u16 = 30;

/// What was decided, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Where the suspension stands.
    pub state: SuspensionState,
    /// Who was proposed.
    pub proposed: Proposed,
    /// Who stays away.
    pub away: Away,
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
    /// Somebody would be back by a narrower scope, or who was proposed by a list.
    Narrower,
    /// The day of return is over, before the first day, or leaves no day to whoever is added.
    TooSoon,
    /// The days would be more than [`MOST_DAYS`].
    TooLong,
    /// Everything stays as it is.
    Nothing,
}

impl Decided {
    /// This with others away and another day of return, which is as before when none is given; ended
    /// when nobody is to stay away any day (rules 1.20 to 1.22).
    ///
    /// # Errors
    /// What is wrong first.
    pub fn amend(&self, wanted: Wanted, back: Option<Day>, today: Day) -> Result<Self, Unamended> {
        use SuspensionState as S;
        if !matches!(self.state, S::Decided | S::Applying | S::InForce) {
            return Err(Unamended::State);
        }
        if today >= self.back {
            return Err(Unamended::Returned);
        }
        let away = self.proposed.change(&self.away, wanted);
        let away = away.ok_or(Unamended::Narrower)?;
        let back = back.unwrap_or(self.back);
        if away == self.away && back == self.back {
            return Err(Unamended::Nothing);
        }
        let soonest = today.max(self.first);
        if back < soonest || (!self.away.covers(&away) && back == soonest) {
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
            proposed: self.proposed.clone(),
            away,
            first: self.first,
            back,
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
