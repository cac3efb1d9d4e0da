//! What an entry goes on from: a recheck from the decision that sent to observation (rule 3.3).

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::check::Entry;
use super::{Gatehouse, School, decision_name};
use crate::domain::gate::course::{self, Course};
use crate::domain::gate::decision::{self, Outcome};
use crate::domain::gate::finding::Finding;
use crate::domain::gate::observation::Reading;
use crate::domain::person::PersonName;
use crate::error::Error;

/// What an entry goes on from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Onward {
    /// The first decision, of a recheck.
    pub(super) recheck_of: Option<Uuid>,
    /// How the temperature was taken.
    pub(super) reading: Reading,
    /// What a recheck of the day ended with.
    pub(super) still: Option<Finding>,
}

impl Gatehouse {
    /// What an entry goes on from: whoever waits is checked by a recheck alone, and whom a recheck sent to
    /// the fever clinic is denied again.
    pub(super) async fn onward(
        &self,
        school: &School,
        person: Option<PersonName>,
        entry: &Entry,
        now: DateTime<Utc>,
    ) -> Result<Onward, Error> {
        let course = self.course(school, person, entry.request_id, now).await?;
        let (recheck_of, still) = match (entry.recheck_of, course) {
            (Some(first), Course::Clinic { .. }) => {
                return Err(Error::NotObserved(decision_name(&school.id, first)));
            }
            (Some(first), open) => {
                let asked = (first, entry.request_id);
                let root = Box::pin(self.observed(school, person, asked, now)).await?;
                if let Course::Waits { finding, since, .. } = open {
                    self.waited(school, (finding, since), now)?;
                }
                (Some(root), None)
            }
            (None, Course::Clear) => (None, None),
            (
                None,
                Course::Waits {
                    last,
                    finding,
                    since,
                },
            ) => {
                let due = course::due(finding, since, self.policy(&school.path, now).recheck_wait);
                let last = decision_name(&school.id, last);
                return Err(Error::ObservationOpen(last, due));
            }
            (None, Course::Clinic { root, finding }) => (Some(root), Some(finding)),
        };
        let reading = match recheck_of {
            None => Reading::First,
            Some(_) => Reading::Contact,
        };
        Ok(Onward {
            recheck_of,
            reading,
            still,
        })
    }

    /// How a person stands today after what was found at the school. Whoever was not found with
    /// anything is not looked up, and a repeat of a request goes by what it was answered.
    async fn course(
        &self,
        school: &School,
        person: Option<PersonName>,
        request: Option<Uuid>,
        now: DateTime<Utc>,
    ) -> Result<Course, Error> {
        let today = kit::clock::civil_date(now);
        let Some(person) = person.filter(|person| self.marks.has(*person, today)) else {
            return Ok(Course::Clear);
        };
        Box::pin(self.course_of(school, person, request, today)).await
    }

    /// How somebody stands who was found with something today.
    async fn course_of(
        &self,
        school: &School,
        person: PersonName,
        request: Option<Uuid>,
        today: NaiveDate,
    ) -> Result<Course, Error> {
        let lived = self.store.lived(&school.id, &[person], today).await?;
        let course = Course::of(lived.into_iter().map(|(_, _, event)| event));
        let Some(request) = request.filter(|_| course != Course::Clear) else {
            return Ok(course);
        };
        let named = self.store.decisions_named(&school.id, &[request]).await?;
        let repeated = named.iter().any(|record| record.client_id == request);
        Ok(if repeated { Course::Clear } else { course })
    }

    /// Checks that the wait after `found` is over.
    fn waited(
        &self,
        school: &School,
        found: (Finding, DateTime<Utc>),
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let wait = self.policy(&school.path, now).recheck_wait;
        decision::recheck(found, now, wait).map_err(|early| Error::RecheckTooEarly(early.0))
    }

    /// The decision that sent a person to observation, when a recheck may go on from the decision
    /// `first`: that one, or the one that it rechecked.
    async fn observed(
        &self,
        school: &School,
        person: Option<PersonName>,
        (first, request): (Uuid, Option<Uuid>),
        now: DateTime<Utc>,
    ) -> Result<Uuid, Error> {
        let (observed, _) = self.decision(school, first).await?;
        let root = observed.recheck_of.unwrap_or(first);
        let (id, store) = (&school.id, &self.store);
        if observed.outcome != Outcome::Observe
            || observed.person != person
            || store.recheck_denied(id, root, request).await?
        {
            return Err(Error::NotObserved(decision_name(id, first)));
        }
        let found = (observed.checks.temperature, observed.decide_time);
        self.waited(school, found, now)?;
        Ok(root)
    }
}
