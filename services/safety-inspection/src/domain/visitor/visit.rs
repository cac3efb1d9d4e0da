//! A visit without what identifies the visitor, and how it moves.

use chrono::{DateTime, Days, NaiveDate, Utc};
use uuid::Uuid;

use super::state::{State, Verb};
use crate::domain::gate::observation::Crew;
use crate::domain::gate::policy::VisitPolicy;
use crate::domain::person::PersonName;

/// How many companions come along at most.
pub const MOST_COMPANIONS: i32 = 50;
/// How many days ahead a visit is asked for at most.
pub const MOST_DAYS_AHEAD: u64 = 30;

/// Whether name and document belong together; the numbers are those of the contract and of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// They do.
    Match = 1,
    /// They do not.
    Mismatch = 2,
    /// No such document.
    NotOnRecord = 3,
    /// Nobody could be asked.
    NotVerified = 4,
}

impl Verification {
    /// Every outcome.
    pub const ALL: [Self; 4] = [
        Self::Match,
        Self::Mismatch,
        Self::NotOnRecord,
        Self::NotVerified,
    ];

    /// The outcome of a number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|outcome| *outcome as i16 == number)
    }

    /// The name in error texts and metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Match => "MATCH",
            Self::Mismatch => "MISMATCH",
            Self::NotOnRecord => "NOT_ON_RECORD",
            Self::NotVerified => "NOT_VERIFIED",
        }
    }

    /// Whether a host may confirm: always when they belong together, never when they do not, else once
    /// somebody has seen the document.
    pub fn suffices(self, document_seen: bool) -> bool {
        match self {
            Self::Match => true,
            Self::Mismatch => false,
            Self::NotOnRecord | Self::NotVerified => document_seen,
        }
    }
}

/// A visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Sorts by when it was asked for.
    pub id: Uuid,
    /// The id of the school.
    pub organization: String,
    /// Its place in the tree.
    pub org_path: String,
    /// The place in its life.
    pub state: State,
    /// To whom; none in an emergency.
    pub host: Option<PersonName>,
    /// How many come along.
    pub companions: i32,
    /// How many of them are, or were, inside.
    pub companions_inside: i32,
    /// The civil day.
    pub day: NaiveDate,
    /// When that day is over.
    pub closes: DateTime<Utc>,
    /// When the visitor is outside again; none in an emergency.
    pub expected_leave: Option<DateTime<Utc>>,
    /// It cannot wait.
    pub urgent: bool,
    /// Whether name and document belong together; none in an emergency.
    pub verification: Option<Verification>,
    /// The host has seen the document.
    pub document_seen: bool,
    /// The subject of whoever confirmed it; empty before.
    pub confirmed_by: String,
    /// The crew of an emergency.
    pub crew: Option<Crew>,
    /// The number of the badge.
    pub badge: String,
    /// When they entered.
    pub entered: Option<DateTime<Utc>>,
    /// When they left.
    pub left: Option<DateTime<Utc>>,
    /// When the alarm was raised.
    pub overstayed: Option<DateTime<Utc>>,
    /// Who answers for safety and was named with the alarm.
    pub responsible: String,
    /// When the entry in the book is due.
    pub after_due: Option<DateTime<Utc>>,
    /// When it was made.
    pub after: Option<DateTime<Utc>>,
    /// When it was told that it is overdue.
    pub after_overdue: Option<DateTime<Utc>>,
    /// When the clock moves it on.
    pub due: Option<DateTime<Utc>>,
    /// When it was asked for.
    pub created: DateTime<Utc>,
    /// The last change.
    pub updated: DateTime<Utc>,
}

/// What happens to a visit when its time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// It moves.
    Move(Verb),
    /// It is destroyed (rule 6.13).
    Forget,
}

/// The verb does not start from this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the visit is {}", .0.as_str())]
pub struct Illegal(pub State);

