//! Counters of each school, which are also the lock of its rolls and rotation.

use std::collections::BTreeMap;

use kit::db::{Backend, Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::rolls::{GroupRow, corrupt};
use crate::domain::coverage::Tally;
use crate::domain::roll::GroupKind;
use kit::bulk::{Column, insert, placeholders};

/// Locks schools, in the order of their paths so that two transactions cannot wait for each
/// other, and returns their counters.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn lock(tx: &Tx, schools: &[String]) -> Result<BTreeMap<String, Tally>, DbErr> {
    let mut schools = schools.to_vec();
    schools.sort();
    schools.dedup();
    let columns = vec![
        ("path", Column::Text(schools.clone())),
        (
            "tally",
            Column::Bytes(vec![Tally::default().pack(); schools.len()]),
        ),
    ];
    insert(tx, "coverage", columns, "ON CONFLICT (path) DO NOTHING").await?;
    let lock = match tx.backend() {
        Backend::Postgres => "FOR UPDATE",
        Backend::Sqlite => "",
    };
    let mut tallies = BTreeMap::new();
    for part in schools.chunks(1000) {
        let marks = placeholders(1, part.len());
        let sql = format!(
            "SELECT path, tally FROM coverage WHERE path IN ({marks}) ORDER BY path {lock}"
        );
        let values = part.iter().map(|school| Value::from(school.as_str()));
        for row in tx.query_all_raw(statement(tx, &sql, values)).await? {
            let bytes: Vec<u8> = row.try_get_by_index(1)?;
            tallies.insert(
                row.try_get_by_index(0)?,
                Tally::unpack(&bytes).map_err(corrupt)?,
            );
        }
    }
    Ok(tallies)
}

/// Stores counters that were locked before.
///
/// # Errors
/// When the database fails.
pub async fn save(tx: &Tx, tallies: BTreeMap<String, Tally>) -> Result<(), DbErr> {
    let packed = tallies.values().map(Tally::pack).collect();
    let columns = vec![
        ("path", Column::Text(tallies.into_keys().collect())),
        ("tally", Column::Bytes(packed)),
    ];
    insert(
        tx,
        "coverage",
        columns,
        "ON CONFLICT (path) DO UPDATE SET tally = excluded.tally",
    )
    .await
}

/// The counters of every school at or below a place, ordered by path.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn below(
    connection: &impl ConnectionTrait,
    place: &str,
) -> Result<Vec<(String, Tally)>, DbErr> {
    let sql = "SELECT path, tally FROM coverage \
        WHERE path = $1 OR (path >= $2 AND path < $3) ORDER BY path";
    let values: [Value; 3] = [
        place.into(),
        format!("{place}/").into(),
        format!("{place}0").into(),
    ];
    let mut tallies = Vec::new();
    for row in connection
        .query_all_raw(statement(connection, sql, values))
        .await?
    {
        let bytes: Vec<u8> = row.try_get_by_index(1)?;
        tallies.push((
            row.try_get_by_index(0)?,
            Tally::unpack(&bytes).map_err(corrupt)?,
        ));
    }
    Ok(tallies)
}

/// What one group counts for in its school: staff are not counted.
///
/// # Errors
/// When the row is corrupt.
pub fn of_group(group: &GroupRow) -> Result<Tally, DbErr> {
    match group.kind {
        GroupKind::Students => Ok(Tally::of(&group.roll()?, &group.rotation()?, group.taught)),
        GroupKind::Staff => Ok(Tally::default()),
    }
}
