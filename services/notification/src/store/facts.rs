//! Facts of other services, as far as they raise and resolve alerts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Duration, Utc};
use kit::bulk::{Column, insert, placeholders};
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::Store;
use super::alert_writes::Changes;
use super::alerts::select_alerts;
use super::answers::Answers;
use crate::domain::alert::{Alert, State, Step, Verb};
use crate::domain::change::Change;
use crate::domain::fact::{Fact, Kind, Source};
use crate::domain::policy::{self, Enacted};
use crate::domain::rulebook::Rulebook;

/// An entity that is gone is remembered for as long as its feed could tell of it again, twice over.
const REMEMBERED: Duration = Duration::days(14);

/// How many keys one statement has.
const PART: usize = 1000;

/// How many alerts a snapshot resolves at most: more than ever stand in a city.
const MOST: u64 = 1_000_000;

/// What one event tells of its entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The resource name of the entity.
    pub entity: String,
    /// Grows with each change of the entity.
    pub version: i64,
    /// The entity has left the feed.
    pub gone: bool,
    /// The facts of the entity that are, at most one of a kind.
    pub facts: Vec<Fact>,
}

impl Store {
    /// Lets the alerts of entities follow what is told of them, in its order: raises one for each fact,
    /// corrects what the one that is there says, and resolves those whose fact is over. An older
    /// version than the one seen last changes nothing. The number of statements does not depend on
    /// how much is told.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn follow_facts(
        tx: &Tx,
        source: Source,
        told: Vec<Told>,
        generation: i64,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let entities: BTreeSet<String> = told.iter().map(|told| told.entity.clone()).collect();
        let entities: Vec<&str> = entities.iter().map(|entity| &**entity).collect();
        let asks = told.iter().any(|told| !told.facts.is_empty());
        // Most of what is told asks nobody for anything.
        let concerns = asks || stands(&Self::latest_alerts(tx, &entities).await?);
        if concerns {
            Self::lock_alerts(tx).await?;
        }
        let mut seen = seen(tx, &entities).await?;
        let told: Vec<Told> = told
            .into_iter()
            .filter(|told| is_news(&mut seen, told, generation))
            .collect();
        note(tx, source, &told, generation, now).await?;
        if !concerns {
            return Ok(());
        }
        let latest = Self::latest_alerts(tx, &entities).await?;
        let following = Following::prepare(tx, latest, &told, now).await?;
        let changes = following.follow(told);
        Self::write_alerts(tx, changes, now).await?;
        Ok(())
    }

    /// Resolves the alerts of entities that a snapshot of a feed did not mention.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_facts(
        tx: &Tx,
        source: Source,
        generation: i64,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        Self::lock_alerts(tx).await?;
        let kinds = Kind::ALL.iter().filter(|kind| kind.source() == source);
        let kinds: Vec<String> = kinds.map(|kind| (*kind as i32).to_string()).collect();
        let wheres = format!(
            "state <> 4 AND kind IN ({}) AND NOT EXISTS (SELECT 1 FROM facts \
             WHERE facts.name = alerts.basis AND facts.generation >= $1)",
            kinds.join(", ")
        );
        let values = vec![generation.into()];
        let over = select_alerts(tx, &wheres, values, "sequence", MOST).await?;
        let over = over.into_iter().filter_map(|alert| end(alert, now));
        Self::write_alerts(tx, over.collect(), now).await?;
        // What is told from now on is of this generation, whatever its version.
        let sql = "DELETE FROM facts WHERE generation < $1 AND source = $2";
        let values = [generation.into(), source.as_str().into()];
        tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(())
    }

    /// Forgets the versions of entities that left the feed long ago.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_facts(tx: &Tx, now: DateTime<Utc>) -> Result<(), DbErr> {
        let until = (now - REMEMBERED).timestamp_millis();
        let sql = "DELETE FROM facts WHERE gone_at < $1";
        tx.execute_raw(statement(tx, sql, [until.into()])).await?;
        Ok(())
    }
}

/// The change of an alert whose fact is over; none when it is resolved already.
fn end(alert: Alert, now: DateTime<Utc>) -> Option<Change> {
    alert.apply(Verb::FactGone, Step::by_fact(now)).ok()
}

/// Whether any of these alerts is not resolved.
fn stands(alerts: &[Alert]) -> bool {
    alerts.iter().any(|alert| alert.state != State::Resolved)
}

/// The latest alerts of entities, and all it takes to raise others.
struct Following {
    latest: BTreeMap<String, BTreeMap<Kind, Alert>>,
    rules: Rulebook,
    answers: Answers,
    policies: Vec<Enacted>,
    now: DateTime<Utc>,
}

