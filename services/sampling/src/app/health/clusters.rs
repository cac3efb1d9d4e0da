//! Clusters, found as things are said.

mod handle;
mod keep;
mod read;
mod related;
mod simulate;
#[cfg(test)]
mod tests;

pub(in crate::app::health) use handle::is_above;
pub(in crate::app::health) use keep::line;
pub(crate) use read::Listing;
pub(crate) use simulate::{Replayed, Simulated};

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use kit::db::Tx;
use sea_orm::{ConnectionTrait, Value};

use super::Touched;
use crate::app::App;
use crate::domain::day::Day;
use crate::domain::health::cluster::{Around, RuleSet, find, longest};
use crate::domain::health::cluster_rule::{Counted, Scope};
use crate::domain::health::cluster_state::ClusterState;
use crate::domain::health::illness::{Case, episodes};
use crate::domain::health::reconcile::{Horizon, Known, horizon, reconcile};
use crate::domain::health::shared::Shared;
use crate::domain::health::sign::Sign;
use crate::error::Error;
use crate::store::health::clusters::{self, ClusterRow};
use crate::store::health::{illnesses, shared_groups};
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
    /// Finds out which clusters the schools of `touched` have now, from everything `said` of its
    /// people. Only when somebody's illness becomes another case than before are the rules looked at,
    /// and then only near it.
    pub(super) async fn find_clusters(
        &self,
        tx: &Tx,
        facts: &Facts,
        (touched, mut said): (&Touched, Vec<Sign>),
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let schools: BTreeSet<&str> = touched.days.iter().map(|(at, _)| at.as_str()).collect();
        said.retain(|sign| schools.contains(sign.school()));
        let mut after = BTreeSet::new();
        for episode in episodes(&said) {
            if let Some(policy) = facts.policy(episode.school(), episode.first) {
                after.extend(episode.cases(&policy.health));
            }
        }
        let people = touched.people.keys();
        let people = people.map(|person| Value::from(person.0.to_vec()));
        let before = illnesses::of_people(tx, people.collect())
            .await?
            .into_iter();
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
        self.look(tx, facts, &changes, now).await
    }

    /// Looks at the rules near the cases that changed, at each of these schools by itself; what is
    /// stored of them is read together.
    async fn look(
        &self,
        tx: &Tx,
        facts: &Facts,
        changes: &BTreeMap<&str, Change>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let mut views = views(tx, facts, changes).await?;
        tell_used_up(tx, &mut views).await?;
        let paths = views.iter().flat_map(|view| sized(&view.sets, &view.cases));
        let sizes = sizes(tx, &paths.collect()).await?;
        let asking = views.iter().filter(|view| asks(&view.sets, &view.cases));
        let asking: Vec<&str> = asking.map(|view| view.school).collect();
        let sharing = shared_groups::schools_with(tx, &asking).await?;
        for view in views {
            let View {
                school,
                sets,
                rows,
                known,
                horizon,
                cases,
            } = view;
            let of_school = sized(&sets, &cases).into_iter();
            let around = Around {
                sizes: of_school
                    .filter_map(|path| sizes.get(&path).map(|size| (path.clone(), *size)))
                    .collect(),
                shared: if sharing.contains(school) {
                    shared_groups::shared(tx, school).await?
                } else {
                    Shared::default()
                },
            };
            let findings = find(&sets, &cases, &around, &known);
            let verdicts = reconcile(&known, findings, horizon.core);
            self.keep(tx, rows, verdicts, school, now).await?;
        }
        Ok(())
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
        self.look(tx, &facts, &BTreeMap::from([(school, change)]), now)
            .await
    }
}

/// What is stored of one school near the cases that changed there.
struct View<'a> {
    school: &'a str,
    sets: Vec<RuleSet>,
    rows: Vec<ClusterRow>,
    known: Vec<Known>,
    horizon: Horizon,
    cases: Vec<Case>,
}