impl Visit {
    /// Moves the visit, and returns the state before.
    ///
    /// # Errors
    /// [`Illegal`] when the rule knows no such move; nothing changes then.
    pub fn advance(
        &mut self,
        verb: Verb,
        now: DateTime<Utc>,
        policy: &VisitPolicy,
    ) -> Result<State, Illegal> {
        let from = self.state;
        let illegal = Illegal(from);
        let to = State::next(Some(from), verb).ok_or(illegal)?;
        match verb {
            // Only an emergency has an entry afterwards, and only once.
            Verb::AfterEntry if self.crew.is_none() || self.after.is_some() => return Err(illegal),
            Verb::AfterEntry => self.after = Some(now),
            Verb::AfterEntryOverdue if !self.owes_entry() || self.after_overdue.is_some() => {
                return Err(illegal);
            }
            Verb::AfterEntryOverdue => self.after_overdue = Some(now),
            // A denial is overridden on its day: later the approvals are no longer for then.
            Verb::Override if now >= self.closes => return Err(illegal),
            Verb::Admit | Verb::Override => self.entered = Some(now),
            Verb::Leave => self.left = Some(now),
            Verb::Overstay => self.overstayed = Some(now),
            _ => {}
        }
        self.state = to;
        self.updated = now;
        self.due = self.due_after(now, policy);
        Ok(from)
    }

    /// When the clock moves on a visit that has just come to its state at `now`.
    pub fn due_after(&self, now: DateTime<Utc>, policy: &VisitPolicy) -> Option<DateTime<Utc>> {
        match self.state {
            State::Requested | State::HostApproved | State::EpidemicApproved | State::Arrived => {
                Some(self.closes)
            }
            State::Admitted => self
                .expected_leave
                .map(|expected| (expected + policy.overstay_grace).max(now)),
            State::Overstay => None,
            // Nothing is destroyed of which the book does not tell yet.
            State::AdmittedEmergency | State::Left if self.owes_entry() => {
                self.after_due.filter(|_| self.after_overdue.is_none())
            }
            State::AdmittedEmergency => None,
            State::Left => {
                let over = self.left.unwrap_or(now);
                let over = self.after.map_or(over, |entered| entered.max(over));
                Some(after_days(over, policy.retention_days))
            }
            State::Denied | State::Refused | State::Cancelled | State::Expired => {
                Some(after_days(now, policy.retention_days))
            }
        }
    }

    /// What happens at `now`; none while nothing is due.
    pub fn is_due(&self, now: DateTime<Utc>) -> Option<Due> {
        self.due.filter(|due| *due <= now)?;
        match self.state {
            State::Requested | State::HostApproved | State::EpidemicApproved | State::Arrived => {
                Some(Due::Move(Verb::Expire))
            }
            State::Admitted => Some(Due::Move(Verb::Overstay)),
            State::AdmittedEmergency | State::Left if self.owes_entry() => {
                Some(Due::Move(Verb::AfterEntryOverdue))
            }
            State::Overstay | State::AdmittedEmergency => None,
            State::Denied | State::Left | State::Refused | State::Cancelled | State::Expired => {
                Some(Due::Forget)
            }
        }
    }

    /// Whether the book does not tell of an emergency yet.
    pub fn owes_entry(&self) -> bool {
        self.crew.is_some() && self.after.is_none()
    }

    /// Whether the entry in the book is due and was not made.
    pub fn is_after_entry_overdue(&self, now: DateTime<Utc>) -> bool {
        self.owes_entry() && self.after_due.is_some_and(|due| due <= now)
    }
}

/// `days` after an instant. Policies keep nothing for thousands of years, so no sum is out of range.
fn after_days(from: DateTime<Utc>, days: i32) -> DateTime<Utc> {
    let days = Days::new(u64::try_from(days).unwrap_or_default());
    from.checked_add_days(days).unwrap_or(from)
}

#[cfg(test)]
#[path = "visit_tests.rs"]
mod tests;
