//! The life of an approval: a fold over its steps.

use super::event::{Event, Step, Terms, Wanted};

/// The place in the life cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Somebody asked.
    Requested,
    /// Somebody else agreed.
    Approved,
    /// Somebody else refused.
    Rejected,
    /// Who asked took it back.
    Withdrawn,
    /// It was ended before its time.
    Revoked,
    /// Its time is over.
    Expired,
}

impl State {
    /// The word that callers are told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Approved => "APPROVED",
            Self::Rejected => "REJECTED",
            Self::Withdrawn => "WITHDRAWN",
            Self::Revoked => "REVOKED",
            Self::Expired => "EXPIRED",
        }
    }
}

/// Why a step was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The step does not start from this state.
    #[error("an approval that is {} cannot do this", .0.as_str())]
    State(State),
    /// Who asks does not decide, and nobody else takes back.
    #[error("another person has to do this")]
    SamePerson,
    /// An approval lasts no longer than was asked for.
    #[error("the end is not within what was asked for")]
    End,
}

/// An approval: where its steps have brought it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Without regard to the time.
    state: State,
    requester: String,
    approver: Option<String>,
    terms: Terms,
    events: Vec<Event>,
}

impl Approval {
    /// What somebody asks for.
    pub fn request(actor: &str, time: i64, terms: Terms) -> Self {
        Self {
            state: State::Requested,
            requester: actor.to_owned(),
            approver: None,
            terms: terms.clone(),
            events: vec![Event {
                actor: actor.to_owned(),
                time,
                step: Step::Requested { terms },
            }],
        }
    }

    /// The approval that took these steps; none when they are no history of one.
    pub fn replay(events: impl IntoIterator<Item = Event>) -> Option<Self> {
        let mut events = events.into_iter();
        let Event { actor, time, step } = events.next()?;
        let Step::Requested { terms } = step else {
            return None;
        };
        let begun = Self::request(&actor, time, terms);
        events.try_fold(begun, |approval, event| approval.step(event).ok())
    }

    /// The approval after one more step.
    ///
    /// # Errors
    /// When the state, the time or the person does not allow the step.
    pub fn step(mut self, event: Event) -> Result<Self, Refused> {
        let own = event.actor == self.requester;
        self.state = match (self.state(event.time), &event.step) {
            (State::Requested, Step::Approved { end }) => {
                if own {
                    return Err(Refused::SamePerson);
                }
                if *end > self.terms.end || *end <= self.terms.start.max(event.time) {
                    return Err(Refused::End);
                }
                self.terms.end = *end;
                self.approver = Some(event.actor.clone());
                State::Approved
            }
            (State::Requested, Step::Rejected { .. }) => {
                if own {
                    return Err(Refused::SamePerson);
                }
                State::Rejected
            }
            (State::Requested | State::Approved, Step::Withdrawn) => {
                if !own {
                    return Err(Refused::SamePerson);
                }
                State::Withdrawn
            }
            (State::Approved, Step::Revoked { .. }) => State::Revoked,
            (state, _) => return Err(Refused::State(state)),
        };
        self.events.push(event);
        Ok(self)
    }

    /// Where it is in its life at `now`, in milliseconds since 1970.
    pub fn state(&self, now: i64) -> State {
        match self.state {
            State::Requested | State::Approved if now >= self.terms.end => State::Expired,
            state => state,
        }
    }

    /// Whether its steps, the time apart, leave it one that can be used.
    pub fn stands(&self) -> bool {
        self.state == State::Approved
    }

    /// Whether at `now` it lets somebody see what is wanted; `at` is the place it is for.
    pub fn covers(&self, wanted: &Wanted, at: &str, now: i64) -> bool {
        let Terms {
            data,
            persons,
            purpose,
            start,
            ..
        } = &self.terms;
        let below = wanted.place.strip_prefix(at);
        let inside =
            at.is_empty() || below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let of_whom = match wanted.person {
            _ if persons.is_empty() => true,
            Some(person) => persons.contains(&person),
            None => false,
        };
        self.state(now) == State::Approved
            && *start <= now
            && inside
            && of_whom
            && *purpose == wanted.purpose
            && data.iter().any(|one| one == wanted.data.as_str())
    }

    /// Who asked.
    pub fn requester(&self) -> &str {
        &self.requester
    }

    /// Who agreed.
    pub fn approver(&self) -> Option<&str> {
        self.approver.as_deref()
    }

    /// What was asked for, with the end that was approved.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Its steps, oldest first.
    pub fn events(&self) -> &[Event] {
        &self.events
    }
}
