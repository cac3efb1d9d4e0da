//! The only reader of the system clock, and the civil days of the city.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Duration, FixedOffset, NaiveDate, SubsecRound, Utc};

/// Tells what time it is. Services take one as an argument, so that every deadline can be tested.
pub trait Clock: Send + Sync + Debug {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;

    /// The present civil day in the city.
    fn today(&self) -> NaiveDate {
        civil_date(self.now())
    }
}

/// The civil day of an instant in Asia/Shanghai (UTC+8, no daylight saving since 1991).
pub fn civil_date(instant: DateTime<Utc>) -> NaiveDate {
    instant.with_timezone(&shanghai()).date_naive()
}

/// The instant at which a civil day begins in Asia/Shanghai.
pub fn start_of(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(chrono::NaiveTime::MIN).and_utc() - Duration::hours(8)
}

/// The city's offset from UTC.
pub fn shanghai() -> FixedOffset {
    FixedOffset::east_opt(8 * 3600).expect("eight hours is an offset")
}

/// The machine's clock, to the millisecond: as finely as instants are stored, so that an answer says
/// what a later reading will.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the clock"
    )]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(3)
    }
}

/// A clock that stands still until it is moved: for tests and rehearsals.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<DateTime<Utc>>>);

impl ManualClock {
    /// Starts at `instant`.
    pub fn at(instant: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(instant)))
    }

    /// Starts at 08:00 in the city on `day`.
    pub fn morning_of(day: NaiveDate) -> Self {
        Self::at(start_of(day) + Duration::hours(8))
    }

    /// Moves forward, or back when `by` is negative.
    pub fn advance(&self, by: Duration) {
        *self.lock() += by;
    }

    /// Jumps to `instant`.
    pub fn set(&self, instant: DateTime<Utc>) {
        *self.lock() = instant;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, DateTime<Utc>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_civil_day_turns_at_sixteen_hours_utc() {
        let before = "2022-04-06T15:59:59Z".parse().unwrap();
        let after = "2022-04-06T16:00:00Z".parse().unwrap();
        let day = NaiveDate::from_ymd_opt(2022, 4, 7).unwrap();
        assert_eq!(civil_date(before), day.pred_opt().unwrap());
        assert_eq!(civil_date(after), day);
        assert_eq!(start_of(day), after);
    }

    #[test]
    fn the_machine_tells_whole_milliseconds() {
        let now = SystemClock.now();
        assert_eq!(
            DateTime::from_timestamp_millis(now.timestamp_millis()),
            Some(now)
        );
    }
}
