//! What gates decided by school and day. Whoever decides adds a row in their own statement and waits for
//! nobody; the rows are added up soon after, and whoever reads adds those that are left.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kit::bulk::{Column, insert};
use kit::clock::civil_date;
use kit::db::{Tx, statement};
use kit::rows::{Row, execute_in, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use crate::domain::gate::day::{GateDay, number_of};
use crate::store::{Store, below_end, unreadable};

row! {
    /// A change that is not added up yet.
    GateDayChangeRow in "gate_day_changes" by ["id"] {
        /// The id.
        id: Uuid,
        /// Lines of [`GateDay::line`].
        changes: String,
    }
}

/// So many days are kept, today included: decisions that a gate hands in late still count for theirs.
const KEPT: i32 = 8;

/// The number of the civil day of an instant, Asia/Shanghai.
pub(crate) fn day_of(instant: DateTime<Utc>) -> i32 {
    number_of(civil_date(instant))
}

/// Counts by day and school.
type Days = BTreeMap<(i32, String), GateDay>;

impl GateDayChangeRow {
    /// What decisions or overrides of one school on one day change.
    pub(super) fn new(days: &Days) -> Self {
        let lines = days
            .iter()
            .map(|((day, school), more)| more.line(*day, school));
        Self {
            id: Uuid::new_v4(),
            changes: lines.collect::<Vec<_>>().join("\n"),
        }
    }
}

/// The counts of decisions, each told by its day, its school, whether it lets in and whether its gate had no
/// network.
pub(super) fn counted<'a>(
    decisions: impl Iterator<Item = (i32, &'a str, bool, bool)>,
) -> Vec<GateDayChangeRow> {
    let mut days = Days::new();
    for (day, school, admits, offline) in decisions {
        let counts = days.entry((day, school.to_owned())).or_default();
        counts.add(&GateDay::decision(admits, offline));
    }
    if days.is_empty() {
        return Vec::new();
    }
    vec![GateDayChangeRow::new(&days)]
}

fn lines(changes: &str) -> impl Iterator<Item = Result<(i32, &str, GateDay), DbErr>> {
    let line = |line| GateDay::of_line(line).ok_or_else(|| unreadable("count of a gate"));
    changes.lines().map(line)
}

impl Store {
    /// Counts an override of a decision of that day.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn count_override(
        tx: &Tx,
        (day, school): (i32, &str),
        more: GateDay,
    ) -> Result<(), DbErr> {
        let days = Days::from([((day, school.to_owned()), more)]);
        GateDayChangeRow::add(tx, &[GateDayChangeRow::new(&days)]).await
    }

    /// What the gates of each school at and below a place decided on a day, by the id of the school, from one
    /// moment. Some elsewhere may be among them.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn gate_days(
        db: &impl ConnectionTrait,
        place: &str,
        day: i32,
    ) -> Result<BTreeMap<String, GateDay>, DbErr> {
        let sql = "SELECT g.school, g.decisions, g.stopped, g.offline, g.overridden, g.last_override, '' \
             FROM organizations o JOIN gate_days g ON g.day = $4 AND g.school = o.id \
             WHERE o.org_path = $1 OR (o.org_path > $2 AND o.org_path < $3) \
             UNION ALL SELECT '', 0, 0, 0, 0, 0, changes FROM gate_day_changes";
        let values: [Value; 4] = [
            place.into(),
            format!("{place}/").into(),
            below_end(place).into(),
            day.into(),
        ];
        let mut found: BTreeMap<String, GateDay> = BTreeMap::new();
        for row in db.query_all_raw(statement(db, sql, values)).await? {
            let changes: String = row.try_get_by_index(6)?;
            for line in lines(&changes) {
                let (of, school, more) = line?;
                if of == day {
                    found.entry(school.to_owned()).or_default().add(&more);
                }
            }
            let school: String = row.try_get_by_index(0)?;
            if !school.is_empty() {
                let counts = GateDay {
                    decisions: row.try_get_by_index(1)?,
                    stopped: row.try_get_by_index(2)?,
                    offline: row.try_get_by_index(3)?,
                    overridden: row.try_get_by_index(4)?,
                    last_override: row.try_get_by_index(5)?,
                };
                found.entry(school).or_default().add(&counts);
            }
        }
        Ok(found)
    }

    /// Adds up some changes, at most `limit`, and forgets what is long over; says whether there may be more.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn add_gates_up(tx: &Tx, today: i32, limit: u64) -> Result<bool, DbErr> {
        let changes = GateDayChangeRow::page(tx, "TRUE", Vec::new(), limit).await?;
        if changes.is_empty() {
            return Ok(false);
        }
        let full = changes.len() as u64 == limit;
        let mut sums = Days::new();
        for change in &changes {
            for line in lines(&change.changes) {
                let (day, school, more) = line?;
                sums.entry((day, school.to_owned())).or_default().add(&more);
            }
        }
        add(tx, sums).await?;
        let ids = changes.into_iter().map(|change| change.id.into()).collect();
        execute_in(tx, "DELETE FROM gate_day_changes WHERE id", &[], ids).await?;
        let sql = "DELETE FROM gate_days WHERE day <= $1";
        tx.execute_raw(statement(tx, sql, [today.saturating_sub(KEPT).into()]))
            .await?;
        Ok(full)
    }

    /// Whether there are changes to be added up.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn has_gate_changes(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
        let sql = "SELECT 1 FROM gate_day_changes ORDER BY id LIMIT 1";
        let found = db.query_one_raw(statement(db, sql, [])).await?;
        Ok(found.is_some())
    }
}

