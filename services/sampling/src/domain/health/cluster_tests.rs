//! What makes a cluster and what does not.

mod laws;
mod outbreaks;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::cluster::{Around, RuleSet, find};
use super::cluster_rule::{ClusterRule, Condition, Scope};
use super::cluster_table::table;
use super::disease::{Certainty, Disease, Severity};
use super::illness::{Case, Criterion, episodes};
use super::rules::{
    CaseDefinition, HealthRules, HfmdSuspension, InfluenzaSuspension, Level, Outbreak, Similar,
};
use super::shared::SharedKind;
use super::sign::Sign;
use super::symptom::{Symptom, Symptoms};
use crate::domain::day::Day;
use crate::domain::roll::{GroupKind, PersonId};

const SCHOOL: &str = "fz/d/s";

fn fuzhou() -> HealthRules {
    let day = Duration::from_secs(86_400);
    let row = |disease, level, window_days, cases| Outbreak {
        disease,
        level,
        window_days,
        cases,
        group_cases: 0,
        hospitalised: 0,
        deaths: 0,
        report_sla: day,
    };
    let set = |symptoms: &[Symptom]| symptoms.iter().copied().collect::<Symptoms>();
    HealthRules {
        similar_cases: 3,
        one_day_cases: 3,
        three_day_cases: 5,
        report_sla: day,
        class_a_report_sla: day / 12,
        class_a: vec![Disease::COVID_19],
        similar: vec![
            Similar {
                group: 1,
                symptoms: set(&[Symptom::Fever]),
            },
            Similar {
                group: 3,
                symptoms: set(&[Symptom::Vomiting, Symptom::Diarrhoea]),
            },
        ],
        outbreaks: vec![
            row(Disease::NOROVIRUS, Level::ClusterAlert, 7, 10),
            Outbreak {
                deaths: 1,
                ..row(Disease::NOROVIRUS, Level::EventReport, 7, 20)
            },
            Outbreak {
                group_cases: 2,
                ..row(Disease::HFMD, Level::ClusterAlert, 7, 5)
            },
            row(Disease::COVID_19, Level::EventReport, 7, 2),
        ],
        case_definitions: vec![
            CaseDefinition {
                disease: Disease::INFLUENZA,
                temperature: 380,
                symptoms: set(&[Symptom::Cough]),
            },
            CaseDefinition {
                disease: Disease::NOROVIRUS,
                temperature: 0,
                symptoms: set(&[Symptom::Vomiting, Symptom::Diarrhoea]),
            },
        ],
        influenza: InfluenzaSuspension {
            new_cases: 5,
            ill_ratio: 3000,
            severe_cases: 2,
            suspend_days: 4,
        },
        hfmd: HfmdSuspension {
            class_cases: 2,
            school_cases: 10,
            school_classes: 3,
            window_days: 7,
            suspend_days: 10,
        },
        ..HealthRules::default()
    }
}

fn sets(rules: &HealthRules) -> Vec<RuleSet> {
    vec![RuleSet {
        first: Day::NEVER,
        last: Day::from_number(u16::MAX),
        version: "v1".to_owned(),
        rules: Arc::new(table(rules)),
    }]
}

fn sign(person: u16, class: u8, day: u16, symptom: Symptom) -> Sign {
    let mut id = [0; 16];
    id[..2].copy_from_slice(&person.to_be_bytes());
    Sign {
        source: format!("checks/{class}-{day}"),
        person: PersonId(id),
        kind: GroupKind::Students,
        group: format!("{SCHOOL}/c{class}"),
        dormitory: String::new(),
        day: Day::from_number(day),
        until: Day::NEVER,
        symptoms: Symptoms::NONE.with(symptom),
        temperature: 0,
        diagnosis: None,
        ruled_out: None,
        severity: Severity::Mild,
        onset: Day::NEVER,
        time: 0,
    }
}

fn cases_of(signs: &[Sign]) -> Vec<Case> {
    let rules = fuzhou();
    let episodes = episodes(signs).into_iter();
    episodes.flat_map(|episode| episode.cases(&rules)).collect()
}

/// The rule, the place's last part, the first and the last day and how many people.
type Told = (String, String, u16, u16, usize);

