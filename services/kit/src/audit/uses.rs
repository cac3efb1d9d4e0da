//! For which calls the glass was broken, without who it was: what notification raises alerts for.

use chrono::DateTime;
use proto::audit::BreakGlassUse;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::record::Kind;
use crate::db::{Database, statement};
use crate::field::to_timestamp;
use crate::org::OrgPath;

/// Uses of one caller within the same of these spans belong together, in milliseconds.
const HOUR: i64 = 3600 * 1000;

/// At most `limit` uses after the record `after` by callers at or below `place`, in their order.
///
/// # Errors
/// When the database fails.
pub async fn break_glass_uses(
    db: &Database,
    place: &OrgPath,
    after: i64,
    limit: u64,
) -> Result<Vec<BreakGlassUse>, DbErr> {
    let (below, values) = at_or_below(place, after);
    let kind = Kind::BreakGlass as i32;
    // The index of what is rare is found by its condition.
    let same = format!(
        "FROM audit_records s WHERE s.kind = {kind} AND s.kind > 2 AND s.subject = u.subject \
         AND s.time / {HOUR} = u.time / {HOUR} AND s.sequence <= u.sequence"
    );
    let sql = format!(
        "SELECT u.sequence, u.time, u.place, (SELECT min(s.sequence) {same}), \
         (SELECT count(*) {same}) FROM audit_records u \
         WHERE u.kind = {kind} AND u.kind > 2 AND u.sequence > $1{below} \
         ORDER BY u.sequence LIMIT {limit}"
    );
    let rows = db.read().query_all_raw(statement(db.read(), &sql, values));
    let mut uses = Vec::new();
    for row in rows.await? {
        let time = DateTime::from_timestamp_millis(row.try_get_by_index(1)?).unwrap_or_default();
        let count: i64 = row.try_get_by_index(4)?;
        uses.push(BreakGlassUse {
            sequence: row.try_get_by_index(0)?,
            time: Some(to_timestamp(time)),
            place: row.try_get_by_index(2)?,
            first_sequence: row.try_get_by_index(3)?,
            use_count: i32::try_from(count).unwrap_or(i32::MAX),
        });
    }
    Ok(uses)
}

/// The last record of the log; 0 when there is none.
///
/// # Errors
/// When the database fails.
pub async fn last_sequence(db: &Database) -> Result<i64, DbErr> {
    let sql = "SELECT sequence FROM audit_head";
    match db
        .read()
        .query_one_raw(statement(db.read(), sql, []))
        .await?
    {
        Some(row) => row.try_get_by_index(0),
        None => Ok(0),
    }
}

/// The condition of a place, and all values of the statement.
fn at_or_below(place: &OrgPath, after: i64) -> (&'static str, Vec<Value>) {
    if place.is_root() {
        return ("", vec![after.into()]);
    }
    let (begin, end) = (format!("{place}/"), place.below_end());
    let values = vec![
        after.into(),
        place.as_str().into(),
        begin.into(),
        end.into(),
    ];
    (
        " AND (u.place = $2 OR (u.place >= $3 AND u.place < $4))",
        values,
    )
}
