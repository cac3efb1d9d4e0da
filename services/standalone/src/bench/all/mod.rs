//! `campus bench all`: every scenario in a process of its own, and the table of targets.

mod parts;
mod table;

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use kit::migration::time;
use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::time::timeout;

use super::harness::Bound;
use super::{BenchArgs, Engine, Scenario};
use crate::screen;
use parts::{PARTS, Part};

/// What of `all` is run, and where its table goes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "With `all`")]
pub struct AllArgs {
    /// Which scenarios, such as gate,checks; all of them when left out.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub only: Vec<Scenario>,
    /// On which databases, in place of --database.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Engine::Postgres, Engine::Sqlite])]
    pub databases: Vec<Engine>,
    /// Writes the table into this file as well, between its markers; what is not measured stays there.
    #[arg(long)]
    pub markdown: Option<PathBuf>,
    /// How long one scenario may take.
    #[arg(long, default_value = "4h", value_parser = time)]
    pub within: Duration,
}

/// A figure as a scenario tells it; what is no number is none.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Measured {
    name: String,
    unit: String,
    floor: Option<f64>,
    product: Option<f64>,
    compared: Option<f64>,
    target: Option<f64>,
    bound: Bound,
    met: bool,
}

impl Measured {
    /// The target; none where a figure is only told.
    fn target(&self) -> Option<f64> {
        let told = self.bound == Bound::AtLeast && self.target == Some(0.0);
        self.target.filter(|_| !told)
    }

    /// Whether it is beside a floor, also where that could not be measured.
    fn is_ratio(&self) -> bool {
        self.floor.is_some() || self.compared.is_none()
    }
}

/// What a scenario tells.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Told {
    students: u64,
    figures: Vec<Measured>,
}

/// What became of one scenario on one database.
#[derive(Serialize)]
struct Outcome {
    #[serde(skip)]
    part: &'static Part,
    #[serde(skip)]
    engine: Engine,
    scenario: String,
    database: &'static str,
    /// None where it failed.
    told: Option<Told>,
    /// Why it failed; empty where it did not.
    failure: String,
}

impl Outcome {
    fn new(part: &'static Part, engine: Engine, told: anyhow::Result<Told>) -> Self {
        let (told, failure) = match told {
            Ok(told) => (Some(told), String::new()),
            Err(err) => (None, screen::failure(&err)),
        };
        Self {
            part,
            engine,
            scenario: part.name(),
            database: engine.name(),
            told,
            failure,
        }
    }

    /// Whether it was measured and met every target.
    fn kept(&self) -> bool {
        let told = self.told.as_ref();
        told.is_some_and(|told| told.figures.iter().all(|figure| figure.met))
    }
}

/// Runs what is asked for; 1 when something failed or a target is missed.
pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<ExitCode> {
    let chosen = chosen(&args.all.only)?;
    // A file without a place for the table is refused before hours have passed.
    let page = match &args.all.markdown {
        Some(file) => Some(Page::open(file)?),
        None => None,
    };
    let before = page.as_ref().map(|page| table::read(&page.text));
    let before = before.unwrap_or_default();
    let mut outcomes = Vec::new();
    for part in chosen {
        for engine in &args.all.databases {
            let begun = Instant::now();
            let told = measure(part, *engine, args).await;
            let outcome = Outcome::new(part, *engine, told);
            if !args.json {
                say(&outcome, begun.elapsed());
            }
            outcomes.push(outcome);
            if let Some(page) = &page {
                page.write(&table::render(&outcomes, &before))?;
            }
        }
    }
    if args.json {
        screen::line(serde_json::to_string_pretty(&outcomes)?);
    } else {
        screen::line("");
        screen::line(table::render(&outcomes, &before));
    }
    Ok(if outcomes.iter().all(Outcome::kept) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The parts that are asked for, in the order of the table.
fn chosen(only: &[Scenario]) -> anyhow::Result<Vec<&'static Part>> {
    ensure!(
        !only.contains(&Scenario::All),
        "--only: `all` is no scenario of its own"
    );
    let parts = PARTS.iter();
    let asked = |part: &&Part| only.is_empty() || only.contains(&part.scenario);
    Ok(parts.filter(asked).collect())
}

fn say(outcome: &Outcome, taken: Duration) {
    let (scenario, database) = (&outcome.scenario, outcome.database);
    let taken = screen::span(taken);
    if outcome.kept() {
        screen::done(format_args!("{scenario} · {database} · {taken}"));
    } else if outcome.told.is_some() {
        screen::failed(format_args!(
            "{scenario} · {database} · {taken}: missed a target"
        ));
    } else {
        let why = &outcome.failure;
        screen::failed(format_args!("{scenario} · {database} · {taken}: {why}"));
    }
}

/// Runs a scenario in a process of its own, so that its memory is its own and nothing that it does ends
/// the others.
async fn measure(part: &Part, engine: Engine, args: &BenchArgs) -> anyhow::Result<Told> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(words(part, engine, args));
    command.stdin(Stdio::null()).kill_on_drop(true);
    let ended = timeout(args.all.within, command.output()).await;
    let output = ended.context("it took too long")??;
    told(&output)
}

/// The command line of a scenario.
fn words(part: &Part, engine: Engine, args: &BenchArgs) -> Vec<String> {
    // A scenario without a city takes the number and does nothing with it.
    let students = part.students.unwrap_or(args.students).min(args.students);
    let (students, rounds) = (students.to_string(), args.rounds.to_string());
    let mut words = vec!["bench", part.scenario.name(), "--json"];
    words.extend(part.more);
    words.extend(["--database", engine.name()]);
    words.extend(["--students", &students, "--rounds", &rounds]);
    words.into_iter().map(str::to_owned).collect()
}

/// What a process told before it ended; some scenarios say something else before.
fn told(output: &Output) -> anyhow::Result<Told> {
    let text = String::from_utf8_lossy(&output.stdout);
    let begun = text.find("{\n").and_then(|at| text.get(at..));
    let Some(json) = begun else {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        bail!("{}", last.unwrap_or("it said nothing").trim());
    };
    serde_json::from_str(json).context("what it told cannot be read")
}

/// A file with a place for the table.
struct Page<'a> {
    file: &'a Path,
    text: String,
}

impl<'a> Page<'a> {
    fn open(file: &'a Path) -> anyhow::Result<Self> {
        let named = || format!("--markdown {}", file.display());
        let text = std::fs::read_to_string(file).with_context(named)?;
        ensure!(
            table::replaced(&text, "").is_some(),
            "{}: it has no place for the table: {} {}",
            named(),
            table::BEGIN.trim_end(),
            table::END.trim_end()
        );
        Ok(Self { file, text })
    }

    fn write(&self, table: &str) -> anyhow::Result<()> {
        let text = table::replaced(&self.text, table).context("a place for the table")?;
        Ok(std::fs::write(self.file, text)?)
    }
}

#[cfg(test)]
mod tests;
