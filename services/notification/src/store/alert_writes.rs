//! Changes of alerts, as they are written: many in a fixed number of statements, each with its history,
//! with what is to be told and in the feed.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use kit::bulk::{insert, placeholders};
use kit::db::{Tx, statement};
use kit::feed::announce;
use kit::rows::Row;
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::alert_rows::{AlertRow, EntryRow, entry_row, kind};
use super::alerts::select_alerts;
use super::hearers::Parties;
use super::{Store, unreadable};
use crate::domain::alert::{Alert, State, alert_name};
use crate::domain::change::{Change, Event};
use crate::domain::fact::{Kind, Severity};
use crate::domain::rulebook::Rulebook;
use crate::domain::telling::{Scene, Standing, Telling};
use crate::grpc::announced::alert_change;

/// How many alerts are let go at once: more than ever stand at the schools of one transaction.
const MOST: u64 = 100_000;

/// Changes of alerts within one transaction: what happens to one alert after another is one change.
#[derive(Debug, Default)]
pub struct Changes {
    places: HashMap<Uuid, usize>,
    changes: Vec<Change>,
}

impl Changes {
    /// Takes up what became of an alert, after what became of it before.
    pub fn add(&mut self, change: Change) {
        match self.places.get(&change.alert.id) {
            Some(place) => {
                let before = &mut self.changes[*place];
                before.entries.extend(change.entries);
                before.alert = change.alert;
            }
            None => {
                self.places.insert(change.alert.id, self.changes.len());
                self.changes.push(change);
            }
        }
    }
}

impl From<Change> for Changes {
    fn from(change: Change) -> Self {
        Self::from_iter([change])
    }
}

impl FromIterator<Change> for Changes {
    fn from_iter<I: IntoIterator<Item = Change>>(found: I) -> Self {
        let mut changes = Self::default();
        found.into_iter().for_each(|change| changes.add(change));
        changes
    }
}

impl Store {
    /// Stores and announces changes of alerts that were read under [`Store::lock_alerts`]: tells, or withholds, those
    /// whose level nobody was told of, and lets go of those for which a resolved one spoke. Returns
    /// the changed alerts in the order of the changes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_alerts(
        tx: &Tx,
        mut changes: Changes,
        now: DateTime<Utc>,
    ) -> Result<Vec<Alert>, DbErr> {
        if changes.changes.is_empty() {
            return Ok(Vec::new());
        }
        free_inhibited(tx, &mut changes).await?;
        let changes = changes.changes;
        let (changes, tellings) = tell(tx, changes, now).await?;
        Self::supersede(tx, &changes, now).await?;
        Self::hasten(tx, &changes, now).await?;
        Self::queue_tellings(tx, tellings, now).await?;
        let count = i64::try_from(changes.len()).unwrap_or(i64::MAX);
        let mut revision = advance(tx, count).await? - count;
        let (mut rows, mut lines) = (Vec::new(), Vec::new());
        let mut alerts = Vec::with_capacity(changes.len());
        for Change { mut alert, entries } in changes {
            revision += 1;
            alert.revision = revision;
            if alert.sequence == 0 {
                alert.sequence = revision;
            }
            for entry in entries {
                alert.entries += 1;
                lines.push(entry_row(alert.id, alert.entries, entry));
            }
            rows.push(AlertRow::from(alert.clone()));
            alerts.push(alert);
        }
        AlertRow::save(tx, &rows).await?;
        insert(tx, EntryRow::TABLE, EntryRow::columns(&lines), "").await?;
        announce(tx, alerts.iter().map(alert_change).collect()).await?;
        Ok(alerts)
    }

    /// The rules in force, and those versions by which alerts were raised.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn rules_of<'a>(
        tx: &Tx,
        alerts: impl Iterator<Item = &'a Alert>,
    ) -> Result<Rulebook, DbErr> {
        let versions = alerts.map(|alert| (alert.kind, alert.rule_version));
        let versions: BTreeSet<(Kind, i64)> = versions.collect();
        Self::rulebook(tx, &versions).await
    }
}

/// Moves the revision on by `count`; the last one. Whoever moves it holds all other writers of alerts
/// back until the end of the transaction.
async fn advance(tx: &Tx, count: i64) -> Result<i64, DbErr> {
    let sql = "UPDATE alerts_revision SET value = value + $1 WHERE id = 1 RETURNING value";
    let row = tx.query_one_raw(statement(tx, sql, [count.into()])).await?;
    row.ok_or_else(|| unreadable("revision"))?
        .try_get_by_index(0)
}

/// Lets go of the alerts for which those spoke that are resolved now.
async fn free_inhibited(tx: &Tx, changes: &mut Changes) -> Result<(), DbErr> {
    let resolved = changes.changes.iter().map(|change| &change.alert);
    let resolved = resolved.filter(|alert| alert.state == State::Resolved);
    let names: HashSet<String> = resolved.map(Alert::name).collect();
    if names.is_empty() {
        return Ok(());
    }
    for change in &mut changes.changes {
        if change.alert.state != State::Resolved && names.contains(&change.alert.inhibited_by) {
            change.alert.inhibited_by.clear();
        }
    }
    let names: Vec<Value> = names.into_iter().map(Value::from).collect();
    for part in names.chunks(1000) {
        let places = placeholders(1, part.len());
        let wheres = format!("inhibited_by IN ({places}) AND inhibited_by <> '' AND state <> 4");
        for alert in select_alerts(tx, &wheres, part.to_vec(), "sequence", MOST).await? {
            if !changes.places.contains_key(&alert.id) {
                changes.add(Change::from(alert.freed()));
            }
        }
    }
    Ok(())
}

