//! Outbreaks, a real one and an invented one, and rules that are tried on them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{fuzhou, sets, sign};
use crate::domain::day::Day;
use crate::domain::health::cluster::{Around, RuleSet};
use crate::domain::health::cluster_rule::{ClusterRule, Scope};
use crate::domain::health::cluster_table::table;
use crate::domain::health::derbyshire::children;
use crate::domain::health::replay::{Fired, compare, replay};
use crate::domain::health::symptom::Symptom;

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
    let fired = replay(&said, days, &sets(&rules), &Around::default(), |_| {
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
fn the_outbreak_of_derbyshire_fires_on_the_days_of_its_notes() {
    let absences = children();
    assert_eq!(absences.len(), 139);
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
    let run = |sets: &[RuleSet]| replay(&late, days, sets, &Around::default(), |_| Some(&rules));
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
            let day = |fired: &Option<Fired>| fired.as_ref().map(|one| one.fired.number());
            (day(&one.present), day(&one.changed))
        })
        .collect();
    assert_eq!(days, [(Some(1005), Some(1004))]);
    let quiet = (Day::from_number(1006), Day::from_number(1010));
    let none = replay(&late, quiet, &sets(&rules), &Around::default(), |_| {
        Some(&rules)
    });
    assert_eq!(none, []);
}
