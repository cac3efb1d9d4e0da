//! The laws of clusters: order and repetition do not matter, each fires once, and the outbreaks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::cluster::{Known, RuleSet, Verdict, find, horizon, longest, reconcile};
use super::cluster_rule::{ClusterRule, Scope};
use super::cluster_state::ClusterState;
use super::cluster_table::table;
use super::disease::{Certainty, Disease, Severity};
use super::illness::{Case, episodes};
use super::replay::{compare, replay};
use super::rules::{
    CaseDefinition, HealthRules, HfmdSuspension, InfluenzaSuspension, Level, Outbreak, Similar,
};
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
        symptoms: Symptoms::NONE.with(symptom),
        temperature: 0,
        diagnosis: None,
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
    let findings = find(&sets, &cases_of(signs), sizes, &[]).into_iter();
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

/// An app in memory: submissions one by one, each looking no further than its horizon.
#[derive(Default)]
struct Desk {
    signs: BTreeMap<(String, PersonId), Sign>,
    known: Vec<Known>,
    fires: usize,
}

impl Desk {
    fn hear(&mut self, sign: &Sign) {
        let before = cases_of(&self.all());
        self.signs
            .insert((sign.source.clone(), sign.person), sign.clone());
        let after = cases_of(&self.all());
        let changed = |one: &[Case], other: &[Case]| -> Vec<(Day, Day)> {
            let gone = one.iter().filter(|case| !other.contains(case));
            gone.map(|case| (case.day, case.last)).collect()
        };
        let days = [changed(&before, &after), changed(&after, &before)].concat();
        let Some(first) = days.iter().map(|(first, _)| *first).min() else {
            return;
        };
        let last = days.iter().map(|(_, last)| *last).max().unwrap_or(first);
        self.look((first, last), &after);
    }

    fn look(&mut self, changed: (Day, Day), cases: &[Case]) {
        let sets = sets(&fuzhou());
        let horizon = horizon(changed, longest(&sets), &self.known);
        let near = |case: &&Case| horizon.load.0 <= case.last && case.day <= horizon.load.1;
        let cases: Vec<Case> = cases.iter().filter(near).cloned().collect();
        let findings = find(&sets, &cases, &BTreeMap::new(), &self.known);
        for verdict in reconcile(&self.known, findings, horizon.core) {
            let fired = i64::try_from(self.known.len()).unwrap_or(i64::MAX);
            let at = |id: &str| self.known.iter().position(|one| one.id == id).unwrap();
            match verdict {
                Verdict::Fires(one) => {
                    self.fires += 1;
                    self.known.push(Known {
                        id: fired.to_string(),
                        rule: one.rule.code.clone(),
                        place: one.place,
                        first: one.first,
                        last: one.last,
                        state: ClusterState::Open,
                        stands: true,
                        fired,
                    });
                }
                Verdict::Is(id, one) => {
                    let place = at(&id);
                    let cluster = &mut self.known[place];
                    (cluster.first, cluster.last, cluster.stands) = (one.first, one.last, true);
                }
                Verdict::Merges(id, _) => {
                    let place = at(&id);
                    self.known[place].state = ClusterState::Merged;
                }
                Verdict::Falls(id) => {
                    let place = at(&id);
                    self.known[place].stands = false;
                }
            }
        }
    }

    fn all(&self) -> Vec<Sign> {
        self.signs.values().cloned().collect()
    }

    fn standing(&self) -> BTreeSet<(String, String, Day, Day)> {
        let stands = self
            .known
            .iter()
            .filter(|one| one.stands && one.state.lives());
        stands
            .map(|one| (one.rule.clone(), one.place.clone(), one.first, one.last))
            .collect()
    }
}

