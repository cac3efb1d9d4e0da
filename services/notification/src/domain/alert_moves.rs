//! The life cycle of an alert: who may do what with it in which state.

use chrono::{DateTime, Utc};

use super::alert::Alert;
use super::change::{Change, Event};

/// The place of an alert in its life cycle; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nobody has seen it.
    Open = 1,
    /// Somebody has seen it.
    Acknowledged = 2,
    /// Somebody deals with it.
    Taken = 3,
    /// Ended.
    Resolved = 4,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Open, Self::Acknowledged, Self::Taken, Self::Resolved];

    /// The name in the contract, without prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Acknowledged => "ACKNOWLEDGED",
            Self::Taken => "TAKEN",
            Self::Resolved => "RESOLVED",
        }
    }
}

/// What may be done with an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It was seen.
    Acknowledge,
    /// Somebody deals with it.
    Take,
    /// Somebody ends it.
    Resolve,
    /// The fact behind it is no more.
    FactGone,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 4] = [Self::Acknowledge, Self::Take, Self::Resolve, Self::FactGone];
}

/// Who did a step, when, and in which words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The subject of the token; `fact` when the fact itself changed.
    pub subject: String,
    /// When.
    pub time: DateTime<Utc>,
    /// In their words.
    pub comment: String,
}

/// The subject of a step that the fact itself took.
pub const FACT: &str = "fact";

impl Step {
    /// The step of a fact that changed.
    pub fn by_fact(time: DateTime<Utc>) -> Self {
        Self {
            subject: FACT.to_owned(),
            time,
            comment: String::new(),
        }
    }

    /// Whether the fact itself took this step.
    pub fn is_by_fact(&self) -> bool {
        self.subject == FACT
    }
}

/// Why a verb was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The verb does not start from this state.
    #[error("the alert is {}", .0.as_str())]
    State(State),
    /// The fact behind the alert still stands.
    #[error("{0} still stands")]
    FactStands(String),
}

impl Alert {
    /// Moves on. Whoever takes an alert over from somebody else says why.
    ///
    /// # Errors
    /// [`Refused`] when the verb does not start from this state, or somebody would end an alert
    /// whose fact stands.
    pub fn apply(mut self, verb: Verb, step: Step) -> Result<Change, Refused> {
        let event = match (verb, self.state) {
            (Verb::Acknowledge, State::Open) => {
                self.state = State::Acknowledged;
                self.acknowledged = Some(step.clone());
                Event::Acknowledged
            }
            (Verb::Take, State::Taken) if !self.may_be_taken_over(&step) => {
                return Err(Refused::State(State::Taken));
            }
            (Verb::Take, State::Acknowledged | State::Taken) => {
                self.state = State::Taken;
                self.taken = Some(step.clone());
                Event::Taken
            }
            (Verb::Resolve, State::Taken) if self.stands => {
                return Err(Refused::FactStands(self.basis));
            }
            (Verb::Resolve, State::Taken)
            | (Verb::FactGone, State::Open | State::Acknowledged | State::Taken) => {
                self.state = State::Resolved;
                self.stands = false;
                self.resolved = Some(step.clone());
                Event::Resolved
            }
            (Verb::Acknowledge, State::Acknowledged | State::Taken | State::Resolved)
            | (Verb::Take, State::Open | State::Resolved)
            | (Verb::Resolve, State::Open | State::Acknowledged | State::Resolved)
            | (Verb::FactGone, State::Resolved) => return Err(Refused::State(self.state)),
        };
        self.next = None;
        Ok(Change::from(self).entry(event, &step, ""))
    }

    fn may_be_taken_over(&self, step: &Step) -> bool {
        let other = self
            .taken
            .as_ref()
            .is_some_and(|taken| taken.subject != step.subject);
        other && !step.comment.trim().is_empty()
    }

    /// Adds words, in any state.
    pub fn comment(self, step: &Step) -> Change {
        Change::from(self).entry(Event::Commented, step, "")
    }

    /// Gives it to who answers for it now; none when that is who owns it already.
    pub fn hand_over(self, owner: String, now: DateTime<Utc>) -> Option<Change> {
        if self.state == State::Resolved || self.owner == owner {
            return None;
        }
        let handed = Change::from(Self {
            owner: owner.clone(),
            ..self
        });
        Some(handed.entry(Event::HandedOver, &Step::by_fact(now), &owner))
    }
}
