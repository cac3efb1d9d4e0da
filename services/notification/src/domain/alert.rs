//! Alerts: something that somebody must deal with.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::fact::{Entity, Fact, Figures, Kind, Severity};
use super::kinds::{Row, Weight, Whom};
use super::place::above;
use super::policy::Policy;

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
const FACT: &str = "fact";

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

/// An alert for a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The organisation id of the school.
    pub organization: String,
    /// One episode of a fact has one id.
    pub id: Uuid,
    /// What happened.
    pub kind: Kind,
    /// It is the graver sort of its kind.
    pub grave: bool,
    /// The place in the tree.
    pub org_path: String,
    /// Where it is in its life cycle.
    pub state: State,
    /// The deadline passed before anybody acknowledged it.
    pub escalated: bool,
    /// The entity of the fact, such as `holds/{hold}`.
    pub basis: String,
    /// 1 for the first alert of a fact, 2 when the fact came back after that one had ended.
    pub episode: i32,
    /// Nothing but a change of the fact ends the alert.
    pub stands: bool,
    /// What it is about.
    pub subjects: Vec<String>,
    /// Its numbers.
    pub figures: Figures,
    /// Who answers for it; empty when nobody is named.
    pub owner: String,
    /// When the fact came to be.
    pub occurred: DateTime<Utc>,
    /// When it was raised.
    pub raised: DateTime<Utc>,
    /// Somebody must have acknowledged it by then.
    pub due: DateTime<Utc>,
    /// Who acknowledged it.
    pub acknowledged: Option<Step>,
    /// Who deals with it.
    pub taken: Option<Step>,
    /// Who ended it.
    pub resolved: Option<Step>,
    /// The order in which alerts were raised; 0 before it is stored.
    pub sequence: i64,
    /// Grows with each change of any alert; 0 before it is stored.
    pub revision: i64,
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

impl Fact {
    /// Whether this fact raises an alert, given the latest one that it raised. A fact that comes
    /// back raises another one; what a person has ended stays ended unless the fact begins anew.
    pub fn raises(&self, latest: Option<&Alert>) -> bool {
        let Some(latest) = latest else { return true };
        let by_fact = latest.resolved.as_ref().is_some_and(Step::is_by_fact);
        latest.state == State::Resolved && (self.stands || by_fact)
    }
}

impl Alert {
    /// Raises the alert for a fact, after `latest` when the fact raised one before. A fact that
    /// comes back is due from then on, not from when it first was; none is due after its own limit.
    pub fn raise(
        fact: Fact,
        latest: Option<&Self>,
        owner: String,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Self {
        let Fact {
            kind,
            entity,
            subjects,
            figures,
            grave,
            occurred,
            limit,
            stands,
            seen,
        } = fact;
        let Entity {
            name,
            organization,
            org_path,
        } = entity;
        let episode = latest.map_or(0, |latest| latest.episode) + 1;
        let ended = latest.and_then(|latest| latest.resolved.as_ref());
        let occurred = ended.map_or(occurred, |ended| ended.time.max(occurred));
        let due = occurred + weight(kind, grave).1.span(policy);
        Self {
            id: alert_id(kind, &name, episode),
            kind,
            grave,
            organization,
            org_path,
            state: State::Open,
            escalated: false,
            basis: name,
            episode,
            stands,
            subjects,
            figures,
            owner,
            occurred,
            raised: now,
            due: limit.map_or(due, |limit| due.min(limit)),
            acknowledged: None,
            taken: None,
            resolved: None,
            sequence: 0,
            revision: 0,
        }
        .seen(seen, now)
    }

    /// What the fact says now; none when that is what the alert says already.
    pub fn corrected(&self, fact: &Fact, now: DateTime<Utc>) -> Option<Self> {
        if self.state == State::Resolved {
            return None;
        }
        let corrected = Self {
            figures: fact.figures,
            subjects: fact.subjects.clone(),
            grave: fact.grave,
            stands: fact.stands,
            ..self.clone()
        }
        .seen(fact.seen, now);
        (corrected != *self).then_some(corrected)
    }

    /// Whoever saw the fact where it was found has seen its alert.
    fn seen(self, seen: bool, now: DateTime<Utc>) -> Self {
        if !seen || self.state != State::Open {
            return self;
        }
        Self {
            state: State::Acknowledged,
            acknowledged: Some(Step::by_fact(now)),
            ..self
        }
    }

    /// How much it matters.
    pub fn severity(&self) -> Severity {
        weight(self.kind, self.grave).0
    }

    /// The organisation above, when it must see to the alert too.
    pub fn upper(&self) -> Option<&str> {
        let asked = self.escalated || self.kind.row().whom == Whom::Above;
        above(&self.org_path).filter(|_| asked)
    }

    /// One sentence for people, Chinese and English: numbers and places only.
    pub fn title(&self) -> (String, String) {
        let Row { sentence, left, .. } = self.kind.row();
        let left = left.filter(|_| !self.stands);
        left.unwrap_or(sentence).tell(&self.figures)
    }

    /// Moves on.
    ///
    /// # Errors
    /// [`Refused`] when the verb does not start from this state, or somebody would end an alert
    /// whose fact stands.
    pub fn apply(mut self, verb: Verb, step: Step) -> Result<Self, Refused> {
        match (verb, self.state) {
            (Verb::Acknowledge, State::Open) => {
                self.state = State::Acknowledged;
                self.acknowledged = Some(step);
            }
            (Verb::Take, State::Acknowledged) => {
                self.state = State::Taken;
                self.taken = Some(step);
            }
            (Verb::Resolve, State::Taken) if self.stands => {
                return Err(Refused::FactStands(self.basis));
            }
            (Verb::Resolve, State::Taken)
            | (Verb::FactGone, State::Open | State::Acknowledged | State::Taken) => {
                self.state = State::Resolved;
                self.stands = false;
                self.resolved = Some(step);
            }
            (Verb::Acknowledge, State::Acknowledged | State::Taken | State::Resolved)
            | (Verb::Take, State::Open | State::Taken | State::Resolved)
            | (Verb::Resolve, State::Open | State::Acknowledged | State::Resolved)
            | (Verb::FactGone, State::Resolved) => return Err(Refused::State(self.state)),
        }
        Ok(self)
    }
}

fn weight(kind: Kind, grave: bool) -> Weight {
    let row = kind.row();
    row.grave.filter(|_| grave).unwrap_or(row.weight)
}

/// One fact raises one alert, however often it is told: the id comes from the fact.
pub fn alert_id(kind: Kind, basis: &str, episode: i32) -> Uuid {
    let digest = Sha256::new()
        .chain_update(b"campus/alert/")
        .chain_update((kind as i32).to_be_bytes())
        .chain_update(basis)
        .chain_update(b"/")
        .chain_update(episode.to_be_bytes())
        .finalize();
    let mut head = [0; 16];
    head.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(head).into_uuid()
}

#[cfg(test)]
#[path = "alert_tests.rs"]
mod tests;
