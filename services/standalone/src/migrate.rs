//! `campus migrate`: brings the databases of the services up to date, or says what it would do.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use kit::config::{Settings, load};
use kit::db::DatabaseConfig;
use kit::migration::{Ending, Limits, Order, Schema, carry_out, time};

use crate::cli::ServiceName;
use crate::house::Databases;
use crate::screen;

/// Brings databases up to date, one process at a time, or with --plan says what it would apply.
/// Ends with 0 when they are up to date, 2 when --plan found something to apply, 75 when another
/// process was at it or the time was over (run it again), 69 when a database cannot be reached, 64
/// for wrong settings, and 1 when a migration failed.
#[derive(Args, Clone, Debug)]
#[command(group = clap::ArgGroup::new("where").required(true))]
pub struct MigrateArgs {
    /// roster, sampling, safety-inspection or notification; all four, in this order, when left out.
    #[arg(value_enum)]
    pub services: Vec<ServiceName>,
    /// The folder with SERVICE.toml of each, whose keys the environment overrides.
    #[arg(long, group = "where")]
    pub config: Option<PathBuf>,
    /// The folder with the databases of `campus up`.
    #[arg(long, group = "where")]
    pub data: Option<PathBuf>,
    /// Only say what would be applied.
    #[arg(long)]
    pub plan: bool,
    /// How long all of it may take, with waiting for others.
    #[arg(long, default_value = "10m", value_parser = time)]
    pub within: Duration,
}

/// The services that keep a database, in the order of the arrows between them.
const ALL: [ServiceName; 4] = [
    ServiceName::Roster,
    ServiceName::Sampling,
    ServiceName::SafetyInspection,
    ServiceName::Notification,
];

/// Runs the command.
///
/// # Errors
/// When a service or its settings cannot be used.
pub async fn run(args: MigrateArgs) -> anyhow::Result<ExitCode> {
    let stores = match stores(&args) {
        Ok(stores) => stores,
        Err(err) => {
            screen::failed(screen::failure(&err));
            return Ok(ExitCode::from(64));
        }
    };
    let began = Instant::now();
    let mut worst = Ending::UpToDate;
    for (service, database, schema) in stores {
        let order = Order {
            plan: args.plan,
            limits: Limits {
                within: args.within.saturating_sub(began.elapsed()),
                ..Limits::default()
            },
        };
        let mut say = |line: &str| screen::line(line);
        let ending = carry_out(service, &schema, &database, order, &mut say).await;
        worst = worst.max(ending);
        // Facts flow downward: what stands below is not made newer than what it reads from.
        if !matches!(ending, Ending::UpToDate | Ending::Pending) {
            break;
        }
    }
    Ok(worst.into())
}

/// Where each service that was named keeps its data.
fn stores(args: &MigrateArgs) -> anyhow::Result<Vec<(&'static str, DatabaseConfig, Schema)>> {
    let named = if args.services.is_empty() {
        &ALL[..]
    } else {
        &args.services[..]
    };
    named.iter().map(|service| store(args, *service)).collect()
}

fn store(
    args: &MigrateArgs,
    service: ServiceName,
) -> anyhow::Result<(&'static str, DatabaseConfig, Schema)> {
    if let Some(folder) = &args.data {
        return in_folder(folder, service);
    }
    let folder = args.config.as_deref().unwrap_or(Path::new("."));
    match service {
        ServiceName::Roster => configured::<roster::Config>("roster", folder),
        ServiceName::Sampling => configured::<sampling::Config>("sampling", folder),
        ServiceName::SafetyInspection => {
            configured::<safety_inspection::Config>("safety-inspection", folder)
        }
        ServiceName::Notification => configured::<notification::Config>("notification", folder),
        ServiceName::Gateway => bail!("gateway：不保存数据 (keeps no database)"),
    }
}

fn configured<T: Settings>(
    service: &'static str,
    folder: &Path,
) -> anyhow::Result<(&'static str, DatabaseConfig, Schema)> {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    let file = folder.join(format!("{service}.toml"));
    let environment = std::env::vars_os().filter_map(text);
    let settings = load::<T>(service, Some(&file), environment);
    let settings = settings.with_context(|| format!("{service}: configuration"))?;
    let (database, schema) = settings.schema().context("no database")?;
    Ok((service, database.clone(), schema))
}

fn in_folder(
    folder: &Path,
    service: ServiceName,
) -> anyhow::Result<(&'static str, DatabaseConfig, Schema)> {
    ensure!(
        folder.is_dir(),
        "--data {}：没有这个文件夹 (no such folder)",
        folder.display()
    );
    let databases = Databases::sqlite(folder);
    Ok(match service {
        ServiceName::Roster => ("roster", databases.roster, roster::schema()),
        ServiceName::Sampling => ("sampling", databases.sampling, sampling::schema()),
        ServiceName::SafetyInspection => (
            "safety-inspection",
            databases.safety_inspection,
            safety_inspection::schema(),
        ),
        ServiceName::Notification => (
            "notification",
            databases.notification,
            notification::schema(),
        ),
        ServiceName::Gateway => bail!("gateway：不保存数据 (keeps no database)"),
    })
}
