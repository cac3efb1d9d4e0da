//! What is said of one person's health on one day. Whatever is decided about illness is decided
//! from the set of signs, so the order and the repetition of what is submitted cannot matter.

use super::disease::{Certainty, Disease, Severity};
use super::symptom::Symptoms;
use crate::domain::day::Day;
use crate::domain::roll::{GroupKind, PersonId};

/// The days of a longer illness that are told one by one: the last so many up to today.
const TOLD_DAYS: u16 = 62;

/// What one source says of one person on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    /// Who says it: the resource name of a check, an absence or a case. A source says at most one
    /// thing of a person; what it says later stands in place of that.
    pub source: String,
    /// Of whom.
    pub person: PersonId,
    /// A student or a member of staff.
    pub kind: GroupKind,
    /// The place of the person's class group, or group of staff, on that day.
    pub group: String,
    /// The dormitory room's identifier within the school; empty for who has none.
    pub dormitory: String,
    /// The civil day of which it is said.
    pub day: Day,
    /// The last day of an illness that goes on after `day` without being said anew, as an absence does
    /// until the return; [`Day::NEVER`] when it is said of `day` alone.
    pub until: Day,
    /// What was seen; fever follows from a reading as well and is among them then.
    pub symptoms: Symptoms,
    /// The temperature in tenths of a degree Celsius; 0 when it was not taken.
    pub temperature: i16,
    /// What the illness is thought or known to be.
    pub diagnosis: Option<(Disease, Certainty)>,
    /// What the illness is not, as was found at `time`: whoever suspected it until then was wrong. A
    /// sign that says this says nothing else.
    pub ruled_out: Option<Disease>,
    /// How grave it is.
    pub severity: Severity,
    /// The first day of the illness as far as the source knows; [`Day::NEVER`] when it does not.
    pub onset: Day,
    /// When it was seen, in milliseconds since 1970.
    pub time: i64,
}

impl Sign {
    /// The place of the school.
    pub fn school(&self) -> &str {
        self.group.rsplit_once('/').map_or("", |(school, _)| school)
    }

    /// Who says it, and of whom: there is at most one of each.
    pub fn key(&self) -> (&str, PersonId) {
        (&self.source, self.person)
    }

    /// The last day on which the person was ill, as far as this sign knows: never before `day`.
    pub fn last(&self) -> Day {
        self.day.max(self.until)
    }

    /// The days on which the person was ill as far as this sign knows, none after `today` but its own.
    pub fn days(&self, today: Day) -> impl Iterator<Item = Day> + use<> {
        let last = self.last().min(today.max(self.day)).number();
        let first = last.saturating_sub(TOLD_DAYS - 1).max(self.day.number());
        (first..=last).map(Day::from_number)
    }

    /// The day on which the illness began, as far as this sign knows: never after `day`.
    pub fn began(&self) -> Day {
        if self.onset.is_never() {
            self.day
        } else {
            self.onset.min(self.day)
        }
    }
}
