//! Counts of each school and day, kept as data arrives.

use std::collections::{BTreeMap, BTreeSet};

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::domain::day::Day;
use crate::domain::health::tally::DayTally;
use crate::domain::roll::Malformed;
use crate::store::rolls::corrupt;
use kit::bulk::Column;
use kit::rows::{Row, row};

row! {
    /// The counts of one school and day.
    DayRow in "health_days" by ["day", "school"] {
        /// The day.
        day: i32,
        /// The place of the school.
        school: String,
        /// The packed counts.
        tally: Vec<u8>,
    }
}

/// Counts by school and day.
pub type Tallies = BTreeMap<(String, Day), DayTally>;

/// The counts of these schools and days, all of them: what is not stored is zero. The schools are
/// locked by the caller.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn of(tx: &Tx, wanted: &BTreeSet<(String, Day)>) -> Result<Tallies, DbErr> {
    let mut tallies: Tallies = wanted
        .iter()
        .map(|key| (key.clone(), DayTally::default()))
        .collect();
    let days = wanted.iter().map(|(_, day)| i32::from(day.number()));
    let schools = wanted.iter().map(|(school, _)| school.clone());
    let keys = vec![
        ("day", Column::Int(days.collect())),
        ("school", Column::Text(schools.collect())),
    ];
    for row in DayRow::among(tx, keys).await? {
        let day = u16::try_from(row.day).map_err(|_| corrupt(Malformed))?;
        let tally = DayTally::unpack(&row.tally).map_err(corrupt)?;
        tallies.insert((row.school, Day::from_number(day)), tally);
    }
    Ok(tallies)
}

/// Stores counts whose schools are locked.
///
/// # Errors
/// When the database fails.
pub async fn save(tx: &Tx, tallies: &Tallies) -> Result<(), DbErr> {
    let rows: Vec<DayRow> = tallies
        .iter()
        .map(|((school, day), tally)| DayRow {
            day: i32::from(day.number()),
            school: school.clone(),
            tally: tally.pack(),
        })
        .collect();
    DayRow::save(tx, &rows).await
}

/// The counts of a day of every school at or below a place that has any, ordered by path.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn of_day<C: ConnectionTrait + Sync>(
    connection: &C,
    place: &str,
    day: Day,
) -> Result<Vec<(String, DayTally)>, DbErr> {
    let mut values: Vec<Value> = vec![i32::from(day.number()).into()];
    let wheres = if place.is_empty() {
        "day = $1"
    } else {
        values.extend([
            place.into(),
            format!("{place}/").into(),
            format!("{place}0").into(),
        ]);
        "day = $1 AND (school = $2 OR (school >= $3 AND school < $4))"
    };
    let rows = DayRow::page(connection, wheres, values, i64::MAX.unsigned_abs()).await?;
    rows.into_iter()
        .map(|row| Ok((row.school, DayTally::unpack(&row.tally).map_err(corrupt)?)))
        .collect()
}

/// The first day from `since` on of which anything is counted.
///
/// # Errors
/// When the database fails.
pub async fn first_since<C: ConnectionTrait>(
    connection: &C,
    since: Day,
) -> Result<Option<Day>, DbErr> {
    let sql = "SELECT MIN(day) FROM health_days WHERE day >= $1";
    let values = [i32::from(since.number()).into()];
    let row = connection
        .query_one_raw(statement(connection, sql, values))
        .await?;
    let first: Option<i32> = row
        .map(|row| row.try_get_by_index(0))
        .transpose()?
        .flatten();
    Ok(first
        .and_then(|day| u16::try_from(day).ok())
        .map(Day::from_number))
}
