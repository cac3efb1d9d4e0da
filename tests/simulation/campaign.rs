//! One seed after the other, some of them twice, and what came of it.

use crate::database::Plant;
use crate::process::Asked;
use crate::report::Tally;
use crate::settings::Settings;
use crate::world::World;
use crate::{feed, leases, sagas};

/// Runs one seed, and tells what is wrong with it.
pub(crate) type Run = fn(&World, Plant) -> Vec<String>;

/// What is simulated: each seed runs one of them.
pub(crate) const SCENARIOS: [(&str, Run); 3] = [
    ("feed", feed::run),
    ("leases", leases::run),
    ("sagas", sagas::run),
];
/// Of how many seeds one runs twice. So many run at least, however slow the machine is.
const TWICE: u64 = 20;

/// Which scenario a seed runs.
fn scenario(seed: u64) -> &'static str {
    let at = usize::try_from(seed % SCENARIOS.len() as u64).unwrap_or_default();
    SCENARIOS[at].0
}

/// Runs the seeds that are asked for; false when something is wrong.
pub(crate) fn carry_out(settings: &Settings, tally: &mut Tally) -> bool {
    for seed in settings.first..settings.first + settings.seeds {
        let is_late = |most: u64| tally.seconds() >= most as f64;
        if seed - settings.first >= TWICE && settings.seconds.is_some_and(is_late) {
            break;
        }
        let twice = settings.is_one() || seed.is_multiple_of(TWICE);
        let scenario = scenario(seed);
        let asked = Asked {
            scenario: scenario.to_owned(),
            seed,
            plant: Plant::None,
            traced: twice || settings.trace.is_some(),
        };
        let outcome = asked.outcome();
        tally.add(scenario, seed, &outcome);
        if twice {
            tally.compare(scenario, seed, (&outcome, &asked.outcome()));
        }
        if let Some(path) = &settings.trace {
            let lines = outcome.lines.join("\n");
            std::fs::write(path, lines).unwrap_or_else(|err| panic!("{path}: {err}"));
        }
    }
    tally.is_right()
}
