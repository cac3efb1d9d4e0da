//! How far directives have come: what is counted as recipients move is summed up, and only when they
//! signed, and what waits for too long, is looked up in an index. No recipient is loaded.

use chrono::{DateTime, Utc};
use kit::db::statement;
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use uuid::Uuid;

use super::{Store, unreadable};
use crate::domain::chain::Level;
use crate::domain::recipient::State;

/// The recipients of one level in one district.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// What they are.
    pub level: Level,
    /// The recipient id of the bureau through which it left the orderer; empty without one.
    pub district: String,
    /// All of them.
    pub recipients: i32,
    /// Those to whom somebody has passed it on.
    pub reached: i32,
    /// Those who signed.
    pub acknowledged: i32,
    /// Those whose report is accepted.
    pub accepted: i32,
    /// Those who did not sign in time, and have not yet.
    pub overdue: i32,
    /// Those who signed late.
    pub late: i32,
    /// Those who did not pass it on in time, and have not yet.
    pub relay_overdue: i32,
    /// Those whose report was not judged in time, and has not been yet.
    pub judge_overdue: i32,
}

/// When the recipients of a level signed; none where too few have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What they are.
    pub level: Level,
    /// The first of them.
    pub first: Option<DateTime<Utc>>,
    /// Half of all.
    pub median: Option<DateTime<Utc>>,
    /// Nine of ten of all.
    pub p90: Option<DateTime<Utc>>,
    /// All.
    pub last: Option<DateTime<Utc>>,
}

impl Count {
    /// Nobody.
    pub fn none(level: Level, district: String) -> Self {
        Self {
            level,
            district,
            recipients: 0,
            reached: 0,
            acknowledged: 0,
            accepted: 0,
            overdue: 0,
            late: 0,
            relay_overdue: 0,
            judge_overdue: 0,
        }
    }

    /// Takes in the recipients of another district.
    pub fn add(&mut self, other: &Self) {
        self.recipients += other.recipients;
        self.reached += other.reached;
        self.acknowledged += other.acknowledged;
        self.accepted += other.accepted;
        self.overdue += other.overdue;
        self.late += other.late;
        self.relay_overdue += other.relay_overdue;
        self.judge_overdue += other.judge_overdue;
    }
}

impl Store {
    /// The recipients of a directive by level and district, as deadlines stand at `now`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn progress(
        db: &impl ConnectionTrait,
        directive: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Vec<Count>, DbErr> {
        let sql = "SELECT level, district, SUM(recipients), \
             SUM(CASE WHEN due_at > 0 THEN recipients ELSE 0 END), SUM(acknowledged), SUM(accepted), \
             SUM(CASE WHEN due_at > 0 AND due_at < $2 THEN recipients - acknowledged ELSE 0 END), \
             SUM(late) FROM directive_counts WHERE directive = $1 GROUP BY level, district";
        let values = [directive.into(), now.timestamp_millis().into()];
        let rows = db.query_all_raw(statement(db, sql, values)).await?;
        let counts = rows.iter().map(|row| {
            Ok(Count {
                recipients: count(row, 2)?,
                reached: count(row, 3)?,
                acknowledged: count(row, 4)?,
                accepted: count(row, 5)?,
                overdue: count(row, 6)?,
                late: count(row, 7)?,
                ..Count::none(level(row)?, row.try_get_by_index(1)?)
            })
        });
        let mut counts: Vec<Count> = counts.collect::<Result<_, DbErr>>()?;
        add_waiting(db, directive, now, &mut counts).await?;
        Ok(counts)
    }

