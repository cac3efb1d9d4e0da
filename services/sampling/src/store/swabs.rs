//! Swabs, and who must be swabbed again.

use kit::db::{Tx, statement};
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::tubes::below;
use kit::rows::{Lock, Row, execute_in, row};

row! {
    /// One swab.
    SwabRow in "swabs" by ["tube", "person"] {
        /// The tube.
        tube: String,
        /// Who; of a sampling point, its identifier.
        person: Vec<u8>,
        /// Student, staff or sampling point.
        kind: i16,
        /// The class group's or school's place.
        org_path: String,
        /// The campaign day.
        day: i32,
        /// Empty, or the hold that ordered it, or the tube of a sampling point.
        campaign: String,
        /// When scanned.
        scan_time: i64,
        /// Whether it counts for the day.
        counted: bool,
    }
}

row! {
    /// Somebody must be swabbed again.
    MakeUpRow in "make_ups" by ["tube", "person"] {
        /// The tube that came to nothing.
        tube: String,
        /// Who.
        person: Vec<u8>,
        /// Student or staff.
        kind: i16,
        /// The class group's place.
        org_path: String,
        /// Why.
        cause: String,
        /// When.
        create_time: i64,
    }
}

/// The swabs of these people that count, of any day.
///
/// # Errors
/// When the database fails.
pub async fn counted<C: ConnectionTrait + Sync>(
    connection: &C,
    people: Vec<Value>,
) -> Result<Vec<SwabRow>, DbErr> {
    SwabRow::find(connection, "counted AND person", people, Lock::No).await
}

/// Removes a swab; whether it was there.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &Tx, tube: &str, person: &[u8]) -> Result<bool, DbErr> {
    let sql = "DELETE FROM swabs WHERE tube = $1 AND person = $2";
    let values = [tube.into(), person.to_vec().into()];
    let gone = tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(gone.rows_affected() > 0)
}

/// The swabs of these tubes count for nothing: their people may be swabbed again.
///
/// # Errors
/// When the database fails.
pub async fn discount(tx: &Tx, tubes: Vec<Value>) -> Result<(), DbErr> {
    let sql = "UPDATE swabs SET counted = FALSE WHERE tube";
    execute_in(tx, sql, &[], tubes).await
}

/// The swabs of these tubes count again, except of whoever was swabbed again meanwhile; nobody in
/// them must be swabbed again.
///
/// # Errors
/// When the database fails.
pub async fn count_again(tx: &Tx, tubes: Vec<Value>) -> Result<(), DbErr> {
    let sql = "UPDATE swabs SET counted = TRUE WHERE NOT counted AND NOT EXISTS \
        (SELECT 1 FROM swabs o WHERE o.person = swabs.person AND o.day = swabs.day \
        AND o.campaign = swabs.campaign AND o.counted) AND tube";
    execute_in(tx, sql, &[], tubes.clone()).await?;
    execute_in(tx, "DELETE FROM make_ups WHERE tube", &[], tubes).await
}

/// These people were swabbed again.
///
/// # Errors
/// When the database fails.
pub async fn made_up(tx: &Tx, people: Vec<Value>) -> Result<(), DbErr> {
    execute_in(tx, "DELETE FROM make_ups WHERE person", &[], people).await
}

/// Who must be swabbed again at or below a place, after a tube and person.
///
/// # Errors
/// When the database fails.
pub async fn make_ups<C: ConnectionTrait + Sync>(
    connection: &C,
    place: &OrgPath,
    after: (String, Vec<u8>),
    limit: u64,
) -> Result<Vec<MakeUpRow>, DbErr> {
    let wheres = "(org_path = $1 OR (org_path >= $2 AND org_path < $3)) \
        AND (tube > $4 OR (tube = $4 AND person > $5))";
    let mut values = below(place).to_vec();
    values.extend([after.0.into(), after.1.into()]);
    MakeUpRow::page(connection, wheres, values, limit).await
}

/// The swabs of a tube after a person.
///
/// # Errors
/// When the database fails.
pub async fn of_tube<C: ConnectionTrait + Sync>(
    connection: &C,
    tube: &str,
    after: Vec<u8>,
    limit: u64,
) -> Result<Vec<SwabRow>, DbErr> {
    let values = vec![tube.into(), after.into()];
    SwabRow::page(connection, "tube = $1 AND person > $2", values, limit).await
}
