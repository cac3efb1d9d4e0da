//! How many clusters and cases of each school are not settled: few at any time, and indexed alone.

use std::collections::HashMap;

use kit::db::statement;
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr};

use crate::store::tubes::below;

/// How many clusters of each school at or below a place nobody has closed.
///
/// # Errors
/// When the database fails.
pub async fn clusters<C: ConnectionTrait>(
    connection: &C,
    place: &OrgPath,
) -> Result<HashMap<String, u32>, DbErr> {
    let sql = "SELECT school, COUNT(*) FROM clusters WHERE state IN (1, 2) \
        AND (school = $1 OR (school >= $2 AND school < $3)) GROUP BY school";
    let rows = connection.query_all_raw(statement(connection, sql, below(place)));
    let counts = rows.await?.into_iter().map(|row| {
        let count: i64 = row.try_get_by_index(1)?;
        Ok((row.try_get_by_index(0)?, small(count)))
    });
    counts.collect()
}

/// How many cases of each school at or below a place are open, and how many of them had something
/// late.
///
/// # Errors
/// When the database fails.
pub async fn cases<C: ConnectionTrait>(
    connection: &C,
    place: &OrgPath,
) -> Result<HashMap<String, (u32, u32)>, DbErr> {
    let sql = "SELECT school, COUNT(*), \
        CAST(SUM(CASE WHEN late THEN 1 ELSE 0 END) AS BIGINT) FROM cases WHERE close_time = 0 \
        AND (school = $1 OR (school >= $2 AND school < $3)) GROUP BY school";
    let rows = connection.query_all_raw(statement(connection, sql, below(place)));
    let counts = rows.await?.into_iter().map(|row| {
        let (open, late): (i64, i64) = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        Ok((row.try_get_by_index(0)?, (small(open), small(late))))
    });
    counts.collect()
}

fn small(count: i64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
