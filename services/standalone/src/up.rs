//! `campus up`: the whole house in this process.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use gateway::LimitsConfig;
use kit::clock::SystemClock;
use kit::drain::Drain;
use kit::telemetry::{self, Format, TelemetryConfig};

use crate::house::{Databases, House, Options};
use crate::screen::{self, Align, Table};

/// Runs gateway, roster, sampling, safety-inspection and notification in this process on SQLite,
/// over loopback ports. For trials and development: tokens of the development issuer are taken.
#[derive(Args, Clone, Debug)]
pub struct UpArgs {
    /// The folder for the databases; it is created.
    #[arg(long, default_value = "campus-data")]
    pub data: PathBuf,
    /// Where to listen.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub address: IpAddr,
    /// The port of the gateway; the four services take those that follow. 0 takes free ones.
    #[arg(long, default_value_t = 7400, value_parser = clap::value_parser!(u16).range(0..=65531))]
    pub port: u16,
    /// Which log lines are written.
    #[arg(long, default_value = "info,sqlx=warn,sea_orm_migration=warn")]
    pub log: String,
}

/// Runs the command until Ctrl-C or SIGTERM has drained it.
///
/// # Errors
/// When a service cannot start or fails.
pub async fn run(args: UpArgs) -> anyhow::Result<()> {
    let UpArgs {
        data,
        address,
        port,
        log,
    } = args;
    let config = TelemetryConfig {
        format: Format::Pretty,
        filter: log,
        ..TelemetryConfig::default()
    };
    let _telemetry = telemetry::start("campus", &config)?;
    std::fs::create_dir_all(&data).with_context(|| format!("--data {}", data.display()))?;
    let databases = Databases::sqlite(&data);
    let options = Options {
        databases,
        address,
        port,
        drain: Duration::from_secs(20),
        register: None,
        emergency_secrets: Some(data.join("emergency-secrets")),
        limits: LimitsConfig::default(),
    };
    let drain = Drain::new();
    drain.on_termination();
    let house = House::open(&options, Arc::new(SystemClock), drain).await?;

    let mut table = Table::new([("服务 service", Align::Left), ("地址 address", Align::Left)]);
    for (service, address) in house.addresses() {
        table.row([service.to_owned(), address]);
    }
    table.print();
    warn_of_development_issuer();
    let gateway = house.gateway().replace("http://", "");
    screen::line(format_args!("   data     {}", data.display()));
    screen::line("   token    export CAMPUS_TOKEN=$(campus token --role city-officer --scope fz)");
    screen::line(format_args!(
        "   import   campus import FILE --organization fz --gateway {}",
        house.gateway()
    ));
    screen::line(format_args!(
        "   call     grpcurl -plaintext -H \"authorization: Bearer $CAMPUS_TOKEN\" \
         {gateway} campus.roster.v1.OrganizationService/ListOrganizations"
    ));
    screen::line("   stop     Ctrl-C");
    house.finished().await?;
    screen::done("已停止 stopped");
    Ok(())
}

/// Says loudly whom this house trusts.
pub fn warn_of_development_issuer() {
    screen::line("");
    screen::line("   ┌────────────────────────────────────────────────────────────────────────┐");
    screen::line("   │ 试用模式 TRIAL: tokens of the DEVELOPMENT ISSUER are taken. Its key is │");
    screen::line("   │ public: anybody who reaches these ports may do everything.             │");
    screen::line("   └────────────────────────────────────────────────────────────────────────┘");
    screen::line("");
}
