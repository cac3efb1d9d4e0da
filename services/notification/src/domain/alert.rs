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
}

impl Alert {
    /// Raises the alert for a hold.
    pub fn raise(hold: Hold, owner: String, notice: Duration, now: DateTime<Utc>) -> Self {
        let Hold {
            name,
            organization,
            org_path,
            subjects,
            people,
            placed,
        } = hold;
        Self {
            id: alert_id(&name),
            organization,
            org_path,
            state: State::Open,
            escalated: false,
            basis: name,
            subjects,
            people,
            owner,
            occurred: placed,
            raised: now,
            due: placed + notice,
            acknowledged: None,
            taken: None,
            resolved: None,
            sequence: 0,
            revision: 0,
        }
    }

    /// One sentence for people: counts only.
    pub fn title(&self) -> String {
        format!(
            "一管混采结果需复核，同管 {} 人暂缓入校，请立即落实单人复检",
            self.people
        )
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
            (Verb::FactGone, State::Open | State::Acknowledged | State::Taken) => {
                self.state = State::Resolved;
                self.resolved = Some(step);
            }
            // Every alert of this version is for a hold, which only its release ends.
            (Verb::Resolve, State::Taken) => return Err(Refused::FactStands(self.basis)),
            (Verb::Acknowledge, State::Acknowledged | State::Taken | State::Resolved)
            | (Verb::Take, State::Open | State::Taken | State::Resolved)
            | (Verb::Resolve, State::Open | State::Acknowledged | State::Resolved)
            | (Verb::FactGone, State::Resolved) => return Err(Refused::State(self.state)),
        }
        Ok(self)
    }
}

/// One fact raises one alert, however often it is told: the id comes from the fact.
pub fn alert_id(basis: &str) -> Uuid {
    let digest = Sha256::new()
        .chain_update(b"campus/alert/")
        .chain_update(basis)
        .finalize();
    let mut head = [0; 16];
    head.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(head).into_uuid()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn alert() -> Alert {
        let placed = "2022-04-06T02:00:00Z".parse().unwrap();
        let hold = Hold {
            name: "holds/1".to_owned(),
            organization: "2135010001".to_owned(),
            org_path: "fz/350102/2135010001".to_owned(),
            subjects: Vec::new(),
            people: 9,
            placed,
        };
        Alert::raise(hold, "staff/1".to_owned(), Duration::minutes(10), placed)
    }

    fn step() -> Step {
        Step {
            subject: "someone".to_owned(),
            time: "2022-04-06T02:05:00Z".parse().unwrap(),
            comment: String::new(),
        }
    }

    #[test]
    fn an_alert_is_raised_with_its_deadline_and_counts() {
        let alert = alert();
        assert_eq!((alert.due - alert.occurred).num_minutes(), 10);
        assert!(alert.title().contains("9 人"));
        assert_eq!(alert.id, alert_id("holds/1"));
        assert_ne!(alert.id, alert_id("holds/2"));
    }

    /// Every move from every state: the table is the contract.
    #[test]
    fn exactly_the_legal_moves_are_taken() {
        for state in State::ALL {
            for verb in Verb::ALL {
                let before = Alert { state, ..alert() };
                let to = match (state, verb) {
                    (State::Open, Verb::Acknowledge) => Ok(State::Acknowledged),
                    (State::Acknowledged, Verb::Take) => Ok(State::Taken),
                    (State::Taken, Verb::Resolve) => Err(Refused::FactStands("holds/1".into())),
                    (State::Resolved, _) | (_, Verb::Acknowledge | Verb::Take | Verb::Resolve) => {
                        Err(Refused::State(state))
                    }
                    (_, Verb::FactGone) => Ok(State::Resolved),
                };
                assert_eq!(
                    before.apply(verb, step()).map(|a| a.state),
                    to,
                    "{state:?} {verb:?}"
                );
            }
        }
    }

    proptest! {
        /// Whatever is tried, an alert only moves forward and each step is noted.
        #[test]
        fn an_alert_never_moves_back(verbs in prop::collection::vec(0..4_usize, 0..12)) {
            let mut alert = alert();
            for verb in verbs {
                let before = alert.state;
                if let Ok(after) = alert.clone().apply(Verb::ALL[verb], step()) {
                    prop_assert!(after.state > before);
                    alert = after;
                }
            }
            prop_assert_eq!(alert.resolved.is_some(), alert.state == State::Resolved);
            prop_assert!(alert.taken.is_none() || alert.acknowledged.is_some());
        }
    }
}
