//! How many checks of each school and day were corrected, kept as corrections arrive.

use std::collections::BTreeMap;

use kit::bulk::{Column, insert};
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::domain::day::Day;
use crate::domain::health::coverage::Corrections;
use crate::domain::health::rules::Slot;
use crate::domain::roll::Malformed;
use crate::store::rolls::corrupt;

/// Corrections by school and check of the day.
pub type Changes = BTreeMap<(Day, String, Slot), Corrections>;

/// Adds to what is counted. The schools are locked by the caller.
///
/// # Errors
/// When the database fails.
pub async fn add(tx: &Tx, changes: Changes) -> Result<(), DbErr> {
    let (mut days, mut schools, mut slots) = (Vec::new(), Vec::new(), Vec::new());
    let (mut counts, mut last) = (Vec::new(), Vec::new());
    for ((day, school, slot), more) in changes {
        days.push(i32::from(day.number()));
        schools.push(school);
        slots.push(slot.code());
        counts.push(more.count);
        last.push(more.last);
    }
    let columns = vec![
        ("day", Column::Int(days)),
        ("school", Column::Text(schools)),
        ("slot", Column::Small(slots)),
        ("corrected", Column::Int(counts)),
        ("last_correct", Column::Big(last)),
    ];
    let conflict = "ON CONFLICT (day, school, slot) DO UPDATE SET \
        corrected = check_corrections.corrected + excluded.corrected, last_correct = \
        CASE WHEN excluded.last_correct > check_corrections.last_correct \
        THEN excluded.last_correct ELSE check_corrections.last_correct END";
    insert(tx, "check_corrections", columns, conflict).await
}

/// What was corrected on a day at every school at or below a place.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn of_day<C: ConnectionTrait>(
    connection: &C,
    place: &str,
    day: Day,
) -> Result<Vec<(String, Slot, Corrections)>, DbErr> {
    let sql = "SELECT school, slot, corrected, last_correct FROM check_corrections \
        WHERE day = $1 AND (school = $2 OR (school >= $3 AND school < $4))";
    let values: [Value; 4] = [
        i32::from(day.number()).into(),
        place.into(),
        format!("{place}/").into(),
        format!("{place}0").into(),
    ];
    let rows = connection.query_all_raw(statement(connection, sql, values));
    let found = rows.await?.into_iter().map(|row| {
        let slot: i16 = row.try_get_by_index(1)?;
        let corrections = Corrections {
            count: row.try_get_by_index(2)?,
            last: row.try_get_by_index(3)?,
        };
        let slot = Slot::from_code(slot).ok_or_else(|| corrupt(Malformed))?;
        Ok((row.try_get_by_index(0)?, slot, corrections))
    });
    found.collect()
}
