//! When a replica is left out of the choice, and for how long: it fails again and again, or most of
//! what it is asked fails.

use std::time::Duration;

use tokio::time::Instant;

/// So many failures in a row show that a replica is ill.
const IN_A_ROW: u32 = 5;
/// Over such a span the share of failures is looked at,
const SPAN: Duration = Duration::from_secs(10);
/// when it saw at least so many calls:
const ENOUGH: u32 = 20;
/// an ill one fails at least one in so many.
const ONE_IN: u32 = 2;
/// How long it is left out the first time, twice as long each time after,
const FIRST: Duration = Duration::from_secs(5);
/// and never longer than this.
const LONGEST: Duration = Duration::from_secs(300);

/// What is remembered of a replica's calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    in_a_row: u32,
    begun: Instant,
    calls: u32,
    failures: u32,
    /// How often it was left out without a calm time since.
    times: u32,
    until: Option<Instant>,
}

impl Record {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            in_a_row: 0,
            begun: now,
            calls: 0,
            failures: 0,
            times: 0,
            until: None,
        }
    }

    /// Whether it is left out at `now`.
    pub(super) fn is_out(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// A call ended. Whether the replica is ill now; the one who keeps all of them decides whether
    /// it can be spared.
    pub(super) fn note(&mut self, failed: bool, now: Instant) -> bool {
        if now - self.begun >= SPAN {
            if self.until.is_none_or(|until| now >= until + SPAN) && self.failures == 0 {
                self.times = self.times.saturating_sub(1);
            }
            (self.begun, self.calls, self.failures) = (now, 0, 0);
        }
        self.calls += 1;
        if failed {
            self.failures += 1;
            self.in_a_row += 1;
        } else {
            self.in_a_row = 0;
        }
        let mostly = self.calls >= ENOUGH && self.failures * ONE_IN >= self.calls;
        !self.is_out(now) && (self.in_a_row >= IN_A_ROW || mostly)
    }

    /// Leaves it out from `now` on.
    pub(super) fn leave_out(&mut self, now: Instant) {
        let span = FIRST.saturating_mul(1 << self.times.min(10)).min(LONGEST);
        self.until = Some(now + span);
        self.times = self.times.saturating_add(1);
        self.in_a_row = 0;
        (self.begun, self.calls, self.failures) = (now, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn after(begun: Instant, millis: u64) -> Instant {
        begun + Duration::from_millis(millis)
    }

    #[test]
    fn five_failures_in_a_row_show_that_it_is_ill() {
        let now = Instant::now();
        let mut record = Record::new(now);
        for _ in 0..4 {
            assert!(!record.note(true, now));
        }
        assert!(!record.note(false, now), "one that succeeds begins anew");
        for _ in 0..4 {
            assert!(!record.note(true, now));
        }
        assert!(record.note(true, now));
    }

    #[test]
    fn it_is_ill_when_half_of_enough_calls_fail() {
        let now = Instant::now();
        let mut record = Record::new(now);
        for _ in 0..9 {
            assert!(!record.note(true, now));
            assert!(!record.note(false, now));
        }
        assert!(!record.note(true, now));
        assert!(record.note(true, now), "ten of twenty");
    }

    #[test]
    fn it_is_left_out_for_twice_as_long_each_time() {
        let now = Instant::now();
        let mut record = Record::new(now);
        for (from, seconds) in [(0, 5), (5_000, 10), (15_000, 20)] {
            record.leave_out(after(now, from));
            let end = from + seconds * 1000;
            assert!(record.is_out(after(now, end - 1)));
            assert!(!record.is_out(after(now, end)));
        }
    }

    #[test]
    fn calm_shortens_the_next_time() {
        let now = Instant::now();
        let mut record = Record::new(now);
        record.leave_out(now);
        record.leave_out(after(now, 5_000));
        for span in 3..6 {
            record.note(false, after(now, span * 10_000));
        }
        let again = after(now, 60_000);
        record.leave_out(again);
        assert!(!record.is_out(again + FIRST), "as if for the first time");
    }

    proptest! {
        #[test]
        fn nobody_is_left_out_for_ever_or_without_a_failure(calls in prop::collection::vec((any::<bool>(), 0_u64..3_000), 0..200)) {
            let mut now = Instant::now();
            let mut record = Record::new(now);
            let mut failures = 0;
            for (failed, millis) in calls {
                now = after(now, millis);
                failures += u32::from(failed);
                if record.note(failed, now) {
                    record.leave_out(now);
                }
                prop_assert!(failures > 0 || !record.is_out(now));
                prop_assert!(!record.is_out(now + LONGEST));
            }
        }
    }
}
