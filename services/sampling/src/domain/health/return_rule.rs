//! When a patient may return (rule 1.23): the period is over and the evidence is shown.

use std::time::Duration;

use super::disease::Disease;
use super::rules::{Basis, Return};
use crate::domain::day::Day;

/// The hospital's certificate: a number of the contract.
pub const HOSPITAL_CERTIFICATE: i16 = 3;

/// An illness that began more civil days ago is not the one that is spoken of.
pub const ONSET_DAYS: u16 = 60;

/// The first day on which an illness that is spoken of on `day` may have begun.
pub fn earliest_onset(day: Day) -> Day {
    Day::from_number(day.number().saturating_sub(ONSET_DAYS))
}

/// What is known of somebody's illness.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// What was confirmed; none before.
    pub disease: Option<Disease>,
    /// The first day of the illness.
    pub onset: Day,
    /// The first day of the rash.
    pub rash: Day,
    /// The first day of treatment.
    pub treatment: Day,
    /// Since when the temperature is normal and the symptoms are gone, in milliseconds since 1970;
    /// 0 while they are not.
    pub recovery: i64,
    /// With pneumonia.
    pub complicated: bool,
}

impl Course {
    /// Whether an instant, milliseconds since 1970, is before the illness began.
    pub fn is_before_onset(&self, instant: i64) -> bool {
        !self.onset.is_never() && instant < self.onset.start_millis()
    }
}

/// What a return lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// When the period is over, in milliseconds since 1970; none when that is not known yet or only
    /// evidence lacks.
    pub earliest: Option<i64>,
    /// The evidence that was not shown: numbers of the contract.
    pub missing: Vec<i16>,
    /// The text that the rule comes from; empty without a rule.
    pub source: String,
}

/// When the period of a rule is over, in milliseconds since 1970: counted from the beginning of a
/// civil day in Asia/Shanghai, or from the exact instant of the recovery. None while what it is
/// counted from is not known, and for a rule without a period.
pub fn earliest(rule: &Return, course: &Course) -> Option<i64> {
    let period = if course.complicated && !rule.complicated_period.is_zero() {
        rule.complicated_period
    } else {
        rule.period
    };
    let day = |day: Day| (!day.is_never()).then(|| day.start_millis());
    let from = match rule.basis {
        Basis::Recovery => (course.recovery > 0).then_some(course.recovery),
        Basis::Onset => day(course.onset),
        Basis::Rash => day(course.rash),
        Basis::Treatment => day(course.treatment),
        Basis::Evidence => None,
    };
    from.map(|from| from.saturating_add(millis(period)))
}

