//! What becomes of an attempt that failed, and when a provider that keeps failing is left alone.

use chrono::{DateTime, Duration, Utc};

use super::delivery::Failure;

/// How long after the first failure the next attempt is made.
const FIRST: Duration = Duration::seconds(2);
/// The longest wait between two attempts.
const LONGEST: Duration = Duration::minutes(10);
/// The longest wait that a provider may ask for.
const ASKED: Duration = Duration::hours(1);

/// Why an attempt failed, and whether another one makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed {
    /// What is stored and shown.
    pub failure: Failure,
    /// What follows from it.
    pub then: Then,
}

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Another attempt, after a wait that grows.
    Later,
    /// Another attempt, not before this time has passed: the provider says so.
    After(Duration),
    /// The same message would fail again.
    Never,
    /// Any message would fail: credentials are wrong, or the address of the provider is.
    Broken,
}

impl Failed {
    /// Another attempt may succeed.
    pub fn later(failure: Failure) -> Self {
        Self {
            failure,
            then: Then::Later,
        }
    }

    /// The same message would fail again.
    pub fn never(failure: Failure) -> Self {
        Self {
            failure,
            then: Then::Never,
        }
    }

    /// Too many at once, says the provider, which may say for how long.
    pub fn throttled(after: Option<Duration>) -> Self {
        Self {
            failure: Failure::Throttled,
            then: after.map_or(Then::Later, Then::After),
        }
    }

    /// Any message would fail.
    pub fn broken() -> Self {
        Self {
            failure: Failure::Refused,
            then: Then::Broken,
        }
    }
}

/// What becomes of a delivery after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is tried again then.
    Retry(DateTime<Utc>),
    /// It is a dead letter.
    Dead,
}

/// What becomes of a delivery whose attempt number `attempt` (1 the first) has failed, when there are
/// `budget` of them. `chance`, from 0 up to 1, spreads those that failed together.
pub fn next(failed: Failed, attempt: u32, budget: u32, now: DateTime<Utc>, chance: f64) -> Next {
    let hopeless = matches!(failed.then, Then::Never) || failed.failure == Failure::NoRecipient;
    if hopeless || attempt >= budget {
        return Next::Dead;
    }
    let wait = backoff(attempt, chance);
    Next::Retry(match failed.then {
        Then::After(asked) => now + wait.max(asked.min(ASKED)),
        Then::Later | Then::Never | Then::Broken => now + wait,
    })
}

/// The wait after attempt number `attempt` (1 the first): it doubles, up to ten minutes, and lies
/// between half and all of that, as `chance` says.
pub fn backoff(attempt: u32, chance: f64) -> Duration {
    let doubled = 1_i32 << attempt.saturating_sub(1).min(16);
    let most = (FIRST * doubled).min(LONGEST);
    spread(most, chance)
}

/// Between half of `most` and all of it, as `chance`, from 0 up to 1, says.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "minutes in milliseconds are small"
)]
fn spread(most: Duration, chance: f64) -> Duration {
    let half = most / 2;
    half + Duration::milliseconds((half.num_milliseconds() as f64 * chance.clamp(0.0, 1.0)) as i64)
}

/// When a provider is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerRule {
    /// After so many failures in a row, over all deliveries.
    pub failures: u32,
    /// For so long the first time; twice as long each time it goes on failing, up to thirty minutes.
    pub rest: Duration,
}

/// The longest rest.
const LONGEST_REST: Duration = Duration::minutes(30);

/// How a provider has been doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    /// Attempts that failed since the last one that did not.
    pub failures_in_row: u32,
    /// No attempt is made before; none while it works.
    pub rest_until: Option<DateTime<Utc>>,
}

/// How many attempts a provider gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// As many as there are.
    Open,
    /// One, to see whether it works again.
    Probe,
    /// None.
    Rests,
}

impl Breaker {
    /// How many attempts the provider gets now.
    pub fn admits(self, rule: BreakerRule, now: DateTime<Utc>) -> Admission {
        match self.rest_until {
            Some(until) if now < until => Admission::Rests,
            _ if self.failures_in_row >= rule.failures => Admission::Probe,
            _ => Admission::Open,
        }
    }

    /// After an attempt. A provider that knows of nobody at an address works; being throttled is no
    /// failure, and it rests as long as it asks for. One that refuses every message may have been
    /// set up wrongly: it rests as well, before all of them are dead letters.
    #[must_use]
    pub fn after(
        self,
        outcome: Result<(), Failed>,
        rule: BreakerRule,
        now: DateTime<Utc>,
        chance: f64,
    ) -> Self {
        let failed = match outcome {
            Ok(()) => return Self::default(),
            Err(failed) => failed,
        };
        match (failed.failure, failed.then) {
            (Failure::NoRecipient, _) => Self::default(),
            (Failure::Throttled, Then::After(asked)) => self.resting(now + asked.min(ASKED)),
            (Failure::Throttled, _) => self.resting(now + spread(rule.rest, chance)),
            // Nothing gets through until somebody has put it right: from now on there are probes.
            (_, Then::Broken) => {
                let failures = self.failures_in_row.max(rule.failures.saturating_sub(1));
                self.failed(failures, rule, now, chance)
            }
            (_, Then::Later | Then::After(_) | Then::Never) => {
                self.failed(self.failures_in_row, rule, now, chance)
            }
        }
    }

    fn resting(self, until: DateTime<Utc>) -> Self {
        Self {
            rest_until: self.rest_until.max(Some(until)),
            ..self
        }
    }

    fn failed(self, before: u32, rule: BreakerRule, now: DateTime<Utc>, chance: f64) -> Self {
        let failures_in_row = before.saturating_add(1);
        let next = Self {
            failures_in_row,
            ..self
        };
        let Some(over) = failures_in_row.checked_sub(rule.failures) else {
            return next;
        };
        let most = (rule.rest * (1_i32 << over.min(12))).min(LONGEST_REST);
        next.resting(now + spread(most, chance))
    }
}

#[cfg(test)]
#[path = "attempt_tests.rs"]
mod tests;
