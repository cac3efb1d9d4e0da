//! A clock that runs like the machine's, from another day on.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use kit::clock::{Clock, SystemClock, start_of};

/// The machine's clock, moved.
#[derive(Clone, Copy, Debug)]
pub(super) struct MovedClock(Duration);

impl MovedClock {
    /// Begins now at 07:40 of `day` in the city.
    pub(super) fn morning_of(day: NaiveDate) -> Self {
        Self(start_of(day) + Duration::minutes(7 * 60 + 40) - SystemClock.now())
    }
}

impl Clock for MovedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_in_the_morning_and_runs() {
        let day = NaiveDate::from_ymd_opt(2022, 4, 7).unwrap();
        let clock = MovedClock::morning_of(day);
        assert_eq!(clock.today(), day);
        assert!(clock.now() <= clock.now());
    }
}
