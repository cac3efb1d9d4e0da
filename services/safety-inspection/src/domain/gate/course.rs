//! How somebody with a fever or symptoms stands at a school during one day (rule 3.3): a first check does
//! not take back what an earlier one found.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::finding::Finding;

/// What happened to a person at a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A decision was made.
    Decided(Found),
    /// A human admitted the person.
    Admitted,
}

/// What one decision found of the temperature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The decision.
    pub id: Uuid,
    /// The decision that it rechecks.
    pub recheck_of: Option<Uuid>,
    /// The finding.
    pub finding: Finding,
    /// When the person was checked.
    pub time: DateTime<Utc>,
    /// A gate without a network did not wait as long as it had to.
    pub premature: bool,
}

/// Where that leaves the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Course {
    /// Nothing is open.
    #[default]
    Clear,
    /// A recheck is awaited.
    Waits {
        /// The decision that the recheck goes on from.
        last: Uuid,
        /// What that decision found.
        finding: Finding,
        /// When it was.
        since: DateTime<Utc>,
    },
    /// A recheck ended with the fever clinic.
    Clinic {
        /// The first decision.
        root: Uuid,
        /// What the recheck found.
        finding: Finding,
    },
}

impl Course {
    /// Where `events` of one day, in the order of time, leave a person.
    pub fn of(events: impl IntoIterator<Item = Event>) -> Self {
        events.into_iter().fold(Self::Clear, Self::after)
    }

    /// Where the next event leaves the person.
    #[must_use]
    pub fn after(self, event: Event) -> Self {
        let Event::Decided(found) = event else {
            return Self::Clear;
        };
        let Found {
            id,
            recheck_of,
            finding,
            time,
            premature,
        } = found;
        match self {
            _ if finding.sends_to_clinic() => Self::Clinic {
                root: recheck_of.unwrap_or(id),
                finding,
            },
            Self::Clinic { .. } => self,
            _ if finding.sends_to_recheck() => Self::Waits {
                last: id,
                finding,
                since: time,
            },
            Self::Waits { .. } if recheck_of.is_some() && !premature => match finding {
                Finding::TemperatureNormal => Self::Clear,
                _ => self,
            },
            Self::Clear | Self::Waits { .. } => self,
        }
    }

    /// Whether what was found matters to later checks of the day.
    pub fn opens(finding: Finding) -> bool {
        finding.sends_to_recheck() || finding.sends_to_clinic()
    }
}

/// When somebody whom `finding` sent to observation at `since` is measured again.
pub fn due(finding: Finding, since: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    if finding.continues_recheck() {
        since
    } else {
        since + wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::minutes(minute)
    }

    fn found(number: u128, finding: Finding, recheck_of: Option<u128>) -> Event {
        Event::Decided(Found {
            id: Uuid::from_u128(number),
            recheck_of: recheck_of.map(Uuid::from_u128),
            finding,
            time: at(i64::try_from(number).unwrap()),
            premature: false,
        })
    }

    #[test]
    fn only_a_normal_recheck_ends_a_wait() {
        let high = found(1, Finding::TemperatureHigh, None);
        let waits = Course::Waits {
            last: Uuid::from_u128(1),
            finding: Finding::TemperatureHigh,
            since: at(1),
        };
        assert_eq!(Course::of([high]), waits);
        let first = found(2, Finding::TemperatureNormal, None);
        assert_eq!(Course::of([high, first]), waits);
        let missing = found(2, Finding::TemperatureMissing, Some(1));
        assert_eq!(Course::of([high, missing]), waits);
        let few = found(2, Finding::TemperatureRepeat, Some(1));
        let goes_on = Course::Waits {
            last: Uuid::from_u128(2),
            finding: Finding::TemperatureRepeat,
            since: at(2),
        };
        assert_eq!(Course::of([high, few]), goes_on);
        let normal = found(3, Finding::TemperatureNormal, Some(1));
        assert_eq!(Course::of([high, few, normal]), Course::Clear);
        let Event::Decided(early) = normal else {
            unreachable!("a decision");
        };
        let early = Event::Decided(Found {
            premature: true,
            ..early
        });
        assert_eq!(Course::of([high, few, early]), goes_on);
    }

    #[test]
    fn only_a_human_ends_a_denial() {
        let high = found(1, Finding::TemperatureHigh, None);
        let denied = found(2, Finding::TemperatureConfirmed, Some(1));
        let clinic = Course::Clinic {
            root: Uuid::from_u128(1),
            finding: Finding::TemperatureConfirmed,
        };
        let normal = found(3, Finding::TemperatureNormal, Some(1));
        let again = found(4, Finding::TemperatureHigh, None);
        assert_eq!(Course::of([high, denied, normal, again]), clinic);
        assert_eq!(Course::of([high, denied, Event::Admitted]), Course::Clear);
        assert_eq!(
            Course::of([high, Event::Admitted, denied]),
            clinic,
            "whoever was admitted before is denied"
        );
    }

    #[test]
    fn a_recheck_that_only_goes_on_is_due_at_once() {
        let wait = Duration::minutes(15);
        assert_eq!(due(Finding::TemperatureHigh, at(0), wait), at(15));
        assert_eq!(due(Finding::SymptomsNotAsked, at(0), wait), at(0));
    }
}