/// Whether a return may be asked for at `now`, with this evidence shown (rule 1.23). A disease
/// without a rule asks for the hospital's certificate; the school doctor decides about it.
///
/// # Errors
/// What is lacking.
pub fn check(rule: Option<&Return>, course: &Course, shown: &[i16], now: i64) -> Result<(), Unmet> {
    let lacks = |asked: &[i16]| -> Vec<i16> {
        let lacks = asked.iter().filter(|evidence| !shown.contains(evidence));
        lacks.copied().collect()
    };
    let Some(rule) = rule else {
        let missing = lacks(&[HOSPITAL_CERTIFICATE]);
        return if missing.is_empty() {
            Ok(())
        } else {
            Err(Unmet {
                earliest: None,
                missing,
                source: String::new(),
            })
        };
    };
    let missing = lacks(&rule.evidence);
    let earliest = earliest(rule, course);
    let over = rule.basis == Basis::Evidence || earliest.is_some_and(|earliest| earliest <= now);
    let shown = missing.is_empty() && !rule.evidence.is_empty();
    let met = if rule.evidence_suffices && rule.basis != Basis::Evidence {
        over || shown
    } else {
        over && missing.is_empty()
    };
    if met {
        Ok(())
    } else {
        let earliest = earliest.filter(|earliest| *earliest > now);
        Err(Unmet {
            earliest,
            missing,
            source: rule.source.clone(),
        })
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: u64 = 86_400;
    const CRUSTED: i16 = 2;
    const SOURCE: &str = "水痘防控资料";

    fn rule(basis: Basis, days: u64, evidence: &[i16]) -> Return {
        Return {
            disease: Disease::VARICELLA,
            basis,
            period: Duration::from_secs(days * DAY),
            complicated_period: Duration::ZERO,
            evidence: evidence.to_vec(),
            evidence_suffices: false,
            hospital_proof_waived: false,
            source: SOURCE.to_owned(),
        }
    }

    fn begun(onset: u16) -> Course {
        Course {
            onset: Day::from_number(onset),
            ..Course::default()
        }
    }

    /// T12.
    #[test]
    fn varicella_returns_on_day_14_with_crusts() {
        let varicella = rule(Basis::Onset, 14, &[CRUSTED]);
        let course = begun(8000);
        let on = |day: u16| Day::from_number(8000 + day).start_millis() + 3_600_000;
        let early = check(
            Some(&varicella),
            &course,
            &[CRUSTED, HOSPITAL_CERTIFICATE],
            on(13),
        );
        let day_14 = Day::from_number(8014).start_millis();
        let unmet = Unmet {
            earliest: Some(day_14),
            missing: Vec::new(),
            source: SOURCE.to_owned(),
        };
        assert_eq!(early, Err(unmet));
        let bare = check(Some(&varicella), &course, &[HOSPITAL_CERTIFICATE], on(14));
        assert_eq!(
            bare,
            Err(Unmet {
                earliest: None,
                missing: vec![CRUSTED],
                source: SOURCE.to_owned(),
            })
        );
        assert_eq!(check(Some(&varicella), &course, &[CRUSTED], day_14), Ok(()));
    }

    #[test]
    fn hours_after_the_recovery_are_exact() {
        let influenza = rule(Basis::Recovery, 2, &[]);
        let well = Course {
            recovery: 1_000,
            ..begun(8000)
        };
        assert_eq!(earliest(&influenza, &well), Some(1_000 + 48 * 3_600_000));
        assert_eq!(earliest(&influenza, &begun(8000)), None);
        assert!(check(Some(&influenza), &begun(8000), &[], i64::MAX).is_err());
    }

    #[test]
    fn pneumonia_takes_longer_and_cultures_replace_the_days() {
        let measles = Return {
            complicated_period: Duration::from_secs(14 * DAY),
            ..rule(Basis::Rash, 5, &[])
        };
        let rash = Course {
            rash: Day::from_number(8000),
            ..Course::default()
        };
        let grave = Course {
            complicated: true,
            ..rash.clone()
        };
        let start = |day| Some(Day::from_number(day).start_millis());
        assert_eq!(
            (earliest(&measles, &rash), earliest(&measles, &grave)),
            (start(8005), start(8014))
        );
        let dysentery = Return {
            evidence_suffices: true,
            ..rule(Basis::Treatment, 7, &[4])
        };
        let treated = Course {
            treatment: Day::from_number(8000),
            ..Course::default()
        };
        let at = |day| Day::from_number(day).start_millis();
        assert_eq!(check(Some(&dysentery), &treated, &[4], at(8001)), Ok(()));
        assert_eq!(check(Some(&dysentery), &treated, &[], at(8007)), Ok(()));
        let neither = Unmet {
            earliest: start(8007),
            missing: vec![4],
            source: SOURCE.to_owned(),
        };
        assert_eq!(
            check(Some(&dysentery), &treated, &[], at(8006)),
            Err(neither)
        );
    }

    #[test]
    fn without_a_rule_the_hospital_certifies() {
        let missing = vec![HOSPITAL_CERTIFICATE];
        let unmet = Unmet {
            earliest: None,
            missing,
            source: String::new(),
        };
        assert_eq!(check(None, &begun(8000), &[], i64::MAX), Err(unmet));
        assert_eq!(
            check(None, &begun(8000), &[HOSPITAL_CERTIFICATE], 0),
            Ok(())
        );
    }

    fn any_rule() -> impl Strategy<Value = Return> {
        let basis = prop_oneof![
            Just(Basis::Recovery),
            Just(Basis::Onset),
            Just(Basis::Rash),
            Just(Basis::Treatment),
            Just(Basis::Evidence),
        ];
        (
            basis,
            0_u64..40,
            proptest::collection::vec(1_i16..6, 0..3),
            any::<bool>(),
        )
            .prop_map(|(basis, days, evidence, evidence_suffices)| Return {
                evidence_suffices,
                ..rule(basis, days, &evidence)
            })
    }

    fn any_course() -> impl Strategy<Value = Course> {
        (0_u16..50, 0_u16..50, 0_u16..50, 0_i64..4_000_000_000).prop_map(
            |(onset, rash, treatment, recovery)| Course {
                disease: Some(Disease::VARICELLA),
                onset: Day::from_number(onset),
                rash: Day::from_number(rash),
                treatment: Day::from_number(treatment),
                recovery,
                complicated: false,
            },
        )
    }

    proptest! {
        #[test]
        fn never_earlier_than_the_period_and_once_met_it_stays_met(
            rule in any_rule(),
            course in any_course(),
            shown in proptest::collection::vec(1_i16..6, 0..4),
            more in 1_i16..6,
            now in 946_000_000_000_i64..960_000_000_000,
            later in 0_i64..4_000_000_000,
        ) {
            let met = check(Some(&rule), &course, &shown, now);
            if met.is_ok() && rule.basis != Basis::Evidence && !rule.evidence_suffices {
                prop_assert!(earliest(&rule, &course).is_some_and(|earliest| earliest <= now));
            }
            if met.is_ok() {
                prop_assert_eq!(check(Some(&rule), &course, &shown, now + later), Ok(()));
                let mut with_more = shown.clone();
                with_more.push(more);
                prop_assert_eq!(check(Some(&rule), &course, &with_more, now), Ok(()));
            }
        }

        #[test]
        fn who_fell_ill_later_returns_no_earlier(
            rule in any_rule(),
            course in any_course(),
            days in 0_u16..30,
        ) {
            let shift = |day: Day| match day.is_never() {
                true => day,
                false => Day::from_number(day.number() + days),
            };
            let later = Course {
                onset: shift(course.onset),
                rash: shift(course.rash),
                treatment: shift(course.treatment),
                recovery: if course.recovery == 0 { 0 } else { course.recovery + i64::from(days) },
                ..course.clone()
            };
            prop_assert!(earliest(&rule, &later) >= earliest(&rule, &course));
        }
    }
}
