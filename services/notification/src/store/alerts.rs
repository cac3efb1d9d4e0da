//! Alerts, as they are read. Every change gets a revision in commit order, which watchers read on from.

use chrono::{DateTime, Utc};
use kit::db::{Backend, Tx, statement};
use kit::rows::{Lock, Row};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::alert_rows::{AlertRow, EntryRow, instant, kind, severity};
use super::{Store, below_end, unreadable};
use crate::domain::alert::{Alert, State};
use crate::domain::change::Entry;
use crate::domain::fact::{Kind, Severity};

/// The alerts of one kind below one organisation that are not resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The organisation right below the one asked for, or that one itself.
    pub organization: String,
    /// What happened.
    pub kind: Kind,
    /// The gravest of them.
    pub severity: Severity,
    /// How many there are.
    pub alerts: i64,
    /// How many of them nobody has seen.
    pub open: i64,
    /// How many of them were escalated.
    pub escalated: i64,
    /// When the oldest was raised.
    pub oldest: DateTime<Utc>,
    /// The earliest deadline of those that nobody has seen.
    pub due: Option<DateTime<Utc>>,
}

/// The place of a group in the list: gravest first, then oldest.
pub type GroupKey = (i32, i64, i16, String);

impl Group {
    /// Its place in the list.
    pub fn key(&self) -> GroupKey {
        let severity = -(self.severity as i32);
        let oldest = self.oldest.timestamp_millis();
        (
            severity,
            oldest,
            self.kind as i16,
            self.organization.clone(),
        )
    }
}

impl Store {
    /// Holds all other writers of alerts back until the end of the transaction, so that what is
    /// read after this is what is changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_alerts(tx: &Tx) -> Result<(), DbErr> {
        // A writing transaction on SQLite is alone from its first moment.
        if tx.backend() == Backend::Postgres {
            let sql = "SELECT value FROM alerts_revision WHERE id = 1 FOR UPDATE";
            tx.query_one_raw(statement(tx, sql, [])).await?;
        }
        Ok(())
    }

    /// The revision of the latest change.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alert_revision(&self) -> Result<i64, DbErr> {
        let db = self.db.read();
        let select = statement(db, "SELECT value FROM alerts_revision WHERE id = 1", []);
        let row = db.query_one_raw(select).await?;
        row.ok_or_else(|| unreadable("revision"))?
            .try_get_by_index(0)
    }

    /// One alert.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alert(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Alert>, DbErr> {
        let found = select_alerts(db, "id = $1", vec![id.into()], "id", 1).await?;
        Ok(found.into_iter().next())
    }

    /// The latest alert of each kind that each of these entities raised.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn latest_alerts(tx: &Tx, entities: &[&str]) -> Result<Vec<Alert>, DbErr> {
        let entities = entities.iter().map(|entity| Value::from(*entity));
        let rows = AlertRow::find(tx, "basis", entities.collect(), Lock::No).await?;
        let alerts: Result<Vec<Alert>, _> = rows.into_iter().map(Alert::try_from).collect();
        let mut alerts = alerts?;
        let of = |alert: &Alert| (alert.basis.clone(), alert.kind);
        alerts.sort_by_cached_key(|alert| (of(alert), std::cmp::Reverse(alert.episode)));
        alerts.dedup_by_key(|alert| of(alert));
        Ok(alerts)
    }

    /// The alerts at and below `place` raised before `before`, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alerts(
        &self,
        place: &str,
        (state, kind): (Option<State>, Option<Kind>),
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Alert>, DbErr> {
        let (mut wheres, mut values) = at_or_below(place);
        if let Some(state) = state {
            values.push((state as i16).into());
            wheres.push_str(&format!(" AND state = ${}", values.len()));
        }
        if let Some(kind) = kind {
            values.push((kind as i16).into());
            wheres.push_str(&format!(" AND kind = ${}", values.len()));
        }
        if let Some(before) = before {
            values.push(before.into());
            wheres.push_str(&format!(" AND sequence < ${}", values.len()));
        }
        select_alerts(self.db.read(), &wheres, values, "sequence DESC", limit).await
    }

    /// The alerts at and below `place` that changed after the revision `after` and no later than
    /// `until`, in the order of their changes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn changed_alerts(
        &self,
        place: &str,
        (after, until): (i64, i64),
        unresolved: bool,
        limit: u64,
    ) -> Result<Vec<Alert>, DbErr> {
        let (mut wheres, mut values) = at_or_below(place);
        values.extend([after.into(), until.into()]);
        let last = values.len();
        wheres.push_str(&format!(
            " AND revision > ${} AND revision <= ${last}",
            last - 1
        ));
        if unresolved {
            wheres.push_str(" AND state <> 4");
        }
        select_alerts(self.db.read(), &wheres, values, "revision", limit).await
    }

    /// What happened to an alert after the entry number `after`, oldest first: numbers and entries.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alert_entries(
        &self,
        alert: Uuid,
        after: i32,
        limit: u64,
    ) -> Result<Vec<(i32, Entry)>, DbErr> {
        let values = vec![alert.into(), after.into()];
        let wheres = "alert = $1 AND number > $2";
        let rows = EntryRow::page(self.db.read(), wheres, values, limit).await?;
        let entry = |row: EntryRow| Ok((row.number, Entry::try_from(row)?));
        rows.into_iter().map(entry).collect()
    }

    /// The alerts at and below `place` that are not resolved, by kind and by the organisation right
    /// below: the gravest and oldest first, after the place `after` in the list.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alert_groups(
        &self,
        place: &str,
        after: Option<GroupKey>,
        limit: u64,
    ) -> Result<Vec<Group>, DbErr> {
        let db = self.db.read();
        let (wheres, mut values) = at_or_below(place);
        let id = right_below(db.get_database_backend(), place);
        let mut beyond = String::new();
        if let Some((severity, oldest, kind, organization)) = after {
            let first = values.len() + 1;
            values.extend([
                severity.into(),
                oldest.into(),
                kind.into(),
                organization.into(),
            ]);
            let places = kit::bulk::placeholders(first, 4);
            beyond = format!("WHERE (weight, oldest, kind, id) > ({places})");
        }
        let sql = format!(
            "SELECT weight, oldest, kind, id, alerts, opened, escalated, due FROM (\
             SELECT CAST(-MAX(severity) AS INTEGER) AS weight, MIN(raise_at) AS oldest, kind, {id} AS id, \
             COUNT(*) AS alerts, COUNT(CASE WHEN state = 1 THEN 1 END) AS opened, \
             COUNT(CASE WHEN level > 0 THEN 1 END) AS escalated, \
             MIN(CASE WHEN state = 1 THEN due_at END) AS due \
             FROM alerts WHERE {wheres} AND state <> 4 GROUP BY kind, {id}) found \
             {beyond} ORDER BY weight, oldest, kind, id LIMIT {limit}"
        );
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter().map(|row| group(row, place)).collect()
    }
}

