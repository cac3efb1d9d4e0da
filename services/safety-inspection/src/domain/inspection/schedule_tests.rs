use kit::calendar::Year;
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
        terms: vec![(day(2, 14), day(7, 1)), (day(9, 1), day(12, 31))],
    };
    Calendar::new([(2022, year)].into())
}

const SEASON: Season = Season {
    first: 415,
    last: 1015,
};

fn told(cadence: Cadence, from: NaiveDate, to: NaiveDate) -> Vec<(NaiveDate, NaiveDate)> {
    let periods = periods(cadence, &spring(), Some(SEASON), (from, to));
    periods
        .into_iter()
        .map(|one| (one.first, one.last))
        .collect()
}

#[test]
fn days_follow_the_school_calendar() {
    let days: Vec<_> = told(Cadence::SchoolDay, day(4, 1), day(4, 7))
        .into_iter()
        .map(|(first, _)| first)
        .collect();
    assert_eq!(days, [day(4, 1), day(4, 2), day(4, 6), day(4, 7)]);
    let weeks = told(Cadence::Week, day(6, 29), day(7, 10));
    assert_eq!(weeks, [(day(6, 27), day(7, 3))], "none in vacations");
    let months = told(Cadence::Month, day(6, 15), day(9, 1));
    let expected = [
        (day(6, 1), day(6, 30)),
        (day(7, 1), day(7, 31)),
        (day(9, 1), day(9, 30)),
    ];
    assert_eq!(months, expected);
}

#[test]
fn terms_holidays_and_floods_have_periods_of_their_own() {
    let terms = told(Cadence::Term, day(6, 1), day(9, 2));
    let expected = [(day(2, 14), day(7, 1)), (day(9, 1), day(12, 31))];
    assert_eq!(terms, expected);
    let before = told(Cadence::BeforeTerm, day(7, 1), day(8, 20));
    assert_eq!(before, [(day(8, 18), day(8, 31))]);
    // Sunday to Tuesday is a holiday; plain weekends are none.
    let holidays = told(Cadence::BeforeHoliday, day(3, 20), day(4, 20));
    assert_eq!(holidays, [(day(3, 31), day(4, 2))]);
    let wet = told(Cadence::FloodSeason, day(4, 4), day(4, 20));
    assert_eq!(wet, [(day(4, 11), day(4, 17)), (day(4, 18), day(4, 24))]);
    let dry = periods(
        Cadence::FloodSeason,
        &spring(),
        None,
        (day(6, 1), day(6, 30)),
    );
    assert_eq!(dry, []);
}

#[test]
fn a_year_without_terms_has_halves() {
    let halves = periods(
        Cadence::Term,
        &Calendar::default(),
        None,
        (day(1, 15), day(2, 15)),
    );
    let day_of = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();
    let expected = [
        (day_of(2021, 9, 1), day_of(2022, 1, 31)),
        (day(2, 1), day(8, 31)),
    ];
    let halves: Vec<_> = halves
        .into_iter()
        .map(|one| (one.first, one.last))
        .collect();
    assert_eq!(halves, expected);
}

proptest! {
    /// Whatever range is asked for: periods follow each other, share a day with it, and a range in two
    /// parts has the periods of the whole.
    #[test]
    fn a_range_in_two_parts_has_the_same_periods(
        number in 1i32..=7,
        from in 0u64..400,
        first in 0u64..100,
        second in 1u64..100,
    ) {
        let cadence = Cadence::from_number(number).unwrap();
        let calendar = spring();
        let at = |offset: u64| day(1, 1) + Days::new(offset);
        let (begin, middle, end) = (at(from), at(from + first), at(from + first + second));
        let of = |from, to| periods(cadence, &calendar, Some(SEASON), (from, to));
        let whole = of(begin, end);
        for pair in whole.windows(2) {
            prop_assert!(pair[0].last < pair[1].first, "{:?}", pair);
        }
        for period in &whole {
            prop_assert!(period.first <= period.last);
            prop_assert!(period.first <= end && period.last >= begin);
        }
        let mut parts = of(begin, middle);
        parts.extend(of(middle + Days::new(1), end));
        parts.sort();
        parts.dedup();
        prop_assert_eq!(parts, whole);
    }
}
