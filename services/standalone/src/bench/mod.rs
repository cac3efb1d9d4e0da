//! `campus bench`: the product beside what the machine can do at best, in the same run.

mod all;
mod appends;
mod audit;
mod checks;
mod city;
mod clusters;
mod copy;
mod coverage;
mod draw;
mod fanout;
mod feed;
mod files;
mod floor;
mod gate;
mod gateway;
mod harness;
mod hazards;
mod import;
mod ledger;
mod load;
mod log;
mod peers;
mod receipts;
mod register;
mod reporters;
mod results;
mod signing;
mod stand;
mod start;
mod swabs;
mod watcher;
mod writes;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::{Args, ValueEnum};
use kit::scratch::{self, Scratch};

use crate::screen;
pub use all::AllArgs;
pub use city::CityArgs;
use floor::Floor;
use harness::{Bound, Figure, Report, median, peak_memory_mib};

/// Measures one scenario, or what the machine can do without Campus.
#[derive(Args, Clone, Debug)]
pub struct BenchArgs {
    /// What to measure.
    #[arg(value_enum)]
    pub scenario: Scenario,
    /// On which database; a PostgreSQL server is taken from CAMPUS_TEST_POSTGRES, or is at
    /// 127.0.0.1:5432. Databases of their own are made and dropped.
    #[arg(long, value_enum, default_value_t = Engine::Sqlite)]
    pub database: Engine,
    /// How many students the invented city has; with `city` all of them, 1,500,000; with `all` at most,
    /// since each scenario has a size of its own.
    #[arg(long, default_value_t = 100_000, default_value_if("scenario", "city", "1500000"), default_value_if("scenario", "all", "1500000"), value_parser = clap::value_parser!(u64).range(1_000..=1_500_000))]
    pub students: u64,
    /// How often floor and product are measured alternately; the median counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub rounds: u32,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
    /// With `gateway`: only runs the gateway before the service at this address, until the standard input
    /// ends. The measurement starts it for itself.
    #[arg(long, hide = true)]
    pub before: Option<SocketAddr>,
    /// With `feed`: only watches through the gateway at this address, with the token in the first line of the
    /// standard input, until that ends. The measurement starts it for itself.
    #[arg(long, hide = true)]
    pub watch: Option<String>,
    /// With `city`: what of the day, and how fast.
    #[command(flatten)]
    pub city: CityArgs,
    /// With `all`: what of it, and where the table goes.
    #[command(flatten)]
    pub all: AllArgs,
}

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// The database alone.
    Floor,
    /// Decisions whether somebody may, and reads that are put on record.
    Audit,
    /// A whole roster through the gateway, and the same again.
    Import,
    /// The draw of the whole city, of one school, and its verification.
    Draw,
    /// Swabs scanned by a thousand samplers at once.
    Swabs,
    /// The results of a day's tubes by one stream.
    Results,
    /// From a positive result to the denial at the gate and the alert at the school.
    Hold,
    /// Decisions at the gates of 64 schools, each stored before it is answered.
    Gate,
    /// Calls passed on by the gateway, beside nginx with grpc_pass and haproxy, before the same service.
    ///
    /// The gateway runs as a process of its own, as they do. Best on a quiet machine and from a release
    /// build; takes about two minutes. Without nginx its target is missed, without haproxy it is left out:
    /// `apt-get install nginx haproxy`, and stop the services that this starts. As many files as the
    /// hard limit allows (`ulimit -Hn`) are used.
    Gateway,
    /// Morning and noon checks by class reporters, as fast as they go and at a fixed pace.
    Checks,
    /// Checks that each find somebody, in one school and in all; a month replayed.
    Clusters,
    /// How complete the checks of the city are, asked while checks arrive.
    Coverage,
    /// A message to every family of the city, durable row by row.
    Fanout,
    /// Receipts of such a message, and of directives, by many clients.
    Receipts,
    /// Hazards reported and moved until they are closed, by many clients.
    Hazards,
    /// A school day of the whole city, or a part of it, several times as fast as in reality: gates,
    /// checks, absences, an order, swabs and the desks of the bureaus together.
    ///
    /// Acts begin when they are due, whatever became of those before, and are timed from then. Of
    /// 1,500,000 students, 06:30 to 09:00 at three times the real time takes 50 minutes; best from a
    /// release build.
    City,
    /// How long a write takes until a watcher in another process sees it, at 1,000 events a second.
    Feed,
    /// The first copy of one school, by the feeds and by the lists.
    Copy,
    /// Each service as a process of its own: until it is ready, and its memory when idle.
    ///
    /// The programs of the services stand beside this one: `cargo build --release --workspace`.
    Start,
    /// All of these, each in a process of its own, and the table of targets as Markdown.
    ///
    /// Both databases and 1,500,000 students take hours; `--only`, `--databases` and `--students` make it
    /// less. What fails is left out with a note, and the rest goes on.
    All,
}

