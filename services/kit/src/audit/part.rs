//! Which part of the log a period is: between two signed heads, so that whoever has the part alone can verify it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr};

use super::checkpoint::CheckpointKind;
use crate::db::{Reader, statement};

/// A call is on record this long after it arrived at the latest.
const UNDER_WAY: Duration = Duration::from_secs(3600);

const LAST_BEFORE: &str =
    "SELECT max(sequence) FROM audit_checkpoints WHERE kind = $1 AND time <= $2";
const FIRST_AFTER: &str =
    "SELECT min(sequence) FROM audit_checkpoints WHERE kind = $1 AND time >= $2";

/// A part of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The sequence of the checkpoint after which it begins; 0 for the beginning of the log.
    pub(super) after: i64,
    /// The last record, of which the last checkpoint speaks; the greatest number for the end of the log.
    pub(super) last: i64,
}

impl Part {
    /// The first record; 0 for the first that there is.
    pub(super) fn first(self) -> i64 {
        match self.after {
            0 => 0,
            after => after.saturating_add(1),
        }
    }

    /// The part that has all calls that arrived at `start` or later and before `end`.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn of(
        db: &Reader,
        start: Option<DateTime<Utc>>,
        end: Option<DateTime<Utc>>,
    ) -> Result<Self, DbErr> {
        let after = match start {
            Some(start) => head(db, LAST_BEFORE, start).await?,
            None => None,
        };
        let last = match end {
            Some(end) => head(db, FIRST_AFTER, end + UNDER_WAY).await?,
            None => None,
        };
        Ok(Self {
            after: after.unwrap_or(0),
            last: last.unwrap_or(i64::MAX),
        })
    }
}

/// The sequence of the signed head that is nearest to an instant on one side; none where there is none.
async fn head(db: &Reader, sql: &str, time: DateTime<Utc>) -> Result<Option<i64>, DbErr> {
    let kind = CheckpointKind::Head as i32;
    let values = [kind.into(), time.timestamp_millis().into()];
    match db.query_one_raw(statement(db, sql, values)).await? {
        Some(row) => row.try_get_by_index(0),
        None => Ok(None),
    }
}
