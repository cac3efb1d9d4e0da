//! Sampling points and their samples.

use kit::db::statement;
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, Value as SqlValue};

use super::rolls::corrupt;
use super::tubes::below;
use crate::domain::laboratory_result::Value;
use crate::domain::point::Sample;
use crate::domain::roll::Malformed;
use kit::rows::{Row, row};

row! {
    /// A sampling point. Times are milliseconds, 0 for none.
    PointRow in "points" by ["id"] {
        /// The last part of its name, a UUID.
        id: String,
        /// Shown to people.
        display_name: String,
        /// The organisation's identifier.
        organization: String,
        /// The organisation's place.
        org_path: String,
        /// Canteen, toilet and so on.
        kind: i16,
        /// Objects or environment.
        subject: i16,
        /// Sampled once in as many days; 0 for the policy's.
        every_days: i16,
        /// Where it stands.
        state: i16,
        /// When it was last disinfected.
        disinfect_time: i64,
        /// The day of its creation.
        created_day: i32,
        /// When it was created.
        create_time: i64,
    }
}

/// The samples of a point that have a result.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn samples<C: ConnectionTrait + Sync>(
    connection: &C,
    point: &str,
) -> Result<Vec<Sample>, DbErr> {
    let sql = "SELECT seal_time, result FROM tubes \
        WHERE point <> '' AND point = $1 AND result <> 0";
    let rows = connection
        .query_all_raw(statement(connection, sql, [point.into()]))
        .await?;
    let sample = |row: &sea_orm::QueryResult| {
        Ok(Sample {
            taken: row.try_get_by_index(0)?,
            result: Value::from_code(row.try_get_by_index(1)?).ok_or_else(|| corrupt(Malformed))?,
        })
    };
    rows.iter().map(sample).collect()
}

/// The day of the last sample of a point whose tube did not come to nothing; 0 for none.
///
/// # Errors
/// When the database fails.
pub async fn last_sampled<C: ConnectionTrait + Sync>(
    connection: &C,
    point: &str,
) -> Result<i32, DbErr> {
    // Neither issued, open, void, lost, rejected nor to be sampled again.
    let sql = "SELECT COALESCE(MAX(day), 0) FROM tubes \
        WHERE point <> '' AND point = $1 AND state NOT IN (1, 2, 12, 13, 14, 15)";
    let row = connection
        .query_one_raw(statement(connection, sql, [point.into()]))
        .await?;
    row.map_or(Ok(0), |row| row.try_get_by_index(0))
}

/// Points at or below a place that are in use, by identifier after `after`.
///
/// # Errors
/// When the database fails.
pub async fn list<C: ConnectionTrait + Sync>(
    connection: &C,
    place: &OrgPath,
    after: &str,
    limit: u64,
) -> Result<Vec<PointRow>, DbErr> {
    let wheres = "(org_path = $1 OR (org_path >= $2 AND org_path < $3)) AND id > $4 AND state <> 4";
    let mut values: Vec<SqlValue> = below(place).to_vec();
    values.push(after.into());
    PointRow::page(connection, wheres, values, limit).await
}
