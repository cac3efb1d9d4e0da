//! What visits need of a gate: the policy of the place, who is staff, and the four checks.

use chrono::{DateTime, Timelike, Utc};
use kit::org::OrgPath;

use super::Gatehouse;
use super::check::Weighing;
use crate::domain::gate::clearance::Clearance;
use crate::domain::gate::decision::{self, Case, Standing};
use crate::domain::gate::observation::{Colour, ColourSource, Observation, Reading};
use crate::domain::gate::policy::GatePolicy;
use crate::domain::person::{PersonKind, PersonName};
use crate::domain::visitor::card::Card;
use crate::providers::Reference;

impl Gatehouse {
    /// The numbers in force at a place.
    pub(in crate::app) fn policy(&self, at: &OrgPath, now: DateTime<Utc>) -> GatePolicy {
        let today = kit::clock::civil_date(now);
        self.facts.with(|index| index.policy(at.as_str(), today))
    }

    /// Whether somebody is a member of staff at work at a school.
    pub(in crate::app) fn is_staff(&self, person: PersonName, school: &OrgPath) -> bool {
        let standing =
            |index: &crate::domain::gate::index::Index| index.standing(person, school.as_str());
        person.kind == PersonKind::Staff && self.facts.with(standing) == Standing::Expected
    }

    /// The four checks of a visitor or companion.
    pub(in crate::app) fn weigh_visitor(
        &self,
        school: &OrgPath,
        observation: Observation,
        reading: Reading,
        now: DateTime<Utc>,
    ) -> Weighing {
        let (policy, facts_time) = (self.policy(school, now), self.facts.time());
        let decision = decision::decide(&Case {
            standing: Standing::Visitor,
            clearance: Clearance::default(),
            observation,
            reading,
            emergency: false,
            arrival: None,
            minute: minute(now),
            today: kit::clock::civil_date(now),
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

    /// What was seen of a visitor, with the colour looked up by the document.
    pub(in crate::app) async fn colour_of_visitor(
        &self,
        (school, path): (&str, &OrgPath),
        seen: Observation,
        card: &Card,
        now: DateTime<Utc>,
    ) -> (Observation, ColourSource) {
        match self.health_codes.of_visitor(card) {
            Some(reference) => self.look_up(school, path, seen, reference, now).await,
            None => (seen, ColourSource::Shown),
        }
    }

    /// What was seen, with the colour looked up when none was shown and the policy asks for one.
    pub(super) async fn look_up(
        &self,
        school: &str,
        path: &OrgPath,
        seen: Observation,
        reference: Reference,
        now: DateTime<Utc>,
    ) -> (Observation, ColourSource) {
        let shown = seen.colour != Colour::Unknown;
        if shown || self.policy(path, now).deny_colours.is_empty() {
            return (seen, ColourSource::Shown);
        }
        let (colour, source) = self.health_codes.look_up(reference, school).await;
        (Observation { colour, ..seen }, source)
    }
}

/// The minute of the civil day.
pub(super) fn minute(now: DateTime<Utc>) -> i32 {
    let local = now.with_timezone(&kit::clock::shanghai());
    i32::try_from(local.hour() * 60 + local.minute()).unwrap_or_default()
}
