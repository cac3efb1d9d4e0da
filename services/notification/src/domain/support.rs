//! Cases of psychological support (rule 5.42).

use std::fmt;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::party::Party;
use super::voice_policy::VoicePolicy;

pub use super::support_terms::{Event, Grade, Reason, State, Verb};

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
    /// Where it is in its life cycle.
    pub state: State,
    /// Why it was opened. It stands sealed.
    pub note: String,
    /// The concern of the same school that it came from.
    pub concern: Option<Uuid>,
    /// When it was opened.
    pub created: DateTime<Utc>,
    /// The assessment or the next contact is due by then; none once it is ended.
    pub contact_due: Option<DateTime<Utc>>,
    /// That passed without what was due, once at least.
    pub late: bool,
    /// Why it was ended; none while it is not, and where nobody was asked.
    pub reason: Option<Reason>,
    /// When it was ended.
    pub closed: Option<DateTime<Utc>>,
    /// When the guardian was told last.
    pub informed: Option<DateTime<Utc>>,
    /// When the person was referred last.
    pub referred: Option<DateTime<Utc>>,
    /// How often it was opened again.
    pub reopenings: i32,
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
    /// Where the school stands.
    pub org_path: String,
    /// How much the case presses.
    pub grade: Grade,
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
    /// A contact has been overdue for as long as there was for it.
    Left,
}

impl Clock {
    /// What is to be reminded of once the time has come; the clock then goes on. A contact is due `within`
    /// by the grade of the case.
    pub fn pass(self, now: DateTime<Utc>, within: Duration) -> Option<(Self, Reminder)> {
        let came = self.remind.filter(|remind| *remind < now)?;
        let overdue = self.due < now;
        let (remind, reminder) = if came > self.due {
            (None, Reminder::Left)
        } else if overdue {
            (Some(self.due + within), Reminder::Overdue)
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

/// Why a verb was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The verb does not start from this state.
    #[error("the case is {}", .0.as_str())]
    State(State),
    /// A case this grave is not ended.
    #[error("a case that is {} is not ended", .0.as_str())]
    Grade(Grade),
    /// The guardian of a pupil is told before a referral.
    #[error("the guardian was not told")]
    Guardian,
}

impl Case {
    /// The next contact is due and has not been.
    pub fn is_overdue(&self, now: DateTime<Utc>) -> bool {
        self.contact_due.is_some_and(|due| due < now)
    }

    /// It is about a pupil, who has a guardian.
    fn is_of_pupil(&self) -> bool {
        matches!(Party::parse(&self.person), Some(Party::Student(_)))
    }

    /// The time of the grade begins.
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
    /// [`Refused`] when the verb does not start from here, the case is too grave to be ended, or the
    /// guardian of a pupil was not told.
    pub fn apply(
        self,
        verb: Verb,
        now: DateTime<Utc>,
        policy: &VoicePolicy,
    ) -> Result<Self, Refused> {
        let mut case = self.at(now);
        let from = case.state;
        case.state = verb.leads(from).ok_or(Refused::State(from))?;
        match verb {
            Verb::Grade(grade) => {
                case.grade = grade;
                case.wait(now, policy);
            }
            // Whoever is to be assessed waits no longer for it because somebody spoke with them.
            Verb::Contact if from == State::Screened => {}
            Verb::Contact | Verb::Support | Verb::FollowUp => case.wait(now, policy),
            Verb::Inform => {
                case.informed = Some(now);
                case.wait(now, policy);
            }
            Verb::Refer => {
                if case.is_of_pupil() && from != State::GuardianInformed {
                    return Err(Refused::Guardian);
                }
                case.referred = Some(now);
                case.wait(now, policy);
            }
            Verb::Close(reason) => {
                if case.grade.is_grave() && reason != Reason::Left {
                    return Err(Refused::Grade(case.grade));
                }
                case.reason = Some(reason);
                case.closed = Some(now);
                case.contact_due = None;
                case.remind = None;
            }
            Verb::Reopen(grade) => {
                case.grade = grade;
                case.reason = None;
                case.closed = None;
                case.reopenings += 1;
                case.wait(now, policy);
            }
        }
        case.entry_count += 1;
        Ok(case)
    }
}

#[cfg(test)]
#[path = "support_tests.rs"]
mod tests;
