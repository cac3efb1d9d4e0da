//! Cases of psychological support (rule 5.42).

use std::fmt;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::voice_policy::VoicePolicy;

/// How much a case presses; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// Danger.
    Red = 1,
    /// Grave.
    Orange = 2,
    /// To be looked after.
    Yellow = 3,
    /// To be kept in mind.
    Blue = 4,
}

impl Grade {
    /// Every grade, the gravest first.
    pub const ALL: [Self; 4] = [Self::Red, Self::Orange, Self::Yellow, Self::Blue];

    /// The name in the contract, without prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Red => "RED",
            Self::Orange => "ORANGE",
            Self::Yellow => "YELLOW",
            Self::Blue => "BLUE",
        }
    }

    /// A case this grave is not ended.
    pub fn is_grave(self) -> bool {
        match self {
            Self::Red | Self::Orange => true,
            Self::Yellow | Self::Blue => false,
        }
    }
}

/// Whether a case is looked after; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Looked after.
    Open = 1,
    /// Ended.
    Closed = 2,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 2] = [Self::Open, Self::Closed];

    /// The name in the contract, without prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Closed => "CLOSED",
        }
    }
}

/// What happened in a case; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It was opened.
    Opened = 1,
    /// It was graded anew.
    Graded = 2,
    /// Somebody was in contact.
    Contacted = 3,
    /// The person was referred.
    Referred = 4,
    /// It was ended.
    Closed = 5,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 5] = [
        Self::Opened,
        Self::Graded,
        Self::Contacted,
        Self::Referred,
        Self::Closed,
    ];
}

/// The support of one person.
#[derive(Clone, PartialEq, Eq)]
pub struct Case {
    /// The school.
    pub organization: String,
    /// The id below the school.
    pub id: Uuid,
    /// Where the school stands.
    pub org_path: String,
    /// `students/{student}` or `staff/{staff_member}`. It stands sealed.
    pub person: String,
    /// How much it presses.
    pub grade: Grade,
    /// Whether it is looked after.
    pub state: State,
    /// Why it was opened. It stands sealed.
    pub note: String,
    /// The concern of the same school that it came from.
    pub concern: Option<Uuid>,
    /// When it was opened.
    pub created: DateTime<Utc>,
    /// The next contact is due by then; none once it is ended.
    pub contact_due: Option<DateTime<Utc>>,
    /// That passed without a contact, once at least.
    pub late: bool,
    /// The subject of the counsellor.
    pub counsellor: String,
    /// `staff/{staff_member}`: which member of staff that is; empty where it is not known.
    pub counsellor_person: String,
    /// When somebody is reminded next; none when nobody is.
    pub remind: Option<DateTime<Utc>>,
    /// How many things happened.
    pub entry_count: i32,
}

/// The clock of a case that is open: all that it takes to remind of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The id of the case.
    pub id: Uuid,
    /// The organisation id of the school.
    pub organization: String,
    /// `staff/{staff_member}`: the counsellor; empty where it is not known.
    pub counsellor_person: String,
    /// The next contact is due by then.
    pub due: DateTime<Utc>,
    /// When somebody is reminded next; none when nobody is.
    pub remind: Option<DateTime<Utc>>,
    /// A contact was late, once at least.
    pub late: bool,
}

/// What is reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reminder {
    /// A contact is due soon.
    Soon,
    /// A contact is overdue.
    Overdue,
}

impl Clock {
    /// What is to be reminded of once the time has come; the clock then goes on.
    pub fn pass(self, now: DateTime<Utc>) -> Option<(Self, Reminder)> {
        self.remind.filter(|remind| *remind < now)?;
        let overdue = self.due < now;
        let (remind, reminder) = if overdue {
            (None, Reminder::Overdue)
        } else {
            (Some(self.due), Reminder::Soon)
        };
        let late = self.late || overdue;
        let clock = Self {
            remind,
            late,
            ..self
        };
        Some((clock, reminder))
    }
}

/// When a counsellor is reminded of a contact that is due within `within`: when a quarter of it is left.
pub fn remind(due: DateTime<Utc>, within: Duration) -> DateTime<Utc> {
    due - within / 4
}

/// Shows neither who it is about nor why.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("id", &self.id)
            .field("grade", &self.grade)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// One thing that happened in a case.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// What.
    pub event: Event,
    /// When.
    pub time: DateTime<Utc>,
    /// The subject of the one who acted.
    pub subject: String,
    /// In their words. It stands sealed.
    pub note: String,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}

/// What a counsellor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It presses so much from now on.
    Grade(Grade),
    /// Somebody was in contact.
    Contact,
    /// The person was referred to a body outside the school.
    Refer,
    /// It is ended.
    Close,
}

impl Verb {
    /// What is recorded of it.
    pub fn event(self) -> Event {
        match self {
            Self::Grade(_) => Event::Graded,
            Self::Contact => Event::Contacted,
            Self::Refer => Event::Referred,
            Self::Close => Event::Closed,
        }
    }
}

/// Why a verb was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The verb does not start from this state.
    #[error("the case is {}", .0.as_str())]
    State(State),
    /// A case this grave is not ended.
    #[error("a case that is {} is not ended", .0.as_str())]
    Grade(Grade),
}

impl Case {
    /// The next contact is due and has not been.
    pub fn is_overdue(&self, now: DateTime<Utc>) -> bool {
        self.contact_due.is_some_and(|due| due < now)
    }

    /// The next contact is due by the grade.
    fn wait(&mut self, now: DateTime<Utc>, policy: &VoicePolicy) {
        let within = policy.contact_within(self.grade);
        self.contact_due = Some(now + within);
        self.remind = Some(remind(now + within, within));
    }

    /// The case as it is at `now`.
    #[must_use]
    pub fn at(mut self, now: DateTime<Utc>) -> Self {
        self.late |= self.is_overdue(now);
        self
    }

    /// Moves on.
    ///
    /// # Errors
    /// [`Refused`] when the case is ended already, or too grave to be.
    pub fn apply(
        self,
        verb: Verb,
        now: DateTime<Utc>,
        policy: &VoicePolicy,
    ) -> Result<Self, Refused> {
        let mut case = self.at(now);
        match (verb, case.state) {
            (Verb::Grade(grade), State::Open) => {
                case.grade = grade;
                case.wait(now, policy);
            }
            (Verb::Contact, State::Open) => {
                case.wait(now, policy);
            }
            (Verb::Refer, State::Open) => {}
            (Verb::Close, State::Open) if case.grade.is_grave() => {
                return Err(Refused::Grade(case.grade));
            }
            (Verb::Close, State::Open) => {
                case.state = State::Closed;
                case.contact_due = None;
                case.remind = None;
            }
            (_, State::Closed) => return Err(Refused::State(State::Closed)),
        }
        case.entry_count += 1;
        Ok(case)
    }
}

#[cfg(test)]
#[path = "support_tests.rs"]
mod tests;
