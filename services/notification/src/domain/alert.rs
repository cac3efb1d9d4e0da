//! Alerts: something that somebody must deal with.

use chrono::{DateTime, Duration, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

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

/// An alert for a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The organisation id of the school.
    pub organization: String,
    /// One fact has one id.
    pub id: Uuid,
    /// The place in the tree.
    pub org_path: String,
    /// Where it is in its life cycle.
    pub state: State,
    /// The deadline passed before anybody acknowledged it.
    pub escalated: bool,
    /// The fact, such as `holds/{hold}`.
    pub basis: String,
    /// 1 for the first alert of a fact, 2 when the fact came back after that one had ended.
    pub episode: i32,
    /// The recheck behind it is under way: nothing but its result ends the alert.
    pub stands: bool,
    /// What it is about.
    pub subjects: Vec<String>,
    /// How many people it concerns.
    pub people: i32,
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

/// A hold as far as an alert may know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The resource name.
    pub name: String,
    /// The organisation id of the school.
    pub organization: String,
    /// The place in the tree.
    pub org_path: String,
    /// Class groups and the tube.
    pub subjects: Vec<String>,
    /// How many people are held.
    pub people: i32,
    /// When it was placed.
    pub placed: DateTime<Utc>,
    /// The recheck is under way. False once singles were positive: people stay under control, and
    /// what is left to do is for a person to say done.
    pub stands: bool,
}

impl Hold {
    /// Whether this hold raises an alert, given the latest one that it raised. A hold that comes
    /// back raises another one; what a person has ended stays ended unless the recheck begins anew.
    pub fn raises(&self, latest: Option<&Alert>) -> bool {
        let Some(latest) = latest else { return true };
        let by_fact = latest.resolved.as_ref().is_some_and(Step::is_by_fact);
        latest.state == State::Resolved && (self.stands || by_fact)
    }
}

impl Alert {
    /// Raises the alert for a hold, after `latest` when the hold raised one before. A hold that
    /// comes back is due from then on, not from when it was placed first.
    pub fn raise(
        hold: Hold,
        latest: Option<&Self>,
        owner: String,
        notice: Duration,
        now: DateTime<Utc>,
    ) -> Self {
        let Hold {
            name,
            organization,
            org_path,
            subjects,
            people,
            placed,
            stands,
        } = hold;
        let episode = latest.map_or(0, |latest| latest.episode) + 1;
        let ended = latest.and_then(|latest| latest.resolved.as_ref());
        let occurred = ended.map_or(placed, |ended| ended.time.max(placed));
        Self {
            id: alert_id(&name, episode),
            organization,
            org_path,
            state: State::Open,
            escalated: false,
            basis: name,
            episode,
            stands,
            subjects,
            people,
            owner,
            occurred,
            raised: now,
            due: occurred + notice,
            acknowledged: None,
            taken: None,
            resolved: None,
            sequence: 0,
            revision: 0,
        }
    }

    /// What the hold says now; none when that is what the alert says already.
    pub fn corrected(&self, hold: &Hold) -> Option<Self> {
        let same = self.people == hold.people
            && self.subjects == hold.subjects
            && self.stands == hold.stands;
        (!same && self.state != State::Resolved).then(|| Self {
            people: hold.people,
            subjects: hold.subjects.clone(),
            stands: hold.stands,
            ..self.clone()
        })
    }

    /// One sentence for people: counts only.
    pub fn title(&self) -> String {
        let people = self.people;
        if self.stands {
            format!("一管混采结果需复核，同管 {people} 人暂缓入校，请立即落实单人复检")
        } else {
            format!("同管 {people} 人的单人复检已完成，管控尚未全部解除，请落实后续处置并办结")
        }
    }

    /// Moves on.
    ///
    /// # Errors
    /// [`Refused`] when the verb does not start from this state, or somebody would end an alert
    /// whose recheck is under way.
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

/// One fact raises one alert, however often it is told: the id comes from the fact.
pub fn alert_id(basis: &str, episode: i32) -> Uuid {
    let digest = Sha256::new()
        .chain_update(b"campus/alert/")
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
