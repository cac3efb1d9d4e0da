//! One person at one gate.

use chrono::{DateTime, Utc};
use kit::status::Problem;
use proto::error::ErrorReason;
use uuid::Uuid;

use super::visitor::minute;
use super::{Gatehouse, Overridable, School, decision_name};
use crate::domain::gate::decision::{self, Case, Decision, Outcome, Standing};
use crate::domain::gate::observation::{ColourSource, Crew, Identification, Observation, Reading};
use crate::domain::gate::person_code;
use crate::domain::gate::policy::GatePolicy;
use crate::domain::person::PersonName;
use crate::error::Error;
use crate::store::gate::decisions::{Appended, Record};

/// How somebody is identified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// By a code of ours.
    Code(String),
    /// By a card.
    Card(String),
    /// By a guard.
    Person(PersonName),
    /// Not at all.
    Unknown,
}

impl Identity {
    fn how(&self) -> Identification {
        match self {
            Self::Code(_) => Identification::PersonCode,
            Self::Card(_) => Identification::Card,
            Self::Person(_) => Identification::Guard,
            Self::Unknown => Identification::None,
        }
    }
}

/// Somebody wants to enter.
#[derive(Clone, Debug)]
pub struct Entry {
    /// How the person is identified.
    pub identity: Identity,
    /// What was seen.
    pub observation: Observation,
    /// The crew that comes in an emergency.
    pub emergency: Option<Crew>,
    /// The colour is looked up when none was shown.
    pub look_up: bool,
    /// The gate or device.
    pub device: String,
    /// The guard.
    pub guard: String,
    /// The decision that sent this person to observation.
    pub recheck_of: Option<Uuid>,
    /// What makes a repeat recognisable.
    pub request_id: Option<Uuid>,
    /// A digest of the request.
    pub fingerprint: i64,
}

/// What is weighed besides what was seen.
pub(in crate::app) struct Weighing {
    pub(in crate::app) decision: Decision,
    pub(in crate::app) policy: GatePolicy,
    pub(super) facts_time: Option<DateTime<Utc>>,
}

impl Gatehouse {
    /// Decides, stores and answers.
    ///
    /// # Errors
    /// When a recheck comes too early or for somebody else, or the decision cannot be stored in time.
    pub async fn check(&self, school: &School, entry: Entry) -> Result<Overridable, Error> {
        let deciding = tokio::time::timeout(self.answer_within, self.decide(school, entry));
        match deciding.await {
            Ok(decided) => decided,
            Err(_) => {
                let overloaded = Problem::new(ErrorReason::Overloaded);
                Err(overloaded.retry_after(self.answer_within).into())
            }
        }
    }

    async fn decide(&self, school: &School, entry: Entry) -> Result<Overridable, Error> {
        let now = self.clock.now();
        let person = self.identify(school, &entry.identity, now).await?;
        let reading = match entry.recheck_of {
            None => Reading::First,
            Some(first) => {
                self.require_observation(school, person, first, now).await?;
                Reading::Contact
            }
        };
        let (observation, colour_source) = self.colour(school, &entry, person, now).await;
        let weighing = self.weigh(
            school,
            person,
            observation,
            reading,
            entry.emergency.is_some(),
            now,
        );
        let id = Uuid::new_v7(timestamp(now));
        let record = Record {
            school: school.id.clone(),
            id,
            org_path: school.path.to_string(),
            person,
            outcome: weighing.decision.outcome,
            checks: weighing.decision.checks,
            observation,
            device: entry.device,
            guard: entry.guard,
            policy_version: weighing.policy.version,
            decide_time: now,
            record_time: now,
            facts_time: weighing.facts_time,
            stale: weighing.decision.stale,
            offline: false,
            recheck_of: entry.recheck_of,
            identification: entry.identity.how(),
            emergency: entry.emergency,
            colour_source,
            client_id: entry.request_id.unwrap_or(id),
            fingerprint: entry.fingerprint,
        };
        let client_id = record.client_id;
        match self
            .batcher
            .submit(record.clone())
            .await?
            .map_err(Problem::new)?
        {
            Appended::Stored => Ok((record, None)),
            Appended::Repeated(before) => Ok((*before, None)),
            Appended::Differs => Err(Error::RequestIdReused(client_id)),
        }
    }

    /// What was seen, with the colour looked up where that was asked for, none was shown and the policy
    /// asks for one.
    async fn colour(
        &self,
        school: &School,
        entry: &Entry,
        person: Option<PersonName>,
        now: DateTime<Utc>,
    ) -> (Observation, ColourSource) {
        let seen = entry.observation;
        let wanted = entry.look_up && entry.emergency.is_none();
        let Some(person) = person.filter(|_| wanted) else {
            return (seen, ColourSource::Shown);
        };
        let reference = self.health_codes.of_person(person);
        self.look_up(&school.id, &school.path, seen, reference, now)
            .await
    }

    /// Decides from what is in memory.
    pub(super) fn weigh(
        &self,
        school: &School,
        person: Option<PersonName>,
        observation: Observation,
        reading: Reading,
        emergency: bool,
        now: DateTime<Utc>,
    ) -> Weighing {
        let (today, path) = (kit::clock::civil_date(now), school.path.as_str());
        let (standing, clearance, grade, policy) = self.facts.with(|index| {
            let standing = person.map_or(Standing::Unknown, |person| index.standing(person, path));
            let clearance = person
                .map(|person| index.clearance(person))
                .unwrap_or_default();
            let grade = person.map_or(0, |person| index.grade(person, path));
            (standing, clearance, grade, index.policy(path, today))
        });
        let arrival = policy.arrival_of(grade);
        let facts_time = self.facts.time();
        let decision = decision::decide(&Case {
            standing,
            clearance,
            observation,
            reading,
            emergency,
            arrival: arrival.filter(|_| standing == Standing::Expected),
            minute: minute(now),
            today,
            facts_time,
            now,
            policy: &policy,
        });
        Weighing {
            decision,
            policy,
            facts_time,
        }
    }

    /// A code that is not ours or too old and a card that was never bound identify nobody.
    async fn identify(
        &self,
        school: &School,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<Option<PersonName>, Error> {
        match identity {
            Identity::Unknown => Ok(None),
            Identity::Person(person) => Ok(Some(*person)),
            Identity::Card(card) => Ok(self.store.card_holder(self.codes.card_hash(card)).await?),
            Identity::Code(code) => {
                let Ok((person, issued)) = self.codes.open(code) else {
                    return Ok(None);
                };
                let today = kit::clock::civil_date(now);
                let policy = self
                    .facts
                    .with(|index| index.policy(school.path.as_str(), today));
                let ends = person_code::expires(issued, policy.person_code_ttl_days);
                Ok((today < ends).then_some(person))
            }
        }
    }

    async fn require_observation(
        &self,
        school: &School,
        person: Option<PersonName>,
        first: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let name = decision_name(&school.id, first);
        let (observed, _) = self.decision(school, first).await?;
        if observed.outcome != Outcome::Observe || observed.person != person {
            return Err(Error::NotObserved(name));
        }
        let today = kit::clock::civil_date(now);
        let policy = self
            .facts
            .with(|index| index.policy(school.path.as_str(), today));
        decision::recheck(observed.decide_time, now, policy.recheck_wait)
            .map_err(|early| Error::RecheckTooEarly(early.0))
    }
}

pub(super) fn timestamp(now: DateTime<Utc>) -> uuid::Timestamp {
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    uuid::Timestamp::from_unix(uuid::NoContext, seconds, now.timestamp_subsec_nanos())
}
