//! What was inspected and what was not: what nobody looked at is never good.

use std::cmp::Ordering;

use chrono::NaiveDate;

use super::place::Stock;
use super::schedule::Period;

/// Counts of inspections that were wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many were wanted, those with time left among them.
    pub due: u32,
    /// How many were done.
    pub inspected: u32,
    /// How many were not done in time.
    pub missed: u32,
}

/// Inspections that were done: in all, and those of periods that are over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// In all.
    pub all: u32,
    /// Of periods that are over.
    pub over: u32,
}

impl Tally {
    /// Of the places of one kind in these periods.
    pub fn of(stocks: &[Stock], periods: &[Period], done: Done, today: NaiveDate) -> Self {
        let (mut due, mut over) = (0u32, 0u32);
        for stock in stocks {
            for period in periods.iter().filter(|period| stock.in_period(**period)) {
                due = due.saturating_add(stock.count);
                if period.last < today {
                    over = over.saturating_add(stock.count);
                }
            }
        }
        Self {
            due: due.max(done.all),
            inspected: done.all,
            missed: over.saturating_sub(done.over),
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            due: self.due.saturating_add(other.due),
            inspected: self.inspected.saturating_add(other.inspected),
            missed: self.missed.saturating_add(other.missed),
        }
    }

    /// Less when a greater share was missed; the same order for equal shares of something.
    pub fn worst_first(&self, other: &Self) -> Ordering {
        let share = |one: &Self, of: &Self| u64::from(one.missed) * u64::from(of.due);
        share(other, self).cmp(&share(self, other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::checklist::item::PlaceKind;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2022, 4, day).unwrap()
    }

    fn stock(count: u32) -> Stock {
        Stock {
            kind: PlaceKind::Canteen,
            opened: day(3),
            closed: Some(day(6)),
            count,
        }
    }

    fn single(number: u32) -> Period {
        Period {
            first: day(number),
            last: day(number),
        }
    }

    #[test]
    fn what_has_time_left_is_due_and_not_missed() {
        let periods: Vec<Period> = (1..=7).map(single).collect();
        let done = Done { all: 2, over: 1 };
        // Three places on the 3rd, 4th and 5th; today is the 5th.
        let tally = Tally::of(&[stock(3)], &periods, done, day(5));
        let expected = Tally {
            due: 9,
            inspected: 2,
            missed: 5,
        };
        assert_eq!(tally, expected);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_between_due_inspected_missed_and_open(
            count in 0u32..50,
            done_over in 0u32..50,
            done_today in 0u32..50,
        ) {
            let periods: Vec<Period> = (3..=5).map(single).collect();
            let (over, open) = (count * 2, count);
            let done = Done {
                over: done_over.min(over),
                all: done_over.min(over) + done_today.min(open),
            };
            let tally = Tally::of(&[stock(count)], &periods, done, day(5));
            let left = open - done_today.min(open);
            prop_assert_eq!(tally.inspected + tally.missed + left, tally.due);
        }

        #[test]
        fn worst_first_is_an_order(
            tallies in proptest::collection::vec((1u32..20, 0u32..20), 0..20),
        ) {
            let mut tallies: Vec<Tally> = tallies
                .into_iter()
                .map(|(due, missed)| Tally { due, inspected: 0, missed: missed.min(due) })
                .collect();
            tallies.sort_by(Tally::worst_first);
            let share = |one: &Tally| f64::from(one.missed) / f64::from(one.due);
            prop_assert!(tallies.windows(2).all(|pair| share(&pair[0]) >= share(&pair[1])));
        }
    }
}
