//! Facts of other services, as far as they raise and resolve alerts.

use chrono::{DateTime, Duration, Utc};
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr};

use super::Store;
use crate::domain::alert::{Alert, Step, Verb};
use crate::domain::fact::Fact;
use crate::domain::policy;

/// An entity that is gone is remembered for as long as its feed could tell of it again, twice over.
const REMEMBERED: Duration = Duration::days(14);

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
    /// Lets the alerts of an entity follow what is told of it: raises one for each fact, corrects
    /// what the one that is there says, and resolves those whose fact is over. An older version than
    /// the one seen last changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn follow_facts(
        tx: &Tx,
        told: Told,
        generation: i64,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        if !note(tx, &told, generation, now).await? {
            return Ok(());
        }
        // Most of what is told asks nobody for anything.
        if told.facts.is_empty() && Self::latest_alerts(tx, &told.entity).await?.is_empty() {
            return Ok(());
        }
        Self::lock_alerts(tx).await?;
        let mut latest = Self::latest_alerts(tx, &told.entity).await?;
        for fact in told.facts {
            let found = latest.iter().position(|alert| alert.kind == fact.kind);
            let before = found.map(|found| latest.swap_remove(found));
            Self::follow_fact(tx, fact, before, now).await?;
        }
        Self::resolve_by_fact(tx, latest, now).await
    }

    /// Raises the alert for a fact, or corrects what the one that is there says.
    async fn follow_fact(
        tx: &Tx,
        fact: Fact,
        latest: Option<Alert>,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        if !fact.raises(latest.as_ref()) {
            let corrected = latest.and_then(|latest| latest.corrected(&fact, now));
            return match corrected {
                Some(alert) => Self::save_locked(tx, alert).await,
                None => Ok(()),
            };
        }
        let owner = Self::owner(tx, &fact.entity.organization).await?;
        let policies = Self::policies(tx).await?;
        let day = kit::clock::civil_date(fact.occurred);
        let policy = policy::in_force(&policies, &fact.entity.org_path, day);
        let owner = owner.unwrap_or_default();
        let alert = Alert::raise(fact, latest.as_ref(), owner, &policy, now);
        Self::insert_alert(tx, alert).await
    }

    /// Resolves the alerts of entities that a snapshot did not mention.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_facts(tx: &Tx, generation: i64, now: DateTime<Utc>) -> Result<(), DbErr> {
        Self::lock_alerts(tx).await?;
        let select = statement(
            tx,
            "SELECT DISTINCT basis FROM alerts WHERE state <> 4 AND NOT EXISTS (SELECT 1 \
             FROM facts WHERE facts.name = alerts.basis AND facts.generation >= $1)",
            [generation.into()],
        );
        for row in tx.query_all_raw(select).await? {
            let entity: String = row.try_get_by_index(0)?;
            let latest = Self::latest_alerts(tx, &entity).await?;
            Self::resolve_by_fact(tx, latest, now).await?;
        }
        // What is told from now on is of this generation, whatever its version.
        let sql = "DELETE FROM facts WHERE generation < $1";
        tx.execute_raw(statement(tx, sql, [generation.into()]))
            .await?;
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

    async fn resolve_by_fact(tx: &Tx, alerts: Vec<Alert>, now: DateTime<Utc>) -> Result<(), DbErr> {
        for alert in alerts {
            // One that is resolved already stays as it is.
            if let Ok(alert) = alert.apply(Verb::FactGone, Step::by_fact(now)) {
                Self::save_locked(tx, alert).await?;
            }
        }
        Ok(())
    }
}

/// Notes the version of an entity; false when one at least as new was seen in this generation.
async fn note(tx: &Tx, told: &Told, generation: i64, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let gone_at = told.gone.then(|| now.timestamp_millis());
    let upsert = statement(
        tx,
        "INSERT INTO facts (name, version, generation, gone_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (name) DO UPDATE SET version = excluded.version, \
         generation = excluded.generation, gone_at = excluded.gone_at \
         WHERE excluded.version > facts.version OR excluded.generation > facts.generation",
        [
            told.entity.clone().into(),
            told.version.into(),
            generation.into(),
            gone_at.into(),
        ],
    );
    Ok(tx.execute_raw(upsert).await?.rows_affected() == 1)
}
