//! Examinations of class reporters (rule 1.3).

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::domain::day::Day;
use kit::rows::{Lock, Row, row};

row! {
    /// An account passed the examination of one place.
    ExamRow in "reporter_exams" by ["place", "account"] {
        /// Where it is valid, with everything below.
        place: String,
        /// The account.
        account: String,
        /// The day on which it was passed.
        passed: i32,
        /// The last day on which it is valid.
        valid_until: i32,
        /// The account that examined.
        examiner: String,
        /// Milliseconds since 1970.
        record_time: i64,
    }
}

/// The places where each of these accounts is examined on `day`.
///
/// # Errors
/// When the database fails.
pub async fn valid<C: ConnectionTrait + Sync>(
    connection: &C,
    accounts: Vec<Value>,
    day: Day,
) -> Result<HashMap<String, Vec<String>>, DbErr> {
    let mut places: HashMap<String, Vec<String>> = HashMap::new();
    let day = i32::from(day.number());
    for row in ExamRow::find(connection, "account", accounts, Lock::No).await? {
        if row.passed <= day && day <= row.valid_until {
            places.entry(row.account).or_default().push(row.place);
        }
    }
    Ok(places)
}

/// The examinations recorded at or below a place, ordered by path and account, after `after`; at
/// most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn list<C: ConnectionTrait + Sync>(
    connection: &C,
    place: &str,
    (after, account): &(String, String),
    limit: u64,
) -> Result<Vec<ExamRow>, DbErr> {
    let wheres = "(place = $1 OR (place >= $2 AND place < $3)) \
        AND (place > $4 OR (place = $4 AND account > $5))";
    let values = vec![
        place.into(),
        format!("{place}/").into(),
        format!("{place}0").into(),
        after.as_str().into(),
        account.as_str().into(),
    ];
    ExamRow::page(connection, wheres, values, limit).await
}
