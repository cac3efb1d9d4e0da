//! What a check says (rules 1.1 to 1.5).

use std::collections::{BTreeMap, BTreeSet};

use super::disease::{Certainty, Disease, Severity};
use super::rules::{HealthRules, SlotRule};
use super::sign::Sign;
use super::symptom::{Symptom, Symptoms};
use crate::domain::day::Day;
use crate::domain::roll::{GroupKind, PersonId};

/// Whom a check is about. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum Unit {
    /// A class group.
    ClassGroup = 1,
    /// The staff of a school who work with one grade.
    Staff = 2,
    /// A dormitory room.
    Room = 3,
}

impl Unit {
    /// The number of this unit.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The unit with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        [Self::ClassGroup, Self::Staff, Self::Room]
            .into_iter()
            .find(|unit| unit.code() == code)
    }

    /// What kind of people it holds.
    pub fn people(self) -> GroupKind {
        match self {
            Self::ClassGroup | Self::Room => GroupKind::Students,
            Self::Staff => GroupKind::Staff,
        }
    }

    /// Whether a check by this rule is held of it: boarders are checked by room and nobody else,
    /// staff where the rule says so (rule 1.1).
    pub fn is_checked(self, rule: &SlotRule) -> bool {
        match self {
            Self::Room => rule.boarders_only,
            Self::ClassGroup => !rule.boarders_only,
            Self::Staff => rule.staff,
        }
    }
}

/// Heads, as the reporter counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// On the roll.
    pub roll: u16,
    /// Present.
    pub present: u16,
    /// Absent.
    pub absent: u16,
    /// Absent and ill.
    pub ill_absent: u16,
}

/// Signs of a single person that are reported within a day (rules 1.4, 1.16): bits of
/// [`Finding::severe`] by the numbers of the contract.
pub mod severe {
    /// High fever without a known cause.
    pub const HIGH_FEVER: u8 = 1 << 1;
    /// Difficulty in breathing.
    pub const DYSPNOEA: u8 = 1 << 2;
    /// Violent vomiting or diarrhoea.
    pub const VIOLENT: u8 = 1 << 3;
}

/// Somebody with symptoms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Who.
    pub person: PersonId,
    /// What was seen.
    pub symptoms: Symptoms,
    /// The other symptom in words, at most 50 characters.
    pub other: String,
    /// Tenths of a degree Celsius, 0 when it was not taken.
    pub temperature: i16,
    /// The first day of the illness; never when it is not known.
    pub onset: Day,
    /// Where it began: a number of the contract, 0 when it is not known.
    pub onset_place: u8,
    /// The person has seen a doctor.
    pub seen_doctor: bool,
    /// What the doctor suspects: a number of the contract, 0 for nothing.
    pub disease: i16,
    /// Bits of [`severe`].
    pub severe: u8,
}

impl Finding {
    /// What was seen, with what a reading and the severe signs mean: a reading from `fever` on is
    /// fever; breathing is no symptom of the list, so it is another one.
    pub fn seen(&self, fever: i16) -> Symptoms {
        let hot = self.temperature > 0 && self.temperature >= fever;
        let mut seen = self.symptoms;
        if hot || self.severe & severe::HIGH_FEVER != 0 {
            seen = seen.with(Symptom::Fever);
        }
        let bowels = [Symptom::Vomiting, Symptom::Diarrhoea]
            .into_iter()
            .collect();
        let unnamed = self.severe & severe::VIOLENT != 0 && !seen.any(bowels);
        if unnamed || self.severe & severe::DYSPNOEA != 0 {
            seen = seen.with(Symptom::Other);
        }
        seen
    }

    /// Whether it says anything of the person's health.
    pub fn says_something(&self, fever: i16) -> bool {
        !self.seen(fever).is_empty() || self.disease != 0
    }
}

/// What a check says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Heads.
    pub counts: Counts,
    /// Everybody with symptoms.
    pub findings: Vec<Finding>,
    /// Temperatures in tenths of a degree Celsius, of whom they were noted.
    pub readings: Vec<(PersonId, i16)>,
    /// Who is absent, and the number of the reason in the contract.
    pub absences: Vec<(PersonId, i16)>,
    /// The reporter knows of another public health event.
    pub public_event: bool,
    /// The reporter knows of a group illness of unknown cause.
    pub group_illness: bool,
}

impl Content {
    /// Whether it is a zero report (rule 1.5).
    pub fn is_zero(&self) -> bool {
        self.findings.is_empty()
    }

    /// Without the temperatures that say nothing of anybody's health: those below `fever` of people without symptoms
    /// (rule 6.13). None when it has no such temperature.
    pub fn without_normal(&self, fever: i16) -> Option<Self> {
        let ill: BTreeSet<PersonId> = self.findings.iter().map(|one| one.person).collect();
        let mut rest = self.clone();
        rest.readings.retain(|(person, reading)| {
            let hot = fever > 0 && *reading >= fever;
            hot || ill.contains(person)
        });
        (rest.readings.len() < self.readings.len()).then_some(rest)
    }

