//! What whoever starts it may say: by which chance, for how long, and where it is told.

use std::time::Duration;

/// The seeds when nobody says one.
const SEEDS: [u64; 5] = [7, 17, 27, 37, 47];
/// For how long requests are made up by a seed when nobody says it.
const SPAN: Duration = Duration::from_secs(12);

/// By which chance requests are made up: `CAMPUS_FUZZ_SEED`, or several ones, the same each time.
pub(super) fn seeds() -> Vec<u64> {
    number("CAMPUS_FUZZ_SEED").map_or_else(|| SEEDS.to_vec(), |seed| vec![seed])
}

/// For how long by each of them: `CAMPUS_FUZZ_MINUTES`.
pub(super) fn span() -> Duration {
    number("CAMPUS_FUZZ_MINUTES").map_or(SPAN, |minutes| Duration::from_secs(60 * minutes))
}

/// The file to which the report is added: `CAMPUS_REPORT`; none when it is not set.
pub(super) fn report() -> Option<String> {
    read("CAMPUS_REPORT")
}

fn number(name: &str) -> Option<u64> {
    let number = read(name)?.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} is a number")))
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long something is fuzzed is up to who starts it"
)]
fn read(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
