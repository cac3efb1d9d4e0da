//! Contacts of a case: who counts, and what the contact rule does with them (rules 1.24, 2.21).

use super::rules::{ContactRule, Measure};
use crate::domain::day::Day;
use crate::domain::hold::Control;

/// How near a contact is. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum Degree {
    /// Met the person of the case.
    Close = 1,
    /// Met a contact.
    Secondary = 2,
}

impl Degree {
    /// The number of this degree.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The degree with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        [Self::Close, Self::Secondary]
            .into_iter()
            .find(|degree| degree.code() == code)
    }
}

/// How somebody met the person of a case, as far as it is found out here. The numbers are those of
/// the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
#[expect(missing_docs, reason = "the contract says what each kind means")]
pub enum ContactKind {
    ClassGroup = 1,
    Dormitory = 2,
    Tube = 3,
    NeighbourTube = 4,
    Seat = 5,
    Bus = 6,
    Meal = 7,
}

/// The civil days, first and last, on which meeting the person counts: from as many days before
/// the onset as the rule traces to the day on which the case was found. Without a rule, from the
/// onset on.
pub fn window(rule: Option<&ContactRule>, onset: Day, found: Day) -> (Day, Day) {
    let began = if onset.is_never() {
        found
    } else {
        onset.min(found)
    };
    let trace = rule.map_or(0, |rule| rule.trace_days);
    (
        Day::from_number(began.number().saturating_sub(trace).max(1)),
        found,
    )
}

/// What the rule does with a contact, and the last civil day of it; none when they are listed only
/// or their days are over on `today`.
pub fn control(
    rule: Option<&ContactRule>,
    degree: Degree,
    last: Day,
    today: Day,
) -> Option<(Control, Day)> {
    let rule = rule?;
    let (control, days) = match (degree, rule.measure) {
        (Degree::Close, Measure::CloseContact) => (Control::CloseContact, rule.close_days),
        (Degree::Close, Measure::HealthMonitoring) => (Control::HealthMonitoring, rule.close_days),
        (Degree::Close, Measure::Observation) => (Control::Observation, rule.close_days),
        (Degree::Secondary, Measure::CloseContact) => {
            (Control::SecondaryContact, rule.secondary_days)
        }
        (Degree::Secondary, Measure::HealthMonitoring) => {
            (Control::HealthMonitoring, rule.secondary_days)
        }
        (Degree::Secondary, Measure::Observation) => (Control::Observation, rule.secondary_days),
    };
    let until = Day::from_number(last.number().saturating_add(days));
    (days > 0 && until >= today).then_some((control, until))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::health::disease::Disease;

    const COVID: ContactRule = ContactRule {
        disease: Disease::COVID_19,
        measure: Measure::CloseContact,
        close_days: 21,
        secondary_days: 7,
        trace_days: 2,
        exit_negative: Duration::from_secs(48 * 3600),
    };

    fn day(number: u16) -> Day {
        Day::from_number(number)
    }

    #[test]
    fn the_rule_says_who_is_controlled_and_until_when() {
        let told = |degree, last| control(Some(&COVID), degree, day(last), day(100));
        let close = Some((Control::CloseContact, day(120)));
        assert_eq!(told(Degree::Close, 99), close);
        let secondary = Some((Control::SecondaryContact, day(106)));
        assert_eq!(told(Degree::Secondary, 99), secondary);
        assert_eq!(told(Degree::Secondary, 92), None, "over since yesterday");
        assert_eq!(control(None, Degree::Close, day(99), day(100)), None);
        let monitoring = ContactRule {
            measure: Measure::HealthMonitoring,
            secondary_days: 0,
            ..COVID
        };
        let watched = Some((Control::HealthMonitoring, day(120)));
        let told = |degree| control(Some(&monitoring), degree, day(99), day(100));
        assert_eq!(
            (told(Degree::Close), told(Degree::Secondary)),
            (watched, None)
        );
        let observed = ContactRule {
            measure: Measure::Observation,
            secondary_days: 3,
            ..COVID
        };
        let told = |degree| control(Some(&observed), degree, day(99), day(100));
        let until = |last| Some((Control::Observation, day(last)));
        assert_eq!(
            (told(Degree::Close), told(Degree::Secondary)),
            (until(120), until(102))
        );
    }

    #[test]
    fn meetings_count_from_before_the_onset() {
        assert_eq!(window(Some(&COVID), day(50), day(52)), (day(48), day(52)));
        assert_eq!(window(None, day(50), day(52)), (day(50), day(52)));
        assert_eq!(
            window(Some(&COVID), Day::NEVER, day(52)),
            (day(50), day(52))
        );
        assert_eq!(window(None, day(53), day(52)), (day(52), day(52)));
    }
}
