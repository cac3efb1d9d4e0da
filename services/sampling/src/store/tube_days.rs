//! Counts of the tubes of each school and day, kept in the transactions in which tubes move.

use std::collections::BTreeMap;

use kit::bulk::{Column, insert};
use kit::db::{Tx, statement};
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::tubes::below;
use crate::domain::day::Day;
use crate::domain::tube_day::TubeDay;

/// By how much the counts of schools change, by day and place of the school.
pub type Changes = BTreeMap<(i32, String), TubeDay>;

/// Adds to the counts. The last statement of a transaction that locks anything else: the rows are taken in the
/// order of their keys, so that two transactions cannot wait for each other.
///
/// # Errors
/// When the database fails.
pub async fn add(tx: &Tx, changes: Changes) -> Result<(), DbErr> {
    let (mut days, mut schools) = (Vec::new(), Vec::new());
    let mut counts: [Vec<i32>; 9] = Default::default();
    let mut last_correct = Vec::new();
    for ((day, school), change) in changes {
        if change.is_nothing() {
            continue;
        }
        days.push(day);
        schools.push(school);
        let TubeDay {
            opened,
            sealed,
            received,
            late_arrivals,
            failed,
            results,
            late_results,
            positive,
            corrected,
            last_correct: last,
        } = change;
        let parts = [
            opened,
            sealed,
            received,
            late_arrivals,
            failed,
            results,
            late_results,
            positive,
            corrected,
        ];
        for (column, part) in counts.iter_mut().zip(parts) {
            column.push(part);
        }
        last_correct.push(last);
    }
    let sums: Vec<String> = COUNTS
        .iter()
        .map(|count| format!("{count} = tube_days.{count} + excluded.{count}"))
        .collect();
    let conflict = format!(
        "ON CONFLICT (day, school) DO UPDATE SET {}, last_correct = \
         CASE WHEN excluded.last_correct > tube_days.last_correct THEN excluded.last_correct \
         ELSE tube_days.last_correct END",
        sums.join(", ")
    );
    let mut columns = vec![
        ("day", Column::Int(days)),
        ("school", Column::Text(schools)),
    ];
    columns.extend(COUNTS.into_iter().zip(counts.map(Column::Int)));
    columns.push(("last_correct", Column::Big(last_correct)));
    insert(tx, "tube_days", columns, &conflict).await
}

const COUNTS: [&str; 9] = [
    "opened",
    "sealed",
    "received",
    "late_arrivals",
    "failed",
    "results",
    "late_results",
    "positive",
    "corrected",
];

/// The counts of a day of every school at or below a place that has any.
///
/// # Errors
/// When the database fails.
pub async fn of_day(
    connection: &impl ConnectionTrait,
    place: &OrgPath,
    day: Day,
) -> Result<Vec<(String, TubeDay)>, DbErr> {
    let sql = format!(
        "SELECT school, {}, last_correct FROM tube_days \
         WHERE day = $4 AND (school = $1 OR (school >= $2 AND school < $3))",
        COUNTS.join(", ")
    );
    let mut values: Vec<Value> = below(place).to_vec();
    values.push(i32::from(day.number()).into());
    let rows = connection.query_all_raw(statement(connection, &sql, values));
    let counts = rows.await?.into_iter().map(|row| {
        let day = TubeDay {
            opened: row.try_get_by_index(1)?,
            sealed: row.try_get_by_index(2)?,
            received: row.try_get_by_index(3)?,
            late_arrivals: row.try_get_by_index(4)?,
            failed: row.try_get_by_index(5)?,
            results: row.try_get_by_index(6)?,
            late_results: row.try_get_by_index(7)?,
            positive: row.try_get_by_index(8)?,
            corrected: row.try_get_by_index(9)?,
            last_correct: row.try_get_by_index(10)?,
        };
        Ok((row.try_get_by_index(0)?, day))
    });
    counts.collect()
}

/// How many tubes of any day wait for a result after it was due, by their place, at or below `place`.
///
/// # Errors
/// When the database fails.
pub async fn overdue(
    connection: &impl ConnectionTrait,
    place: &OrgPath,
    now: i64,
) -> Result<Vec<(String, i64)>, DbErr> {
    // Sealed, on the way, at the laboratory or being tested.
    let sql = "SELECT org_path, COUNT(*) FROM tubes \
        WHERE state IN (3, 4, 5, 6) AND due_time > 0 AND due_time < $4 \
        AND (org_path = $1 OR (org_path >= $2 AND org_path < $3)) GROUP BY org_path";
    let mut values: Vec<Value> = below(place).to_vec();
    values.push(now.into());
    counted(connection, sql, values).await
}

/// How many holds are in force, and for how many of them the time for single swabs was over at `now`, by their
/// place, at or below `place`.
///
/// # Errors
/// When the database fails.
pub async fn holds(
    connection: &impl ConnectionTrait,
    place: &OrgPath,
    now: i64,
) -> Result<Vec<(String, i64, i64)>, DbErr> {
    let sql = "SELECT org_path, COUNT(*), \
        CAST(SUM(CASE WHEN recheck_due < $4 THEN 1 ELSE 0 END) AS BIGINT) FROM holds \
        WHERE state = 1 AND (org_path = $1 OR (org_path >= $2 AND org_path < $3)) GROUP BY org_path";
    let mut values: Vec<Value> = below(place).to_vec();
    values.push(now.into());
    let rows = connection.query_all_raw(statement(connection, sql, values));
    let counts = rows.await?.into_iter().map(|row| {
        Ok((
            row.try_get_by_index(0)?,
            row.try_get_by_index(1)?,
            row.try_get_by_index(2)?,
        ))
    });
    counts.collect()
}

async fn counted(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<(String, i64)>, DbErr> {
    let rows = connection.query_all_raw(statement(connection, sql, values));
    let counts = rows
        .await?
        .into_iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)));
    counts.collect()
}
