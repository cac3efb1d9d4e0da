//! The numbers of the policy for hazards, and where one stands in the hierarchy.

use chrono::{Days, NaiveDate};

use super::state::{Bureau, Grade};
use crate::domain::organization::Level;

/// Deadlines and limits, in civil days where nothing else is said (rules 5.8, 5.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// `hazard.same_day_days`: for what can be removed at once.
    pub same_day_days: i32,
    /// `hazard.general_days`.
    pub general_days: i32,
    /// `hazard.major_days`.
    pub major_days: i32,
    /// `hazard.recurrence_days`: the same hazard again within as many is a recurrence.
    pub recurrence_days: i32,
    /// `hazard.max_extensions`: how often a deadline may be extended.
    pub max_extensions: i32,
    /// `hazard.progress_days`: between reports of progress on a major hazard.
    pub progress_days: i32,
    /// `hazard.escalation_days`: from the district to the city when still open.
    pub escalation_days: i32,
    /// `hazard.review_days`: from the report of a removal to the end of its review.
    pub review_days: i32,
}

impl Default for Terms {
    /// What holds before any policy was told: the numbers of rules 5.8 and 5.9.
    fn default() -> Self {
        Self {
            same_day_days: 1,
            general_days: 15,
            major_days: 30,
            recurrence_days: 90,
            max_extensions: 1,
            progress_days: 7,
            escalation_days: 7,
            review_days: 3,
        }
    }
}

impl Terms {
    /// How many civil days a hazard may be open.
    pub fn days(&self, grade: Grade, at_once: bool) -> i32 {
        match grade {
            Grade::Major => self.major_days,
            Grade::General if at_once => self.same_day_days,
            Grade::General => self.general_days,
        }
    }

    /// The last civil day on which it may be open, `from` being the first.
    pub fn last_day(&self, grade: Grade, at_once: bool, from: NaiveDate) -> NaiveDate {
        later(from, self.days(grade, at_once) - 1)
    }

    /// The first civil day of the period in which the same hazard makes one of `today` a recurrence.
    pub fn recurrence_from(&self, today: NaiveDate) -> NaiveDate {
        let days = u64::from(self.recurrence_days.max(0).unsigned_abs());
        today.checked_sub_days(Days::new(days)).unwrap_or(today)
    }
}

/// The civil day `days` after `day`; itself when there are none, or beyond the end of time.
pub fn later(day: NaiveDate, days: i32) -> NaiveDate {
    let days = u64::from(days.max(0).unsigned_abs());
    day.checked_add_days(Days::new(days)).unwrap_or(day)
}

/// What the rules need to know around a hazard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Who decides at its organisation.
    pub home: Level,
    /// A district stands between its organisation and the city.
    pub district: bool,
    /// The numbers in force there today.
    pub terms: Terms,
}

impl Setting {
    /// To which bureau an overdue hazard goes up first.
    pub fn first_bureau(&self) -> Bureau {
        match self.home {
            Level::School if self.district => Bureau::District,
            Level::School | Level::District | Level::City => Bureau::City,
        }
    }

    /// One level up from its organisation.
    pub fn above(&self) -> Level {
        match self.home {
            Level::School => Level::District,
            Level::District | Level::City => Level::City,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_day_counts() {
        let day = NaiveDate::from_ymd_opt(2022, 4, 6).unwrap();
        let terms = Terms::default();
        assert_eq!(terms.last_day(Grade::General, true, day), day);
        let general = terms.last_day(Grade::General, false, day);
        assert_eq!(general, NaiveDate::from_ymd_opt(2022, 4, 20).unwrap());
        let major = terms.last_day(Grade::Major, true, day);
        assert_eq!(major, NaiveDate::from_ymd_opt(2022, 5, 5).unwrap());
        let from = terms.recurrence_from(day);
        assert_eq!(from, NaiveDate::from_ymd_opt(2022, 1, 6).unwrap());
        assert_eq!(later(day, -3), day);
        assert_eq!(later(NaiveDate::MAX, 1), NaiveDate::MAX);
    }
}
