//! What stands of the people of a batch before each of its decisions: who was sent to observation, how they
//! stood on the day, and by which clearance they were judged.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use kit::clock::civil_date;
use uuid::Uuid;

use super::record::{OLDEST, Offline};
use super::{Gatehouse, School};
use crate::domain::gate::clearance::Clearance;
use crate::domain::gate::course::{Course, Event, Found};
use crate::domain::gate::decision::Outcome;
use crate::domain::gate::finding::Finding;
use crate::domain::person::PersonName;
use crate::error::Error;
use crate::store::gate::clearances::Before;
use crate::store::gate::decisions::Record;

/// The decisions from which rechecks of a batch may go on, by the ids that a gate may know them by.
pub(super) struct Observed(HashMap<Uuid, Sent>);

/// A decision that sent somebody to observation.
#[derive(Clone, Copy)]
pub(super) struct Sent {
    /// The first decision: this one, or the one that it rechecked.
    pub(super) root: Uuid,
    person: Option<PersonName>,
    pub(super) finding: Finding,
    pub(super) time: DateTime<Utc>,
}

impl Observed {
    /// What is stored of those that the decisions of a batch name.
    pub(super) async fn of(
        gate: &Gatehouse,
        school: &School,
        decisions: &[Offline],
    ) -> Result<Self, Error> {
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
    pub(super) fn note(&mut self, record: &Record) {
        if record.outcome != Outcome::Observe {
            return;
        }
        let sent = Sent {
            root: record.recheck_of.unwrap_or(record.id),
            person: record.person,
            finding: record.checks.temperature,
            time: record.decide_time,
        };
        for id in [record.client_id, record.id] {
            self.0.entry(id).or_insert(sent);
        }
    }

    /// The decision from which a recheck goes on; none where there is none of this person before.
    pub(super) fn root(&self, named: Uuid, recheck: &Offline) -> Option<Sent> {
        let sent = self.0.get(&named)?;
        let before = sent.person == recheck.person && sent.time <= recheck.decide_time;
        before.then_some(*sent)
    }
}

/// How the people of a batch stood at the time of each decision.
pub(super) struct Past {
    lived: HashMap<PersonName, Vec<(DateTime<Utc>, Event)>>,
    before: Before,
}

impl Past {
    /// What is stored of them.
    pub(super) async fn of(
        gate: &Gatehouse,
        school: &School,
        decisions: &[Offline],
    ) -> Result<Self, Error> {
        let mut past = Self {
            lived: HashMap::new(),
            before: Before::default(),
        };
        let people: BTreeSet<PersonName> = decisions.iter().filter_map(|one| one.person).collect();
        let oldest = decisions.iter().map(|one| one.decide_time).min();
        let Some(oldest) = oldest.filter(|_| !people.is_empty()) else {
            return Ok(past);
        };
        let oldest = oldest.max(gate.clock.now() - OLDEST);
        let people: Vec<PersonName> = people.into_iter().collect();
        let day = civil_date(oldest);
        for (person, time, event) in gate.store.lived(&school.id, &people, day).await? {
            past.lived.entry(person).or_default().push((time, event));
        }
        past.before = gate.store.clearances_before(&people, oldest).await?;
        Ok(past)
    }

    /// Remembers a decision of the batch.
    pub(super) fn note(&mut self, record: &Record) {
        let Some(person) = record.person else { return };
        let found = Found {
            id: record.id,
            recheck_of: record.recheck_of,
            finding: record.checks.temperature,
            time: record.decide_time,
            premature: record.expected == Some(Outcome::Observe),
        };
        let lived = self.lived.entry(person).or_default();
        lived.push((record.decide_time, Event::Decided(found)));
        lived.sort_by_key(|(time, _)| *time);
    }

    /// How the person stood on that day at the time of the decision.
    pub(super) fn course(&self, offline: &Offline) -> Course {
        let (now, day) = (offline.decide_time, civil_date(offline.decide_time));
        let lived = offline.person.and_then(|person| self.lived.get(&person));
        let until_then =
            |(time, _): &&(DateTime<Utc>, Event)| *time <= now && civil_date(*time) == day;
        let events = lived.into_iter().flatten().filter(until_then);
        Course::of(events.map(|(_, event)| *event))
    }

    /// The clearance that the person had then, when it has changed since.
    pub(super) fn clearance(&self, offline: &Offline) -> Option<Clearance> {
        self.before.at(offline.person?, offline.decide_time)
    }
}