fn group(row: &QueryResult, place: &str) -> Result<Group, DbErr> {
    let weight: i32 = row.try_get_by_index(0)?;
    let below: String = row.try_get_by_index(3)?;
    let due: Option<i64> = row.try_get_by_index(7)?;
    let own = || crate::domain::place::leaf(place).to_owned();
    Ok(Group {
        organization: if below.is_empty() { own() } else { below },
        kind: kind(row.try_get_by_index(2)?)?,
        severity: severity(i16::try_from(-weight).unwrap_or_default())?,
        alerts: row.try_get_by_index(4)?,
        open: row.try_get_by_index(5)?,
        escalated: row.try_get_by_index(6)?,
        oldest: instant(row.try_get_by_index(1)?)?,
        due: due.map(instant).transpose()?,
    })
}

/// The id right below `place` in the path of an alert, as SQL; empty for one at `place` itself.
fn right_below(backend: DbBackend, place: &str) -> String {
    let begin = if place.is_empty() { 1 } else { place.len() + 2 };
    let rest = format!("SUBSTR(org_path, {begin})");
    match backend {
        DbBackend::Postgres => format!("SPLIT_PART({rest}, '/', 1)"),
        _ => format!("SUBSTR({rest}, 1, INSTR({rest} || '/', '/') - 1)"),
    }
}

/// Alerts that `wheres` lets through, in an order.
pub(super) async fn select_alerts(
    db: &impl ConnectionTrait,
    wheres: &str,
    values: Vec<Value>,
    order: &str,
    limit: u64,
) -> Result<Vec<Alert>, DbErr> {
    let columns = AlertRow::COLUMNS.join(", ");
    let sql = format!("SELECT {columns} FROM alerts WHERE {wheres} ORDER BY {order} LIMIT {limit}");
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    let alert = |row| Alert::try_from(AlertRow::read(row)?);
    rows.iter().map(alert).collect()
}

/// What is at or below a place, as a condition and its values.
pub(super) fn at_or_below(place: &str) -> (String, Vec<Value>) {
    if place.is_empty() {
        return ("1 = 1".to_owned(), Vec::new());
    }
    let wheres = "(org_path = $1 OR (org_path > $2 AND org_path < $3))";
    let values = vec![
        place.into(),
        format!("{place}/").into(),
        below_end(place).into(),
    ];
    (wheres.to_owned(), values)
}
