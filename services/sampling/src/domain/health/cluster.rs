//! Clusters: what the cases of a school amount to under the rules. A pure function, so the order and
//! the repetition of what was submitted cannot matter.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cluster_rule::{ClusterRule, Condition, Counted};
use super::illness::{Case, Criterion};
use super::reconcile::Known;
use super::shared::Shared;
use crate::domain::day::Day;
use crate::domain::roll::PersonId;

/// The rules in force from one day to another, both included.
#[derive(Clone, Debug)]
pub struct RuleSet {
    /// The first day.
    pub first: Day,
    /// The last day.
    pub last: Day,
    /// The version of the policy.
    pub version: String,
    /// The rules.
    pub rules: Arc<Vec<ClusterRule>>,
}

/// What finding clusters has to know of a school beside its cases.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// How many people class groups have, by path.
    pub sizes: BTreeMap<String, u32>,
    /// Who shares a meal or a source of water.
    pub shared: Shared,
}

/// The longest window of any rule, in civil days.
pub fn longest(sets: &[RuleSet]) -> u16 {
    let rules = sets.iter().flat_map(|set| set.rules.iter());
    rules.map(ClusterRule::window_days).max().unwrap_or(1)
}

/// A condition that is reached, at its largest count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// The condition.
    pub condition: Condition,
    /// What was counted.
    pub count: u32,
    /// How many people the class group has, where a share is counted; else 0.
    pub size: u32,
    /// The last day of the window.
    pub day: Day,
}

/// Cases that reach a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding<'a> {
    /// The rule.
    pub rule: &'a ClusterRule,
    /// The version of its policy.
    pub version: &'a str,
    /// Where, within the rule's scope.
    pub place: String,
    /// The first day of its cases.
    pub first: Day,
    /// The last day on which the rule is reached.
    pub last: Day,
    /// The first day on which it is.
    pub reached: Day,
    /// The people: student (1) or staff (2), and the day of their case.
    pub people: BTreeMap<PersonId, (i16, Day)>,
    /// The conditions reached, in the order of the rule.
    pub met: Vec<Met>,
}

/// Finds every cluster: windows that reach a rule at one place and share a day are one. A cluster
/// that was closed has used up the cases of its people, and of nobody else.
pub fn find<'a>(
    sets: &'a [RuleSet],
    cases: &[Case],
    around: &Around,
    known: &[Known],
) -> Vec<Finding<'a>> {
    let mut by_criterion: BTreeMap<Criterion, Vec<&Case>> = BTreeMap::new();
    for case in cases {
        by_criterion.entry(case.criterion).or_default().push(case);
    }
    let mut hits = Vec::new();
    for set in sets {
        for rule in set.rules.iter() {
            let cases = by_criterion
                .get(&rule.criterion)
                .map_or(&[][..], Vec::as_slice);
            for (place, mut cases) in by_place(rule, cases, &around.shared, known) {
                cases.sort_unstable();
                hits_of(set, rule, place, &cases, &around.sizes, &mut hits);
            }
        }
    }
    together(hits)
}

/// The cases of a rule at each of its places, without those that closed clusters used up.
fn by_place<'c>(
    rule: &ClusterRule,
    cases: &[&'c Case],
    shared: &'c Shared,
    known: &[Known],
) -> BTreeMap<&'c str, Vec<&'c Case>> {
    let mut places: BTreeMap<&'c str, Vec<&'c Case>> = BTreeMap::new();
    for case in cases.iter().copied() {
        for place in rule.scope.places(case, shared) {
            let used_up = known
                .iter()
                .any(|cluster| cluster.is_at(&rule.code, place) && cluster.has_used_up(case));
            if !used_up {
                places.entry(place).or_default().push(case);
            }
        }
    }
    places
}

/// Every window at one place that reaches the rule: one for each last day and condition.
fn hits_of<'a>(
    set: &'a RuleSet,
    rule: &'a ClusterRule,
    place: &str,
    cases: &[&Case],
    sizes: &BTreeMap<String, u32>,
    hits: &mut Vec<Finding<'a>>,
) {
    let size = sizes.get(place).copied().unwrap_or(0);
    let days: BTreeSet<Day> = cases.iter().map(|case| case.day).collect();
    for day in days.range(set.first..=set.last.max(set.first)).copied() {
        for condition in &rule.conditions {
            let counted = within(condition, cases, day);
            let Some((count, people)) = measure(condition, &counted, size) else {
                continue;
            };
            let first = people.values().map(|(_, day)| *day).min().unwrap_or(day);
            let met = Met {
                condition: *condition,
                count,
                size: if condition.counted == Counted::Share {
                    size
                } else {
                    0
                },
                day,
            };
            hits.push(Finding {
                rule,
                version: &set.version,
                place: place.to_owned(),
                first,
                last: day,
                reached: day,
                people,
                met: vec![met],
            });
        }
    }
}

