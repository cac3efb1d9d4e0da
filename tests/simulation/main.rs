//! Services that run in a simulation: on one thread, in a time, a network and a database that are simulated. The
//! same seed gives the same run, whatever befalls in it: processes die, answers are lost and late, and nothing
//! passes between two of them. What runs is the code of the shared crate; README.md says how.

mod campaign;
mod chance;
mod database;
mod feed;
mod leases;
mod net;
mod planted;
mod process;
mod report;
mod sagas;
mod settings;
mod trace;
mod world;

use std::process::ExitCode;

use process::Asked;
use report::Tally;
use settings::Settings;

fn main() -> ExitCode {
    if let Some(asked) = Asked::of_this_process() {
        return asked.carry_out();
    }
    let settings = Settings::read();
    if settings.names_others {
        return ExitCode::SUCCESS;
    }
    let mut tally = Tally::new();
    if !settings.is_one() {
        planted::are_found(&mut tally);
    }
    let right = campaign::carry_out(&settings, &mut tally);
    tally.report(&settings);
    if right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
