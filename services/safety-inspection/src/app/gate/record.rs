//! Decisions that gates made without a network.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use kit::status::{Problem, is_transient};
use proto::error::ErrorReason;
use uuid::Uuid;

use super::check::{Asked, timestamp};
use super::{Emergency, Gatehouse, School};
use crate::domain::gate::decision::Outcome;
use crate::domain::gate::observation::{ColourSource, Identification, Observation, Reading};
use crate::domain::person::PersonName;
use crate::error::Error;
use crate::store::Store;
use crate::store::gate::decisions::{Appended, Record};

/// How far back a gate's own decisions are taken.
const OLDEST: Duration = Duration::days(7);
/// How long a batch waits for the database.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
/// How far a gate's clock may be ahead.
const AHEAD: Duration = Duration::minutes(5);

/// One decision of a gate that had no network.
#[derive(Clone, Debug)]
pub struct Offline {
    /// The id that the gate gave.
    pub client_id: Uuid,
    /// Who; none for somebody unknown.
    pub person: Option<PersonName>,
    /// What was seen.
    pub observation: Observation,
    /// What the gate did.
    pub outcome: Outcome,
    /// When.
    pub decide_time: DateTime<Utc>,
    /// The decision that sent this person to observation, by an id that the gate knows it by.
    pub recheck_of: Option<Uuid>,
    /// The crew that was let in.
    pub emergency: Option<Emergency>,
    /// A digest of the entry.
    pub fingerprint: i64,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Stored, and the facts agree.
    Recorded(Uuid, Outcome),
    /// Was stored before.
    Repeated(Uuid, Outcome),
    /// Stored, but the facts say otherwise.
    Conflict(Uuid, Outcome),
    /// The id is known with other content.
    Differs(Outcome),
    /// In the future or too long past.
    OutOfTime,
    /// A reading is none of a person.
    Implausible,
}

/// A decision of a batch with what this service says to it.
#[derive(Clone, Debug)]
pub(in crate::app) enum Weighed {
    /// It is not stored, and this is why.
    Not(Verdict),
    /// It is to be stored.
    One {
        /// What is stored.
        record: Box<Record>,
        /// What this service would have decided; none where nobody knows that observation which was
        /// rechecked.
        expected: Option<Outcome>,
        /// The crew that was let in.
        emergency: Option<Emergency>,
    },
}

impl Gatehouse {
    /// Weighs what a gate did without a network, in the order of `decisions`.
    ///
    /// # Errors
    /// When the database fails.
    pub(in crate::app) async fn weigh_offline(
        &self,
        school: &School,
        (device, guard): (&str, &str),
        decisions: Vec<Offline>,
    ) -> Result<Vec<Weighed>, Error> {
        let now = self.clock.now();
        let in_time = |at: DateTime<Utc>| at <= now + AHEAD && at >= now - OLDEST;
        let mut observed = Observed::of(self, school, &decisions).await?;
        let mut weighed = Vec::with_capacity(decisions.len());
        for offline in decisions {
            if !in_time(offline.decide_time) {
                weighed.push(Weighed::Not(Verdict::OutOfTime));
                continue;
            }
            let root = offline
                .recheck_of
                .map(|first| observed.root(first, &offline));
            let asked = Asked {
                person: offline.person,
                observation: offline.observation,
                reading: match offline.recheck_of {
                    None => Reading::First,
                    Some(_) => Reading::Contact,
                },
                emergency: offline.emergency.is_some(),
                weather_delay: self
                    .weather_delay(school, offline.person, offline.decide_time)
                    .await,
            };
            let weighing = self.weigh(school, asked, offline.decide_time);
            if !weighing.policy.believes(&offline.observation) {
                weighed.push(Weighed::Not(Verdict::Implausible));
                continue;
            }
            let record = Record {
                school: school.id.clone(),
                id: Uuid::new_v7(timestamp(now)),
                org_path: school.path.to_string(),
                person: offline.person,
                outcome: offline.outcome,
                checks: weighing.decision.checks,
                observation: offline.observation,
                device: device.to_owned(),
                guard: guard.to_owned(),
                policy_version: weighing.policy.version,
                decide_time: offline.decide_time,
                record_time: now,
                facts_time: weighing.facts_time,
                stale: weighing.decision.stale,
                offline: true,
                recheck_of: root.flatten(),
                identification: match offline.person {
                    Some(_) => Identification::Device,
                    None => Identification::None,
                },
                emergency: offline.emergency.as_ref().map(|emergency| emergency.crew),
                colour_source: ColourSource::Shown,
                client_id: offline.client_id,
                fingerprint: offline.fingerprint,
            };
            observed.note(&record);
            weighed.push(Weighed::One {
                expected: (root != Some(None)).then_some(weighing.decision.outcome),
                record: Box::new(record),
                emergency: offline.emergency,
            });
        }
        Ok(weighed)
    }
}

