//! What time does to alerts: overdue ones go up, silences end. Each call does a bounded part, exactly
//! once however many replicas call.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use kit::db::statement;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::Store;
use super::alert_writes::Changes;
use super::alerts::select_alerts;
use crate::domain::alert::Alert;
use crate::domain::change::Change;
use crate::domain::place::above;

/// How many alerts one transaction changes.
const PART: u64 = 500;

/// How many silences one transaction ends.
const SILENCES: u64 = 20;

impl Store {
    /// Escalates alerts that are overdue, those that are overdue longest first, 500 at most; says how
    /// many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn escalate_alerts(&self, now: DateTime<Utc>) -> Result<usize, DbErr> {
        let wheres = "next_at > 0 AND next_at < $1";
        let values: Vec<Value> = vec![now.timestamp_millis().into()];
        let db = self.db.read();
        let sql = format!("SELECT 1 FROM alerts WHERE {wheres} ORDER BY next_at LIMIT 1");
        let any = statement(db, &sql, values.clone());
        if db.query_one_raw(any).await?.is_none() {
            return Ok(0);
        }
        let tx = self.db.begin().await?;
        Self::lock_alerts(&tx).await?;
        let overdue = select_alerts(&tx, wheres, values, "next_at, id", PART).await?;
        let rules = Self::rules_of(&tx, overdue.iter()).await?;
        let rule = |alert: &Alert| rules.version(alert.kind, alert.rule_version);
        let organizations: BTreeSet<&str> = overdue
            .iter()
            .flat_map(|alert| above(&alert.org_path))
            .collect();
        let duties = overdue.iter().map(|alert| &*rule(alert).duty).collect();
        let answers = Self::answers(&tx, organizations, duties).await?;
        let escalate = |alert: &Alert| {
            let rule = rule(alert);
            alert.escalate(rule, |above| answers.at(above, &rule.duty), now)
        };
        let changes: Changes = overdue.iter().filter_map(escalate).collect();
        let changed = Self::write_alerts(&tx, changes, now).await?;
        tx.commit().await?;
        Ok(changed.len())
    }

    /// Ends silences whose time has passed: alerts that they kept from being told and that nobody has
    /// seen are told now, unless something else keeps them; 500 at most. Says how many were looked at.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle_silences(&self, now: DateTime<Utc>) -> Result<usize, DbErr> {
        let over = Self::silences_to_settle(self.db.read(), now, 1).await?;
        if over.is_empty() {
            return Ok(0);
        }
        let tx = self.db.begin().await?;
        Self::lock_alerts(&tx).await?;
        let mut changes = Changes::default();
        let mut left = PART;
        for silence in Self::silences_to_settle(&tx, now, SILENCES).await? {
            let wheres = "silenced_by = $1 AND silenced_by <> '' AND state <> 4";
            let values = vec![silence.name().into()];
            let kept = select_alerts(&tx, wheres, values, "sequence", left).await?;
            let found = u64::try_from(kept.len()).unwrap_or(u64::MAX);
            for alert in kept {
                changes.add(Change::from(alert.freed()));
            }
            left -= found.min(left);
            if left == 0 {
                break;
            }
            Self::settle_silence(&tx, silence.id).await?;
        }
        let changed = Self::write_alerts(&tx, changes, now).await?;
        tx.commit().await?;
        Ok(changed.len())
    }
}