fn told(signs: &[Sign], sizes: &BTreeMap<String, u32>) -> Vec<Told> {
    let sets = sets(&fuzhou());
    let around = Around {
        sizes: sizes.clone(),
        ..Around::default()
    };
    let findings = find(&sets, &cases_of(signs), &around, &[]).into_iter();
    findings
        .map(|one| {
            let place = one.place.rsplit('/').next().unwrap_or_default().to_owned();
            let days = (one.first.number(), one.last.number());
            (
                one.rule.code.clone(),
                place,
                days.0,
                days.1,
                one.people.len(),
            )
        })
        .collect()
}

fn expected(rule: &str, place: &str, first: u16, last: u16, people: usize) -> Told {
    (rule.to_owned(), place.to_owned(), first, last, people)
}

/// T8.
#[test]
fn three_fevers_in_a_class_in_a_day_or_five_in_three_days_are_a_cluster() {
    let none = BTreeMap::new();
    let fevers = |days: &[u16]| -> Vec<Sign> {
        let each = (1..).zip(days);
        each.map(|(person, day)| sign(person, 1, *day, Symptom::Fever))
            .collect()
    };
    let fires = |first, last, people| vec![expected("similar-1-class", "c1", first, last, people)];
    assert_eq!(told(&fevers(&[100, 100, 100]), &none), fires(100, 100, 3));
    assert_eq!(
        told(&fevers(&[100, 100, 101, 102, 102]), &none),
        fires(100, 102, 5)
    );
    assert_eq!(told(&fevers(&[100, 100, 101, 102]), &none), []);
    assert_eq!(told(&fevers(&[100, 100, 101, 102, 103]), &none), []);
    // 5 of 4 days reach it in no three days running; 3 in one day do.
    assert_eq!(
        told(&fevers(&[100, 101, 103, 103, 103]), &none),
        fires(103, 103, 3)[..].to_vec()
    );
}

/// T8, T9.
#[test]
fn a_dormitory_room_is_a_place_of_its_own_and_different_places_are_none() {
    let none = BTreeMap::new();
    let room = |person, class, room: &str| Sign {
        dormitory: room.to_owned(),
        ..sign(person, class, 100, Symptom::Fever)
    };
    let same = [room(1, 1, "r1"), room(2, 2, "r1"), room(3, 3, "r1")];
    assert_eq!(
        told(&same, &none),
        [expected("similar-1-dormitory", "r1", 100, 100, 3)]
    );
    let apart = [room(1, 1, "r1"), room(2, 2, "r2"), room(3, 3, "r3")];
    assert_eq!(told(&apart, &none), []);
}

#[test]
fn one_illness_counts_once_and_staff_count_in_the_school_only() {
    let none = BTreeMap::new();
    let twice: Vec<Sign> = (100..106)
        .map(|day| sign(1, 1, day, Symptom::Vomiting))
        .collect();
    assert_eq!(told(&twice, &none), []);
    let mut all: Vec<Sign> = (1..=10)
        .map(|person| sign(person, 1, 100, Symptom::Fever))
        .collect();
    for one in &mut all {
        one.kind = GroupKind::Staff;
        one.symptoms = Symptoms::NONE.with(Symptom::Vomiting);
    }
    assert_eq!(
        told(&all, &none),
        [expected("disease-5-alert-school", "s", 100, 100, 10)]
    );
}

