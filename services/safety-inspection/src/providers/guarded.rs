//! Calls to a system that may be slow, away or out of its mind.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kit::clock::Clock;
use kit::deadline::Patience;
use tokio::sync::Semaphore;

/// After so many failures in a row the provider is left alone.
const FAILURES: u32 = 5;
/// For how long.
const PAUSE: TimeDelta = TimeDelta::seconds(10);

/// Lets calls through until too many failed in a row; after the pause one call tries again.
#[derive(Debug, Default)]
struct Breaker {
    failures: u32,
    closed_until: Option<DateTime<Utc>>,
}

impl Breaker {
    fn lets_through(&mut self, now: DateTime<Utc>) -> bool {
        match self.closed_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                // This call tries; others wait for what becomes of it.
                self.closed_until = Some(now + PAUSE);
                true
            }
        }
    }

    fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// True when the provider is left alone from now on.
    fn failed(&mut self, now: DateTime<Utc>) -> bool {
        self.failures = self.failures.saturating_add(1);
        if self.failures < FAILURES {
            return false;
        }
        self.closed_until = Some(now + PAUSE);
        self.failures == FAILURES
    }
}

/// The way to one provider.
#[derive(Debug)]
pub(super) struct Guarded {
    name: &'static str,
    deadline: Duration,
    places: Semaphore,
    breaker: Mutex<Breaker>,
    clock: Arc<dyn Clock>,
}

impl Guarded {
    pub(super) fn new(
        name: &'static str,
        deadline: Duration,
        concurrency: usize,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            name,
            deadline,
            places: Semaphore::new(concurrency),
            breaker: Mutex::default(),
            clock,
        }
    }

    /// How long the provider is waited for from now on.
    pub(super) fn patience(&self) -> Patience {
        Patience::of(self.deadline)
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// What `call` says in time, waiting for a place included; none when it fails, and at once while the
    /// provider is left alone.
    pub(super) async fn ask<T>(
        &self,
        patience: Patience,
        call: impl Future<Output = Option<T>>,
    ) -> Option<T> {
        if !self.breaker().lets_through(self.now()) {
            return None;
        }
        let placed = async {
            let _place = self.places.acquire().await.ok()?;
            call.await
        };
        match patience.wait(placed).await.ok().flatten() {
            Some(said) => {
                self.breaker().succeeded();
                Some(said)
            }
            // Callers in a hurry could otherwise have it left alone.
            None if patience.is_hurried() => None,
            None => {
                if self.breaker().failed(self.now()) {
                    let provider = self.name;
                    tracing::warn!(provider, "a provider fails and is left alone for a while");
                }
                None
            }
        }
    }

    fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use kit::clock::ManualClock;

    use super::*;

    async fn ask<T>(guarded: &Guarded, call: impl Future<Output = Option<T>>) -> Option<T> {
        guarded.ask(guarded.patience(), call).await
    }

    fn guarded(deadline: Duration, places: usize) -> (Guarded, ManualClock) {
        let clock = ManualClock::at("2022-04-06T00:00:00Z".parse().unwrap());
        let guarded = Guarded::new("test", deadline, places, Arc::new(clock.clone()));
        (guarded, clock)
    }

    #[tokio::test]
    async fn five_failures_close_the_way_and_one_call_opens_it_again() {
        let (guarded, clock) = guarded(Duration::from_secs(1), 4);
        for _ in 0..4 {
            assert_eq!(ask(&guarded, async { None::<u8> }).await, None);
        }
        assert_eq!(ask(&guarded, async { Some(1) }).await, Some(1));
        for _ in 0..5 {
            assert_eq!(ask(&guarded, async { None::<u8> }).await, None);
        }
        let never = async { panic!("nobody is asked") };
        assert_eq!(ask::<u8>(&guarded, never).await, None);
        clock.advance(chrono::Duration::seconds(10));
        // One call tries and fails: closed for another while.
        assert_eq!(ask(&guarded, async { None::<u8> }).await, None);
        let never = async { panic!("nobody is asked") };
        assert_eq!(ask::<u8>(&guarded, never).await, None);
        clock.advance(chrono::Duration::seconds(10));
        assert_eq!(ask(&guarded, async { Some(2) }).await, Some(2));
        assert_eq!(ask(&guarded, async { Some(3) }).await, Some(3));
    }

    #[tokio::test]
    async fn the_deadline_holds_for_the_call_and_for_the_wait_before_it() {
        let (guarded, _) = guarded(Duration::from_millis(30), 1);
        let slow = ask(&guarded, std::future::pending::<Option<u8>>());
        let waiting = ask(&guarded, async { Some(1) });
        assert_eq!(tokio::join!(slow, waiting), (None, None));
    }
}
