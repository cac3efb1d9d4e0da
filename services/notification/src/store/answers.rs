//! Who answers for what at many organisations at once, and the alerts that follow who answers.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::Store;
use super::alerts::select_alerts;
use crate::domain::alert::Alert;
use crate::domain::change::Change;

/// How many organisations one statement asks for.
const PART: usize = 1000;

/// How many alerts are handed over at once: more than ever stand at one organisation.
const MOST: u64 = 100_000;

/// Who answers for duties at organisations.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers(BTreeMap<(String, String), String>);

impl Answers {
    /// Who answers for a duty at an organisation.
    pub(super) fn at(&self, organization: &str, duty: &str) -> Option<String> {
        let key = (organization.to_owned(), duty.to_owned());
        self.0.get(&key).cloned()
    }
}

impl Store {
    /// Who answers for these duties at these organisations: for all of one before a part of it.
    pub(super) async fn answers(
        db: &impl ConnectionTrait,
        organizations: BTreeSet<&str>,
        duties: BTreeSet<&str>,
    ) -> Result<Answers, DbErr> {
        let mut answers = BTreeMap::new();
        if duties.is_empty() {
            return Ok(Answers(answers));
        }
        let organizations: Vec<&str> = organizations.into_iter().collect();
        for part in organizations.chunks(PART) {
            let sql = format!(
                "SELECT organization, subject, staff_member FROM duties \
                 WHERE organization IN ({}) AND subject IN ({}) ORDER BY LENGTH(place), place",
                kit::bulk::placeholders(1, part.len()),
                kit::bulk::placeholders(1 + part.len(), duties.len()),
            );
            let values = part.iter().chain(&duties).map(|text| Value::from(*text));
            for row in db.query_all_raw(statement(db, &sql, values)).await? {
                let key = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
                let staff_member = row.try_get_by_index(2)?;
                answers.entry(key).or_insert(staff_member);
            }
        }
        Ok(Answers(answers))
    }

    /// Gives the alerts that have to be seen to at an organisation, and are not resolved, to who
    /// answers there now, and tells them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hand_alerts_over(
        tx: &Tx,
        organization: &str,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        // An alert that is being raised reads who answers under the same lock.
        Self::lock_alerts(tx).await?;
        let values = || vec![organization.into()];
        let wheres = "organization = $1 AND state <> 4";
        let mut found = select_alerts(tx, wheres, values(), "sequence", MOST).await?;
        let wheres = "state <> 4 AND level > 0 AND EXISTS (SELECT 1 FROM organizations o \
                      WHERE o.id = $1 AND alerts.org_path LIKE o.org_path || '/%')";
        found.extend(select_alerts(tx, wheres, values(), "sequence", MOST).await?);
        found.retain(|alert| alert.seat() == organization);
        let rules = Self::rules_of(tx, found.iter()).await?;
        let duty = |alert: &Alert| &*rules.version(alert.kind, alert.rule_version).duty;
        let duties = found.iter().map(duty).collect();
        let answers = Self::answers(tx, BTreeSet::from([organization]), duties).await?;
        let hand_over = |alert: &Alert| {
            let owner = answers.at(organization, duty(alert)).unwrap_or_default();
            alert.clone().hand_over(owner, now)
        };
        let changes: Vec<Change> = found.iter().filter_map(hand_over).collect();
        let handed = changes.iter().map(|change| change.alert.id.into());
        Self::drop_waiting(tx, handed.collect(), now).await?;
        Self::write_alerts(tx, changes.into_iter().collect(), now).await?;
        Ok(())
    }
}
