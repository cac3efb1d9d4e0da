//! Concerns of teachers, pupils and parents, and the clocks by which they are answered (rule 5.41).

use std::fmt;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::place::{contains, leaf};

pub use super::concern_terms::{Category, State, Submitter};

/// How often a concern is reopened at most.
pub const MOST_REOPENED: i32 = 3;
/// From this satisfaction on the answer satisfies.
pub const SATISFIED: i32 = 3;

/// An answer about which nothing is said for so long satisfies.
const SILENCE: Duration = Duration::days(7);

/// By when a concern that begins now is sorted out and answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// Sorted out.
    pub acknowledge: DateTime<Utc>,
    /// Answered.
    pub answer: DateTime<Utc>,
    /// Answered, when it presses.
    pub urgent_answer: DateTime<Utc>,
}

impl Clocks {
    /// By when one is answered that presses or does not.
    fn answer_due(&self, urgent: bool) -> DateTime<Utc> {
        if urgent {
            self.urgent_answer
        } else {
            self.answer
        }
    }
}

/// What people wrote. It stands sealed, and no log shows it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// The concern.
    pub text: String,
    /// The answer; empty before.
    pub answer: String,
    /// What was said about the answer.
    pub remark: String,
    /// The person of the register who handed it in, `students/…` or `staff/…`: only to tell them
    /// that it was answered. Empty for an anonymous one, and where it is not known.
    pub person: String,
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Words").finish_non_exhaustive()
    }
}

/// A concern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concern {
    /// The organisation that it is about.
    pub organization: String,
    /// The id below the organisation.
    pub id: Uuid,
    /// Where that organisation stands.
    pub org_path: String,
    /// The organisation that sees to it.
    pub handler: String,
    /// Where that one stands: at the same place or above.
    pub handler_path: String,
    /// Where it is in its life cycle.
    pub state: State,
    /// Who handed it in.
    pub submitter: Submitter,
    /// Nobody knows whose it is.
    pub anonymous: bool,
    /// What it is about.
    pub category: Category,
    /// It presses.
    pub urgent: bool,
    /// When it was handed in.
    pub created: DateTime<Utc>,
    /// By when it is sorted out and answered.
    pub clocks: Clocks,
    /// What happens next by itself when nothing happens before.
    pub wait: Option<DateTime<Utc>>,
    /// When those above hear that a deadline passed and that what was due is still not done; none when
    /// they will not.
    pub above: Option<DateTime<Utc>>,
    /// A deadline passed without what was due.
    pub late: bool,
    /// `staff/{staff_member}`: who answers; empty before.
    pub assignee: String,
    /// The organisation of who answers; empty before.
    pub assignee_organization: String,
    /// When it was answered.
    pub answered: Option<DateTime<Utc>>,
    /// How often it was reopened.
    pub reopened: i32,
    /// How satisfied, 1 to 5; 0 before.
    pub satisfaction: i32,
    /// What people wrote.
    pub words: Words,
    /// A keyed hash of the subject who handed it in; empty for an anonymous one.
    pub author: Vec<u8>,
    /// A keyed hash of the receipt code of an anonymous one; empty otherwise.
    pub receipt: Vec<u8>,
}

/// What somebody hands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Who.
    pub submitter: Submitter,
    /// Nobody is to know whose it is.
    pub anonymous: bool,
    /// What it is about, as they say.
    pub category: Category,
    /// What people wrote.
    pub words: Words,
}

/// Who is to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignee {
    /// `staff/{staff_member}`.
    pub staff_member: String,
    /// Their organisation.
    pub organization: String,
    /// Where it stands.
    pub place: String,
}

/// What is done with a concern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Somebody says what it is about, and whether it presses.
    Triage(Category, bool),
    /// Somebody is to answer.
    Assign(Assignee),
    /// It is answered.
    Answer(String),
    /// The answer is judged, 1 to 5, with a remark; the clocks are for one that begins again.
    Rate(i32, String, Clocks),
}

/// Why a verb was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The verb does not start from this state.
    #[error("the concern is {}", .0.as_str())]
    State(State),
    /// This person may not answer it.
    #[error("not of an organisation that may answer, or the one who asks")]
    Assignee,
}

/// What happened by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// It was not sorted out in time.
    Acknowledgement,
    /// It was not answered in time.
    Answer,
    /// Nothing was said about the answer: it is closed.
    Silence,
}

impl Concern {
    /// A concern that is handed in at the organisation at `org_path`.
    pub fn submit(
        (id, now): (Uuid, DateTime<Utc>),
        org_path: String,
        submission: Submission,
        clocks: Clocks,
    ) -> Self {
        let Submission {
            submitter,
            anonymous,
            category,
            words,
        } = submission;
        let concern = Self {
            organization: leaf(&org_path).to_owned(),
            id,
            handler: leaf(&org_path).to_owned(),
            handler_path: org_path.clone(),
            org_path,
            state: State::Received,
            submitter,
            anonymous,
            category,
            urgent: false,
            created: now,
            clocks,
            wait: Some(clocks.acknowledge),
            above: None,
            late: false,
            assignee: String::new(),
            assignee_organization: String::new(),
            answered: None,
            reopened: 0,
            satisfaction: 0,
            words,
            author: Vec::new(),
            receipt: Vec::new(),
        };
        concern.gone_up_for_its_category()
    }

