//! Episodes of illness, and the day on which each becomes a case of something.

use std::collections::{BTreeMap, BTreeSet};

use super::disease::{Certainty, Disease, Severity};
use super::rules::HealthRules;
use super::sign::Sign;
use super::symptom::Symptoms;
use crate::domain::day::Day;
use crate::domain::roll::{GroupKind, PersonId};

/// As many civil days without a sign may lie within one episode: a weekend does not cut it.
const SILENT_DAYS: u16 = 3;

/// What cases are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Criterion {
    /// Similar illnesses: a group of symptoms by its number in the contract (rule 1.15).
    Similar(i16),
    /// A disease (rule 1.19).
    Disease(Disease),
}

impl Criterion {
    /// As it is stored: diseases above zero, groups of symptoms below.
    pub fn code(self) -> i32 {
        match self {
            Self::Similar(group) => -i32::from(group),
            Self::Disease(disease) => i32::from(disease.0),
        }
    }

    /// From how it is stored.
    pub fn from_code(code: i32) -> Option<Self> {
        let number = i16::try_from(code.unsigned_abs()).ok()?;
        Some(if code < 0 {
            Self::Similar(number)
        } else {
            Self::Disease(Disease(number))
        })
    }
}

/// One episode of one person that counts by one criterion.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Case {
    /// By what it counts.
    pub criterion: Criterion,
    /// Who.
    pub person: PersonId,
    /// A student (1) or a member of staff (2).
    pub kind: i16,
    /// The place of the group on that day.
    pub group: String,
    /// The dormitory room within the school; empty for who has none.
    pub dormitory: String,
    /// The day from which it counts.
    pub day: Day,
    /// The last day on which the episode was seen.
    pub last: Day,
    /// The gravest of the episode.
    pub severity: Severity,
    /// How sure the disease is; none when only its definition is met.
    pub certainty: Option<Certainty>,
}

impl Case {
    /// The place of the school.
    pub fn school(&self) -> &str {
        self.group.rsplit_once('/').map_or("", |(school, _)| school)
    }

    /// A student, not a member of staff.
    pub fn is_student(&self) -> bool {
        self.kind == GroupKind::Students.code()
    }
}

/// An illness of one person at one school without a long silence.
#[derive(Clone, Debug)]
pub struct Episode<'a> {
    /// The first day.
    pub first: Day,
    /// The last day on which it was seen, or goes on.
    pub last: Day,
    /// What was said, in the order of what began first.
    signs: Vec<&'a Sign>,
    /// What it is not, and the last instant at which that was found, in milliseconds since 1970.
    ruled_out: BTreeMap<Disease, i64>,
}

/// The episodes of everybody at every school, in the order of schools, people and days. Neither
/// order nor repetition of the signs matters. A sign that rules a disease out is no illness by itself:
/// it speaks of the episodes near it.
pub fn episodes(signs: &[Sign]) -> Vec<Episode<'_>> {
    let (ruled_out, mut sorted): (Vec<&Sign>, Vec<&Sign>) =
        signs.iter().partition(|sign| sign.ruled_out.is_some());
    sorted.sort_by_key(|sign| (sign.school(), sign.person, order(sign)));
    sorted.dedup();
    let mut found: Vec<Episode<'_>> = Vec::new();
    for sign in sorted {
        match found.last_mut() {
            Some(episode) if episode.goes_on_with(sign) => {
                episode.last = episode.last.max(sign.last());
                episode.signs.push(sign);
            }
            _ => found.push(Episode {
                first: sign.began(),
                last: sign.last(),
                signs: vec![sign],
                ruled_out: BTreeMap::new(),
            }),
        }
    }
    let mut of_person: BTreeMap<(&str, PersonId), Vec<&Sign>> = BTreeMap::new();
    for sign in ruled_out {
        let of = of_person.entry((sign.school(), sign.person)).or_default();
        of.push(sign);
    }
    if !of_person.is_empty() {
        for episode in &mut found {
            let of = episode.signs.first().copied();
            let of = of.and_then(|one| of_person.get(&(one.school(), one.person)));
            for sign in of.into_iter().flatten() {
                episode.rule_out(sign);
            }
        }
    }
    found
}

fn order(sign: &Sign) -> (Day, Day, &str) {
    (sign.began(), sign.day, &sign.source)
}

