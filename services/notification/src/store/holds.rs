//! Holds, as far as they raise and resolve alerts.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr};

use super::Store;
use crate::domain::alert::{Alert, Hold, Step, Verb, alert_id};
use crate::domain::policy;

/// The subject of a step that a fact took.
const FACT: &str = "fact";

impl Store {
    /// A hold is in force: raises its alert, or corrects the counts of the one that is there. An
    /// older version than the one seen last changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold_placed(
        &self,
        tx: &Tx,
        hold: Hold,
        version: i64,
        generation: i64,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        if !note(tx, &hold.name, version, generation, true).await? {
            return Ok(());
        }
        if let Some(alert) = self.alert(tx, alert_id(&hold.name)).await? {
            if alert.people != hold.people || alert.subjects != hold.subjects {
                let Hold {
                    people, subjects, ..
                } = hold;
                Self::save_alert(
                    tx,
                    Alert {
                        people,
                        subjects,
                        ..alert
                    },
                )
                .await?;
            }
            return Ok(());
        }
        let owner = Self::owner(tx, &hold.organization)
            .await?
            .unwrap_or_default();
        let policies = Self::policies(tx).await?;
        let day = kit::clock::civil_date(hold.placed);
        let notice = policy::in_force(&policies, &hold.org_path, day).hold_notice;
        Self::insert_alert(tx, Alert::raise(hold, owner, notice, now)).await
    }

    /// A hold is no more: resolves its alert.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold_released(
        &self,
        tx: &Tx,
        name: &str,
        version: i64,
        generation: i64,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        if note(tx, name, version, generation, false).await? {
            self.resolve_by_fact(tx, name, now).await?;
        }
        Ok(())
    }

    /// Resolves the alerts of holds that a snapshot did not mention.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_holds(
        &self,
        tx: &Tx,
        generation: i64,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let select = statement(
            tx,
            "SELECT name FROM holds WHERE generation < $1 AND active = TRUE",
            [generation.into()],
        );
        for row in tx.query_all_raw(select).await? {
            let name: String = row.try_get_by_index(0)?;
            self.resolve_by_fact(tx, &name, now).await?;
        }
        let update = statement(
            tx,
            "UPDATE holds SET active = FALSE WHERE generation < $1 AND active = TRUE",
            [generation.into()],
        );
        tx.execute_raw(update).await?;
        Ok(())
    }

    async fn resolve_by_fact(&self, tx: &Tx, name: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
        let Some(alert) = self.alert(tx, alert_id(name)).await? else {
            return Ok(());
        };
        let step = Step {
            subject: FACT.to_owned(),
            time: now,
            comment: String::new(),
        };
        // One that is resolved already stays as it is.
        if let Ok(alert) = alert.apply(Verb::FactGone, step) {
            Self::save_alert(tx, alert).await?;
        }
        Ok(())
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
