//! `campus destruction`: certificates of destruction, checked without any service.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use roster::domain::destruction::{CategoryReport, Certificate, Job, Step};
use serde::Deserialize;

use crate::draw::key_bytes;
use crate::screen;

/// What to do with certificates of destruction.
#[derive(Debug, Subcommand)]
pub enum DestructionCommand {
    /// Checks a certificate from the file and the public key alone: that it was signed, and that
    /// proposal, approvals, reports and backups were as the rules ask. Needs no service.
    Verify(VerifyArgs),
}

/// Which file to verify.
#[derive(Args, Clone, Debug)]
pub struct VerifyArgs {
    /// The certificate as the gateway answers it in JSON.
    pub file: PathBuf,
    /// The public key in base64, or a file with it; get it from somebody other than who gave the
    /// file.
    #[arg(long)]
    pub key: String,
}

/// The answer of GetDestructionCertificate.
#[derive(Deserialize)]
struct Published {
    manifest: String,
    signature: String,
}

/// Runs the command.
///
/// # Errors
/// When the file is not what was signed.
pub fn run(command: DestructionCommand) -> anyhow::Result<()> {
    let DestructionCommand::Verify(VerifyArgs { file, key }) = command;
    let job = verify(&file, &key)?;
    let told = job.reports().iter().flat_map(|report| &report.categories);
    let sum = |of: fn(&CategoryReport) -> i64| -> u64 {
        let all: i64 = told.clone().map(of).sum();
        u64::try_from(all).unwrap_or_default()
    };
    let approvers = job.events().iter().filter_map(|event| match event.step {
        Step::Approved { .. } => Some(event.actor.as_str()),
        _ => None,
    });
    screen::done(format_args!(
        "验证通过 valid: {} records destroyed by {} services, {} kept under another key, approved by {}",
        screen::count(sum(|told| told.destroyed)),
        screen::count(job.reports().len() as u64),
        screen::count(sum(|told| told.resealed)),
        approvers.collect::<Vec<_>>().join(", "),
    ));
    Ok(())
}

/// The job that the certificate in `file` certifies, signed by `key` (base64, or a file with it).
///
/// # Errors
/// When the file is no certificate, was signed by another key, or its steps break a rule.
pub fn verify(file: &Path, key: &str) -> anyhow::Result<Job> {
    let key = key_bytes(file, Some(key))?;
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let malformed = "不是销毁证明 (not a certificate of destruction)";
    let published: Published = serde_json::from_str(&text).context(malformed)?;
    let certificate = Certificate {
        manifest: STANDARD.decode(published.manifest).context(malformed)?,
        signature: STANDARD
            .decode(published.signature)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .context(malformed)?,
        public_key: key,
    };
    certificate
        .verify(&key)
        .context("验证失败 NOT what was signed, or not what the rules ask")
}