#[test]
fn suspension_is_proposed_by_new_cases_by_the_share_that_is_ill_and_by_classes() {
    let ill = |person, day| Sign {
        temperature: 385,
        ..sign(person, 1, day, Symptom::Cough)
    };
    let flu = |days: &[u16], size: u32| {
        let signs: Vec<Sign> = (1..).zip(days).map(|(p, day)| ill(p, *day)).collect();
        told(&signs, &BTreeMap::from([(format!("{SCHOOL}/c1"), size)]))
    };
    let fires = |first, last, people| vec![expected("suspend-1-class", "c1", first, last, people)];
    assert_eq!(flu(&[100; 5], 40), fires(100, 100, 5));
    assert_eq!(flu(&[100; 4], 40), []);
    assert_eq!(flu(&[100; 3], 10), fires(100, 100, 3));
    assert_eq!(flu(&[100; 3], 11), []);
    // Who is still ill at home counts among those ill now, until the return (rule 1.20).
    let at_home = |until: u16| {
        let home = |person| Sign {
            until: Day::from_number(until),
            ..ill(person, 100)
        };
        let signs = [home(1), home(2), ill(3, 104)];
        told(&signs, &BTreeMap::from([(format!("{SCHOOL}/c1"), 10)]))
    };
    assert_eq!(at_home(u16::MAX), fires(100, 104, 3));
    assert_eq!(at_home(104), fires(100, 104, 3));
    assert_eq!(at_home(103), []);
    let hand = |person, class| Sign {
        diagnosis: Some((Disease::HFMD, Certainty::Suspected)),
        ..sign(person, class, 100 + u16::from(class), Symptom::Rash)
    };
    let three: Vec<Sign> = (1..=6)
        .map(|p| hand(p, u8::try_from(p.div_ceil(2)).unwrap()))
        .collect();
    let codes: Vec<String> = told(&three, &BTreeMap::new())
        .into_iter()
        .map(|one| one.0)
        .collect();
    let count = |code: &str| codes.iter().filter(|one| *one == code).count();
    assert_eq!(count("suspend-4-school"), 1);
    assert_eq!(count("suspend-4-class"), 3);
    assert_eq!(count("disease-4-alert-class"), 3);
    assert_eq!(count("disease-4-alert-school"), 1);
}

#[test]
fn class_a_is_reported_within_two_hours_and_a_death_reaches_a_rule_alone() {
    let rules = table(&fuzhou());
    let covid = rules
        .iter()
        .find(|rule| rule.code == "disease-16-event-school");
    assert_eq!(covid.map(|rule| rule.report_sla.as_secs()), Some(7200));
    let dead = Sign {
        severity: Severity::Dead,
        ..sign(1, 1, 100, Symptom::Vomiting)
    };
    let found = told(&[dead], &BTreeMap::new());
    assert_eq!(
        found,
        [expected("disease-5-event-school", "s", 100, 100, 1)]
    );
}

/// Rule 1.15, as a row of the policy: who eats together, of whatever class.
#[test]
fn a_row_of_the_policy_counts_those_who_eat_together() {
    let meal = ClusterRule {
        code: "meal-gastrointestinal".to_owned(),
        numbers: vec!["1.15".to_owned()],
        scope: Scope::Meal,
        criterion: Criterion::Similar(3),
        conditions: vec![Condition::cases(1, 3)],
        level: Level::ClusterAlert,
        report_sla: Duration::from_secs(86_400),
        recipients: vec![1],
        suspend_days: 0,
        at_once: true,
        source: "有共同用餐史的相似病例".to_owned(),
    };
    let rules = HealthRules {
        cluster_rows: vec![meal],
        ..fuzhou()
    };
    let ill: Vec<Sign> = (1..=3)
        .map(|class| sign(u16::from(class), class, 100, Symptom::Vomiting))
        .collect();
    let mut around = Around::default();
    let found = |around: &Around| -> Vec<(String, String, usize)> {
        let sets = sets(&rules);
        let found = find(&sets, &cases_of(&ill), around, &[]).into_iter();
        found
            .map(|one| (one.rule.code.clone(), one.place, one.people.len()))
            .collect()
    };
    assert_eq!(found(&around), [], "nobody knows that they eat together");
    for one in &ill[..2] {
        around
            .shared
            .person(SharedKind::Meal, "canteen-1", one.person);
    }
    let path = format!("{SCHOOL}/c3");
    around
        .shared
        .class_group(SharedKind::Water, "canteen-1", &path);
    assert_eq!(found(&around), [], "a source of water is no meal");
    around
        .shared
        .class_group(SharedKind::Meal, "canteen-1", &path);
    let expected = (
        "meal-gastrointestinal".to_owned(),
        "canteen-1".to_owned(),
        3,
    );
    assert_eq!(found(&around), [expected]);
    let sourced = table(&rules).into_iter();
    let mut sourced = sourced.filter(|rule| rule.scope == Scope::Meal);
    let source = sourced.next().map(|rule| rule.source);
    assert_eq!(source.as_deref(), Some("有共同用餐史的相似病例"));
}