fn submissions() -> impl Strategy<Value = Vec<Sign>> {
    let symptom = prop_oneof![Just(Symptom::Fever), Just(Symptom::Vomiting)];
    let one = (
        0_u16..14,
        100_u16..125,
        symptom,
        0_u8..4,
        0_u16..3,
        0_u8..20,
    );
    let sign = one.prop_map(|(person, day, symptom, extra, onset, grave)| {
        let mut sign = sign(person, u8::try_from(person % 3).unwrap_or(0), day, symptom);
        sign.source = format!("checks/{day}-{person}-{extra}");
        if extra == 0 {
            sign.onset = Day::from_number(day - onset);
        }
        if person % 2 == 0 {
            sign.dormitory = "r1".to_owned();
        }
        if grave == 0 {
            sign.severity = Severity::Dead;
        }
        sign
    });
    prop::collection::vec(sign, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// What stands follows from the facts alone, and each finding is one cluster.
    #[test]
    fn order_and_repetition_do_not_matter(
        signs in submissions(),
        order in any::<u64>(),
    ) {
        let mut straight = Desk::default();
        for sign in &signs {
            straight.hear(sign);
        }
        // What a source says last of a person stands, so of each only the last is shuffled.
        let mut shuffled: Vec<Sign> = straight.all();
        let again = shuffled.clone();
        shuffled.sort_by_key(|sign| {
            let mix = u64::from(sign.day.number()) * 31 + u64::from(sign.person.0[1]) * 17;
            mix.wrapping_mul(order | 1).rotate_left(17)
        });
        let mut other = Desk::default();
        for sign in shuffled.iter().chain(&again) {
            other.hear(sign);
        }
        prop_assert_eq!(straight.standing(), other.standing());
        let sets = sets(&fuzhou());
        let cases = cases_of(&straight.all());
        let found = find(&sets, &cases, &BTreeMap::new(), &[]);
        let found: Vec<_> = found
            .into_iter()
            .map(|one| (one.rule.code.clone(), one.place, one.first, one.last))
            .collect();
        let lives = straight.known.iter().filter(|one| one.stands && one.state.lives());
        prop_assert_eq!(lives.count(), found.len(), "a rule, place and window fires once");
        prop_assert_eq!(straight.standing(), found.into_iter().collect::<BTreeSet<_>>());
        let fires = other.fires;
        for sign in &again {
            other.hear(sign);
        }
        prop_assert_eq!(other.fires, fires, "a repetition fires nothing");
    }

    /// A case of somebody else takes no cluster away: each goes on in one that holds all of it.
    #[test]
    fn a_further_case_removes_no_cluster(signs in submissions(), class in 0_u8..3, day in 95_u16..130) {
        let none = BTreeMap::new();
        let sets = sets(&fuzhou());
        let mut cases = cases_of(&signs);
        let before = find(&sets, &cases, &none, &[]);
        cases.extend(cases_of(&[sign(999, class, day, Symptom::Fever)]));
        let after = find(&sets, &cases, &none, &[]);
        for one in before {
            let goes_on = after.iter().any(|other| {
                (&other.rule.code, &other.place) == (&one.rule.code, &one.place)
                    && other.first <= one.first
                    && one.last <= other.last
                    && one.people.keys().all(|person| other.people.contains_key(person))
            });
            prop_assert!(goes_on, "{:?}", one);
        }
    }
}

#[test]
fn clusters_that_grow_together_go_on_as_the_oldest() {
    let mut desk = Desk::default();
    for person in 1..=3 {
        desk.hear(&sign(person, 1, 104, Symptom::Fever));
    }
    for person in 4..=6 {
        desk.hear(&sign(person, 1, 100, Symptom::Fever));
    }
    assert_eq!((desk.fires, desk.standing().len()), (2, 2));
    for person in 7..=8 {
        desk.hear(&sign(person, 1, 102, Symptom::Fever));
    }
    let states: Vec<_> = desk
        .known
        .iter()
        .map(|one| (one.state, one.first.number()))
        .collect();
    assert_eq!(
        states,
        [(ClusterState::Open, 100), (ClusterState::Merged, 100)]
    );
    assert_eq!(desk.fires, 2);
}

#[test]
fn a_closed_cluster_has_used_up_its_cases() {
    let mut desk = Desk::default();
    for person in 1..=3 {
        desk.hear(&sign(person, 1, 100, Symptom::Fever));
    }
    (desk.known[0].state, desk.known[0].last) = (ClusterState::Closed, Day::from_number(101));
    for person in 4..=5 {
        desk.hear(&sign(person, 1, 101, Symptom::Fever));
    }
    desk.hear(&sign(6, 1, 102, Symptom::Fever));
    assert_eq!(desk.fires, 1);
    for person in 7..=8 {
        desk.hear(&sign(person, 1, 102, Symptom::Fever));
    }
    assert_eq!(desk.fires, 2);
}

#[test]
fn a_correction_lets_a_cluster_fall_and_rise_again_without_a_second_fire() {
    let mut desk = Desk::default();
    for person in 1..=3 {
        desk.hear(&sign(person, 1, 100, Symptom::Fever));
    }
    desk.hear(&sign(3, 1, 100, Symptom::Headache));
    assert_eq!((desk.fires, desk.known[0].stands), (1, false));
    desk.hear(&sign(3, 1, 100, Symptom::Fever));
    assert_eq!((desk.fires, desk.known[0].stands), (1, true));
}

/// First days of absence, class by class, as they would have been submitted.
fn replayed(absences: &[(u8, u16)]) -> Vec<(String, String, u16, usize)> {
    let rules = fuzhou();
    let said = (1..)
        .zip(absences)
        .map(|(person, (class, day))| {
            let sign = sign(person, *class, 1000 + day, Symptom::Vomiting);
            (sign.day, sign)
        })
        .collect();
    let days = (Day::from_number(1001), Day::from_number(1060));
    let fired = replay(&said, days, &sets(&rules), &BTreeMap::new(), |_| {
        Some(&rules)
    });
    fired
        .into_iter()
        .map(|one| {
            let place = one.place.rsplit('/').next().unwrap_or_default().to_owned();
            (one.rule, place, one.fired.number() - 1000, one.people_then)
        })
        .collect()
}

/// The norovirus outbreak of a primary school in Derbyshire in 2001 (O'Neill and Marks 2005).
#[test]
#[expect(
    clippy::print_stderr,
    reason = "a skipped replay must not go unnoticed"
)]
fn the_outbreak_of_derbyshire_fires_on_the_days_of_its_notes() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/outbreaks/norovirus_derbyshire_2001_school.csv"
    );
    let beside = file.replace("/../../../shared", "/../../../../shared");
    let text = std::fs::read_to_string(file).or_else(|_| std::fs::read_to_string(beside));
    let Ok(text) = text else {
        eprintln!("*** SKIPPED: {file} is not there ***");
        return;
    };
    let absences: Vec<(u8, u16)> = text
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut cells = line.split(',');
            let class = cells.next()?.parse().ok()?;
            let day: u16 = cells.next()?.parse().ok()?;
            (1..=22).contains(&day).then_some((class, day))
        })
        .collect();
    let fired = replayed(&absences);
    let school = fired
        .iter()
        .find(|one| one.0 == "disease-5-alert-school")
        .unwrap();
    assert_eq!((school.2, school.3), (8, 10));
    let first = fired
        .iter()
        .filter(|one| one.0 == "similar-3-class")
        .map(|one| one.2)
        .min();
    let classes: BTreeSet<&str> = fired
        .iter()
        .filter(|one| one.0 == "similar-3-class" && Some(one.2) == first)
        .map(|one| one.1.as_str())
        .collect();
    assert_eq!(first, Some(14));
    assert_eq!(classes, BTreeSet::from(["c1", "c9", "c11", "c15"]));
    assert_eq!(absences.iter().filter(|(_, day)| *day <= 14).count(), 28);
}

