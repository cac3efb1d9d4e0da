//! What visits need of a gate: the policy of the place, who is staff, and the four checks.

use chrono::{DateTime, Timelike, Utc};
use kit::org::OrgPath;

use super::check::Weighing;
use super::{Gatehouse, LookUp};
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
            weather_delay: false,
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

    /// What was seen of a visitor, with colour and travel card looked up by the document.
    pub(in crate::app) async fn seen_of_visitor(
        &self,
        at: (&str, &OrgPath),
        seen: (Observation, LookUp),
        card: &Card,
        now: DateTime<Utc>,
    ) -> (Observation, ColourSource) {
        match self.health_codes.of_visitor(card) {
            Some(reference) => self.look_up(at, seen, reference, now).await,
            None => (seen.0, ColourSource::Shown),
        }
    }

    /// What was seen, with what was asked for looked up when none was shown and the policy asks for it;
    /// both at the same time, so that the gate waits once.
    pub(super) async fn look_up(
        &self,
        (school, path): (&str, &OrgPath),
        (seen, wanted): (Observation, LookUp),
        reference: Reference,
        now: DateTime<Utc>,
    ) -> (Observation, ColourSource) {
        let policy = self.policy(path, now);
        let colour = async {
            let missing = seen.colour == Colour::Unknown && !policy.deny_colours.is_empty();
            if wanted.colour && missing {
                self.health_codes.look_up(reference.clone(), school).await
            } else {
                (seen.colour, ColourSource::Shown)
            }
        };
        let travel = async {
            let missing = seen.travel.is_none() && policy.travel_window_days > 0;
            if wanted.travel && missing {
                let window = policy.travel_window_days;
                self.travel_cards.look_up(&reference, school, window).await
            } else {
                (seen.travel, seen.travel_source)
            }
        };
        let ((colour, source), (travel, travel_source)) = tokio::join!(colour, travel);
        let seen = Observation {
            colour,
            travel,
            travel_source,
            ..seen
        };
        (seen, source)
    }
}

/// The minute of the civil day.
pub(super) fn minute(now: DateTime<Utc>) -> i32 {
    let local = now.with_timezone(&kit::clock::shanghai());
    i32::try_from(local.hour() * 60 + local.minute()).unwrap_or_default()
}
