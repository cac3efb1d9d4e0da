//! Directives in force, summed up from what is counted of their recipients, and what organisations owe.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use kit::bulk;
use kit::db::statement;
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::recipient_rows::number_of;
use super::{Store, below_end};

/// The bureaus and schools of one district among the recipients of one directive in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// The directive.
    pub directive: Uuid,
    /// The place of who ordered.
    pub orderer: String,
    /// The id of the bureau through which it left the orderer; empty without one.
    pub district: String,
    /// Those to whom somebody has passed it on.
    pub reached: i64,
    /// Those who signed.
    pub acknowledged: i64,
    /// Those whose report is accepted.
    pub accepted: i64,
    /// Those who signed late.
    pub late: i64,
    /// Those who did not sign in time, and have not yet.
    pub overdue: i64,
}

impl Store {
    /// The directives in force that organisations at or below a place, or at one of the places above it,
    /// ordered; a row for each directive and district.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn in_force(
        db: &impl ConnectionTrait,
        place: &str,
        above: &[&str],
        now: DateTime<Utc>,
    ) -> Result<Vec<InForce>, DbErr> {
        let mut values: Vec<Value> = vec![
            now.timestamp_millis().into(),
            place.into(),
            format!("{place}/").into(),
            below_end(place).into(),
        ];
        let mut wheres = "d.org_path = $2 OR (d.org_path > $3 AND d.org_path < $4)".to_owned();
        if !above.is_empty() {
            let marks = bulk::placeholders(values.len() + 1, above.len());
            wheres.push_str(&format!(" OR d.org_path IN ({marks})"));
            values.extend(above.iter().map(|place| Value::from(*place)));
        }
        // Levels: 1 is a bureau, 2 a school. State 3 is ISSUED.
        let sql = format!(
            "SELECT d.id, d.org_path, COALESCE(c.district, ''), \
             COALESCE(SUM(CASE WHEN c.due_at > 0 THEN c.recipients ELSE 0 END), 0), \
             COALESCE(SUM(c.acknowledged), 0), COALESCE(SUM(c.accepted), 0), \
             COALESCE(SUM(c.late), 0), \
             COALESCE(SUM(CASE WHEN c.due_at > 0 AND c.due_at < $1 \
             THEN c.recipients - c.acknowledged ELSE 0 END), 0) FROM directives d \
             LEFT JOIN directive_counts c ON c.directive = d.id AND c.level IN (1, 2) \
             WHERE d.state = 3 AND ({wheres}) GROUP BY d.id, d.org_path, c.district"
        );
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        let found = rows.iter().map(|row| {
            Ok(InForce {
                directive: row.try_get_by_index(0)?,
                orderer: row.try_get_by_index(1)?,
                district: row.try_get_by_index(2)?,
                reached: row.try_get_by_index(3)?,
                acknowledged: row.try_get_by_index(4)?,
                accepted: row.try_get_by_index(5)?,
                late: row.try_get_by_index(6)?,
                overdue: row.try_get_by_index(7)?,
            })
        });
        found.collect()
    }

    /// How many directives the organisations at exactly these places owe, and of how many of them something is
    /// overdue, as [`Store::owed`] tells; by place, those that owe nothing left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn owed_at(
        db: &impl ConnectionTrait,
        places: impl IntoIterator<Item = &str>,
        (now, today): (DateTime<Utc>, NaiveDate),
    ) -> Result<HashMap<String, (i64, i64)>, DbErr> {
        let first: [Value; 2] = [now.timestamp_millis().into(), number_of(today).into()];
        let places = places.into_iter().map(Value::from).collect();
        let mut owed = HashMap::new();
        for (list, part) in bulk::keys(first.len() + 1, places) {
            // States: 4 is ACKED, 7 is REPORTED.
            let sql = format!(
                "SELECT org_path, COUNT(*), COUNT(CASE WHEN (acknowledged_at IS NULL AND due_at < $1) \
                 OR (state = 4 AND relay_due_at < $1) OR items_due < $2 \
                 OR (state = 7 AND judge_due_at < $1) THEN 1 END) FROM directive_recipients \
                 WHERE open = TRUE AND due_at IS NOT NULL AND org_path IN ({list}) GROUP BY org_path"
            );
            let values = first.iter().cloned().chain(part);
            for row in db.query_all_raw(statement(db, &sql, values)).await? {
                let counts = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
                owed.insert(row.try_get_by_index(0)?, counts);
            }
        }
        Ok(owed)
    }

    /// The places of the organisations right below one after a place, in their order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn places_right_below(
        db: &impl ConnectionTrait,
        place: &str,
        after: &str,
        limit: u64,
    ) -> Result<Vec<String>, DbErr> {
        let sql = format!(
            "SELECT org_path FROM organizations WHERE org_path > $1 AND org_path < $2 \
             AND org_path > $3 AND SUBSTR(org_path, {}) NOT LIKE '%/%' \
             ORDER BY org_path LIMIT {limit}",
            place.len() + 2
        );
        let values: [Value; 3] = [
            format!("{place}/").into(),
            below_end(place).into(),
            after.into(),
        ];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter().map(|row| row.try_get_by_index(0)).collect()
    }
}