/// Tells or withholds the alerts whose level nobody was told of, and tells new owners of theirs.
async fn tell(
    tx: &Tx,
    changes: Vec<Change>,
    now: DateTime<Utc>,
) -> Result<(Vec<Change>, Vec<Telling>), DbErr> {
    let untold = || {
        let changes = changes.iter().filter(|change| change.is_to_tell());
        changes.map(|change| &change.alert)
    };
    if untold().next().is_none() {
        return Ok((changes, Vec::new()));
    }
    let rules = Store::rules_of(tx, untold()).await?;
    let inhibited = untold().filter(|alert| {
        let rule = rules.version(alert.kind, alert.rule_version);
        !rule.inhibited_by.is_empty()
    });
    let schools: BTreeSet<&str> = inhibited.map(|alert| &*alert.organization).collect();
    let scene = Scene {
        standing: standing(tx, schools, &changes).await?,
        silences: Store::silences_in_force(tx, now).await?,
    };
    let mut told = Vec::new();
    let tell = |change: Change| {
        let rule = rules.version(change.alert.kind, change.alert.rule_version);
        let handed_over = change.is_handed_over();
        let (change, telling) = change.tell(rule, &scene, now);
        if let Some(telling) = telling {
            told.push((telling, change.alert.clone(), rule, handed_over));
        }
        change
    };
    let changes = changes.into_iter().map(tell).collect();
    // Whoever hears besides the owner has heard when only the owner is another one.
    let heard = told.iter().filter(|(.., handed_over)| !handed_over);
    let heard: Vec<_> = heard.map(|(_, alert, rule, _)| (alert, *rule)).collect();
    let parties = Parties::of(tx, heard.into_iter()).await?;
    let mut tellings = Vec::new();
    for (telling, alert, rule, handed_over) in told {
        if !handed_over {
            let parties = |alert: &Alert, one| parties.of_alert(alert, one);
            tellings.extend(telling.besides(&alert, rule, parties));
        }
        tellings.push(telling);
    }
    Ok((changes, tellings))
}

/// The alerts that stand at these schools after the changes.
async fn standing(
    tx: &Tx,
    schools: BTreeSet<&str>,
    changes: &[Change],
) -> Result<Vec<Standing>, DbErr> {
    let mut standing = Vec::new();
    let changed: HashSet<Uuid> = changes.iter().map(|change| change.alert.id).collect();
    let schools: Vec<Value> = schools.into_iter().map(Value::from).collect();
    for part in schools.chunks(1000) {
        let sql = format!(
            "SELECT id, organization, kind FROM alerts WHERE state <> 4 AND organization IN ({})",
            placeholders(1, part.len())
        );
        for row in tx.query_all_raw(statement(tx, &sql, part.to_vec())).await? {
            let id: Uuid = row.try_get_by_index(0)?;
            if changed.contains(&id) {
                continue;
            }
            let organization: String = row.try_get_by_index(1)?;
            standing.push(Standing {
                name: alert_name(&organization, id),
                organization,
                kind: kind(row.try_get_by_index(2)?)?,
            });
        }
    }
    let unresolved = changes.iter().map(|change| &change.alert);
    let unresolved = unresolved.filter(|alert| alert.state != State::Resolved);
    standing.extend(unresolved.map(|alert| Standing {
        name: alert.name(),
        organization: alert.organization.clone(),
        kind: alert.kind,
    }));
    Ok(standing)
}

impl Store {
    /// What still waits to be told of an alert that became graver is told by what was queued for that.
    async fn supersede(tx: &Tx, changes: &[Change], now: DateTime<Utc>) -> Result<(), DbErr> {
        let has = |change: &Change, event| change.entries.iter().any(|one| one.event == event);
        let told_anew = |change: &&Change| {
            change.alert.level == 0 && has(change, Event::Corrected) && has(change, Event::Told)
        };
        let alerts = changes.iter().filter(told_anew);
        let alerts: Vec<Value> = alerts.map(|change| change.alert.id.into()).collect();
        let sql = "UPDATE told SET done = TRUE WHERE done = FALSE AND tell_at > $1 AND alert";
        let now = [now.timestamp_millis().into()];
        kit::rows::execute_in(tx, sql, &now, alerts).await
    }

    /// Tells at once what was to wait for others of its kind and became critical meanwhile.
    async fn hasten(tx: &Tx, changes: &[Change], now: DateTime<Utc>) -> Result<(), DbErr> {
        let corrected = |change: &&Change| {
            let corrected = change.entries.iter().any(|e| e.event == Event::Corrected);
            corrected && change.alert.severity == Severity::Critical
        };
        let alerts = changes.iter().filter(corrected);
        let alerts: Vec<Value> = alerts.map(|change| change.alert.id.into()).collect();
        let sql = "UPDATE told SET tell_at = $1, severity = $2 \
                   WHERE done = FALSE AND tell_at > $1 AND alert";
        let first = [
            now.timestamp_millis().into(),
            (Severity::Critical as i16).into(),
        ];
        kit::rows::execute_in(tx, sql, &first, alerts).await
    }
}