    /// By when it is answered.
    pub fn answer_due(&self) -> DateTime<Utc> {
        self.clocks.answer_due(self.urgent)
    }

    /// What is due was not done in time and is not done yet.
    pub fn is_overdue(&self, now: DateTime<Utc>) -> bool {
        match self.state {
            State::Received | State::Reopened => {
                self.clocks.acknowledge < now || self.answer_due() < now
            }
            State::Triaged | State::Assigned => self.answer_due() < now,
            State::Answered | State::Closed => false,
        }
    }

    /// The concern as it is at `now`, whether or not anybody has looked at its deadlines since.
    #[must_use]
    pub fn at(mut self, now: DateTime<Utc>) -> Self {
        self.late |= self.is_overdue(now);
        if self.state == State::Answered && self.wait.is_some_and(|wait| wait < now) {
            self.state = State::Closed;
            self.wait = None;
        }
        self
    }

    /// What happens by itself once it has waited long enough. What was due may take as long again, until
    /// the clocks `again`, before those above hear of it.
    pub fn pass(self, now: DateTime<Utc>, again: Clocks) -> Option<(Self, Passed)> {
        let due = self.wait.filter(|due| *due < now)?;
        let answer = self.answer_due();
        let mut concern = self.at(now);
        let passed = match concern.state {
            State::Received | State::Reopened if due < answer => {
                concern.wait = Some(answer);
                concern.above = Some(again.acknowledge);
                Passed::Acknowledgement
            }
            State::Received | State::Reopened | State::Triaged | State::Assigned => {
                concern.wait = None;
                concern.above = Some(again.answer_due(concern.urgent));
                Passed::Answer
            }
            State::Answered | State::Closed => Passed::Silence,
        };
        Some((concern, passed))
    }

    /// What those above hear once a deadline has been past for as long again; none where what was due was
    /// done meanwhile.
    pub fn pass_up(self, now: DateTime<Utc>) -> Option<(Self, Option<Passed>)> {
        self.above.filter(|above| *above < now)?;
        let passed = match (self.state, self.wait) {
            (State::Received | State::Reopened, Some(_)) => {
                (self.clocks.acknowledge < now).then_some(Passed::Acknowledgement)
            }
            (State::Received | State::Reopened | State::Triaged | State::Assigned, None) => {
                Some(Passed::Answer)
            }
            (State::Triaged | State::Assigned, Some(_)) | (State::Answered | State::Closed, _) => {
                None
            }
        };
        let concern = Self {
            above: None,
            ..self
        };
        Some((concern, passed))
    }

    /// Moves on.
    ///
    /// # Errors
    /// [`Refused`] when the verb does not start from here, or the person may not answer.
    pub fn apply(self, verb: Verb, now: DateTime<Utc>) -> Result<Self, Refused> {
        let mut concern = self.at(now);
        match (verb, concern.state) {
            (Verb::Triage(category, urgent), State::Received | State::Reopened) => {
                concern.category = category;
                concern.urgent = urgent;
                concern.state = State::Triaged;
                concern.wait = Some(concern.answer_due());
                concern.above = None;
                concern = concern.gone_up_for_its_category();
            }
            (Verb::Assign(assignee), State::Triaged | State::Assigned) => {
                if !concern.may_answer(&assignee) {
                    return Err(Refused::Assignee);
                }
                concern.assignee = assignee.staff_member;
                concern.assignee_organization = assignee.organization;
                concern.state = State::Assigned;
            }
            (Verb::Answer(answer), State::Assigned) => {
                concern.words.answer = answer;
                concern.answered = Some(now);
                concern.state = State::Answered;
                concern.wait = Some(now + SILENCE);
                concern.above = None;
            }
            (Verb::Rate(satisfaction, remark, clocks), State::Answered) => {
                concern.satisfaction = satisfaction;
                concern.words.remark = remark;
                if satisfaction >= SATISFIED || concern.reopened >= MOST_REOPENED {
                    concern.state = State::Closed;
                    concern.wait = None;
                } else {
                    concern.state = State::Reopened;
                    concern.reopened += 1;
                    concern.clocks = clocks;
                    concern.wait = Some(clocks.acknowledge);
                    concern = concern.gone_up();
                }
            }
            (_, state) => return Err(Refused::State(state)),
        }
        Ok(concern)
    }

    /// Staff of the organisation that sees to it, or of one above; and of one below, as long as it
    /// has not gone up: then whoever is below may be at fault. Never who handed it in.
    fn may_answer(&self, assignee: &Assignee) -> bool {
        let above = contains(&assignee.place, &self.handler_path);
        let below = contains(&self.org_path, &assignee.place);
        let related = above || (below && self.handler_path == self.org_path);
        related && assignee.staff_member != self.words.person
    }

    fn gone_up_for_its_category(self) -> Self {
        if self.category.goes_up() && self.handler_path == self.org_path {
            self.gone_up()
        } else {
            self
        }
    }

    /// The organisation above sees to it from now on; at the top nobody is above.
    fn gone_up(mut self) -> Self {
        if let Some((upper, _)) = self.handler_path.rsplit_once('/') {
            self.handler_path = upper.to_owned();
            self.handler = leaf(&self.handler_path).to_owned();
        }
        self.assignee = String::new();
        self.assignee_organization = String::new();
        self
    }
}

#[cfg(test)]
#[path = "concern_tests.rs"]
mod tests;