    /// Everybody it names, some perhaps more than once.
    pub fn people(&self) -> impl Iterator<Item = PersonId> {
        let findings = self.findings.iter().map(|finding| finding.person);
        let pairs = self.readings.iter().chain(&self.absences);
        findings.chain(pairs.map(|(person, _)| *person))
    }

    /// What it says of people's health; whoever is not among `check.people` is left out.
    pub fn signs(&self, check: &Check<'_>, rules: &HealthRules) -> Vec<Sign> {
        let readings: BTreeMap<PersonId, i16> = self.readings.iter().copied().collect();
        let sign = |finding: &Finding| {
            let at = check.people.get(&finding.person)?;
            let reading = readings.get(&finding.person).copied().unwrap_or(0);
            let temperature = finding.temperature.max(reading);
            let measured = Finding {
                temperature,
                ..finding.clone()
            };
            Some(Sign {
                source: check.name.to_owned(),
                person: finding.person,
                kind: check.unit.people(),
                group: at.group.clone(),
                dormitory: at.dormitory.clone(),
                day: check.day,
                until: Day::NEVER,
                symptoms: measured.seen(rules.fever),
                temperature,
                diagnosis: (finding.disease != 0)
                    .then_some((Disease(finding.disease), Certainty::Suspected)),
                ruled_out: None,
                severity: Severity::Mild,
                onset: finding.onset,
                time: check.time,
            })
        };
        self.findings.iter().filter_map(sign).collect()
    }
}

/// Where somebody belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// The place of the class group, or group of staff.
    pub group: String,
    /// The identifier of the dormitory room within the school; empty for who has none.
    pub dormitory: String,
}

/// What its signs need to know of a check.
#[derive(Clone, Copy, Debug)]
pub struct Check<'a> {
    /// Its resource name.
    pub name: &'a str,
    /// Whom it is about.
    pub unit: Unit,
    /// The civil day.
    pub day: Day,
    /// When it was taken, in milliseconds since 1970.
    pub time: i64,
    /// Where the people it names belong.
    pub people: &'a BTreeMap<PersonId, Whereabouts>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(number: u8) -> Finding {
        Finding {
            person: PersonId([number; 16]),
            symptoms: [Symptom::Cough, Symptom::Other].into_iter().collect(),
            other: "耳痛".to_owned(),
            temperature: 372,
            onset: Day::from_number(8123),
            onset_place: 1,
            seen_doctor: true,
            disease: 2,
            severe: 0,
        }
    }

    #[test]
    fn a_reading_from_the_threshold_on_is_fever() {
        let at = |temperature| Finding {
            temperature,
            ..finding(1)
        };
        assert!(!at(372).seen(373).has(Symptom::Fever));
        assert!(at(373).seen(373).has(Symptom::Fever));
        assert!(!at(0).seen(0).has(Symptom::Fever));
    }

    #[test]
    fn severe_signs_are_symptoms_too() {
        let plain = |severe| Finding {
            symptoms: Symptoms::NONE,
            temperature: 0,
            severe,
            ..finding(1)
        };
        let seen = |severe| plain(severe).seen(373).iter().collect::<Vec<_>>();
        assert_eq!(seen(severe::HIGH_FEVER), [Symptom::Fever]);
        assert_eq!(seen(severe::DYSPNOEA), [Symptom::Other]);
        assert_eq!(seen(severe::VIOLENT), [Symptom::Other]);
        let vomiting = Finding {
            symptoms: Symptoms::NONE.with(Symptom::Vomiting),
            ..plain(severe::VIOLENT)
        };
        assert_eq!(vomiting.seen(373), Symptoms::NONE.with(Symptom::Vomiting));
        assert_eq!(seen(0), []);
    }

    #[test]
    fn a_temperature_of_the_healthy_says_nothing() {
        let content = Content {
            findings: vec![finding(1)],
            readings: [(1, 365), (2, 365), (3, 381)]
                .map(|(number, reading)| (PersonId([number; 16]), reading))
                .into(),
            absences: vec![(PersonId([4; 16]), 1)],
            ..Content::default()
        };
        let mut rest = content.clone();
        rest.readings.remove(1);
        assert_eq!(content.without_normal(373), Some(rest.clone()));
        assert_eq!(rest.without_normal(373), None);
        let all = content.without_normal(0).map(|rest| rest.readings.len());
        assert_eq!(
            all,
            Some(1),
            "where no temperature is fever only symptoms speak"
        );
    }

    #[test]
    fn rooms_are_checked_in_the_evening_and_nobody_else() {
        let rule = |boarders_only, staff| SlotRule {
            slot: super::super::rules::Slot::Morning,
            deadline_minute: 510,
            boarders_only,
            staff,
        };
        let checked = |rule: SlotRule| {
            [Unit::ClassGroup, Unit::Staff, Unit::Room].map(|unit| unit.is_checked(&rule))
        };
        assert_eq!(checked(rule(false, true)), [true, true, false]);
        assert_eq!(checked(rule(false, false)), [true, false, false]);
        assert_eq!(checked(rule(true, false)), [false, false, true]);
    }
}
