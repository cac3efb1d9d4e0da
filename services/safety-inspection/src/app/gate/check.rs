//! One person at one gate.

use std::future::Future;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use kit::status::Problem;
use proto::error::ErrorReason;
use uuid::Uuid;

use super::visitor::minute;
use super::{Gatehouse, Overridable, School};
use crate::domain::gate::clearance::Clearance;
use crate::domain::gate::decision::{self, Case, Decision, Standing};
use crate::domain::gate::finding::Finding;
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

/// A crew that comes in an emergency (rule 3.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emergency {
    /// The crew.
    pub crew: Crew,
    /// How many they are; at least one.
    pub people: i32,
    /// The plate of their vehicle; may be empty.
    pub plate: String,
}

/// What is looked up on behalf of somebody without a phone, when it was not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookUp {
    /// The colour of the health code.
    pub colour: bool,
    /// The travel card.
    pub travel: bool,
}

/// Somebody wants to enter.
#[derive(Clone, Debug)]
pub struct Entry {
    /// How the person is identified.
    pub identity: Identity,
    /// What was seen.
    pub observation: Observation,
    /// The crew that comes in an emergency.
    pub emergency: Option<Emergency>,
    /// What is looked up when none was shown.
    pub look_up: LookUp,
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

/// Who is weighed, and what was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) person: Option<PersonName>,
    pub(super) observation: Observation,
    pub(super) reading: Reading,
    pub(super) emergency: bool,
    pub(super) weather_delay: bool,
    pub(super) by: By,
}

/// By what somebody is weighed.
#[derive(Clone, Copy, Debug)]
pub(super) enum By {
    /// By what is known now.
    Present,
    /// By the facts that a gate without a network had, and by the clearance of that time where it has
    /// changed since.
    Then {
        clearance: Option<Clearance>,
        facts_time: Option<DateTime<Utc>>,
    },
}

/// What is weighed besides what was seen.
pub(in crate::app) struct Weighing {
    pub(in crate::app) decision: Decision,
    pub(in crate::app) policy: GatePolicy,
    pub(super) facts_time: Option<DateTime<Utc>>,
}

impl Gatehouse {
    /// Decides, stores and answers. A crew in an emergency enters with its visit instead
    /// (`Visitors::admit_at_gate`).
    ///
    /// # Errors
    /// When a recheck comes too early, for somebody else or as a first check, a reading is none of a
    /// person, or the decision cannot be stored in time.
    pub async fn check(&self, school: &School, entry: Entry) -> Result<Overridable, Error> {
        self.within(async {
            let record = Arc::new(self.decide(school, entry).await?);
            let stored = self.batcher.submit(record.clone()).await?;
            kept(Arc::unwrap_or_clone(record), stored.map_err(Problem::new)?)
        })
        .await
    }

