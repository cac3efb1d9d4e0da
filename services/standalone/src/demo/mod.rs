//! `campus demo`: the main job on one screen.

mod absences;
mod cases;
mod checks;
mod clock;
mod clusters;
mod draws;
mod gate;
mod orders;
mod overview;
mod receipts;
mod register;
mod safety;
mod screening;
mod silence;
mod tubes;
mod voices;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::Context as _;
use chrono::{DateTime, Duration, NaiveDate, Utc};
use clap::Args;
use kit::auth::{Caller, Issuer, Role};
use kit::drain::Drain;
use kit::org::OrgPath;
use tracing_subscriber::EnvFilter;

use crate::city::{CITY_ID, City, Options};
use crate::house::{self, Databases, Door, House};
use crate::{screen, up};
use checks::Checks;
use clock::MovedClock;

/// The id of the plan.
const PLAN: &str = "students";

/// Shows the main job on one screen, in a folder that goes with it.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// Ends when everything was shown; 0 only if every step showed what it must.
    #[arg(long)]
    pub exit: bool,
    /// How many students the invented city has.
    #[arg(long, default_value_t = 3_000, value_parser = clap::value_parser!(u64).range(1_000..=200_000))]
    pub students: u64,
    /// The day on which it plays: a school day.
    #[arg(long, default_value = "2022-04-07")]
    pub date: NaiveDate,
    /// Another seed gives other people.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Keeps databases, logs and files in this folder, which must be empty.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// The port of the gateway; the services take those that follow. 0 takes free ones.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=65531))]
    pub port: u16,
}

/// The house with what the demonstration knows of it.
struct Stage {
    house: House,
    clock: MovedClock,
    city: City,
    folder: PathBuf,
    checks: Checks,
}

/// Runs the command.
///
/// # Errors
/// When something that must be shown was not.
pub async fn run(args: DemoArgs) -> anyhow::Result<()> {
    let begun = Instant::now();
    let moment = tempfile::tempdir()?;
    let folder = args
        .data
        .clone()
        .unwrap_or_else(|| moment.path().to_owned());
    std::fs::create_dir_all(&folder)?;
    anyhow::ensure!(
        folder.read_dir()?.next().is_none(),
        "--data: the folder is not empty"
    );
    log_to(&folder.join("campus.log"))?;

    screen::line("");
    screen::line(format_args!(
        "校安 Campus · 演示 demonstration · {}",
        args.date
    ));
    let drain = Drain::new();
    drain.on_termination();
    let mut stage = tokio::select! {
        stage = play(&args, &folder, drain.clone()) => stage?,
        () = drain.draining() => anyhow::bail!("stopped"),
    };
    let shown = std::mem::take(&mut stage.checks).finish()?;
    screen::heading(format_args!(
        "完成 done: {shown} findings shown in {}",
        screen::span(begun.elapsed())
    ));
    if args.exit {
        return stage.house.close().await;
    }
    stay(&stage);
    stage.house.finished().await
}

async fn play(args: &DemoArgs, folder: &Path, drain: Drain) -> anyhow::Result<Stage> {
    let mut stage = open(args, folder, drain).await?;
    stage.import().await?;
    stage.draw().await?;
    let case = stage.swab().await?;
    stage.submit(&case).await?;
    stage.hold(&case).await?;
    stage.release(&case).await?;
    stage.coverage().await?;
    stage.publish(&case).await?;
    let morning = stage.screen().await?;
    stage.silence().await?;
    stage.clusters(&morning).await?;
    stage.suspend(&morning).await?;
    let covid = stage.open_case(&morning).await?;
    stage.trace(&morning).await?;
    stage.follow_case(&covid).await?;
    stage.varicella(&morning, &covid).await?;
    stage.voices(&morning).await?;
    stage.order().await?;
    stage.safety().await?;
    stage.overview().await?;
    Ok(stage)
}

async fn open(args: &DemoArgs, folder: &Path, drain: Drain) -> anyhow::Result<Stage> {
    screen::heading("一、开门 five services, one process, SQLite");
    let clock = MovedClock::morning_of(args.date);
    let data = folder.join("data");
    std::fs::create_dir_all(&data)?;
    let options = house::Options {
        port: args.port,
        ..house::Options::trial(Databases::sqlite(&data))
    };
    let begun = Instant::now();
    let house = House::open(&options, Arc::new(clock.clone()), drain).await?;
    let names: Vec<&str> = house.addresses().iter().map(|(name, _)| *name).collect();
    screen::done(format_args!(
        "{} · {}",
        names.join(" · "),
        screen::span(begun.elapsed())
    ));
    let options = Options {
        students: args.students,
        seed: args.seed,
        date: args.date,
    };
    Ok(Stage {
        house,
        clock,
        city: City::new(options),
        folder: folder.to_owned(),
        checks: Checks::default(),
    })
}

impl Stage {
    /// A connection through the gateway for somebody with `role` at `path`.
    fn caller(&self, role: Role, path: &str) -> anyhow::Result<Door> {
        self.house.caller(role, &place(path)?)
    }

    /// The same for somebody who is a person of the register, or the family of one.
    fn person(&self, role: Role, path: &str, person: &str) -> anyhow::Result<Door> {
        self.house.caller_of(Caller {
            person: Some(person.to_owned()),
            ..Caller::new(format!("demo-{role}"), vec![role], place(path)?)
        })
    }

    fn officer(&self) -> anyhow::Result<Door> {
        self.caller(Role::CityOfficer, CITY_ID)
    }

    /// Goes on from a later instant, as the services' deadlines are shown.
    fn put_forward(&self, instant: DateTime<Utc>) {
        self.clock.put_forward(instant);
    }

    fn today(&self) -> NaiveDate {
        self.house.clock().today()
    }
}

fn place(path: &str) -> anyhow::Result<OrgPath> {
    path.parse()
        .ok()
        .with_context(|| format!("{path} is no place in the tree"))
}

/// Says how to go on by hand.
fn stay(stage: &Stage) {
    let now = stage.house.clock().now();
    let officer = CITY_ID.parse().unwrap_or_else(|_| OrgPath::root());
    let week = Duration::days(7).to_std().unwrap_or_default();
    let roles = [Role::CityOfficer];
    let token = Issuer::development().token("demo", &roles, &officer, None, now, week);
    up::warn_of_development_issuer();
    for (service, address) in stage.house.addresses() {
        screen::line(format_args!("   {service:<18}{address}"));
    }
    let gateway = stage.house.gateway().replace("http://", "");
    screen::line("");
    screen::line(format_args!("   TOKEN={token}"));
    screen::line(format_args!(
        "   grpcurl -plaintext -H \"authorization: Bearer $TOKEN\" -d \
         '{{\"parent\":\"organizations/{CITY_ID}\"}}' {gateway} campus.sampling.v1.CoverageService/ListCoverage"
    ));
    screen::line(format_args!(
        "   log: {}",
        stage.folder.join("campus.log").display()
    ));
    screen::line("   Ctrl-C ends it 结束");
}

/// Log lines go to a file: the screen is for people.
fn log_to(file: &Path) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("info,sqlx=warn,sea_orm_migration=warn"))
        .with_ansi(false)
        .with_writer(Mutex::new(File::create(file)?))
        .try_init()
        .map_err(|err| anyhow::anyhow!(err))
}
