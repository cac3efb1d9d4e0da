//! What a civil day was like at an organisation (rules 5.25 to 5.27).

use chrono::{DateTime, Utc};

use crate::domain::weather::level::Level;

/// The gravest level that held at some time from `begin` on and before `end`; `changes` tell the
/// level from an instant on, the earliest first. At the very instant of a change the new level holds.
pub fn gravest(
    changes: &[(DateTime<Utc>, Option<Level>)],
    begin: DateTime<Utc>,
    end: DateTime<Utc>,
) -> Option<Level> {
    let before = changes.iter().rev().find(|(at, _)| *at <= begin);
    let within = changes.iter().filter(|(at, _)| begin < *at && *at < end);
    before
        .into_iter()
        .chain(within)
        .filter_map(|(_, level)| *level)
        .min()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + chrono::TimeDelta::minutes(minute)
    }

    #[test]
    fn the_evening_before_and_the_day_itself_count() {
        let changes = [
            (at(10), Some(Level::Third)),
            (at(20), Some(Level::Second)),
            (at(30), Some(Level::Fourth)),
            (at(40), None),
        ];
        let on = |begin, end| gravest(&changes, at(begin), at(end));
        assert_eq!(on(0, 10), None);
        assert_eq!(on(0, 11), Some(Level::Third));
        assert_eq!(on(21, 25), Some(Level::Second));
        assert_eq!(on(25, 100), Some(Level::Second));
        assert_eq!(on(30, 40), Some(Level::Fourth));
        assert_eq!(on(40, 100), None);
    }

    proptest! {
        /// Minute by minute the level that holds is looked up, and the gravest is the same.
        #[test]
        fn the_gravest_is_that_of_some_minute(
            steps in prop::collection::vec((1..5_i64, prop::option::of(0..4_usize)), 0..12),
            begin in 0..40_i64,
            length in 1..20_i64,
        ) {
            let mut minute = 0;
            let changes: Vec<_> = steps.iter().map(|(wait, level)| {
                minute += wait;
                (at(minute), level.map(|place| Level::ALL[place]))
            }).collect();
            let holds = |minute: i64| {
                let last = changes.iter().rev().find(|(from, _)| *from <= at(minute));
                last.and_then(|(_, level)| *level)
            };
            let expected = (begin..begin + length).filter_map(holds).min();
            prop_assert_eq!(gravest(&changes, at(begin), at(begin + length)), expected);
        }
    }
}
