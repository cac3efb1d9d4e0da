//! Civil days, packed.

use std::fmt;

use chrono::{Datelike, NaiveDate};

/// A civil day as the number of days since 2000-01-01, which fits two bytes until 2179.
/// [`Day::NEVER`] sorts before every other day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(u16);

/// Days from the common era to 2000-01-01, less one so that the first day is 1.
const EPOCH: i32 = 730_119;

impl Day {
    /// Before the first day.
    pub const NEVER: Self = Self(0);

    /// The day with this number.
    pub const fn from_number(number: u16) -> Self {
        Self(number)
    }

    /// The number of this day.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Whether this is a day at all.
    pub const fn is_never(self) -> bool {
        self.0 == 0
    }

    /// The civil day, none for [`Day::NEVER`].
    pub fn date(self) -> Option<NaiveDate> {
        if self.is_never() {
            return None;
        }
        NaiveDate::from_num_days_from_ce_opt(i32::from(self.0) + EPOCH)
    }

    /// When this day begins in Asia/Shanghai (UTC+8, no daylight saving since 1991), in
    /// milliseconds since 1970.
    pub const fn start_millis(self) -> i64 {
        // 2000-01-01 is day 10,957 of the Unix era and day 1 here.
        (self.0 as i64 + 10_956) * 86_400_000 - 8 * 3_600_000
    }

    /// The day before; that of the first day is never.
    #[must_use]
    pub const fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// The day after.
    #[must_use]
    pub const fn after(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Days before 2000 are never, days after 2179 the last one.
impl From<NaiveDate> for Day {
    fn from(date: NaiveDate) -> Self {
        let number = (date.num_days_from_ce() - EPOCH).clamp(0, i32::from(u16::MAX));
        Self(u16::try_from(number).unwrap_or(u16::MAX))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.date() {
            Some(date) => write!(f, "{date}"),
            None => f.write_str("never"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_day_is_one_and_days_survive() {
        let first = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
        assert_eq!(Day::from(first).number(), 1);
        let date = NaiveDate::from_ymd_opt(2022, 4, 6).unwrap();
        assert_eq!(Day::from(date).date(), Some(date));
        assert_eq!(Day::from(date).before().after(), Day::from(date));
        assert_eq!(Day::NEVER.date(), None);
        let midnight: chrono::DateTime<chrono::Utc> = "2022-04-05T16:00:00Z".parse().unwrap();
        assert_eq!(Day::from(date).start_millis(), midnight.timestamp_millis());
    }
}