impl Following {
    async fn prepare(
        tx: &Tx,
        alerts: Vec<Alert>,
        told: &[Told],
        now: DateTime<Utc>,
    ) -> Result<Self, DbErr> {
        let mut following = Self {
            latest: BTreeMap::new(),
            rules: Rulebook::default(),
            answers: Answers::default(),
            policies: Vec::new(),
            now,
        };
        let facts = || told.iter().flat_map(|told| &told.facts);
        if facts().next().is_some() {
            following.rules = Store::rules_of(tx, alerts.iter()).await?;
            let organizations = facts().map(|fact| &*fact.entity.organization).collect();
            let kinds: BTreeSet<Kind> = facts().map(|fact| fact.kind).collect();
            let duty = |kind: &Kind| &*following.rules.in_force(*kind).duty;
            let duties = kinds.iter().map(duty).collect();
            following.answers = Store::answers(tx, organizations, duties).await?;
            following.policies = Store::policies(tx).await?;
        }
        for alert in alerts {
            let of = following.latest.entry(alert.basis.clone()).or_default();
            of.insert(alert.kind, alert);
        }
        Ok(following)
    }

    /// What becomes of the alerts.
    fn follow(mut self, told: Vec<Told>) -> Changes {
        let mut changes = Changes::default();
        for told in told {
            let mut latest = self.latest.remove(&told.entity).unwrap_or_default();
            let mut of_entity = BTreeMap::new();
            for fact in told.facts {
                let before = latest.remove(&fact.kind);
                let kind = fact.kind;
                let change = self.follow_fact(fact, before.as_ref());
                let after = change.as_ref().map(|change| change.alert.clone());
                of_entity.extend(after.or(before).map(|alert| (kind, alert)));
                change.into_iter().for_each(|change| changes.add(change));
            }
            for (kind, alert) in latest {
                let change = end(alert.clone(), self.now);
                let after = change.as_ref().map_or(alert, |change| change.alert.clone());
                of_entity.insert(kind, after);
                change.into_iter().for_each(|change| changes.add(change));
            }
            self.latest.insert(told.entity, of_entity);
        }
        changes
    }

    /// Raises the alert for a fact, or corrects what the one that is there says.
    fn follow_fact(&self, fact: Fact, latest: Option<&Alert>) -> Option<Change> {
        let day = kit::clock::civil_date(fact.occurred);
        let policy = policy::in_force(&self.policies, &fact.entity.org_path, day);
        if let Some(latest) = latest.filter(|latest| !fact.raises(Some(latest))) {
            let rule = self.rules.version(latest.kind, latest.rule_version);
            return latest.corrected(&fact, rule, &policy, self.now);
        }
        let rule = self.rules.in_force(fact.kind);
        let owner = self.answers.at(&fact.entity.organization, &rule.duty);
        let owner = owner.unwrap_or_default();
        Some(Alert::raise(fact, latest, rule, owner, &policy, self.now))
    }
}

/// Which version of each entity was seen last, and in which generation.
async fn seen(tx: &Tx, entities: &[&str]) -> Result<HashMap<String, (i64, i64)>, DbErr> {
    let mut seen = HashMap::with_capacity(entities.len());
    for part in entities.chunks(PART) {
        let sql = format!(
            "SELECT name, version, generation FROM facts WHERE name IN ({})",
            placeholders(1, part.len())
        );
        let names = part.iter().map(|name| Value::from(*name));
        for row in tx.query_all_raw(statement(tx, &sql, names)).await? {
            let last = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            seen.insert(row.try_get_by_index(0)?, last);
        }
    }
    Ok(seen)
}

/// Whether something is newer than what was seen last, or seen first in a generation.
fn is_news(seen: &mut HashMap<String, (i64, i64)>, told: &Told, generation: i64) -> bool {
    let last = seen.get(&told.entity);
    let news = last.is_none_or(|(version, of)| told.version > *version || generation > *of);
    if news {
        seen.insert(told.entity.clone(), (told.version, generation));
    }
    news
}

/// Notes the versions of entities as they were told last.
async fn note(
    tx: &Tx,
    source: Source,
    told: &[Told],
    generation: i64,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let last: BTreeMap<&str, &Told> = told.iter().map(|told| (&*told.entity, told)).collect();
    for gone in [false, true] {
        let of = || last.values().filter(|told| told.gone == gone);
        let names: Vec<String> = of().map(|told| told.entity.clone()).collect();
        let count = names.len();
        let mut columns = vec![
            ("name", Column::Text(names)),
            (
                "version",
                Column::Big(of().map(|told| told.version).collect()),
            ),
            ("generation", Column::Big(vec![generation; count])),
            (
                "source",
                Column::Text(vec![source.as_str().to_owned(); count]),
            ),
        ];
        if gone {
            columns.push(("gone_at", Column::Big(vec![now.timestamp_millis(); count])));
        }
        let conflict = "ON CONFLICT (name) DO UPDATE SET version = excluded.version, \
                        generation = excluded.generation, gone_at = excluded.gone_at \
                        WHERE excluded.version > facts.version \
                        OR excluded.generation > facts.generation";
        insert(tx, "facts", columns, conflict).await?;
    }
    Ok(())
}
