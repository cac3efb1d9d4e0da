//! Working days and school days, as the register's calendar has them (rule 7.10).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

/// What the calendar says of one civil year.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Year {
    /// Days off.
    pub days_off: BTreeSet<NaiveDate>,
    /// Saturdays and Sundays on which people work and learn.
    pub makeup_days: BTreeSet<NaiveDate>,
    /// The first and the last day of each term; empty when teaching is possible all year.
    pub terms: Vec<(NaiveDate, NaiveDate)>,
}

/// The years that are known. In any other there is work and school from Monday to Friday.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar(BTreeMap<i32, Year>);

impl Calendar {
    /// The calendar of these civil years.
    pub fn new(years: BTreeMap<i32, Year>) -> Self {
        Self(years)
    }

    /// Whether people work on `day`: a make-up day, or a day from Monday to Friday that is not off.
    /// Vacations of schools are no days off.
    pub fn is_working_day(&self, day: NaiveDate) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        match self.0.get(&day.year()) {
            Some(year) if weekend => year.makeup_days.contains(&day),
            Some(year) => !year.days_off.contains(&day),
            None => !weekend,
        }
    }

    /// Whether there is school on `day`: a working day in a term, where the year has terms.
    pub fn is_school_day(&self, day: NaiveDate) -> bool {
        let terms = self.terms(day.year());
        let in_term = |(first, last): &(NaiveDate, NaiveDate)| *first <= day && day <= *last;
        self.is_working_day(day) && (terms.is_empty() || terms.iter().any(in_term))
    }

    /// The first and the last day of each term of a civil year; empty when none are known.
    pub fn terms(&self, year: i32) -> &[(NaiveDate, NaiveDate)] {
        self.0.get(&year).map_or(&[], |year| &year.terms)
    }

    /// The working day that is `count` working days after `day`, which itself does not count.
    pub fn working_day_after(&self, day: NaiveDate, count: u32) -> NaiveDate {
        let later = day.iter_days().skip(1);
        let mut working = later.filter(|day| self.is_working_day(*day));
        match count.checked_sub(1) {
            Some(before) => working.nth(before as usize).unwrap_or(NaiveDate::MAX),
            None => day,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2022, month, day).unwrap()
    }

    /// Tomb-sweeping of 2022: off from Sunday to Tuesday, work on Saturday before.
    fn spring() -> Calendar {
        let year = Year {
            days_off: [day(4, 4), day(4, 5)].into(),
            makeup_days: [day(4, 2)].into(),
            terms: vec![(day(2, 14), day(7, 1))],
        };
        Calendar::new([(2022, year)].into())
    }

    #[test]
    fn days_off_are_passed_over_and_makeup_days_count() {
        let calendar = spring();
        assert_eq!(calendar.working_day_after(day(4, 1), 1), day(4, 2));
        assert_eq!(calendar.working_day_after(day(4, 2), 1), day(4, 6));
        assert_eq!(calendar.working_day_after(day(4, 1), 15), day(4, 25));
        assert_eq!(calendar.working_day_after(day(4, 3), 0), day(4, 3));
    }

    #[test]
    fn people_work_in_vacations_and_there_is_no_school() {
        let calendar = spring();
        assert!(calendar.is_working_day(day(7, 4)) && !calendar.is_school_day(day(7, 4)));
        assert!(calendar.is_school_day(day(4, 2)) && !calendar.is_school_day(day(4, 4)));
    }

    #[test]
    fn an_unknown_year_has_weeks_from_monday_to_friday() {
        let unknown = Calendar::default();
        assert_eq!(unknown.working_day_after(day(4, 1), 1), day(4, 4));
        assert!(unknown.is_school_day(day(4, 4)) && !unknown.is_school_day(day(4, 3)));
    }

    proptest! {
        #[test]
        fn exactly_so_many_working_days_lie_between(
            off in proptest::collection::btree_set(0u64..365, 0..40),
            makeup in proptest::collection::btree_set(0u64..365, 0..20),
            from in 0u64..300,
            count in 1u32..60,
        ) {
            let at = |offset: u64| day(1, 1) + chrono::Days::new(offset);
            let year = Year {
                days_off: off.into_iter().map(at).collect(),
                makeup_days: makeup.into_iter().map(at).collect(),
                terms: Vec::new(),
            };
            let calendar = Calendar::new([(2022, year)].into());
            let reached = calendar.working_day_after(at(from), count);
            let between = at(from).iter_days().skip(1).take_while(|day| *day <= reached);
            let working = between.filter(|day| calendar.is_working_day(*day)).count();
            prop_assert_eq!(working, count as usize);
            prop_assert!(calendar.is_working_day(reached));
        }
    }
}
