//! `campus`.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Parser;
use kit::clock::{Clock, SystemClock};
use standalone::cli::{CityCommand, Cli, Command, GenerateArgs, ImportCommand};
use standalone::{
    audit, bench, check_config, city, demo, destruction, draw, house, import, migrate, policies,
    results, screen, token, up,
};

#[expect(clippy::print_stderr, reason = "this is a command for people")]
fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(err) => {
            // Help and version are no errors; wrong usage is 64, as for every service.
            let _ = err.print();
            return ExitCode::from(if err.use_stderr() { 64 } else { 0 });
        }
    };
    match run(cli.command) {
        Ok(code) => code,
        Err(err) => {
            eprintln!("campus: {}", screen::failure(&err));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::City(CityCommand::Generate(args)) => generate(&args)?,
        Command::Token(args) => token::run(&args)?,
        Command::Audit(command) => return wait(audit::run(command)),
        Command::CheckConfig(args) => return Ok(check_config::run(&args)),
        Command::Policies(command) => return Ok(policies::run(command)),
        Command::Migrate(args) => return wait(migrate::run(args)),
        Command::Draw(command) => wait(draw::run(command))?,
        Command::Destruction(command) => destruction::run(command)?,
        Command::Up(args) => wait(up::run(args))?,
        Command::Demo(args) => wait(demo::run(args))?,
        Command::Import(args) => wait(take_in(args))?,
        Command::Results(args) => return wait(results::run(args)),
        Command::Bench(args) => return wait(bench::run(args)),
    }
    Ok(ExitCode::SUCCESS)
}

fn wait<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

async fn take_in(args: ImportCommand) -> anyhow::Result<()> {
    let ImportCommand {
        roster,
        gateway,
        authority,
        token,
    } = args;
    let client = import::Client::new(house::door_of(&gateway, &token, &authority)?);
    import::run(roster, SystemClock.today(), client).await?;
    Ok(())
}

fn generate(args: &GenerateArgs) -> anyhow::Result<()> {
    let begun = Instant::now();
    let GenerateArgs {
        students,
        seed,
        date,
        out,
    } = args;
    let options = city::Options {
        students: *students,
        seed: *seed,
        date: date.unwrap_or_else(|| SystemClock.today()),
    };
    let city = city::City::new(options);
    let bar = screen::bar(*students, "学生 students");
    let done = AtomicU64::new(0);
    let written = std::thread::scope(|scope| {
        let writing = scope.spawn(|| city::write::city(&city, out, &done));
        while !writing.is_finished() {
            bar.set_position(done.load(Ordering::Relaxed));
            std::thread::sleep(Duration::from_millis(50));
        }
        writing.join().expect("the writer does not panic")
    })
    .with_context(|| format!("--out {}", out.display()))?;
    bar.finish_and_clear();
    screen::done(format_args!(
        "{} students, {} staff, {} schools, {} class groups → {} rows, {} MiB in {} below {}",
        screen::count(city.plan().students()),
        screen::count(city.plan().staff()),
        screen::count(city.plan().schools().len() as u64),
        screen::count(city.plan().classes() as u64),
        screen::count(written.rows),
        screen::count(written.bytes >> 20),
        screen::span(begun.elapsed()),
        out.display(),
    ));
    Ok(())
}
