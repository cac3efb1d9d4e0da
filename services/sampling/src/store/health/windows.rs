//! How many people of a school are ill within three days running, each person once (rule 1.7): kept
//! as signs arrive, so that nobody counts people when a bureau asks.

use std::collections::{BTreeMap, BTreeSet};

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::signs;
use crate::domain::day::Day;
use crate::domain::health::coverage::SymptomCounts;
use crate::store::rolls::corrupt;
use kit::bulk::{Column, insert};

/// The days counted together: the day and the two before it.
pub const DAYS: u16 = 3;

/// Counts anew every three days that one of these days belongs to. The schools are locked by the
/// caller.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn recount(tx: &Tx, spoken: &BTreeSet<(String, Day)>) -> Result<(), DbErr> {
    let ends: BTreeSet<(&str, Day)> = spoken
        .iter()
        .flat_map(|(school, day)| (0..DAYS).map(|ahead| (school.as_str(), later(*day, ahead))))
        .collect();
    let (Some(first), Some(last)) = (
        ends.iter().map(|(_, day)| *day).min(),
        ends.iter().map(|(_, day)| *day).max(),
    ) else {
        return Ok(());
    };
    let schools: BTreeSet<&str> = ends.iter().map(|(school, _)| *school).collect();
    let seen = signs::seen(tx, &schools, first_of(first), last).await?;
    let (mut days, mut places, mut packed) = (Vec::new(), Vec::new(), Vec::new());
    for (school, end) in ends {
        let of_school = seen.get(school).into_iter().flatten();
        let (symptoms, ill) = signs::count(of_school.filter(|one| one.within(first_of(end), end)));
        days.push(i32::from(end.number()));
        places.push(school.to_owned());
        packed.push(SymptomCounts { symptoms, ill }.pack());
    }
    let columns = vec![
        ("day", Column::Int(days)),
        ("school", Column::Text(places)),
        ("counts", Column::Bytes(packed)),
    ];
    let conflict = "ON CONFLICT (day, school) DO UPDATE SET counts = excluded.counts";
    insert(tx, "health_windows", columns, conflict).await
}

/// The counts of the three days up to `day` of every school at or below a place that has any.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn below<C: ConnectionTrait>(
    connection: &C,
    place: &str,
    day: Day,
) -> Result<BTreeMap<String, SymptomCounts>, DbErr> {
    let sql = "SELECT school, counts FROM health_windows \
        WHERE day = $1 AND (school = $2 OR (school >= $3 AND school < $4))";
    let values: [Value; 4] = [
        i32::from(day.number()).into(),
        place.into(),
        format!("{place}/").into(),
        format!("{place}0").into(),
    ];
    let rows = connection.query_all_raw(statement(connection, sql, values));
    let counts = rows.await?.into_iter().map(|row| {
        let packed: Vec<u8> = row.try_get_by_index(1)?;
        let counts = SymptomCounts::unpack(&packed).map_err(corrupt)?;
        Ok((row.try_get_by_index(0)?, counts))
    });
    counts.collect()
}

/// The first of the three days that end on `end`.
pub fn first_of(end: Day) -> Day {
    Day::from_number(end.number().saturating_sub(DAYS - 1))
}

fn later(day: Day, ahead: u16) -> Day {
    Day::from_number(day.number().saturating_add(ahead))
}
