//! Clusters, found as things are said.

mod handle;
mod keep;
mod read;
mod related;
mod simulate;
#[cfg(test)]
mod tests;

pub(in crate::app::health) use keep::line;
pub(crate) use read::Listing;
pub(crate) use simulate::{MOST_SIGNS, Replayed, Simulated};

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use kit::db::Tx;
use sea_orm::{ConnectionTrait, Value};

use super::Touched;
use crate::app::App;
use crate::domain::day::Day;
use crate::domain::health::cluster::{Around, RuleSet, find, longest};
use crate::domain::health::cluster_rule::{Counted, Scope};
use crate::domain::health::illness::{Case, episodes};
use crate::domain::health::reconcile::{Known, horizon, reconcile};
use crate::domain::health::shared::Shared;
use crate::error::Error;
use crate::store::health::clusters::{self, ClusterRow};
use crate::store::health::{illnesses, shared_groups, signs};
use crate::store::policy::Facts;
use crate::store::rolls;

/// What changes in the cases of one school.
#[derive(Debug, Default)]
struct Change {
    /// By which criteria.
    criteria: BTreeSet<i32>,
    /// The first and the last day of the cases that change.
    days: Option<(Day, Day)>,
}

impl Change {
    fn note(&mut self, case: &Case) {
        self.criteria.insert(case.criterion.code());
        let (first, last) = self.days.unwrap_or((case.day, case.last));
        self.days = Some((first.min(case.day), last.max(case.last)));
    }
}

impl App {
    /// Finds out which clusters the schools of `touched` have now. Only when somebody's illness
    /// becomes another case than before are the rules looked at, and then only near it.
    pub(super) async fn find_clusters(
        &self,
        tx: &Tx,
        touched: &Touched,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let schools: BTreeSet<&str> = touched.days.iter().map(|(at, _)| at.as_str()).collect();
        let people = || -> Vec<Value> {
            let people = touched.people.keys();
            people.map(|person| person.0.to_vec().into()).collect()
        };
        let facts = self.facts.get(tx).await?;
        let mut said = signs::of_people(tx, people()).await?;
        said.retain(|sign| schools.contains(sign.school()));
        let mut after = BTreeSet::new();
        for episode in episodes(&said) {
            if let Some(policy) = facts.policy(episode.school(), episode.first) {
                after.extend(episode.cases(&policy.health));
            }
        }
        let before = illnesses::of_people(tx, people()).await?.into_iter();
        let before: BTreeSet<Case> = before
            .filter(|case| schools.contains(case.school()))
            .collect();
        let gone: Vec<&Case> = before.difference(&after).collect();
        let new: Vec<&Case> = after.difference(&before).collect();
        illnesses::remove(tx, &gone).await?;
        illnesses::save(tx, &new).await?;
        let mut changes: BTreeMap<&str, Change> = BTreeMap::new();
        for case in gone.into_iter().chain(new) {
            changes.entry(case.school()).or_default().note(case);
        }
        for (school, change) in changes {
            self.look(tx, &facts, school, &change, now).await?;
        }
        Ok(())
    }

    /// Looks at the rules near the cases of one school that changed.
    async fn look(
        &self,
        tx: &Tx,
        facts: &Facts,
        school: &str,
        change: &Change,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let Some(days) = change.days else {
            return Ok(());
        };
        let criteria: Vec<i32> = change.criteria.iter().copied().collect();
        let sets = rule_sets(facts, school);
        let rows = clusters::of_school(tx, school, &criteria).await?;
        let known: Vec<Known> = rows
            .iter()
            .map(ClusterRow::known)
            .collect::<Result<_, _>>()?;
        let horizon = horizon(days, longest(&sets), &known);
        let cases = illnesses::of_school(tx, school, &criteria, horizon.load).await?;
        let around = around(tx, school, &sets, &cases).await?;
        let findings = find(&sets, &cases, &around, &known);
        let verdicts = reconcile(&known, findings, horizon.core);
        self.keep(tx, rows, verdicts, school, now).await
    }
}

impl App {
    /// Looks at the rules by which people count who share a meal or a source of water, because those
    /// who do so at this school changed. The school is locked.
    pub(super) async fn look_at_shared(
        &self,
        tx: &Tx,
        school: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let facts = self.facts.get(tx).await?;
        let sets = rule_sets(&facts, school);
        let rules = sets.iter().flat_map(|set| set.rules.iter());
        let shared = rules.filter(|rule| rule.scope.shared().is_some());
        let criteria: BTreeSet<i32> = shared.map(|rule| rule.criterion.code()).collect();
        if criteria.is_empty() {
            return Ok(());
        }
        let today = self.today();
        let first = Day::from_number(today.number().saturating_sub(longest(&sets)));
        let change = Change {
            criteria,
            days: Some((first, today)),
        };
        self.look(tx, &facts, school, &change, now).await
    }
}

/// What finding clusters has to know of a school beside these cases.
async fn around<C: ConnectionTrait + Sync>(
    connection: &C,
    school: &str,
    sets: &[RuleSet],
    cases: &[Case],
) -> Result<Around, Error> {
    let counted: BTreeSet<_> = cases.iter().map(|case| case.criterion).collect();
    let mut rules = sets.iter().flat_map(|set| set.rules.iter());
    let asks = rules.any(|rule| {
        matches!(rule.scope, Scope::Meal | Scope::Water) && counted.contains(&rule.criterion)
    });
    Ok(Around {
        sizes: sizes(connection, sets, cases).await?,
        shared: if asks {
            shared_groups::shared(connection, school).await?
        } else {
            Shared::default()
        },
    })
}

/// The rules at a school, each policy from the day on which it is in force there.
fn rule_sets(facts: &Facts, school: &str) -> Vec<RuleSet> {
    let mut firsts: Vec<Day> = facts
        .policies
        .iter()
        .map(|policy| policy.effective)
        .collect();
    firsts.sort_unstable();
    firsts.dedup();
    let lasts = firsts.iter().skip(1).map(|day| day.before());
    let lasts = lasts.chain([Day::from_number(u16::MAX)]);
    firsts
        .iter()
        .zip(lasts)
        .filter_map(|(first, last)| {
            let policy = facts.policy(school, *first)?;
            Some(RuleSet {
                first: *first,
                last,
                version: policy.version.clone(),
                rules: policy.health.clusters.clone(),
            })
        })
        .collect()
}

/// How many people the class groups of these cases have, where a rule asks for a share of them.
async fn sizes<C: ConnectionTrait + Sync>(
    connection: &C,
    sets: &[RuleSet],
    cases: &[Case],
) -> Result<BTreeMap<String, u32>, Error> {
    let mut asked = BTreeSet::new();
    for rule in sets.iter().flat_map(|set| set.rules.iter()) {
        if rule
            .conditions
            .iter()
            .any(|one| one.counted == Counted::Share)
        {
            asked.insert(rule.criterion);
        }
    }
    let counted = cases.iter().filter(|case| asked.contains(&case.criterion));
    let paths: BTreeSet<String> = counted.map(|case| case.group.clone()).collect();
    if paths.is_empty() {
        return Ok(BTreeMap::new());
    }
    let paths: Vec<String> = paths.into_iter().collect();
    let mut sizes = BTreeMap::new();
    for group in rolls::groups_at(connection, &paths).await? {
        let size = u32::try_from(group.roll()?.members().len()).unwrap_or(u32::MAX);
        sizes.insert(group.path, size);
    }
    Ok(sizes)
}