    /// What `work` answers, unless the gate must not wait any longer.
    pub(in crate::app) async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        match tokio::time::timeout(self.answer_within, work).await {
            Ok(answer) => answer,
            Err(_) => {
                let overloaded = Problem::new(ErrorReason::Overloaded);
                Err(overloaded.retry_after(self.answer_within).into())
            }
        }
    }

    /// The decision, which is not stored yet.
    pub(in crate::app) async fn decide(
        &self,
        school: &School,
        entry: Entry,
    ) -> Result<Record, Error> {
        let now = self.clock.now();
        let person = self.identify(school, &entry.identity, now).await?;
        let onward = self.onward(school, person, &entry, now).await?;
        let (observation, colour_source) = self.seen(school, &entry, person, now).await;
        let weather_delay = self.comes_late(school, person, now)
            && self.delayed(school, kit::clock::civil_date(now)).await;
        let weighing = self.weigh(
            school,
            Asked {
                person,
                observation,
                reading: onward.reading,
                emergency: entry.emergency.is_some(),
                weather_delay,
                by: By::Present,
            },
            now,
        );
        if !weighing.policy.believes(&observation) {
            return Err(implausible("observation").into());
        }
        let decision = match onward.still {
            None => weighing.decision,
            Some(finding) => weighing.decision.still(finding),
        };
        self.marks.note(person, decision.checks.temperature, now);
        let id = self.ids.next(now);
        Ok(Record {
            school: school.id.clone(),
            id,
            org_path: school.path.to_string(),
            person,
            outcome: decision.outcome,
            checks: decision.checks,
            observation,
            device: entry.device,
            guard: entry.guard,
            policy_version: weighing.policy.version,
            decide_time: now,
            record_time: now,
            facts_time: weighing.facts_time,
            stale: decision.stale,
            offline: false,
            expected: None,
            recheck_of: onward.recheck_of,
            identification: entry.identity.how(),
            emergency: entry.emergency.map(|emergency| emergency.crew),
            colour_source,
            client_id: entry.request_id.unwrap_or(id),
            fingerprint: entry.fingerprint,
        })
    }

    /// What was seen, with colour and travel card looked up where that was asked for, none was shown and
    /// the policy asks for one; of nobody who is not of the school.
    async fn seen(
        &self,
        school: &School,
        entry: &Entry,
        person: Option<PersonName>,
        now: DateTime<Utc>,
    ) -> (Observation, ColourSource) {
        let wanted = entry.look_up != LookUp::default() && entry.emergency.is_none();
        let person = person.filter(|person| wanted && self.belongs(school, *person));
        let Some(person) = person else {
            return (entry.observation, ColourSource::Shown);
        };
        let reference = self.health_codes.of_person(person);
        let at = (&*school.id, &school.path);
        let seen = (entry.observation, entry.look_up);
        // Boxed, like whatever most decisions do not wait for: the way of most stays small.
        Box::pin(self.look_up(at, seen, reference, now)).await
    }

    /// Whether somebody comes later than the grade does.
    pub(super) fn comes_late(
        &self,
        school: &School,
        person: Option<PersonName>,
        at: DateTime<Utc>,
    ) -> bool {
        let path = school.path.as_str();
        person.is_some_and(|person| {
            self.facts.with(|index| {
                let window = index
                    .policy(path, kit::clock::civil_date(at))
                    .arrival_of(index.grade(person, path));
                window.is_some_and(|window| window.finding(minute(at)) == Finding::ArrivalLate)
            })
        })
    }

    /// Decides from what is in memory.
    pub(super) fn weigh(&self, school: &School, asked: Asked, now: DateTime<Utc>) -> Weighing {
        let (today, path) = (kit::clock::civil_date(now), school.path.as_str());
        let Asked {
            person,
            observation,
            reading,
            emergency,
            weather_delay,
            by,
        } = asked;
        let (standing, present, grade, policy) = self.facts.with(|index| {
            let standing = person.map_or(Standing::Unknown, |person| index.standing(person, path));
            let policy = index.policy(path, today);
            let clearance = person
                .map(|person| index.clearance_on(today, person, &policy))
                .unwrap_or_default();
            let grade = person.map_or(0, |person| index.grade(person, path));
            (standing, clearance, grade, policy)
        });
        let arrival = policy.arrival_of(grade);
        let (clearance, facts_time) = match by {
            By::Present => (present, self.facts.time()),
            By::Then {
                clearance,
                facts_time,
            } => (clearance.unwrap_or(present), facts_time),
        };
        let decision = decision::decide(&Case {
            standing,
            clearance,
            observation,
            reading,
            emergency,
            arrival: arrival.filter(|_| standing == Standing::Expected),
            weather_delay,
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

    /// A code that is not ours or too old and a card that was never bound identify nobody; nor do those of somebody
    /// who is not of the school, or a gate would tell who belongs elsewhere.
    async fn identify(
        &self,
        school: &School,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<Option<PersonName>, Error> {
        let person = match identity {
            Identity::Unknown => None,
            // Whom the guard names is named in the answer, known or not.
            Identity::Person(person) => return Ok(Some(*person)),
            Identity::Card(card) => {
                Box::pin(self.store.card_holder(self.codes.card_hash(card))).await?
            }
            Identity::Code(code) => {
                let Ok((person, issued)) = self.codes.open(code) else {
                    return Ok(None);
                };
                let today = kit::clock::civil_date(now);
                let policy = self
                    .facts
                    .with(|index| index.policy(school.path.as_str(), today));
                let ends = person_code::expires(issued, policy.person_code_ttl_days);
                (today < ends).then_some(person)
            }
        };
        Ok(person.filter(|person| self.belongs(school, *person)))
    }

    /// Whether somebody is on a roll of the school.
    fn belongs(&self, school: &School, person: PersonName) -> bool {
        let path = school.path.as_str();
        self.facts
            .with(|index| index.standing(person, path) != Standing::Unknown)
    }
}

/// The decision that holds: this one, or the one that was stored before for the same request.
///
/// # Errors
/// When the request id was used before for something else.
pub(in crate::app) fn kept(record: Record, appended: Appended) -> Result<Overridable, Error> {
    match appended {
        Appended::Stored => Ok((record, None)),
        Appended::Repeated(before) => Ok((*before, None)),
        Appended::Differs => Err(Error::RequestIdReused(record.client_id)),
    }
}

/// A reading that the policy in force does not believe (rule 3.2).
pub(in crate::app) fn implausible(field: &str) -> Problem {
    Problem::invalid(
        format!("{field}.temperature_decidegrees"),
        "体温读数不可信，请重新测量",
        "not a temperature of a person",
    )
}
