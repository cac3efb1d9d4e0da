//! The only reader of the system clock, and the civil days of the city.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use chrono::{DateTime, Duration, FixedOffset, NaiveDate, SubsecRound, Utc};

/// Tells what time it is. Services take one as an argument, so that every deadline can be tested.
pub trait Clock: Send + Sync + Debug {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;

    /// The present civil day in the city.
    fn today(&self) -> NaiveDate {
        civil_date(self.now())
    }

    /// Is told that it was `time` elsewhere when it was `at` here, give or take `unsure`. A clock that goes by no
    /// other one does not listen.
    fn hear(&self, _time: DateTime<Utc>, _at: Instant, _unsure: std::time::Duration) {}
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

/// By how much what a service goes by and what its database says may differ before it goes by the latter anew:
/// less than anything here depends on, and more than what a quick answer is unsure of.
const BORNE: std::time::Duration = std::time::Duration::from_millis(50);

/// The clock of a service that goes by that of its database: what it was told last, and how long ago that was by the
/// monotonic clock. So replicas agree, and a machine whose clock is wrong or is moved does no harm. It goes by the
/// machine's clock until it was told for the first time. Clones are the same clock.
#[derive(Clone, Debug, Default)]
pub struct DatabaseClock(Arc<RwLock<Option<Told>>>);

/// What time it was, and when that was.
type Told = (DateTime<Utc>, Instant);

impl Clock for DatabaseClock {
    fn now(&self) -> DateTime<Utc> {
        let told = *self.0.read().unwrap_or_else(PoisonError::into_inner);
        match told {
            Some((time, since)) => (time + since.elapsed()).trunc_subsecs(3),
            None => SystemClock.now(),
        }
    }

    fn hear(&self, time: DateTime<Utc>, at: Instant, unsure: std::time::Duration) {
        let mut told = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let stands = told.is_some_and(|(known, since)| {
            let known = known + at.saturating_duration_since(since);
            let apart = (known - time).abs().to_std().unwrap_or_default();
            apart <= BORNE + unsure
        });
        if !stands {
            *told = Some((time, at));
        }
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
    fn a_clock_goes_by_what_it_was_told_and_bears_small_differences() {
        let clock = DatabaseClock::default();
        let apart = |from: DateTime<Utc>| (clock.now() - from).num_milliseconds();
        assert!(apart(SystemClock.now()).abs() < 1_000, "nobody told it");
        let told: DateTime<Utc> = "2022-04-06T16:00:00Z".parse().unwrap();
        let (at, sure) = (Instant::now(), std::time::Duration::ZERO);
        clock.hear(told, at, sure);
        assert!((0..1_000).contains(&apart(told)), "it goes on from there");
        let (before, late) = (clock.now(), Duration::milliseconds(40));
        clock.hear(told - late, at, sure);
        assert!(clock.now() >= before, "a little is borne");
        let unsure = std::time::Duration::from_secs(7200);
        clock.hear(told - Duration::hours(1), at, unsure);
        assert!(clock.now() >= before, "so is what nobody is sure of");
        clock.hear(told - Duration::hours(1), at, sure);
        assert!(apart(told) < -3_000_000, "and more is not");
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
