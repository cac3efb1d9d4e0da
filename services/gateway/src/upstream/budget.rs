//! How many calls may be made again: a tenth of all, so that repeats never become a second flood.

use std::sync::atomic::{AtomicU32, Ordering};

/// What one more try costs, in the parts that each call pays in.
const TRY: u32 = 10;
/// What is saved at most: a hundred tries.
const MOST: u32 = 100 * TRY;
/// What there is at the beginning: ten tries.
const BEGIN: u32 = 10 * TRY;

/// The savings of one service's calls.
#[derive(Debug)]
pub(super) struct Budget(AtomicU32);

impl Budget {
    pub(super) fn new() -> Self {
        Self(AtomicU32::new(BEGIN))
    }

    /// A call was made for the first time.
    pub(super) fn pay_in(&self) {
        let more = |saved: u32| (saved < MOST).then_some(saved + 1);
        // One that is full stays as it is.
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// Whether a call may be made once more; takes what it costs.
    pub(super) fn take(&self) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |saved| {
                saved.checked_sub(TRY)
            })
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tries_are_a_tenth_of_calls_and_those_saved(acts in prop::collection::vec(any::<bool>(), 0..3_000)) {
            let budget = Budget::new();
            let (mut calls, mut tries) = (0, 0);
            for call in acts {
                if call {
                    budget.pay_in();
                    calls += 1;
                } else if budget.take() {
                    tries += 1;
                }
                prop_assert!(tries <= BEGIN / TRY + calls / TRY);
            }
        }
    }

    #[test]
    fn savings_end() {
        let budget = Budget::new();
        for _ in 0..100_000 {
            budget.pay_in();
        }
        assert_eq!((0..1_000).filter(|_| budget.take()).count(), 100);
    }
}
