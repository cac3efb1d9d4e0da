//! What one caller has left of one limit: so many calls a second, more at once after a quiet time,
//! and less for whoever does not wait when told to.

use std::time::Duration;

use tokio::time::Instant;

use super::config::Limit;

/// How much longer whoever did not wait is kept out, the first time,
const PENALTY: Duration = Duration::from_millis(200);
/// doubled each time up to this.
const LONGEST: Duration = Duration::from_secs(60);

/// The state of one limit for one caller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    /// When it is full again, if nobody calls.
    full_at: Instant,
    /// Nothing passes before, once something was refused.
    shut_until: Option<Instant>,
    /// How often somebody came before the time that was told.
    impatient: u32,
}

impl Bucket {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            full_at: now,
            shut_until: None,
            impatient: 0,
        }
    }

    /// Lets one call pass, or says how long to wait before the next one.
    pub(super) fn take(&mut self, limit: Limit, now: Instant) -> Result<(), Duration> {
        if let Some(until) = self.shut_until.filter(|until| now < *until) {
            let longer = PENALTY.saturating_mul(1 << self.impatient.min(16));
            self.impatient = self.impatient.saturating_add(1);
            let until = until.max(now + longer.min(LONGEST));
            self.shut_until = Some(until);
            return Err(until - now);
        }
        let (every, room) = (limit.every(), limit.room());
        let full_at = self.full_at.max(now) + every;
        if full_at > now + room {
            let wait = full_at - now - room;
            self.shut_until = Some(now + wait);
            return Err(wait);
        }
        // Patience is believed again once nothing was owed.
        if self.full_at <= now {
            self.impatient = 0;
        }
        self.full_at = full_at;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limit(rate: u32, burst: u32) -> Limit {
        Limit { rate, burst }
    }

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let mut now = Instant::now();
        let (mut bucket, limit) = (Bucket::new(now), limit(10, 5));
        for _ in 0..5 {
            assert_eq!(bucket.take(limit, now), Ok(()));
        }
        let wait = bucket.take(limit, now).expect_err("refused");
        assert_eq!(wait, Duration::from_millis(100));
        now += wait;
        assert_eq!(bucket.take(limit, now), Ok(()));
        assert!(bucket.take(limit, now).is_err());
    }

    #[test]
    fn whoever_does_not_wait_is_kept_out_longer_each_time() {
        let now = Instant::now();
        let (mut bucket, limit) = (Bucket::new(now), limit(10, 1));
        assert_eq!(bucket.take(limit, now), Ok(()));
        let waits: Vec<u128> = (0..6)
            .map(|_| bucket.take(limit, now).expect_err("refused").as_millis())
            .collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200]);
        for _ in 0..100 {
            assert!(bucket.take(limit, now).expect_err("refused") <= LONGEST);
        }
        assert_eq!(bucket.take(limit, now + LONGEST), Ok(()), "never for ever");
    }

    #[test]
    fn of_two_first_calls_at_once_both_pass() {
        let now = Instant::now();
        let (mut bucket, limit) = (Bucket::new(now), limit(10, 2));
        let looked_before = now - Duration::from_micros(1);
        assert_eq!(bucket.take(limit, looked_before), Ok(()));
        assert_eq!(bucket.take(limit, now), Ok(()));
    }

    proptest! {
        #[test]
        fn never_more_than_the_burst_and_the_rate_pass(rate in 1_u32..500, burst in 1_u32..100, gaps in prop::collection::vec(0_u64..50, 1..400)) {
            let begun = Instant::now();
            let (mut now, mut bucket, mut passed) = (begun, Bucket::new(begun), 0_u32);
            for gap in gaps {
                now += Duration::from_millis(gap);
                passed += u32::from(bucket.take(limit(rate, burst), now).is_ok());
                let most = f64::from(burst) + f64::from(rate) * (now - begun).as_secs_f64();
                prop_assert!(f64::from(passed) <= most + 1e-6, "{passed} > {most}");
            }
        }

        #[test]
        fn whoever_waits_as_told_passes(rate in 1_u32..500, burst in 1_u32..100, calls in 1_usize..300) {
            let mut now = Instant::now();
            let mut bucket = Bucket::new(now);
            for _ in 0..calls {
                if let Err(wait) = bucket.take(limit(rate, burst), now) {
                    now += wait;
                    prop_assert_eq!(bucket.take(limit(rate, burst), now), Ok(()));
                }
            }
        }
    }
}
