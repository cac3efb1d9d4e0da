//! One run in a process of its own: what a process counts or makes only once is as new in each, whatever ran before.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::campaign::{Run, SCENARIOS};
use crate::chance::system_follows;
use crate::database::Plant;
use crate::world::World;

/// The argument before the run that a process is started for.
const RUN: &str = "--run";
/// How long a run may take, whatever the time of the simulation is.
const PATIENCE: Duration = Duration::from_secs(120);
/// Calls of services are deeper, as they are built for tests, than the stack that threads have by themselves.
const STACK: usize = 16 << 20;

/// What panicked in this process.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A run that is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) scenario: String,
    pub(crate) seed: u64,
    pub(crate) plant: Plant,
    /// Whether the lines of its trace are told too.
    pub(crate) traced: bool,
}

/// What came of a run.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) wrong: Vec<String>,
    /// What befell, and how often.
    pub(crate) befell: BTreeMap<String, u64>,
    /// How many lines its trace has.
    pub(crate) events: usize,
    /// For how long hosts lived, in milliseconds of their time.
    pub(crate) lasted: i64,
    /// The hash of the trace.
    pub(crate) hash: u64,
    /// The trace, where it was asked for.
    pub(crate) lines: Vec<String>,
}

impl Asked {
    /// Has another process run it, and waits for what comes of it.
    pub(crate) fn outcome(&self) -> Outcome {
        let program = std::env::current_exe().expect("a program");
        let asked = serde_json::to_string(self).expect("a run");
        let mut command = Command::new(program);
        command.args([RUN, &asked]).stdin(Stdio::null());
        let output = command.output().expect("a process");
        if output.status.success()
            && let Ok(outcome) = serde_json::from_slice(&output.stdout)
        {
            return outcome;
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Outcome {
            wrong: vec![format!(
                "its process ended by {}: {}",
                output.status,
                said.trim()
            )],
            ..Outcome::default()
        }
    }

    /// The run that this process was started for, if it was started for one.
    pub(crate) fn of_this_process() -> Option<Self> {
        let mut words = std::env::args().skip(1);
        if words.next()? != RUN {
            return None;
        }
        let asked = words.next().expect("a run");
        Some(serde_json::from_str(&asked).expect("a run"))
    }

    /// Runs it in this process and tells on a line what came of it.
    pub(crate) fn carry_out(self) -> ExitCode {
        std::thread::spawn(|| {
            std::thread::sleep(PATIENCE);
            let _ = writeln!(io::stderr(), "it takes longer than {PATIENCE:?}");
            std::process::exit(1);
        });
        let scenario = SCENARIOS.iter().find(|(name, _)| *name == self.scenario);
        let (_, run) = *scenario.expect("a scenario");
        let outcome = self.run(run);
        let text = serde_json::to_string(&outcome).expect("an outcome");
        writeln!(io::stdout(), "{text}").expect("somebody who listens");
        ExitCode::SUCCESS
    }

    fn run(self, run: Run) -> Outcome {
        // Also what a task swallows is told.
        std::panic::set_hook(Box::new(|info| {
            let mut panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
            panics.push(format!("panic: {info}"));
        }));
        let _clocks = mad_turmoil::time::SimClocksGuard::init();
        let world = World::new(self.seed);
        let within = world.clone();
        let thread = std::thread::Builder::new().stack_size(STACK);
        let running = thread.spawn(move || {
            system_follows(self.seed);
            run(&within, self.plant)
        });
        let ended = running.expect("a thread").join();
        let mut wrong = ended.unwrap_or_default();
        wrong.append(&mut PANICS.lock().unwrap_or_else(PoisonError::into_inner));
        let mut befell = BTreeMap::new();
        for ((what, _), times) in world.trouble.tally() {
            *befell.entry(what.to_owned()).or_default() += times;
        }
        let lines = world.trace.lines();
        Outcome {
            wrong,
            befell,
            events: lines.len(),
            lasted: world.trace.lasted(),
            hash: world.trace.hash(),
            lines: if self.traced { lines } else { Vec::new() },
        }
    }
}