/// Reads what is stored near these changes, ordered by school.
async fn views<'a>(
    tx: &Tx,
    facts: &Facts,
    changes: &BTreeMap<&'a str, Change>,
) -> Result<Vec<View<'a>>, Error> {
    let schools: Vec<&str> = changes.keys().copied().collect();
    let criteria = changes.values().flat_map(|change| &change.criteria);
    let criteria: BTreeSet<i32> = criteria.copied().collect();
    let criteria: Vec<i32> = criteria.into_iter().collect();
    let mut rows: HashMap<String, Vec<ClusterRow>> = HashMap::new();
    for row in clusters::of_schools(tx, &schools, &criteria).await? {
        rows.entry(row.school.clone()).or_default().push(row);
    }
    let mut views = Vec::with_capacity(changes.len());
    for (school, change) in changes {
        let Some(days) = change.days else { continue };
        let sets = rule_sets(facts, school);
        let mut rows = rows.remove(*school).unwrap_or_default();
        rows.retain(|row| change.criteria.contains(&row.criterion));
        let known: Vec<Known> = rows
            .iter()
            .map(ClusterRow::known)
            .collect::<Result<_, _>>()?;
        views.push(View {
            school,
            horizon: horizon(days, longest(&sets), &known),
            sets,
            rows,
            known,
            cases: Vec::new(),
        });
    }
    let firsts = views.iter().map(|view| view.horizon.load.0);
    let lasts = views.iter().map(|view| view.horizon.load.1);
    let (Some(first), Some(last)) = (firsts.min(), lasts.max()) else {
        return Ok(views);
    };
    let mut cases: HashMap<String, Vec<Case>> = HashMap::new();
    for case in illnesses::of_schools(tx, &schools, &criteria, (first, last)).await? {
        let of_school = cases.entry(case.school().to_owned()).or_default();
        of_school.push(case);
    }
    for view in &mut views {
        let (first, last) = view.horizon.load;
        let criteria = changes.get(view.school).map(|change| &change.criteria);
        view.cases = cases.remove(view.school).unwrap_or_default();
        view.cases.retain(|case| {
            let counts = criteria.is_some_and(|known| known.contains(&case.criterion.code()));
            counts && case.last >= first && case.day <= last
        });
    }
    Ok(views)
}

/// Tells whose cases were used up by those closed clusters that share a day with one of these.
async fn tell_used_up(tx: &Tx, views: &mut [View<'_>]) -> Result<(), Error> {
    let mut near: Vec<&mut Known> = Vec::new();
    for view in views {
        let cases = &view.cases;
        near.extend(view.known.iter_mut().filter(|cluster| {
            let shares_a_day = |case: &Case| case.day <= cluster.last && cluster.first <= case.last;
            cluster.state == ClusterState::Closed && cases.iter().any(shares_a_day)
        }));
    }
    if near.is_empty() {
        return Ok(());
    }
    let ids = near.iter().map(|one| one.id.as_str().into()).collect();
    let mut people = clusters::people_of(tx, ids).await?;
    for cluster in near {
        cluster.used_up = people.remove(&cluster.id).unwrap_or_default();
    }
    Ok(())
}

/// What finding clusters has to know of a school beside these cases.
async fn around<C: ConnectionTrait + Sync>(
    connection: &C,
    school: &str,
    sets: &[RuleSet],
    cases: &[Case],
) -> Result<Around, Error> {
    Ok(Around {
        sizes: sizes(connection, &sized(sets, cases)).await?,
        shared: if asks(sets, cases) {
            shared_groups::shared(connection, school).await?
        } else {
            Shared::default()
        },
    })
}

/// Whether a rule asks who of these cases shares a meal or a source of water.
fn asks(sets: &[RuleSet], cases: &[Case]) -> bool {
    let counted: BTreeSet<_> = cases.iter().map(|case| case.criterion).collect();
    let mut rules = sets.iter().flat_map(|set| set.rules.iter());
    rules.any(|rule| {
        matches!(rule.scope, Scope::Meal | Scope::Water) && counted.contains(&rule.criterion)
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

/// The class groups of these cases of whose people a rule asks for a share.
fn sized(sets: &[RuleSet], cases: &[Case]) -> BTreeSet<String> {
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
    counted.map(|case| case.group.clone()).collect()
}

/// How many people these class groups have.
async fn sizes<C: ConnectionTrait + Sync>(
    connection: &C,
    paths: &BTreeSet<String>,
) -> Result<BTreeMap<String, u32>, Error> {
    let paths: Vec<String> = paths.iter().cloned().collect();
    let mut sizes = BTreeMap::new();
    for group in rolls::groups_at(connection, &paths).await? {
        let size = u32::try_from(group.roll()?.members().len()).unwrap_or(u32::MAX);
        sizes.insert(group.path, size);
    }
    Ok(sizes)
}
