//! By which chance and for how long something is fuzzed: the same seed gives the same cases.
//!
//! `CAMPUS_FUZZ_SEED` says by which seed, `CAMPUS_FUZZ_MINUTES` for how long at least; `tests/fuzz/long` sets them.

use std::fmt::Debug;
use std::future::Future;
use std::time::{Duration, Instant};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestError, TestRng, TestRunner};
use tokio::runtime::Handle;

/// The seed when nobody says it.
const SEED: u64 = 7;

/// Tries `test` on so many cases of `strategy`, and on as many more by the next seeds as there is time for.
pub(crate) fn run<S>(cases: u32, strategy: &S, test: impl Fn(S::Value) -> TestCaseResult)
where
    S: Strategy<Value: Debug>,
{
    let begun = Instant::now();
    let minutes = read("CAMPUS_FUZZ_MINUTES").unwrap_or_default();
    let span = Duration::from_secs(60 * minutes);
    let first = read("CAMPUS_FUZZ_SEED").unwrap_or(SEED);
    for round in 0.. {
        let seed = first.wrapping_add(round);
        if let Err(failed) = runner(cases, seed).run(strategy, &test) {
            // Whatever a case is, it is shown as short as it fails.
            match failed {
                TestError::Fail(why, case) => panic!("by seed {seed}: {why}: {case:?}"),
                TestError::Abort(why) => panic!("by seed {seed}: {why}"),
            }
        }
        if begun.elapsed() >= span {
            return;
        }
    }
}

fn runner(cases: u32, seed: u64) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let chance = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    TestRunner::new_with_rng(config, chance)
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long something is fuzzed is up to who starts it"
)]
fn read(name: &str) -> Option<u64> {
    let told = std::env::var(name).ok()?;
    Some(told.parse().expect("a number"))
}

/// Waits for `work` in the midst of a test that is itself waited for.
pub(crate) fn wait<F: Future>(work: F) -> F::Output {
    tokio::task::block_in_place(|| Handle::current().block_on(work))
}
