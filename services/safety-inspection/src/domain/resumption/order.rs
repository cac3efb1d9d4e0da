//! In which order batches return: grades 12 and 9 first, kindergartens last (rule 4.1).

use chrono::NaiveDate;

/// Those who return together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The grades, 1 to 12.
    pub grades: Vec<i32>,
    /// All grades that no other batch names.
    pub other_grades: bool,
    /// Kindergartens.
    pub kindergarten: bool,
}

/// The order in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order(Vec<Batch>);

/// Above the highest grade.
const GRADES: std::ops::RangeInclusive<i32> = 1..=12;

/// A batch that goes before stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutOfOrder {
    /// The batch at this position has no day.
    #[error("batch {0} goes before and has no day")]
    Unplanned(usize),
    /// The batch at this position returns later.
    #[error("batch {0} goes before and returns on {1}")]
    Later(usize, NaiveDate),
    /// The batch at this position, which goes after, returns earlier.
    #[error("batch {0} goes after and returns on {1}")]
    Earlier(usize, NaiveDate),
}

impl Order {
    /// The order of a policy.
    pub fn new(batches: Vec<Batch>) -> Self {
        Self(batches)
    }

    /// The order of the rule book (rule 4.1).
    pub fn rule_book() -> Self {
        Self(vec![
            Batch {
                grades: vec![12, 9],
                ..Batch::default()
            },
            Batch {
                other_grades: true,
                ..Batch::default()
            },
            Batch {
                kindergarten: true,
                ..Batch::default()
            },
        ])
    }

    /// How many batches there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The grades of the batch at `position`, which begins with 1, and whether it is the one of
    /// kindergartens.
    pub fn members(&self, position: usize) -> Option<(Vec<i32>, bool)> {
        let batch = self.0.get(position.checked_sub(1)?)?;
        let mut grades = batch.grades.clone();
        if batch.other_grades {
            let named = |grade: &i32| self.0.iter().any(|other| other.grades.contains(grade));
            grades.extend(GRADES.filter(|grade| !named(grade)));
        }
        grades.sort_unstable();
        grades.dedup();
        Some((grades, batch.kindergarten))
    }

    /// Whether the batch at `position` may return on `day`, given the days of the others. Batches
    /// that do not concern a school are left out of `days` by `concerns`.
    ///
    /// # Errors
    /// The first batch that stands in the way.
    pub fn check(
        &self,
        position: usize,
        day: NaiveDate,
        concerns: impl Fn(usize) -> bool,
        days: impl Fn(usize) -> Option<NaiveDate>,
    ) -> Result<(), OutOfOrder> {
        for other in (1..=self.len()).filter(|other| concerns(*other)) {
            match days(other) {
                None if other < position => return Err(OutOfOrder::Unplanned(other)),
                Some(before) if other < position && before > day => {
                    return Err(OutOfOrder::Later(other, before));
                }
                Some(after) if other > position && after < day => {
                    return Err(OutOfOrder::Earlier(other, after));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2022, 5, day).unwrap()
    }

    #[test]
    fn grades_twelve_and_nine_return_first_and_everybody_once() {
        let order = Order::rule_book();
        assert_eq!(order.members(1), Some((vec![9, 12], false)));
        let rest = vec![1, 2, 3, 4, 5, 6, 7, 8, 10, 11];
        assert_eq!(order.members(2), Some((rest, false)));
        assert_eq!(order.members(3), Some((vec![], true)));
        assert_eq!((order.members(0), order.members(4)), (None, None));
    }

    #[test]
    fn nobody_overtakes_a_batch_that_goes_before() {
        let order = Order::rule_book();
        let none = |_| None;
        let all = |_| true;
        assert_eq!(order.check(1, day(1), all, none), Ok(()));
        assert_eq!(
            order.check(2, day(9), all, none),
            Err(OutOfOrder::Unplanned(1))
        );
        let first = |other| (other == 1).then(|| day(5));
        assert_eq!(
            order.check(2, day(4), all, first),
            Err(OutOfOrder::Later(1, day(5)))
        );
        assert_eq!(order.check(2, day(5), all, first), Ok(()));
        assert_eq!(
            order.check(3, day(5), all, first),
            Err(OutOfOrder::Unplanned(2))
        );
        // A school without the grades of the first batch does not wait for it.
        assert_eq!(order.check(2, day(4), |other| other != 1, none), Ok(()));
        // Nor may a batch be put off behind one that goes after it.
        let second = |other| (other == 2).then(|| day(7));
        assert_eq!(
            order.check(1, day(8), all, second),
            Err(OutOfOrder::Earlier(2, day(7)))
        );
    }
}
