//! A budget of so many a minute, kept as one number that replicas can share.

/// A minute, in milliseconds.
const MINUTE: i64 = 60_000;

/// So many in any minute, wherever the minute begins: a tenth of them may go at once, the others are
/// spread (the generic cell rate algorithm). What was spent is one number, the instant in milliseconds
/// since 1970 up to which the budget is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    burst: i64,
    interval: i64,
}

impl Pace {
    /// At most `per_minute`; none when there is no limit (0).
    pub fn new(per_minute: u32) -> Option<Self> {
        if per_minute == 0 {
            return None;
        }
        let per_minute = i64::from(per_minute);
        let burst = (per_minute / 10).max(1);
        // In a minute fewer intervals end than would let one more than `per_minute` go.
        let interval = MINUTE / (per_minute - burst + 1) + 1;
        Some(Self { burst, interval })
    }

    /// How many may go now.
    pub fn available(self, spent_until: i64, now: i64) -> u32 {
        let ahead = (spent_until - now).max(0);
        let room = self.burst * self.interval - ahead;
        u32::try_from(room / self.interval).unwrap_or(0)
    }

    /// What is spent after `count` have gone.
    #[must_use]
    pub fn charge(self, spent_until: i64, now: i64, count: u32) -> i64 {
        spent_until.max(now) + self.interval * i64::from(count)
    }

    /// When one more may go, in milliseconds since 1970; `now` when it may already.
    pub fn next(self, spent_until: i64, now: i64) -> i64 {
        let room = (self.burst - 1) * self.interval;
        now.max(spent_until - room)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whoever asks, whenever: no minute holds more than the budget, and the budget is used.
        #[test]
        fn no_minute_holds_more_than_the_budget(
            per_minute in 1..2_000_u32,
            steps in prop::collection::vec((0..7_000_i64, 0..500_u32), 1..80),
        ) {
            let pace = Pace::new(per_minute).unwrap();
            let (mut now, mut spent) = (1_000_000, 0);
            let mut sent: Vec<i64> = Vec::new();
            for (later, wanted) in steps {
                now += later;
                let granted = wanted.min(pace.available(spent, now));
                spent = pace.charge(spent, now, granted);
                sent.extend((0..granted).map(|_| now));
            }
            for (place, begin) in sent.iter().enumerate() {
                let within = sent[place..].iter().filter(|at| **at - begin <= MINUTE).count();
                prop_assert!(within <= per_minute as usize, "{within} of {per_minute}");
            }
        }

        #[test]
        fn one_may_go_when_it_is_said_and_not_before(
            per_minute in 1..2_000_u32,
            spent in 0..200_000_i64,
        ) {
            let pace = Pace::new(per_minute).unwrap();
            let next = pace.next(spent, 0);
            prop_assert!(pace.available(spent, next) >= 1);
            prop_assert!(next == 0 || pace.available(spent, next - 1) == 0);
        }
    }

    #[test]
    fn most_of_the_budget_is_used() {
        let pace = Pace::new(20).unwrap();
        let (mut spent, mut sent) = (0, 0);
        for now in (0..10 * MINUTE).step_by(500) {
            let granted = pace.available(spent, now);
            spent = pace.charge(spent, now, granted);
            sent += granted;
        }
        assert!((180..=200).contains(&sent), "{sent} in ten minutes");
        assert_eq!(Pace::new(0), None);
    }
}
