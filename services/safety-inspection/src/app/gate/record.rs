//! Decisions that gates made without a network.

use chrono::{DateTime, Duration, Utc};
use kit::status::{Problem, is_transient};
use proto::error::ErrorReason;
use uuid::Uuid;

use super::check::timestamp;
use super::{Gatehouse, School};
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
}

impl Gatehouse {
    /// Stores what a gate did without a network. Answers in the order of `decisions`.
    ///
    /// # Errors
    /// When the database fails; nothing is stored then.
    pub async fn record(
        &self,
        school: &School,
        device: &str,
        guard: &str,
        decisions: Vec<Offline>,
    ) -> Result<Vec<Verdict>, Error> {
        let now = self.clock.now();
        let in_time = |at: DateTime<Utc>| at <= now + AHEAD && at >= now - OLDEST;
        let mut verdicts = vec![Verdict::OutOfTime; decisions.len()];
        let (mut places, mut records, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        for (place, offline) in decisions.into_iter().enumerate() {
            if !in_time(offline.decide_time) {
                continue;
            }
            let weighing = self.weigh(
                school,
                offline.person,
                offline.observation,
                Reading::First,
                false,
                offline.decide_time,
            );
            places.push(place);
            expected.push(weighing.decision.outcome);
            records.push(Record {
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
                recheck_of: None,
                identification: match offline.person {
                    Some(_) => Identification::Device,
                    None => Identification::None,
                },
                emergency: None,
                colour_source: ColourSource::Shown,
                client_id: offline.client_id,
                fingerprint: offline.fingerprint,
            });
        }
        let appended = append_twice(&self.store, &records).await?;
        for (((place, record), expected), appended) in
            places.into_iter().zip(&records).zip(expected).zip(appended)
        {
            verdicts[place] = match appended {
                Appended::Stored if record.outcome == expected => {
                    Verdict::Recorded(record.id, expected)
                }
                Appended::Stored => Verdict::Conflict(record.id, expected),
                Appended::Repeated(before) => Verdict::Repeated(before.id, expected),
                Appended::Differs => Verdict::Differs(expected),
            };
        }
        Ok(verdicts)
    }
}

/// A batch that met another writer is tried once more: what the first try stored is recognised. A
/// database that says nothing does not keep everybody behind this batch waiting for ever: what it
/// stores all the same is recognised when a gate asks again.
async fn append_twice(store: &Store, records: &[Record]) -> Result<Vec<Appended>, Problem> {
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
    records: Vec<Record>,
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
