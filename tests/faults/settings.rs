//! What whoever starts a campaign may say of it.

/// The seed of chance when nobody says it.
const SEED: u64 = 7;

/// How many faults strike on each database: `CAMPUS_CUTS`; as many as usual when it is not set.
pub(super) fn faults(usual: u32) -> u32 {
    let faults = read("CAMPUS_CUTS");
    faults.map_or(usual, |it| it.parse().expect("CAMPUS_CUTS is a number"))
}

/// How often what takes long to strike does so: once for every `each` of those faults, and `usual` times when
/// nobody says how many there are.
pub(super) fn seldom(usual: u32, each: u32) -> u32 {
    (faults(usual * each) / each).max(1)
}

/// By which chance they strike: `CAMPUS_SEED`.
pub(super) fn seed() -> u64 {
    let seed = read("CAMPUS_SEED");
    seed.map_or(SEED, |it| it.parse().expect("CAMPUS_SEED is a number"))
}

/// The file to which reports are added: `CAMPUS_REPORT`; none when it is not set.
pub(super) fn report() -> Option<String> {
    read("CAMPUS_REPORT")
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a campaign runs is up to who starts it"
)]
fn read(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
