//! Which civil days are school days.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate, Weekday};

use super::day::Day;

/// The calendar of one civil year.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Year {
    /// Days without school.
    pub days_off: BTreeSet<NaiveDate>,
    /// Saturdays and Sundays with school.
    pub makeup_days: BTreeSet<NaiveDate>,
    /// First and last days of the terms; none means all year.
    pub terms: Vec<(NaiveDate, NaiveDate)>,
}

impl Year {
    fn is_school_day(&self, date: NaiveDate) -> bool {
        let in_term = self.terms.is_empty()
            || self
                .terms
                .iter()
                .any(|(from, to)| (*from..=*to).contains(&date));
        in_term
            && (self.makeup_days.contains(&date)
                || (is_weekday(date) && !self.days_off.contains(&date)))
    }
}

fn is_weekday(date: NaiveDate) -> bool {
    !matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

/// Counts school days. A year that is not known has school from Monday to Friday.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// How many school days there are up to each day, itself included.
    up_to: Vec<u32>,
}

impl Default for Calendar {
    fn default() -> Self {
        Self::new(&BTreeMap::new())
    }
}

impl Calendar {
    /// Builds the calendar from the years that are known.
    pub fn new(years: &BTreeMap<i32, Year>) -> Self {
        let mut up_to = Vec::with_capacity(usize::from(u16::MAX) + 1);
        let mut count = 0;
        up_to.push(0);
        for number in 1..=u16::MAX {
            let school = Day::from_number(number).date().is_some_and(|date| {
                years
                    .get(&date.year())
                    .map_or_else(|| is_weekday(date), |year| year.is_school_day(date))
            });
            count += u32::from(school);
            up_to.push(count);
        }
        Self { up_to }
    }

    /// Whether there is school on `day`.
    pub fn is_school_day(&self, day: Day) -> bool {
        !day.is_never() && self.count(day.before(), day) == 1
    }

    /// How many school days there are after `after`, up to and with `until`.
    pub fn count(&self, after: Day, until: Day) -> u32 {
        let at = |day: Day| self.up_to[usize::from(day.number())];
        at(until).saturating_sub(at(after))
    }

    /// The school day with this place, 1 for the first, among those from `first` on; none when the
    /// calendar ends before it.
    pub fn nth_from(&self, place: u32, first: Day) -> Option<Day> {
        let target = self.up_to[usize::from(first.before().number())].saturating_add(place);
        let at = self.up_to.partition_point(|so_far| *so_far < target);
        u16::try_from(at).ok().map(Day::from_number)
    }

    /// The first of the last `count` school days up to and with `day`.
    pub fn first_of_last(&self, count: u32, day: Day) -> Day {
        let target = self.up_to[usize::from(day.number())].saturating_sub(count);
        let place = self.up_to.partition_point(|so_far| *so_far <= target);
        Day::from_number(u16::try_from(place).unwrap_or(u16::MAX)).min(day.after())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn qingming_of_2022_is_off_and_its_saturday_is_made_up() {
        let year = Year {
            days_off: ["2022-04-04", "2022-04-05"].map(date).into(),
            makeup_days: [date("2022-04-02")].into(),
            terms: Vec::new(),
        };
        let calendar = Calendar::new(&BTreeMap::from([(2022, year)]));
        let school = |text| calendar.is_school_day(date(text).into());
        assert!(school("2022-04-01") && school("2022-04-02"));
        assert!(!school("2022-04-03") && !school("2022-04-04") && !school("2022-04-05"));
        assert!(school("2022-04-06"));
        assert_eq!(
            calendar.count(date("2022-03-31").into(), date("2022-04-06").into()),
            3
        );
        let third = |text: &str| calendar.nth_from(3, date(text).into());
        assert_eq!(third("2022-04-01"), Some(date("2022-04-06").into()));
        assert_eq!(third("2022-04-03"), Some(date("2022-04-08").into()));
        assert_eq!(calendar.nth_from(3, Day::from_number(u16::MAX)), None);
        let first = calendar.first_of_last(3, date("2022-04-06").into());
        assert_eq!(first.date(), Some(date("2022-04-01")));
    }

    #[test]
    fn outside_the_terms_there_is_no_school() {
        let year = Year {
            terms: vec![(date("2022-02-14"), date("2022-07-01"))],
            ..Year::default()
        };
        let calendar = Calendar::new(&BTreeMap::from([(2022, year)]));
        assert!(!calendar.is_school_day(date("2022-02-11").into()));
        assert!(calendar.is_school_day(date("2022-02-14").into()));
        assert!(calendar.is_school_day(date("2023-02-13").into()));
    }
}
