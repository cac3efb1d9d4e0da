//! What the environment may say of a campaign.

use std::str::FromStr;

/// How many seeds there are when nobody says it.
const SEEDS: u64 = 200;
/// For how many seconds seeds are begun when nobody says it.
const SECONDS: u64 = 60;

#[expect(
    clippy::disallowed_methods,
    reason = "a campaign may be asked to run longer, or by another seed"
)]
fn text(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn number<T: FromStr>(name: &str) -> Option<T> {
    let text = text(name)?;
    let number = text.parse().ok();
    assert!(number.is_some(), "{name}: {text} is no number");
    number
}

fn names_others() -> bool {
    let words = std::env::args().skip(1);
    let names: Vec<String> = words.filter(|word| !word.starts_with('-')).collect();
    !names.is_empty() && !names.iter().any(|name| "simulation".contains(name))
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The first seed.
    pub(crate) first: u64,
    /// How many seeds there are.
    pub(crate) seeds: u64,
    /// After so many seconds no other seed is begun; none where the seeds are counted out.
    pub(crate) seconds: Option<u64>,
    /// Where the report is added.
    pub(crate) report: Option<String>,
    /// Where the lines of the last run are written.
    pub(crate) trace: Option<String>,
    /// Whether `cargo test` was told the names of other tests.
    pub(crate) names_others: bool,
}

impl Settings {
    /// As the environment says.
    pub(crate) fn read() -> Self {
        let seeds = number("CAMPUS_SEEDS");
        Self {
            first: number("CAMPUS_SEED").unwrap_or(1),
            seeds: seeds.unwrap_or(SEEDS),
            seconds: seeds.is_none().then_some(SECONDS),
            report: text("CAMPUS_REPORT"),
            trace: text("CAMPUS_TRACE"),
            names_others: names_others(),
        }
    }

    /// Whether one seed is asked for: nothing else is looked at then.
    pub(crate) fn is_one(&self) -> bool {
        self.seeds == 1
    }
}
