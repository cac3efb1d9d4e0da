//! The numbers of the policy that the weather is judged by (rules 5.26, 5.28, 5.29, 5.30).

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use chrono::{Datelike, NaiveDate, TimeDelta};

use crate::domain::weather::action::Action;
use crate::domain::weather::level::Level;
use crate::domain::weather::suspension::Cover;

/// What a policy says of the weather.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeatherPolicy {
    /// What is done at each level.
    pub actions: BTreeMap<Level, Vec<Action>>,
    /// How many schools form a mutual-aid group.
    pub mutual_aid: RangeInclusive<usize>,
    /// The first and the last day of the flood season, each as a month and a day.
    pub flood_season: ((u32, u32), (u32, u32)),
    /// How soon after a suspension is lifted the campus is swept and disinfected.
    pub post_check: TimeDelta,
}

impl WeatherPolicy {
    /// What a level suspends, in the order of the contract.
    pub fn covers(&self, level: Level) -> Vec<Cover> {
        let actions = self.actions.get(&level).into_iter().flatten();
        let mut covers: Vec<_> = actions.filter_map(|action| action.cover()).collect();
        covers.sort_unstable();
        covers.dedup();
        covers
    }

    /// Whether a day is in the flood season, its first and last day included.
    pub fn in_flood_season(&self, day: NaiveDate) -> bool {
        let (first, last) = self.flood_season;
        (first..=last).contains(&(day.month(), day.day()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> WeatherPolicy {
        WeatherPolicy {
            actions: [
                (Level::Third, vec![Action::Duty, Action::StopOutdoor]),
                (
                    Level::Second,
                    vec![
                        Action::StopBuses,
                        Action::SuspendSchools,
                        Action::SuspendTraining,
                    ],
                ),
            ]
            .into(),
            mutual_aid: 3..=5,
            flood_season: ((4, 15), (10, 15)),
            post_check: TimeDelta::hours(24),
        }
    }

    /// T16: what a typhoon of level II suspends.
    #[test]
    fn level_two_suspends_schools_training_and_buses() {
        let covers = policy().covers(Level::Second);
        assert_eq!(covers, [Cover::Schools, Cover::Training, Cover::Buses]);
        assert!(policy().covers(Level::Third).is_empty());
        assert!(policy().covers(Level::First).is_empty());
    }

    #[test]
    fn the_flood_season_has_a_first_and_a_last_day() {
        let on = |month, day| {
            let day = NaiveDate::from_ymd_opt(2022, month, day).unwrap();
            policy().in_flood_season(day)
        };
        assert_eq!(
            [on(4, 14), on(4, 15), on(7, 31), on(10, 15), on(10, 16)],
            [false, true, true, true, false]
        );
    }
}