impl Scenario {
    fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Audit => "audit",
            Self::Import => "import",
            Self::Draw => "draw",
            Self::Swabs => "swabs",
            Self::Results => "results",
            Self::Hold => "hold",
            Self::Gate => "gate",
            Self::Gateway => "gateway",
            Self::Checks => "checks",
            Self::Clusters => "clusters",
            Self::Coverage => "coverage",
            Self::Fanout => "fanout",
            Self::Receipts => "receipts",
            Self::Hazards => "hazards",
            Self::City => "city",
            Self::Feed => "feed",
            Self::Copy => "copy",
            Self::Start => "start",
            Self::All => "all",
        }
    }
}

/// On which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// SQLite files.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

impl Engine {
    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    async fn scratch(self) -> anyhow::Result<Scratch> {
        match self {
            Self::Sqlite => Ok(scratch::sqlite()),
            Self::Postgres => match scratch::postgres().await {
                Some(scratch) => Ok(scratch),
                None => bail!("no PostgreSQL server: set CAMPUS_TEST_POSTGRES"),
            },
        }
    }
}

/// Runs the command; 1 when a target is missed.
///
/// # Errors
/// When something cannot be measured.
pub async fn run(args: BenchArgs) -> anyhow::Result<ExitCode> {
    let mut city = None;
    let figures = match args.scenario {
        Scenario::Floor => floors(&args).await?,
        Scenario::Audit => audit::run(&args).await?,
        Scenario::Import => import::run(&args).await?,
        Scenario::Draw => draw::run(&args).await?,
        Scenario::Swabs => swabs::run(&args).await?,
        Scenario::Results => results::run(&args).await?,
        Scenario::Hold => results::hold(&args).await?,
        Scenario::Gate => gate::run(&args).await?,
        Scenario::Gateway => match args.before {
            Some(service) => return gateway::alone(service).await,
            None => gateway::run(&args).await?,
        },
        Scenario::Checks => checks::run(&args).await?,
        Scenario::Clusters => clusters::run(&args).await?,
        Scenario::Coverage => coverage::run(&args).await?,
        Scenario::Fanout => fanout::run(&args).await?,
        Scenario::Receipts => receipts::run(&args).await?,
        Scenario::Hazards => hazards::run(&args).await?,
        Scenario::City => {
            let (figures, told) = city::run(&args).await?;
            city = Some(told);
            figures
        }
        Scenario::Feed => match &args.watch {
            Some(gateway) => return watcher::alone(gateway).await,
            None => feed::run(&args).await?,
        },
        Scenario::Copy => copy::run(&args).await?,
        Scenario::Start => start::run(&args).await?,
        Scenario::All => return all::run(&args).await,
    };
    let met = figures.iter().all(|figure| figure.met);
    let report = Report {
        scenario: args.scenario.name(),
        database: args.database.name(),
        students: args.students,
        figures,
        peak_memory_mib: peak_memory_mib(),
        city,
    };
    report.print(args.json)?;
    Ok(if met {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The floors themselves.
async fn floors(args: &BenchArgs) -> anyhow::Result<Vec<Figure>> {
    let scratch = args.database.scratch().await?;
    let floor = Floor::open(&scratch).await?;
    let (mut people, mut bare, mut commits) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        people.push(200_000.0 / floor.people(200_000).await?.as_secs_f64());
        bare.push(floor.assignments(300_000).await?.as_secs_f64());
        commits.push(floor.commits(16, Duration::from_secs(1)).await?.rate());
    }
    let any = |name, unit, value| Figure::alone(name, unit, value, (Bound::AtLeast, 0.0));
    Ok(vec![
        any("person-like rows, 2 indexes", "rows/s", median(people)),
        any("300,000 bare assignments", "s", median(bare)),
        any("single-row commits, 16 clients", "/s", median(commits)),
    ])
}
