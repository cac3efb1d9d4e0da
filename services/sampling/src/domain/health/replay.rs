//! Replays a past period under rules: what would have fired, and on which day.

use std::collections::BTreeSet;

use super::cluster::{Around, Finding, RuleSet, find};
use super::cluster_rule::Scope;
use super::cluster_state::ClusterState;
use super::illness::episodes;
use super::reconcile::{Known, Verdict, reconcile};
use super::rules::HealthRules;
use super::sign::Sign;
use crate::domain::day::Day;

/// What one school said, each sign with the day by whose end it was known.
pub type Said = Vec<(Day, Sign)>;

/// A cluster that would have fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    /// The code of its rule.
    pub rule: String,
    /// What its cases share.
    pub scope: Scope,
    /// Where, within the scope.
    pub place: String,
    /// The first day of its cases.
    pub first: Day,
    /// Its last day.
    pub last: Day,
    /// The day by whose end it was known.
    pub fired: Day,
    /// People on the day it fired.
    pub people_then: usize,
    /// People at the end.
    pub people: usize,
}

/// What fires from `from` to `until` in one school, day by day, from what was known by the end of
/// each day. Clusters known before `from` count as fired before and are left out. `definitions`
/// tells by which policy an episode that begins on a day is a case.
pub fn replay<'a>(
    said: &Said,
    (from, until): (Day, Day),
    sets: &[RuleSet],
    around: &Around,
    definitions: impl Fn(Day) -> Option<&'a HealthRules>,
) -> Vec<Fired> {
    let mut said: Vec<&(Day, Sign)> = said.iter().collect();
    said.sort_by_key(|(known, sign)| (*known, &sign.source, sign.person));
    let signs: Vec<Sign> = said.iter().map(|(_, sign)| sign.clone()).collect();
    let news: BTreeSet<Day> = said
        .iter()
        .map(|(known, _)| (*known).max(from.before()))
        .collect();
    let mut known: Vec<Known> = Vec::new();
    let mut fired: Vec<Fired> = Vec::new();
    for day in news.into_iter().filter(|day| *day <= until) {
        let heard = said.partition_point(|(known, _)| *known <= day);
        let cases: Vec<_> = episodes(signs.get(..heard).unwrap_or_default())
            .into_iter()
            .filter_map(|episode| Some(episode.cases(definitions(episode.first)?)))
            .flatten()
            .collect();
        let findings = find(sets, &cases, around, &[]);
        let all = (Day::NEVER, Day::from_number(u16::MAX));
        for verdict in reconcile(&known, findings, all) {
            apply(verdict, day, &mut known, &mut fired);
        }
    }
    fired.retain(|one| from <= one.fired);
    fired
}

/// Clusters are numbered in the order of firing: the number is their place in both lists.
fn apply(verdict: Verdict<'_>, day: Day, known: &mut Vec<Known>, fired: &mut Vec<Fired>) {
    let place = |id: &str| id.parse::<usize>().unwrap_or(usize::MAX);
    match verdict {
        Verdict::Fires(finding) => {
            known.push(Known {
                id: format!("{:08}", known.len()),
                rule: finding.rule.code.clone(),
                place: finding.place.clone(),
                first: finding.first,
                last: finding.last,
                state: ClusterState::Open,
                stands: true,
                fired: i64::from(day.number()),
                used_up: BTreeSet::new(),
            });
            fired.push(Fired {
                rule: finding.rule.code.clone(),
                scope: finding.rule.scope,
                place: finding.place.clone(),
                first: finding.first,
                last: finding.last,
                fired: day,
                people_then: finding.people.len(),
                people: finding.people.len(),
            });
        }
        Verdict::Is(id, finding) => {
            let Finding { first, last, .. } = finding;
            if let Some(cluster) = known.get_mut(place(&id)) {
                (cluster.first, cluster.last, cluster.stands) = (first, last, true);
            }
            if let Some(one) = fired.get_mut(place(&id)) {
                (one.first, one.last, one.people) = (first, last, finding.people.len());
            }
        }
        Verdict::Merges(id, _) => {
            if let Some(cluster) = known.get_mut(place(&id)) {
                cluster.state = ClusterState::Merged;
            }
        }
        Verdict::Falls(id) => {
            if let Some(cluster) = known.get_mut(place(&id)) {
                cluster.stands = false;
            }
        }
    }
}

/// A cluster under the rules of today and under others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// As it fires under the present rules.
    pub present: Option<Fired>,
    /// As it fires under the changed rules.
    pub changed: Option<Fired>,
}

/// Puts together what fires under both: the same rule and place with a day in common.
pub fn compare(present: Vec<Fired>, changed: Vec<Fired>) -> Vec<Compared> {
    let mut left: Vec<Option<Fired>> = changed.into_iter().map(Some).collect();
    let mut compared: Vec<Compared> = Vec::new();
    for one in present {
        let other = left.iter_mut().find(|other| {
            other.as_ref().is_some_and(|other| {
                (&other.rule, &other.place) == (&one.rule, &one.place)
                    && other.first <= one.last
                    && one.first <= other.last
            })
        });
        compared.push(Compared {
            changed: other.and_then(Option::take),
            present: Some(one),
        });
    }
    let only_now = left.into_iter().flatten();
    compared.extend(only_now.map(|changed| Compared {
        present: None,
        changed: Some(changed),
    }));
    compared.sort_by(|one, other| one.key().cmp(&other.key()));
    compared
}

impl Compared {
    /// The day on which it fires first under either.
    pub fn fired(&self) -> Option<Day> {
        let both = self.present.iter().chain(&self.changed);
        both.map(|one| one.fired).min()
    }

    fn key(&self) -> Option<(Day, &str, &str)> {
        let one = self.changed.as_ref().or(self.present.as_ref())?;
        Some((one.fired, &one.rule, &one.place))
    }
}
