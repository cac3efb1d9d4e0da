//! Counts of incidents for bureaus: one query over an index.

use std::collections::BTreeMap;

use kit::db::statement;
use kit::privacy::Part;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::{BELOW, below};
use crate::store::{Store, unreadable};

/// The incidents of one district, category and level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The id of the district.
    pub district: String,
    /// The number of the category.
    pub category: i16,
    /// The number of the level.
    pub level: i16,
    /// Neither closed nor a false alarm.
    pub open: i64,
    /// Closed.
    pub closed: i64,
    /// False alarms.
    pub false_alarms: i64,
    /// Of all, those of which something was late or is overdue.
    pub overdue: i64,
}

/// More groups than all districts, categories and levels of a city make.
const GROUPS: u32 = 5_000;

impl Store {
    /// How many confidential incidents there are at and below `root`, by place.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn confidential_incidents(
        db: &impl ConnectionTrait,
        root: &str,
    ) -> Result<BTreeMap<String, Part>, DbErr> {
        let sql = format!(
            "SELECT org_path, COUNT(*) FROM incidents WHERE {BELOW} AND confidential <> 0 \
             GROUP BY org_path"
        );
        let rows = db.query_all_raw(statement(db, &sql, below(root)));
        let counts = rows.await?.into_iter().map(|row| {
            let count: i64 = row.try_get_by_index(1)?;
            let count = u32::try_from(count).map_err(|_| unreadable("count"))?;
            Ok((row.try_get_by_index(0)?, Part::all(count)))
        });
        counts.collect()
    }

    /// Counts at and below `place` of the incidents noticed in a span of milliseconds since 1970, without the
    /// confidential ones.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incident_counts(
        db: &impl ConnectionTrait,
        place: &str,
        noticed: std::ops::Range<i64>,
        now: i64,
    ) -> Result<Vec<Count>, DbErr> {
        let mut values: Vec<Value> = below(place);
        values.extend([noticed.start.into(), noticed.end.into()]);
        let wheres = format!("WHERE {BELOW} AND detected >= $4 AND detected < $5");
        let sum = |condition: &str| format!("SUM(CASE WHEN {condition} THEN 1 ELSE 0 END)");
        let sql = format!(
            "SELECT district, category, level, {}, {}, {}, {} FROM incidents {wheres} \
             AND confidential = 0 GROUP BY district, category, level \
             ORDER BY district, category, level LIMIT {GROUPS}",
            sum("state NOT IN (9, 10)"),
            sum("state = 9"),
            sum("state = 10"),
            sum("late = TRUE OR (next_due <> 0 AND next_due < $6)"),
        );
        values.push(now.into());
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        let counts = rows.iter().map(|row| {
            Ok(Count {
                district: row.try_get_by_index(0)?,
                category: row.try_get_by_index(1)?,
                level: row.try_get_by_index(2)?,
                open: row.try_get_by_index(3)?,
                closed: row.try_get_by_index(4)?,
                false_alarms: row.try_get_by_index(5)?,
                overdue: row.try_get_by_index(6)?,
            })
        });
        counts.collect()
    }
}