async fn add(tx: &Tx, sums: Days) -> Result<(), DbErr> {
    let (mut days, mut schools) = (Vec::new(), Vec::new());
    let mut counts: [Vec<i64>; 5] = Default::default();
    for ((day, school), sum) in sums {
        days.push(day);
        schools.push(school);
        let parts = [
            sum.decisions,
            sum.stopped,
            sum.offline,
            sum.overridden,
            sum.last_override,
        ];
        for (column, part) in counts.iter_mut().zip(parts) {
            column.push(part);
        }
    }
    let names = [
        "decisions",
        "stopped",
        "offline",
        "overridden",
        "last_override",
    ];
    let mut columns = vec![
        ("day", Column::Int(days)),
        ("school", Column::Text(schools)),
    ];
    columns.extend(names.into_iter().zip(counts.map(Column::Big)));
    let conflict = "ON CONFLICT (day, school) DO UPDATE SET \
         decisions = gate_days.decisions + excluded.decisions, \
         stopped = gate_days.stopped + excluded.stopped, \
         offline = gate_days.offline + excluded.offline, \
         overridden = gate_days.overridden + excluded.overridden, \
         last_override = CASE WHEN excluded.last_override > gate_days.last_override \
         THEN excluded.last_override ELSE gate_days.last_override END";
    insert(tx, "gate_days", columns, conflict).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_midnight_in_shanghai() {
        let at = |text: &str| day_of(text.parse().unwrap());
        assert_eq!(at("1970-01-01T15:59:59Z"), 0);
        assert_eq!(at("1970-01-01T16:00:00Z"), 1);
    }

    #[test]
    fn decisions_of_one_school_and_day_are_one_line() {
        let decisions = [
            (1, "a", true, false),
            (1, "b", false, true),
            (1, "a", false, false),
        ];
        let rows = counted(decisions.into_iter());
        let changes: Vec<&str> = rows.iter().map(|row| row.changes.as_str()).collect();
        assert_eq!(changes, ["1 a 2 1 0 0 0\n1 b 1 1 1 0 0"]);
        assert_eq!(counted(std::iter::empty()), Vec::new());
    }
}
