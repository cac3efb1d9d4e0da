//! The civil year that is audited.

use chrono::{DateTime, NaiveDate, Utc};
use kit::clock::start_of;

/// A civil year, Asia/Shanghai.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period {
    /// Its first instant.
    pub(super) start: DateTime<Utc>,
    /// The first instant after it.
    pub(super) end: DateTime<Utc>,
}

impl Period {
    pub(super) fn of(year: i32) -> Self {
        let first = |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
        Self {
            start: start_of(first(year)),
            end: start_of(first(year + 1)),
        }
    }

    /// Whether an instant is in it.
    pub(super) fn holds(self, instant: DateTime<Utc>) -> bool {
        self.start <= instant && instant < self.end
    }
}
