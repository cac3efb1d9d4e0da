//! `campus draw`: published draws, checked without any service.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use proto::sampling::draw_service_client::DrawServiceClient;
use proto::sampling::{ExportDrawRequest, GetVerificationKeyRequest};
use sampling::domain::commitment::PublicKey;

use crate::house::{AuthorityArgs, Door, door_of};
use crate::screen;

const NO_KEY: &str =
    "公钥应为 base64 的 32 字节 Ed25519 公钥 (not an Ed25519 public key in base64)";

/// What to do with published draws.
#[derive(Debug, Subcommand)]
pub enum DrawCommand {
    /// Recomputes a published file from the file and the public key alone. Needs no service.
    Verify(VerifyArgs),
    /// Writes the closed draws of a day to a file, with the public key beside it.
    Export(ExportArgs),
}

/// Which file to verify.
#[derive(Args, Clone, Debug)]
pub struct VerifyArgs {
    /// The published file.
    pub file: PathBuf,
    /// The public key in base64, or a file with it; FILE.key when left out.
    #[arg(long)]
    pub key: Option<String>,
}

/// What to export.
#[derive(Args, Clone, Debug)]
pub struct ExportArgs {
    /// The file to write; the public key goes to FILE.key.
    pub file: PathBuf,
    /// The gateway.
    #[arg(long, default_value = "http://127.0.0.1:7400")]
    pub gateway: String,
    /// Whose certificate it has.
    #[command(flatten)]
    pub authority: AuthorityArgs,
    /// A token that may read draws.
    #[arg(long, env = "CAMPUS_TOKEN", hide_env_values = true)]
    pub token: String,
    /// The plan's identifier.
    #[arg(long)]
    pub plan: String,
    /// The organisation whose draws are exported, with everything below it.
    #[arg(long, default_value = crate::city::CITY_ID)]
    pub organization: String,
    /// The day, such as 2022-04-07.
    #[arg(long)]
    pub date: NaiveDate,
}

/// Runs the command.
///
/// # Errors
/// When the file is not what was signed, or cannot be exported.
pub async fn run(command: DrawCommand) -> anyhow::Result<()> {
    match command {
        DrawCommand::Verify(VerifyArgs { file, key }) => {
            let key = read_key(&file, key.as_deref())?;
            let report = verify(&file, &key)?;
            screen::done(format_args!(
                "验证通过 valid: {} of {}: {} schools, {} class groups, {} candidates, {} picks, \
                 {} replacements, key {}",
                report.plan,
                report.day,
                screen::count(report.draws as u64),
                screen::count(report.class_groups as u64),
                screen::count(report.candidates as u64),
                screen::count(report.picks as u64),
                screen::count(report.replacements as u64),
                report.key_id,
            ));
        }
        DrawCommand::Export(args) => {
            let door = door_of(&args.gateway, &args.token, &args.authority)?;
            let ExportArgs {
                file,
                plan,
                organization,
                date,
                ..
            } = &args;
            let bytes = export(door, file, plan, organization, *date).await?;
            screen::done(format_args!(
                "{} bytes → {}",
                screen::count(bytes),
                file.display()
            ));
        }
    }
    Ok(())
}

/// Writes a day's closed draws to `file` and the public key to `file.key`; gives the file's size.
///
/// # Errors
/// When the call or the writing fails.
pub async fn export(
    door: Door,
    file: &Path,
    plan: &str,
    organization: &str,
    date: NaiveDate,
) -> anyhow::Result<u64> {
    let mut client = DrawServiceClient::new(door);
    let request = ExportDrawRequest {
        plan: format!("plans/{plan}"),
        organization: format!("organizations/{organization}"),
        draw_date: Some(kit::field::to_date(date)),
    };
    let mut stream = client.export_draw(request).await?.into_inner();
    let mut out = BufWriter::new(File::create(file).with_context(|| file.display().to_string())?);
    let mut bytes = 0;
    while let Some(part) = stream.message().await? {
        out.write_all(&part.content)?;
        bytes += part.content.len() as u64;
    }
    out.flush()?;
    let key = client
        .get_verification_key(GetVerificationKeyRequest {})
        .await?
        .into_inner();
    std::fs::write(key_file(file), STANDARD.encode(&key.public_key) + "\n")?;
    Ok(bytes)
}

/// Recomputes the published `file`.
///
/// # Errors
/// When anything in it differs from what was signed.
pub fn verify(file: &Path, key: &PublicKey) -> anyhow::Result<sampling::Report> {
    let published = File::open(file).with_context(|| file.display().to_string())?;
    sampling::verify(published, key).context("验证失败 NOT what was signed")
}

/// The public key: `given` in base64, from the file that `given` names, or from `file.key`.
///
/// # Errors
/// When there is none, or it is malformed.
pub fn read_key(file: &Path, given: Option<&str>) -> anyhow::Result<PublicKey> {
    let bytes = key_bytes(file, given)?;
    PublicKey::from_bytes(&bytes).ok().context(NO_KEY)
}

/// The 32 bytes of a public key, from where [`read_key`] looks.
pub(crate) fn key_bytes(file: &Path, given: Option<&str>) -> anyhow::Result<[u8; 32]> {
    let text = match given {
        Some(key) if !Path::new(key).exists() => key.to_owned(),
        Some(path) => std::fs::read_to_string(path).with_context(|| path.to_owned())?,
        None => {
            let path = key_file(file);
            std::fs::read_to_string(&path).with_context(|| {
                format!(
                    "缺少公钥：用 --key 给出，或放在 {} (the public key is needed)",
                    path.display()
                )
            })?
        }
    };
    let bytes = STANDARD.decode(text.trim()).ok();
    let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.context(NO_KEY)
}

fn key_file(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".key");
    name.into()
}