    /// When the recipients of each of these levels signed, found in the order of the index and from its
    /// nearer end. The numbers are those of [`Store::progress`], summed by level.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn signed(
        db: &impl ConnectionTrait,
        directive: Uuid,
        levels: &[Count],
    ) -> Result<Vec<Signed>, DbErr> {
        if levels.is_empty() {
            return Ok(Vec::new());
        }
        let mut values = vec![directive.into()];
        let mut parts = Vec::with_capacity(levels.len());
        for count in levels {
            let (level, all) = (count.level as i16, count.recipients);
            let mut columns = Vec::with_capacity(4);
            for rank in [1, share(all, 50), share(all, 90), all] {
                let from_end = count.acknowledged - rank;
                if from_end < 0 {
                    columns.push("CAST(NULL AS BIGINT)".to_owned());
                    continue;
                }
                let (order, skipped) = if rank - 1 <= from_end {
                    ("ASC", rank - 1)
                } else {
                    ("DESC", from_end)
                };
                values.push(i64::from(skipped).into());
                let skipped = values.len();
                columns.push(format!(
                    "(SELECT acknowledged_at FROM directive_recipients WHERE directive = $1 \
                     AND level = {level} AND acknowledged_at IS NOT NULL \
                     ORDER BY acknowledged_at {order} LIMIT 1 OFFSET ${skipped})"
                ));
            }
            // PostgreSQL takes a bare number for a wider one than the column of levels holds.
            parts.push(format!(
                "SELECT CAST({level} AS SMALLINT), {}",
                columns.join(", ")
            ));
        }
        let select = statement(db, &parts.join(" UNION ALL "), values);
        let rows = db.query_all_raw(select).await?;
        rows.iter()
            .map(|row| {
                let at = |index: usize| -> Result<Option<DateTime<Utc>>, DbErr> {
                    let millis: Option<i64> = row.try_get_by_index(index)?;
                    Ok(millis.and_then(DateTime::from_timestamp_millis))
                };
                Ok(Signed {
                    level: level(row)?,
                    first: at(1)?,
                    median: at(2)?,
                    p90: at(3)?,
                    last: at(4)?,
                })
            })
            .collect()
    }

    /// The bureaus that the orderer itself reaches and that pass it on, in the order of their places:
    /// recipient id and place.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn districts(
        db: &impl ConnectionTrait,
        directive: Uuid,
    ) -> Result<Vec<(String, String)>, DbErr> {
        let sql = "SELECT organization, org_path FROM directive_recipients WHERE directive = $1 \
             AND upper_organization = '' AND district = organization ORDER BY org_path";
        let rows = db
            .query_all_raw(statement(db, sql, [directive.into()]))
            .await?;
        rows.iter()
            .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
            .collect()
    }
}

/// Adds those who did not pass a directive on in time, and those whose report was not judged in time: found
/// in indexes of those who wait.
async fn add_waiting(
    db: &impl ConnectionTrait,
    directive: Uuid,
    now: DateTime<Utc>,
    counts: &mut [Count],
) -> Result<(), DbErr> {
    let waiting = |columns: &str, state: State, due: &str| {
        format!(
            "SELECT level, district, {columns} FROM directive_recipients WHERE directive = $1 \
             AND open = TRUE AND state = {} AND {due} < $2",
            state as i16
        )
    };
    let sql = format!(
        "SELECT level, district, SUM(unrelayed), SUM(unjudged) FROM ({} UNION ALL {}) AS waiting \
         GROUP BY level, district",
        waiting(
            "1 AS unrelayed, 0 AS unjudged",
            State::Acked,
            "relay_due_at"
        ),
        waiting("0, 1", State::Reported, "judge_due_at"),
    );
    let values = [directive.into(), now.timestamp_millis().into()];
    for row in db.query_all_raw(statement(db, &sql, values)).await? {
        let (level, district): (_, String) = (level(&row)?, row.try_get_by_index(1)?);
        let of = |one: &&mut Count| one.level == level && one.district == district;
        if let Some(found) = counts.iter_mut().find(of) {
            found.relay_overdue = count(&row, 2)?;
            found.judge_overdue = count(&row, 3)?;
        }
    }
    Ok(())
}

/// A share of a number in percent, rounded up.
fn share(of: i32, percent: i32) -> i32 {
    let share = (i64::from(of) * i64::from(percent) + 99) / 100;
    i32::try_from(share).unwrap_or(i32::MAX)
}

fn level(row: &QueryResult) -> Result<Level, DbErr> {
    let number: i16 = row.try_get_by_index(0)?;
    let level = Level::ALL.into_iter().find(|level| *level as i16 == number);
    level.ok_or_else(|| unreadable("level"))
}

fn count(row: &QueryResult, index: usize) -> Result<i32, DbErr> {
    let count: i64 = row.try_get_by_index(index)?;
    i32::try_from(count).map_err(|_| unreadable("count"))
}
