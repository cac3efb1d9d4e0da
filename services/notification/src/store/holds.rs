//! Holds, as far as they raise and resolve alerts.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr};

use super::Store;
use crate::domain::alert::{Alert, Hold, Step, Verb};
use crate::domain::policy;

impl Store {
    /// A hold is in force: raises its alert, or corrects what the one that is there says. An
    /// older version than the one seen last changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold_placed(
        tx: &Tx,
        hold: Hold,
        version: i64,
        generation: i64,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        if !note(tx, &hold.name, version, generation, true).await? {
            return Ok(());
        }
        Self::lock_alerts(tx).await?;
        let latest = Self::latest_alert(tx, &hold.name).await?;
        if !hold.raises(latest.as_ref()) {
            let corrected = latest.and_then(|latest| latest.corrected(&hold));
            return match corrected {
                Some(alert) => Self::save_locked(tx, alert).await,
                None => Ok(()),
            };
        }
        let owner = Self::owner(tx, &hold.organization)
            .await?
            .unwrap_or_default();
        let policies = Self::policies(tx).await?;
        let day = kit::clock::civil_date(hold.placed);
        let notice = policy::in_force(&policies, &hold.org_path, day).hold_notice;
        let alert = Alert::raise(hold, latest.as_ref(), owner, notice, now);
        Self::insert_alert(tx, alert).await
    }

    /// A hold is no more: resolves its alert.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold_released(
        tx: &Tx,
        name: &str,
        version: i64,
        generation: i64,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        if note(tx, name, version, generation, false).await? {
            Self::resolve_by_fact(tx, name, now).await?;
        }
        Ok(())
    }

    /// Resolves the alerts of holds that a snapshot did not mention.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_holds(tx: &Tx, generation: i64, now: DateTime<Utc>) -> Result<(), DbErr> {
        let select = statement(
            tx,
            "SELECT name FROM holds WHERE generation < $1 AND active = TRUE",
            [generation.into()],
        );
        for row in tx.query_all_raw(select).await? {
            let name: String = row.try_get_by_index(0)?;
            Self::resolve_by_fact(tx, &name, now).await?;
        }
        let update = statement(
            tx,
            "UPDATE holds SET active = FALSE WHERE generation < $1 AND active = TRUE",
            [generation.into()],
        );
        tx.execute_raw(update).await?;
        Ok(())
    }

    async fn resolve_by_fact(tx: &Tx, name: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
        Self::lock_alerts(tx).await?;
        let Some(alert) = Self::latest_alert(tx, name).await? else {
            return Ok(());
        };
        match alert.apply(Verb::FactGone, Step::by_fact(now)) {
            Ok(alert) => Self::save_locked(tx, alert).await,
            // One that is resolved already stays as it is.
            Err(_) => Ok(()),
        }
    }
}

/// Notes the version of a hold; false when one at least as new was seen in this generation.
async fn note(
    tx: &Tx,
    name: &str,
    version: i64,
    generation: i64,
    active: bool,
) -> Result<bool, DbErr> {
    let upsert = statement(
        tx,
        "INSERT INTO holds (name, version, generation, active) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (name) DO UPDATE SET version = excluded.version, \
         generation = excluded.generation, active = excluded.active \
         WHERE excluded.version > holds.version OR excluded.generation > holds.generation",
        [
            name.into(),
            version.into(),
            generation.into(),
            active.into(),
        ],
    );
    Ok(tx.execute_raw(upsert).await?.rows_affected() == 1)
}
