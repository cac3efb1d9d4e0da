//! The command line.

use std::path::PathBuf;

use chrono::{Datelike as _, NaiveDate};
use clap::{Args, Parser, Subcommand};

use crate::audit::AuditCommand;
use crate::bench::BenchArgs;
use crate::demo::DemoArgs;
use crate::destruction::DestructionCommand;
use crate::draw::DrawCommand;
use crate::house::AuthorityArgs;
use crate::import::ImportArgs;
use crate::migrate::MigrateArgs;
use crate::policies::PoliciesCommand;
use crate::results::ResultsArgs;
use crate::token::TokenArgs;
use crate::up::UpArgs;

/// 校安 Campus: epidemic control and safety of a city's schools.
#[derive(Debug, Parser)]
#[command(name = "campus", version, about, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows the main job on one screen: a city in, today's sample drawn, a positive held at the gate.
    Demo(DemoArgs),
    /// Runs all five services in this process on SQLite.
    Up(UpArgs),
    /// Prints a token of the development issuer.
    Token(TokenArgs),
    /// Invents a city.
    #[command(subcommand)]
    City(CityCommand),
    /// Imports a roster through the gateway.
    Import(ImportCommand),
    /// Exports and verifies published draws.
    #[command(subcommand)]
    Draw(DrawCommand),
    /// Verifies certificates of destruction.
    #[command(subcommand)]
    Destruction(DestructionCommand),
    /// Submits a laboratory's file of results.
    Results(ResultsArgs),
    /// Searches, verifies and exports the audit logs.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Checks the configuration file of a service.
    CheckConfig(CheckConfigArgs),
    /// Tries policies.
    #[command(subcommand)]
    Policies(PoliciesCommand),
    /// Brings the databases of the services up to date, or says what it would apply.
    Migrate(MigrateArgs),
    /// Measures Campus and, in the same run, what the machine can do at best.
    Bench(BenchArgs),
}

/// What to import, and through which gateway.
#[derive(Args, Clone, Debug)]
pub struct ImportCommand {
    /// What to import.
    #[command(flatten)]
    pub roster: ImportArgs,
    /// The gateway.
    #[arg(long, default_value = "http://127.0.0.1:7400")]
    pub gateway: String,
    /// Whose certificate it has.
    #[command(flatten)]
    pub authority: AuthorityArgs,
    /// A token that may import.
    #[arg(long, env = "CAMPUS_TOKEN", hide_env_values = true)]
    pub token: String,
}

/// What to do with an invented city.
#[derive(Debug, Subcommand)]
pub enum CityCommand {
    /// Writes the city as files: OneRoster CSV, the national 学籍 sheet, staff and duties.
    Generate(GenerateArgs),
}

/// How to invent a city.
#[derive(Args, Clone, Debug)]
pub struct GenerateArgs {
    /// How many students, kindergarten children included; up to 1.5 million.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_500_000))]
    pub students: u64,
    /// The folder to write to; it is created.
    #[arg(long)]
    pub out: PathBuf,
    /// Another seed gives other people.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// A day of the school year, such as 2022-04-07; today when left out, so that the city can be
    /// imported into a house that runs now.
    #[arg(long, value_parser = school_day)]
    pub date: Option<NaiveDate>,
}

/// A day whose classes the register can hold.
fn school_day(text: &str) -> Result<NaiveDate, String> {
    let day: Option<NaiveDate> = text.parse().ok();
    day.filter(|day| (2000..=2099).contains(&day.year()))
        .ok_or_else(|| "a day from 2000-01-01 to 2099-12-31".to_owned())
}

/// Which file to check.
#[derive(Args, Clone, Debug)]
pub struct CheckConfigArgs {
    /// roster, sampling, safety-inspection, notification or gateway.
    #[arg(value_enum)]
    pub service: ServiceName,
    /// Its configuration file; without one, the environment alone is checked.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// As `--trial` of the service: tokens of the development issuer are taken.
    #[arg(long)]
    pub trial: bool,
}

/// The services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ServiceName {
    Roster,
    Sampling,
    SafetyInspection,
    Notification,
    Gateway,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use kit::auth::Role;

    use super::*;

    fn parse(line: &str) -> Result<Command, clap::Error> {
        Cli::try_parse_from(line.split_whitespace()).map(|cli| cli.command)
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_city_has_at_most_a_million_and_a_half_students() {
        assert!(parse("campus city generate --students 1500000 --out x").is_ok());
        assert!(parse("campus city generate --students 1500001 --out x").is_err());
        assert!(parse("campus city generate --students 0 --out x").is_err());
        assert!(parse("campus city generate --out x --date 2026-09-01").is_ok());
        assert!(parse("campus city generate --out x --date 1999-12-31").is_err());
        assert!(parse("campus city generate --out x --date=-262143-01-01").is_err());
    }

    #[test]
    fn a_token_takes_roles_by_name_and_refuses_others() {
        let Ok(Command::Token(args)) = parse("campus token --role guard --scope fz/350102/x")
        else {
            panic!("not a token command");
        };
        assert_eq!(
            (args.roles, args.scope.unwrap().as_str()),
            (vec![Role::Guard], "fz/350102/x")
        );
        let refused = parse("campus token --role king").unwrap_err().to_string();
        assert!(refused.contains("city-officer"), "{refused}");
    }

    #[test]
    fn the_demonstration_and_the_measurements_have_defaults() {
        assert!(matches!(parse("campus demo"), Ok(Command::Demo(args)) if !args.exit));
        assert!(parse("campus bench draw --database postgres --json").is_ok());
        assert!(parse("campus bench nothing").is_err());
        for service in [
            "roster",
            "sampling",
            "safety-inspection",
            "notification",
            "gateway",
        ] {
            assert!(parse(&format!("campus check-config {service} --config x.toml")).is_ok());
        }
        assert!(parse("campus policies test etc/policies --cases cases.csv").is_ok());
        assert!(parse("campus policies test").is_err());
    }

    #[test]
    fn a_year_is_audited_into_a_folder() {
        assert!(parse("campus audit year 2026 --out audit-2026").is_ok());
        assert!(parse("campus audit year 2026").is_err());
        assert!(parse("campus audit year 1999 --out x").is_err());
        let part = "campus audit export x --service roster --since 2026-01-01T00:00:00+08:00";
        assert!(parse(part).is_ok());
    }

    #[test]
    fn what_is_migrated_is_either_configured_or_in_a_folder() {
        let parsed = parse("campus migrate roster sampling --config etc --plan --within 90s");
        let Ok(Command::Migrate(args)) = parsed else {
            panic!("{parsed:?}")
        };
        assert_eq!(args.services, [ServiceName::Roster, ServiceName::Sampling]);
        assert_eq!((args.plan, args.within.as_secs()), (true, 90));
        assert!(parse("campus migrate --data campus-data").is_ok());
        for wrong in [
            "campus migrate",
            "campus migrate --data d --config etc",
            "campus migrate kitchen --data d",
            "campus migrate --data d --within soon",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