impl Verdict {
    /// What became of a decision where this service `expected` another result, or the same.
    pub(in crate::app) fn of(
        record: &Record,
        expected: Option<Outcome>,
        appended: Appended,
    ) -> Self {
        // Where nobody knows what was rechecked, the person should have been observed first.
        let known = expected.unwrap_or(Outcome::Observe);
        match appended {
            Appended::Stored if expected == Some(record.outcome) => {
                Self::Recorded(record.id, known)
            }
            Appended::Stored => Self::Conflict(record.id, known),
            Appended::Repeated(before) => Self::Repeated(before.id, known),
            Appended::Differs => Self::Differs(known),
        }
    }
}

/// The decisions from which rechecks of a batch may go on, by the ids that a gate may know them by.
struct Observed(HashMap<Uuid, Sent>);

/// A decision that sent somebody to observation.
#[derive(Clone, Copy)]
struct Sent {
    /// The first decision: this one, or the one that it rechecked.
    root: Uuid,
    person: Option<PersonName>,
    time: DateTime<Utc>,
}

impl Observed {
    /// What is stored of those that the decisions of a batch name.
    async fn of(gate: &Gatehouse, school: &School, decisions: &[Offline]) -> Result<Self, Error> {
        let named: Vec<Uuid> = decisions.iter().filter_map(|one| one.recheck_of).collect();
        let mut observed = Self(HashMap::new());
        if named.is_empty() {
            return Ok(observed);
        }
        for record in gate.store.decisions_named(&school.id, &named).await? {
            observed.note(&record);
        }
        Ok(observed)
    }

    /// Remembers a decision that sends to observation. What is stored already stays as it is known.
    fn note(&mut self, record: &Record) {
        if record.outcome != Outcome::Observe {
            return;
        }
        let sent = Sent {
            root: record.recheck_of.unwrap_or(record.id),
            person: record.person,
            time: record.decide_time,
        };
        for id in [record.client_id, record.id] {
            self.0.entry(id).or_insert(sent);
        }
    }

    /// The first decision from which a recheck goes on; none where there is none of this person before.
    fn root(&self, named: Uuid, recheck: &Offline) -> Option<Uuid> {
        let sent = self.0.get(&named)?;
        let before = sent.person == recheck.person && sent.time <= recheck.decide_time;
        before.then_some(sent.root)
    }
}

/// A batch that met another writer is tried once more: what the first try stored is recognised. A
/// database that says nothing does not keep everybody behind this batch waiting for ever: what it
/// stores all the same is recognised when a gate asks again.
pub(in crate::app) async fn append_twice<R: Borrow<Record>>(
    store: &Store,
    records: &[R],
) -> Result<Vec<Appended>, Problem> {
    let twice = async {
        match store.append(records).await {
            Err(err) if is_transient(&err) => store.append(records).await,
            appended => appended,
        }
    };
    match tokio::time::timeout(PATIENCE, twice).await {
        Ok(appended) => Ok(appended?),
        Err(_) => Err(Problem::new(ErrorReason::Overloaded)),
    }
}

/// The work of the group commit: one answer for each decision.
pub(super) async fn append(
    store: &Store,
    records: Vec<Arc<Record>>,
) -> Vec<Result<Appended, ErrorReason>> {
    match append_twice(store, &records).await {
        Ok(appended) => appended.into_iter().map(Ok).collect(),
        Err(problem) => {
            let cause = std::error::Error::source(&problem).map(ToString::to_string);
            let (reason, decisions) = (problem.reason(), records.len());
            tracing::warn!(error = cause, decisions, "decisions were not stored");
            vec![Err(reason); decisions]
        }
    }
}