/// The cases that a condition counts on a day.
fn within<'c>(condition: &Condition, cases: &[&'c Case], day: Day) -> Vec<&'c Case> {
    let before = condition.window_days.saturating_sub(1);
    let first = Day::from_number(day.number().saturating_sub(before));
    let counts = |case: &&&Case| {
        let in_time = match condition.counted {
            Counted::Share => case.day <= day && day <= case.last,
            Counted::Cases | Counted::ClassGroups => first <= case.day && case.day <= day,
        };
        in_time && condition.counts(case)
    };
    cases.iter().filter(counts).copied().collect()
}

type People = BTreeMap<PersonId, (i16, Day)>;

/// How much there is and of whom, when that reaches the condition.
fn measure(condition: &Condition, cases: &[&Case], size: u32) -> Option<(u32, People)> {
    let reached = |count: u32, people: People| {
        (condition.count > 0 && count >= condition.count).then_some((count, people))
    };
    match condition.counted {
        Counted::Cases => {
            let people = people(cases);
            reached(number(people.len()), people)
        }
        Counted::Share => {
            let people = people(cases);
            let ill = number(people.len());
            let share = u64::from(ill) * 10_000;
            let enough = share >= u64::from(condition.count) * u64::from(size);
            (condition.count > 0 && size > 0 && ill > 0 && enough).then_some((ill, people))
        }
        Counted::ClassGroups => {
            let mut groups: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
            for case in cases.iter().filter(|case| case.is_student()) {
                groups.entry(&case.group).or_default().push(case);
            }
            let enough = |cases: &Vec<&Case>| {
                condition.group_cases > 0 && number(people(cases).len()) >= condition.group_cases
            };
            groups.retain(|_, cases| enough(cases));
            let all: Vec<&Case> = groups.values().flatten().copied().collect();
            reached(number(groups.len()), people(&all))
        }
    }
}

/// Everybody once, with the first day of their cases.
fn people(cases: &[&Case]) -> People {
    let mut people = People::new();
    for case in cases {
        let known = people.entry(case.person).or_insert((case.kind, case.day));
        known.1 = known.1.min(case.day);
    }
    people
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Puts windows of one rule and place that share a day together.
fn together(mut hits: Vec<Finding<'_>>) -> Vec<Finding<'_>> {
    hits.sort_by(|one, other| {
        let key = |hit: &Finding<'_>| (hit.first, hit.last);
        (&one.rule.code, &one.place, key(one)).cmp(&(&other.rule.code, &other.place, key(other)))
    });
    let mut found: Vec<Finding<'_>> = Vec::new();
    for hit in hits {
        match found.last_mut() {
            Some(last)
                if last.rule.code == hit.rule.code
                    && last.place == hit.place
                    && hit.first <= last.last =>
            {
                last.take_in(hit);
            }
            _ => found.push(hit),
        }
    }
    found
}

impl<'a> Finding<'a> {
    /// Takes in a window that shares a day with it. The rule is that of the day on which it was
    /// reached first.
    fn take_in(&mut self, hit: Finding<'a>) {
        if hit.reached < self.reached {
            (self.rule, self.version, self.reached) = (hit.rule, hit.version, hit.reached);
        }
        self.last = self.last.max(hit.last);
        for (person, (kind, day)) in hit.people {
            let known = self.people.entry(person).or_insert((kind, day));
            known.1 = known.1.min(day);
        }
        for met in hit.met {
            let same = |one: &&mut Met| one.condition == met.condition;
            match self.met.iter_mut().find(same) {
                Some(known) if known.count >= met.count => {}
                Some(known) => *known = met,
                None => self.met.push(met),
            }
        }
        self.met.sort_by_key(|met| (met.condition, met.day));
    }

    /// Whether a day from the first to the last is one of its own.
    pub fn shares_a_day(&self, (first, last): (Day, Day)) -> bool {
        self.first <= last && first <= self.last
    }
}
