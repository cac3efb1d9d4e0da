//! `campus audit`: who read and did what, and whether the logs are what was written.

pub mod access;
mod file;
mod glass;
mod offline;
mod online;
mod reading;
mod year;

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};
use proto::audit::audit_fault;
use proto::audit::audit_record::Kind;

pub(crate) use file::Writer;
pub use offline::{Offline, verify};

use crate::house::{AuthorityArgs, door_of};
use crate::screen;

/// What to do with the audit logs.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Finds records in the logs of all services, the newest first.
    Search(SearchArgs),
    /// Lists who opened in an emergency what is closed to them in daily life, why, and what they then read.
    BreakGlass(BreakGlassArgs),
    /// Lists who was let see data of minors beyond daily work, who agreed, and each use.
    Access(AccessArgs),
    /// Recomputes the logs: of all services through the gateway, of one from an exported file alone, or of a year
    /// from the folder that `audit year` wrote.
    Verify(VerifyArgs),
    /// Writes the log of one service, or a part of it, to a file that can be verified without any service.
    Export(ExportArgs),
    /// Writes the audit of a year over all services to a folder that can be verified without any service (rule 6.8).
    Year(YearArgs),
}

/// The gateway, and who asks.
#[derive(Args, Clone, Debug)]
pub struct GatewayArgs {
    /// The gateway.
    #[arg(long, default_value = "http://127.0.0.1:7400")]
    pub gateway: String,
    /// Whose certificate it has.
    #[command(flatten)]
    pub authority: AuthorityArgs,
    /// The token of an auditor.
    #[arg(long, env = "CAMPUS_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

/// Which records to find.
#[derive(Args, Clone, Debug)]
pub struct SearchArgs {
    /// The gateway, and who asks.
    #[command(flatten)]
    pub gateway: GatewayArgs,
    /// Not before this instant, such as 2022-04-07T00:00:00+08:00.
    #[arg(long)]
    pub since: Option<DateTime<Utc>>,
    /// Before this instant.
    #[arg(long)]
    pub until: Option<DateTime<Utc>>,
    /// Of this caller.
    #[arg(long, default_value = "")]
    pub subject: String,
    /// That name this resource, such as students/….
    #[arg(long, default_value = "")]
    pub resource: String,
    /// At or below this place, such as fz/350102.
    #[arg(long, default_value = "")]
    pub place: String,
    /// Of this kind.
    #[arg(long, value_enum)]
    pub kind: Option<KindName>,
    /// Of this method, such as /campus.roster.v1.StudentService/GetStudent.
    #[arg(long, default_value = "")]
    pub method: String,
    /// How many records to show at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
}

/// Of which period to report.
#[derive(Args, Clone, Debug)]
pub struct BreakGlassArgs {
    /// The gateway, and who asks.
    #[command(flatten)]
    pub gateway: GatewayArgs,
    /// Not before this instant, such as 2022-04-07T00:00:00+08:00.
    #[arg(long)]
    pub since: Option<DateTime<Utc>>,
    /// Before this instant.
    #[arg(long)]
    pub until: Option<DateTime<Utc>>,
    /// By callers at or below this place, such as fz/350102.
    #[arg(long, default_value = "")]
    pub place: String,
    /// How many uses to report at most, the latest of them.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
}

/// Of which period and place to report.
#[derive(Args, Clone, Debug)]
pub struct AccessArgs {
    /// The gateway, and who asks.
    #[command(flatten)]
    pub gateway: GatewayArgs,
    /// Asked for not before this instant, such as 2022-01-01T00:00:00+08:00.
    #[arg(long)]
    pub since: Option<DateTime<Utc>>,
    /// Asked for before this instant.
    #[arg(long)]
    pub until: Option<DateTime<Utc>>,
    /// At or below this organisation, such as 350102.
    #[arg(long, default_value = "fz")]
    pub organization: String,
    /// Also writes the report to this new file, one line of JSON for each approval.
    #[arg(long)]
    pub file: Option<PathBuf>,
}

/// What is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum KindName {
    Read,
    Act,
    Refused,
    BreakGlass,
}

impl From<KindName> for Kind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Read => Self::Read,
            KindName::Act => Self::Act,
            KindName::Refused => Self::Refused,
            KindName::BreakGlass => Self::BreakGlass,
        }
    }
}