impl Episode<'_> {
    fn goes_on_with(&self, sign: &Sign) -> bool {
        let same = |one: &Sign| one.person == sign.person && one.school() == sign.school();
        let silent = sign.began().number().saturating_sub(self.last.number());
        self.signs.first().is_some_and(|one| same(one)) && silent <= SILENT_DAYS + 1
    }

    /// Notes what a sign of the same person rules out, if it is of this episode.
    fn rule_out(&mut self, sign: &Sign) {
        let apart = |first: Day, last: Day| first.number().saturating_sub(last.number());
        let is_near = apart(sign.began(), self.last) <= SILENT_DAYS + 1
            && apart(self.first, sign.last()) <= SILENT_DAYS + 1;
        if let Some(disease) = sign.ruled_out.filter(|_| is_near) {
            let found = self.ruled_out.entry(disease).or_insert(sign.time);
            *found = sign.time.max(*found);
        }
    }

    /// Whether a diagnosis of a sign holds: one that was suspected no later than it was ruled out does
    /// not.
    fn holds(&self, sign: &Sign, (disease, certainty): (Disease, Certainty)) -> bool {
        let found = self.ruled_out.get(&disease);
        certainty == Certainty::Confirmed || found.is_none_or(|found| sign.time > *found)
    }

    /// The place of the school.
    pub fn school(&self) -> &str {
        self.signs.first().map_or("", |sign| sign.school())
    }

    /// What this episode is a case of, at most once by each criterion.
    pub fn cases(&self, rules: &HealthRules) -> Vec<Case> {
        let mut cases = Vec::new();
        for similar in &rules.similar {
            let criterion = Criterion::Similar(similar.group);
            let shows = |sign: &&&Sign| sign.symptoms.any(similar.symptoms);
            cases.extend(self.dated(criterion, self.signs.iter().find(shows), None));
        }
        let mut known: BTreeMap<Disease, Certainty> = BTreeMap::new();
        let told = self.signs.iter().filter_map(|sign| {
            let diagnosis = sign.diagnosis?;
            self.holds(sign, diagnosis).then_some(diagnosis)
        });
        for (disease, certainty) in told {
            let surest = known.entry(disease).or_insert(certainty);
            *surest = certainty.max(*surest);
        }
        let defined = rules.case_definitions.iter().map(|one| one.disease);
        let defined = defined.filter(|disease| !self.ruled_out.contains_key(disease));
        let diseases: BTreeSet<Disease> = known.keys().copied().chain(defined).collect();
        for disease in diseases {
            let certainty = known.get(&disease).copied();
            let sign = match certainty {
                Some(_) => self.signs.first(),
                None => self.meets(disease, rules),
            };
            cases.extend(self.dated(Criterion::Disease(disease), sign, certainty));
        }
        cases
    }

    /// The sign by which the episode meets a definition of the disease, all before it together.
    fn meets(&self, disease: Disease, rules: &HealthRules) -> Option<&&Sign> {
        let definitions = rules
            .case_definitions
            .iter()
            .filter(|one| one.disease == disease);
        let met = definitions.filter_map(|definition| {
            let (mut warmest, mut seen) = (0, Symptoms::NONE);
            self.signs.iter().find(|sign| {
                warmest = warmest.max(sign.temperature);
                seen = seen.or(sign.symptoms);
                warmest >= definition.temperature && seen.any(definition.symptoms)
            })
        });
        met.min_by_key(|sign| order(sign))
    }

    fn dated(
        &self,
        criterion: Criterion,
        sign: Option<&&Sign>,
        certainty: Option<Certainty>,
    ) -> Option<Case> {
        let sign = sign?;
        let severity = self.signs.iter().map(|sign| sign.severity).max()?;
        let room = self.signs.iter().find(|sign| !sign.dormitory.is_empty());
        Some(Case {
            criterion,
            person: sign.person,
            kind: sign.kind.code(),
            group: sign.group.clone(),
            dormitory: room.map_or_else(String::new, |sign| sign.dormitory.clone()),
            day: sign.began(),
            last: self.last,
            severity,
            certainty,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::health::rules::{CaseDefinition, Similar};
    use crate::domain::health::symptom::Symptom;

    fn sign(source: &str, day: u16, symptoms: &[Symptom], temperature: i16) -> Sign {
        Sign {
            source: source.to_owned(),
            person: PersonId([1; 16]),
            kind: GroupKind::Students,
            group: "fz/d/s/c1".to_owned(),
            dormitory: String::new(),
            day: Day::from_number(day),
            until: Day::NEVER,
            symptoms: symptoms.iter().copied().collect(),
            temperature,
            diagnosis: None,
            ruled_out: None,
            severity: Severity::Mild,
            onset: Day::NEVER,
            time: 0,
        }
    }

    fn rules() -> HealthRules {
        HealthRules {
            similar: vec![Similar {
                group: 1,
                symptoms: Symptoms::NONE.with(Symptom::Fever),
            }],
            case_definitions: vec![CaseDefinition {
                disease: Disease::INFLUENZA,
                temperature: 380,
                symptoms: Symptoms::NONE.with(Symptom::Cough),
            }],
            ..HealthRules::default()
        }
    }

    fn days(signs: &[Sign]) -> Vec<(i32, u16, u16)> {
        let cases = episodes(signs)
            .into_iter()
            .flat_map(|episode| episode.cases(&rules()));
        cases
            .map(|case| (case.criterion.code(), case.day.number(), case.last.number()))
            .collect()
    }

    #[test]
    fn a_weekend_does_not_cut_an_episode_and_four_silent_days_do() {
        let fever = |day| sign("a", day, &[Symptom::Fever], 375);
        assert_eq!(days(&[fever(10), fever(14)]), [(-1, 10, 14)]);
        assert_eq!(days(&[fever(10), fever(15)]), [(-1, 10, 10), (-1, 15, 15)]);
        assert_eq!(days(&[fever(14), fever(10), fever(14)]), [(-1, 10, 14)]);
    }

    #[test]
    fn temperature_and_symptoms_of_different_days_meet_a_definition_together() {
        let warm = sign("a", 10, &[Symptom::Fever], 381);
        let cough = sign("b", 11, &[Symptom::Cough], 366);
        assert_eq!(days(&[cough, warm]), [(-1, 10, 11), (1, 11, 11)]);
    }

    #[test]
    fn an_earlier_onset_dates_the_case_and_a_diagnosis_counts_from_the_first_day() {
        let first = sign("a", 10, &[Symptom::Rash], 0);
        let told = Sign {
            onset: Day::from_number(9),
            diagnosis: Some((Disease::VARICELLA, Certainty::Suspected)),
            ..sign("b", 12, &[Symptom::Fever], 0)
        };
        assert_eq!(days(&[first, told]), [(-1, 9, 12), (2, 9, 12)]);
    }

    /// Whoever suspected it until it was ruled out was wrong; whoever suspects it afterwards, or
    /// confirmed it, is believed; another episode and other diseases are as they were.
    #[test]
    fn what_was_ruled_out_does_not_count() {
        let said = |source, day, disease, certainty, time| Sign {
            diagnosis: Some((disease, certainty)),
            time,
            ..sign(source, day, &[Symptom::Rash], 0)
        };
        let none = Sign {
            ruled_out: Some(Disease::VARICELLA),
            time: 5,
            ..sign("cases/a", 11, &[], 0)
        };
        let (suspected, confirmed) = (Certainty::Suspected, Certainty::Confirmed);
        let check = said("checks/a", 10, Disease::VARICELLA, suspected, 5);
        assert_eq!(days(std::slice::from_ref(&check)), [(2, 10, 10)]);
        assert_eq!(days(&[check.clone(), none.clone()]), []);
        assert_eq!(
            days(std::slice::from_ref(&none)),
            [],
            "no illness by itself"
        );
        let other = said("checks/b", 10, Disease::HFMD, suspected, 5);
        assert_eq!(
            days(&[none.clone(), check.clone(), other]),
            [(4, 10, 10)],
            "what it was instead"
        );
        let sure = said("health/a", 10, Disease::VARICELLA, confirmed, 1);
        assert_eq!(days(&[none.clone(), sure]), [(2, 10, 10)]);
        let later = said("checks/c", 12, Disease::VARICELLA, suspected, 6);
        assert_eq!(days(&[none.clone(), check.clone(), later]), [(2, 10, 12)]);
        let again = said("checks/d", 30, Disease::VARICELLA, suspected, 5);
        assert_eq!(days(&[none.clone(), check, again]), [(2, 30, 30)]);

        let defined = sign("checks/e", 10, &[Symptom::Cough, Symptom::Fever], 385);
        let flu = Sign {
            ruled_out: Some(Disease::INFLUENZA),
            ..none
        };
        assert_eq!(
            days(&[defined, flu]),
            [(-1, 10, 10)],
            "its symptoms count on"
        );
    }

    #[test]
    fn criteria_survive_as_numbers() {
        for criterion in [Criterion::Similar(7), Criterion::Disease(Disease(16))] {
            assert_eq!(Criterion::from_code(criterion.code()), Some(criterion));
        }
    }
}
