//! Who was found with a fever or symptoms today: only they are looked up in the tables when they come to a
//! gate again, so that nobody else waits for a query.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use kit::clock::{Clock, civil_date, start_of};
use kit::drain::Drain;
use sea_orm::DbErr;

use crate::domain::gate::course::Course;
use crate::domain::gate::finding::Finding;
use crate::domain::person::PersonName;
use crate::store::Store;

/// How far back what other replicas stored is read again: longer than a decision waits for its commit
/// and the clocks of two replicas differ.
const OVERLAP: chrono::Duration = chrono::Duration::minutes(1);

/// The people of today, of all replicas. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Marks {
    marked: Arc<RwLock<Marked>>,
}

/// At most one entry for each person, of one day.
#[derive(Debug, Default)]
struct Marked {
    day: NaiveDate,
    people: HashSet<PersonName>,
}

impl Marks {
    /// Loads those of today and begins to follow what other replicas store, every `refresh`.
    pub(super) async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        refresh: Duration,
        drain: Drain,
    ) -> Result<Self, DbErr> {
        let marks = Self {
            marked: Arc::default(),
        };
        let now = clock.now();
        marks.read(&store, start_of(civil_date(now)), now).await?;
        tokio::spawn(marks.clone().follow(store, clock, (refresh, now), drain));
        Ok(marks)
    }

    /// Notes what a decision of `time` found of somebody, also before it is stored: whoever is noted in
    /// vain is looked up in vain.
    pub(super) fn note(&self, person: Option<PersonName>, finding: Finding, time: DateTime<Utc>) {
        if let Some(person) = person.filter(|_| Course::opens(finding)) {
            self.add([(person, civil_date(time))]);
        }
    }

    /// Whether somebody was found with a fever or symptoms on `day`, which is the present one.
    pub(super) fn has(&self, person: PersonName, day: NaiveDate) -> bool {
        let marked = self.marked.read().unwrap_or_else(PoisonError::into_inner);
        marked.day == day && marked.people.contains(&person)
    }

    fn add(&self, people: impl IntoIterator<Item = (PersonName, NaiveDate)>) {
        let mut marked = self.marked.write().unwrap_or_else(PoisonError::into_inner);
        for (person, day) in people {
            if day > marked.day {
                *marked = Marked {
                    day,
                    people: HashSet::new(),
                };
            }
            if day == marked.day {
                marked.people.insert(person);
            }
        }
    }

    async fn read(
        &self,
        store: &Store,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let today = civil_date(now);
        let of_today = |people: Vec<(PersonName, NaiveDate)>| {
            self.add(people.into_iter().filter(|(_, day)| *day == today));
        };
        store.ailing(since, of_today).await
    }

    async fn follow(
        self,
        store: Store,
        clock: Arc<dyn Clock>,
        (refresh, mut reached): (Duration, DateTime<Utc>),
        drain: Drain,
    ) {
        while !drain.is_draining() {
            tokio::select! {
                () = tokio::time::sleep(refresh) => {}
                () = drain.draining() => {}
            }
            let now = clock.now();
            match self.read(&store, reached - OVERLAP, now).await {
                Ok(()) => reached = now,
                Err(err) => tracing::warn!(error = %err, "cannot read who waits, trying again"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::person::PersonKind;

    #[test]
    fn people_are_known_for_the_day_and_no_longer() {
        let marks = Marks {
            marked: Arc::default(),
        };
        let person = PersonName {
            kind: PersonKind::Student,
            id: Uuid::from_u128(1),
        };
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (today, tomorrow) = (at("2022-04-06T00:00:00Z"), at("2022-04-07T00:00:00Z"));
        let has = |time| marks.has(person, civil_date(time));
        marks.note(Some(person), Finding::TemperatureNormal, today);
        assert!(!has(today));
        marks.note(Some(person), Finding::TemperatureHigh, today);
        assert!(has(today) && !has(tomorrow));
        let other = PersonName {
            id: Uuid::from_u128(2),
            ..person
        };
        marks.note(Some(other), Finding::SymptomsConfirmed, tomorrow);
        assert!(!has(tomorrow) && !has(today));
        marks.note(Some(person), Finding::TemperatureHigh, today);
        assert!(!has(today), "what is told late of a day that is over");
    }
}
