use proptest::prelude::*;

use super::*;

const RULE: BreakerRule = BreakerRule {
    failures: 5,
    rest: Duration::seconds(30),
};

fn now() -> DateTime<Utc> {
    "2022-04-06T01:30:00Z".parse().unwrap()
}

const FAILURES: [Failure; 6] = Failure::ALL;

fn failed() -> impl Strategy<Value = Failed> {
    let then = prop_oneof![
        Just(Then::Later),
        Just(Then::Never),
        Just(Then::Broken),
        (0..100_000_i64).prop_map(|seconds| Then::After(Duration::seconds(seconds))),
    ];
    (0..FAILURES.len(), then).prop_map(|(at, then)| Failed {
        failure: FAILURES[at],
        then,
    })
}

proptest! {
    #[test]
    fn waits_grow_and_stay_within_their_bounds(attempt in 1..64_u32, chance in 0.0..1.0_f64) {
        let wait = backoff(attempt, chance);
        prop_assert!(wait >= FIRST / 2 && wait <= LONGEST);
        prop_assert!(backoff(attempt, 1.0) <= backoff(attempt + 1, 1.0));
        prop_assert!(backoff(attempt, 0.0) <= wait && wait <= backoff(attempt, 1.0));
        prop_assert_eq!(backoff(attempt, 0.0) * 2, backoff(attempt, 1.0));
    }

    #[test]
    fn every_delivery_ends_within_its_budget_of_attempts(
        failures in prop::collection::vec((failed(), 0.0..1.0_f64), 12),
        budget in 1..10_u32,
    ) {
        let mut at = now();
        let mut ended = None;
        for (attempt, (failed, chance)) in (1..).zip(failures) {
            match next(failed, attempt, budget, at, chance) {
                Next::Dead => {
                    ended = Some((attempt, failed));
                    break;
                }
                Next::Retry(then) => {
                    prop_assert!(then > at && then <= at + ASKED);
                    if let Then::After(asked) = failed.then {
                        prop_assert!(then >= at + asked.min(ASKED));
                    }
                    at = then;
                }
            }
        }
        let (attempt, last) = ended.expect("it ends");
        let hopeless = last.then == Then::Never || last.failure == Failure::NoRecipient;
        prop_assert!(attempt <= budget && (attempt == budget || hopeless));
    }

    #[test]
    fn a_provider_that_works_is_never_left_alone_and_one_that_fails_never_for_ever(
        outcomes in prop::collection::vec((prop::option::of(failed()), 0.0..1.0_f64), 1..60),
    ) {
        let mut breaker = Breaker::default();
        let mut at = now();
        for (outcome, chance) in outcomes {
            breaker = breaker.after(outcome.map_or(Ok(()), Err), RULE, at, chance);
            if outcome.is_none() {
                prop_assert_eq!(breaker, Breaker::default());
            }
            if let Some(until) = breaker.rest_until {
                prop_assert!(until <= at + ASKED);
                prop_assert_ne!(breaker.admits(RULE, until), Admission::Rests);
            }
            at += Duration::seconds(1);
        }
    }
}

#[test]
fn a_provider_that_fails_in_a_row_rests_longer_each_time_and_is_probed() {
    let down = Err(Failed::later(Failure::Unreachable));
    let mut breaker = Breaker::default();
    for _ in 0..4 {
        breaker = breaker.after(down, RULE, now(), 1.0);
        assert_eq!(breaker.admits(RULE, now()), Admission::Open);
    }
    let mut at = now();
    for seconds in [30, 60, 120, 240] {
        breaker = breaker.after(down, RULE, at, 1.0);
        assert_eq!(breaker.rest_until, Some(at + Duration::seconds(seconds)));
        assert_eq!(breaker.admits(RULE, at), Admission::Rests);
        at += Duration::seconds(seconds);
        assert_eq!(breaker.admits(RULE, at), Admission::Probe);
    }
    breaker = breaker.after(Ok(()), RULE, at, 1.0);
    assert_eq!(breaker.admits(RULE, at), Admission::Open);
}

#[test]
fn wrong_credentials_stop_all_but_probes_and_cost_no_message() {
    let breaker = Breaker::default().after(Err(Failed::broken()), RULE, now(), 0.0);
    assert_eq!(breaker.failures_in_row, RULE.failures);
    assert_eq!(breaker.admits(RULE, now()), Admission::Rests);
    let later = now() + Duration::minutes(1);
    assert_eq!(breaker.admits(RULE, later), Admission::Probe);
    let outcome = next(Failed::broken(), 1, 6, now(), 0.0);
    assert!(matches!(outcome, Next::Retry(_)));
}

#[test]
fn nobody_at_an_address_says_nothing_against_the_provider() {
    let nobody = Err(Failed::never(Failure::NoRecipient));
    let mut breaker = Breaker::default();
    for _ in 0..20 {
        breaker = breaker.after(nobody, RULE, now(), 0.5);
    }
    assert_eq!(breaker, Breaker::default());
}

#[test]
fn a_provider_that_throttles_rests_as_long_as_it_asks() {
    let asked = Duration::seconds(77);
    let breaker = Breaker::default().after(Err(Failed::throttled(Some(asked))), RULE, now(), 0.5);
    assert_eq!(breaker.rest_until, Some(now() + asked));
    assert_eq!(breaker.failures_in_row, 0);
    assert_eq!(breaker.admits(RULE, now() + asked), Admission::Open);
}