/// What to verify.
#[derive(Args, Clone, Debug)]
pub struct VerifyArgs {
    /// An exported file, or the folder of a year; all logs through the gateway when left out.
    pub file: Option<PathBuf>,
    /// Checkpoints that were kept elsewhere: the file to which the service appended them, up to the export.
    #[arg(long, requires = "file")]
    pub checkpoints: Option<PathBuf>,
    /// A public key of the service in base64, or a file with it; of several, each.
    #[arg(long, requires = "file")]
    pub key: Vec<String>,
    /// The gateway, and who asks.
    #[command(flatten)]
    pub gateway: GatewayArgs,
}

/// What to export.
#[derive(Args, Clone, Debug)]
pub struct ExportArgs {
    /// The file to write.
    pub file: PathBuf,
    /// roster, sampling, safety-inspection or notification.
    #[arg(long)]
    pub service: String,
    /// Only the part of the log with the calls from this instant on, such as 2022-01-01T00:00:00+08:00.
    #[arg(long)]
    pub since: Option<DateTime<Utc>>,
    /// Only the part of the log with the calls before this instant.
    #[arg(long)]
    pub until: Option<DateTime<Utc>>,
    /// The gateway, and who asks.
    #[command(flatten)]
    pub gateway: GatewayArgs,
}

/// Which year to audit.
#[derive(Args, Clone, Debug)]
pub struct YearArgs {
    /// The civil year, Asia/Shanghai.
    #[arg(value_parser = clap::value_parser!(i32).range(2020..=2100))]
    pub year: i32,
    /// The folder to write; it must be empty or not there.
    #[arg(long)]
    pub out: PathBuf,
    /// The organisation whose approvals are listed, with all below it.
    #[arg(long, default_value = "fz")]
    pub organization: String,
    /// The gateway, and who asks.
    #[command(flatten)]
    pub gateway: GatewayArgs,
}

impl GatewayArgs {
    fn door(&self) -> anyhow::Result<crate::house::Door> {
        let token = self.token.as_deref();
        let missing = "缺少凭证：用 --token 或 CAMPUS_TOKEN 给出 (a token is needed)";
        let token = token.ok_or_else(|| anyhow::anyhow!(missing))?;
        door_of(&self.gateway, token, &self.authority)
    }
}

/// Runs the command; 1 when a log is not what was written, or could not be verified whole.
///
/// # Errors
/// When a service cannot be asked or a file cannot be read.
pub async fn run(command: AuditCommand) -> anyhow::Result<ExitCode> {
    match command {
        AuditCommand::Search(args) => online::search(args).await,
        AuditCommand::BreakGlass(args) => glass::report(args).await,
        AuditCommand::Access(args) => access::report(args).await,
        AuditCommand::Export(args) => online::export(args).await,
        AuditCommand::Year(args) => year::write(args).await,
        AuditCommand::Verify(args) => match args.file.as_deref() {
            None => online::verify(args).await,
            Some(folder) if folder.is_dir() => year::verify(&args, folder),
            Some(_) => {
                let Offline {
                    service,
                    after,
                    records,
                    checkpoints,
                    last,
                } = verify(&args)?;
                let part = after.map_or_else(String::new, |after| {
                    format!("第 {after} 条之后的部分 the part after record {after}: ")
                });
                screen::done(format_args!(
                    "验证通过 valid: {service}: {part}{} records 条记录, {} checkpoints 个检查点, last 末条 {last}",
                    screen::count(records.unsigned_abs()),
                    screen::count(checkpoints.unsigned_abs()),
                ));
                Ok(ExitCode::SUCCESS)
            }
        },
    }
}

/// What is wrong, in words.
fn fault(kind: audit_fault::Kind) -> &'static str {
    use audit_fault::Kind as K;
    match kind {
        K::Unspecified => "未知问题 unknown",
        K::Changed => "记录被改动 changed",
        K::Missing => "记录缺失 missing",
        K::OutOfOrder => "顺序被打乱 out of order",
        K::ChainBroken => "与前一条不衔接 does not follow from the one before",
        K::Truncated => "末尾被截断 cut off before a checkpoint",
        K::CheckpointDiffers => "与检查点不符 not what a checkpoint says",
        K::SignatureInvalid => "检查点签名无效 the signature of a checkpoint is not valid",
        K::KeptDiffers => "保留的记录与签名不符 what was kept is not what was signed",
    }
}