/// An invented outbreak: one or two a day in six classes, then a class at once.
#[test]
fn an_invented_outbreak_fires_on_known_days() {
    let creeping: Vec<(u8, u16)> = (0..10)
        .map(|n| (u8::try_from(n % 6).unwrap(), n / 2 + 1))
        .collect();
    let sudden = [(2, 9), (2, 9), (2, 9)];
    let fired = replayed(&[creeping.as_slice(), &sudden].concat());
    assert_eq!(
        fired,
        [
            ("disease-5-alert-school".to_owned(), "s".to_owned(), 5, 10),
            ("similar-3-class".to_owned(), "c2".to_owned(), 9, 3),
        ]
    );
}

#[test]
fn a_replay_compares_rules_and_knows_no_more_than_each_day_did() {
    let rules = fuzhou();
    let mut late: Vec<_> = (1..=4)
        .map(|person| {
            (
                Day::from_number(1005),
                sign(person, 1, 1003, Symptom::Fever),
            )
        })
        .collect();
    late[0].0 = Day::from_number(1004);
    let days = (Day::from_number(1000), Day::from_number(1010));
    let run = |sets: &[RuleSet]| replay(&late, days, sets, &BTreeMap::new(), |_| Some(&rules));
    let changed: Vec<ClusterRule> = table(&rules)
        .into_iter()
        .filter(|rule| rule.scope == Scope::ClassGroup)
        .map(|mut rule| {
            rule.conditions.iter_mut().for_each(|one| one.count = 1);
            rule
        })
        .collect();
    let mut other = sets(&rules);
    other[0].rules = Arc::new(changed);
    let compared = compare(run(&sets(&rules)), run(&other));
    let days: Vec<_> = compared
        .iter()
        .map(|one| {
            let day =
                |fired: &Option<super::replay::Fired>| fired.as_ref().map(|one| one.fired.number());
            (day(&one.present), day(&one.changed))
        })
        .collect();
    assert_eq!(days, [(Some(1005), Some(1004))]);
    let quiet = (Day::from_number(1006), Day::from_number(1010));
    let none = replay(&late, quiet, &sets(&rules), &BTreeMap::new(), |_| {
        Some(&rules)
    });
    assert_eq!(none, []);
}
