//! Decisions that gates made without a network.

use std::borrow::Borrow;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use kit::clock::civil_date;
use kit::status::{Problem, is_transient};
use proto::error::ErrorReason;
use uuid::Uuid;

use super::check::{Asked, By};
use super::past::{Observed, Past};
use super::{Emergency, Gatehouse, School};
use crate::domain::gate::course::Course;
use crate::domain::gate::decision::{self, Outcome};
use crate::domain::gate::finding::Finding;
use crate::domain::gate::observation::{ColourSource, Identification, Observation, Reading};
use crate::domain::person::PersonName;
use crate::error::Error;
use crate::store::Store;
use crate::store::gate::decisions::{Appended, Record};

/// How far back a gate's own decisions are taken.
pub(super) const OLDEST: Duration = Duration::days(7);
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
    /// When the facts of the gate's snapshot were last confirmed; none when there were none.
    pub facts_time: Option<DateTime<Utc>>,
    /// The decision that sent this person to observation, by an id that the gate knows it by.
    pub recheck_of: Option<Uuid>,
    /// The crew that was let in.
    pub emergency: Option<Emergency>,
    /// A digest of the entry.
    pub fingerprint: i64,
}

/// By which clearance somebody was judged; the numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// By none: nobody is known who has one, or it is of another organisation.
    None = 0,
    /// By that of the time, which has changed since.
    Then = 1,
    /// By the present one, which was that of the time.
    Present = 2,
}

/// What this service would have decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The result.
    pub outcome: Outcome,
    /// By which clearance.
    pub basis: Basis,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Stored, and the facts agree.
    Recorded(Uuid, Expected),
    /// Was stored before.
    Repeated(Uuid, Expected),
    /// Stored, but the facts say otherwise.
    Conflict(Uuid, Expected),
    /// The id is known with other content.
    Differs(Expected),
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
        /// What this service would have decided.
        expected: Expected,
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
        let mut past = Past::of(self, school, &decisions).await?;
        let mut weighed = Vec::with_capacity(decisions.len());
        for offline in decisions {
            if !in_time(offline.decide_time) {
                weighed.push(Weighed::Not(Verdict::OutOfTime));
                continue;
            }
            let root = offline
                .recheck_of
                .map(|first| observed.root(first, &offline));
            let (person, at) = (offline.person, offline.decide_time);
            let weather_delay =
                self.comes_late(school, person, at) && self.delayed(school, civil_date(at)).await;
            let course = past.course(&offline);
            let clearance = past.clearance(&offline);
            let asked = Asked {
                person: offline.person,
                observation: offline.observation,
                reading: match offline.recheck_of {
                    None => Reading::First,
                    Some(_) => Reading::Contact,
                },
                by: By::Then {
                    clearance,
                    facts_time: offline.facts_time,
                },
                emergency: offline.emergency.is_some(),
                weather_delay,
            };
            let weighing = self.weigh(school, asked, offline.decide_time);
            if !weighing.policy.believes(&offline.observation) {
                weighed.push(Weighed::Not(Verdict::Implausible));
                continue;
            }
            let wait = weighing.policy.recheck_wait;
            let mut decision = weighing.decision;
            let mut recheck_of = root.flatten().map(|sent| sent.root);
            let mut expected = decision.outcome;
            // Whatever was measured, the person waits.
            let waiting = decision.still(Finding::TemperatureHigh).outcome;
            match (course, root) {
                (
                    Course::Clinic {
                        root: first,
                        finding,
                    },
                    _,
                ) => {
                    decision = decision.still(finding);
                    recheck_of = recheck_of.or(Some(first));
                    expected = decision.outcome;
                }
                (Course::Clear, None) => {}
                (Course::Waits { .. }, None) | (_, Some(None)) => expected = waiting,
                (open, Some(Some(sent))) => {
                    let early =
                        |found| decision::recheck(found, offline.decide_time, wait).is_err();
                    let awaited = match open {
                        Course::Waits { finding, since, .. } => early((finding, since)),
                        Course::Clear | Course::Clinic { .. } => false,
                    };
                    if awaited || early((sent.finding, sent.time)) {
                        expected = waiting;
                    }
                }
            }
            let record = Record {
                school: school.id.clone(),
                id: self.ids.next(now),
                org_path: school.path.to_string(),
                person: offline.person,
                outcome: offline.outcome,
                checks: decision.checks,
                observation: offline.observation,
                device: device.to_owned(),
                guard: guard.to_owned(),
                policy_version: weighing.policy.version,
                decide_time: offline.decide_time,
                record_time: now,
                facts_time: weighing.facts_time,
                stale: decision.stale,
                offline: true,
                expected: Some(expected),
                recheck_of,
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
            past.note(&record);
            if civil_date(record.decide_time) == civil_date(now) {
                let finding = record.checks.temperature;
                self.marks.note(record.person, finding, record.decide_time);
            }
            let basis = match (record.person, clearance) {
                (None, _) => Basis::None,
                // By none: how somebody of another organisation is is not told here.
                _ if record.checks.identity == Finding::PersonUnknown => Basis::None,
                (Some(_), Some(_)) => Basis::Then,
                (Some(_), None) => Basis::Present,
            };
            weighed.push(Weighed::One {
                expected: Expected {
                    outcome: expected,
                    basis,
                },
                record: Box::new(record),
                emergency: offline.emergency,
            });
        }
        Ok(weighed)
    }
}

impl Verdict {
    /// What became of a decision where this service `expected` another result, or the same.
    pub(in crate::app) fn of(record: &Record, expected: Expected, appended: Appended) -> Self {
        match appended {
            Appended::Stored if expected.outcome == record.outcome => {
                Self::Recorded(record.id, expected)
            }
            Appended::Stored => Self::Conflict(record.id, expected),
            Appended::Repeated(before) => {
                let outcome = before.expected.unwrap_or(expected.outcome);
                Self::Repeated(
                    before.id,
                    Expected {
                        outcome,
                        ..expected
                    },
                )
            }
            Appended::Differs => Self::Differs(expected),
        }
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
