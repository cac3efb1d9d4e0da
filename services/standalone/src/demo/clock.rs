//! A clock that runs like the machine's, from another day on, and can be put forward.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, NaiveDate, Utc};
use kit::clock::{Clock, SystemClock, start_of};

/// The machine's clock, moved by so many milliseconds.
#[derive(Clone, Debug)]
pub(super) struct MovedClock(Arc<AtomicI64>);

impl MovedClock {
    /// Begins now at 08:10 of `day` in the city.
    pub(super) fn morning_of(day: NaiveDate) -> Self {
        let clock = Self(Arc::new(AtomicI64::new(0)));
        clock.put_forward(start_of(day) + Duration::minutes(8 * 60 + 10));
        clock
    }

    /// Goes on from `instant`.
    pub(super) fn put_forward(&self, instant: DateTime<Utc>) {
        let moved = instant - SystemClock.now();
        self.0.store(moved.num_milliseconds(), Ordering::Relaxed);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + Duration::milliseconds(self.0.load(Ordering::Relaxed))
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

    #[test]
    fn everybody_who_holds_it_sees_it_put_forward() {
        let day = NaiveDate::from_ymd_opt(2022, 4, 7).unwrap();
        let clock = MovedClock::morning_of(day);
        let other = clock.clone();
        clock.put_forward(clock.now() + Duration::days(1));
        assert_eq!(other.today(), day.succ_opt().unwrap());
    }
}
