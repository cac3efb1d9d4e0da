//! `campus audit year`: the compliance audit of a year over all services (rule 6.8), in a folder that anybody verifies
//! without any service.
//!
//! The exported logs are bound by the services' signed checkpoints. Everything else but the register's list of
//! approvals and the retention that services told is a function of these logs: whoever verifies makes it again and
//! compares every byte.

mod folder;
mod lines;
mod period;
mod report;
#[cfg(test)]
mod samples;
mod tally;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::process::ExitCode;

use anyhow::ensure;
use kit::audit::{Checkpoint, PublicKey};
use kit::clock::{Clock, SystemClock, shanghai};
use proto::gateway::VerifyAuditRequest;

use self::folder::{Listed, MANIFEST, Manifest, Retention};
use self::lines::Chain;
use self::period::Period;
use self::tally::Tally;
use super::offline::keys;
use super::reading::{Source, read};
use super::{VerifyArgs, YearArgs, access, online};
use crate::screen;

/// How the file of an exported log ends.
const LOG: &str = ".audit";
/// What the register says of approvals.
const ACCESS: &str = "access.jsonl";
/// The report for people.
const REPORT: &str = "report.md";

pub(super) async fn write(args: YearArgs) -> anyhow::Result<ExitCode> {
    let period = Period::of(args.year);
    let now = SystemClock.now();
    ensure!(
        period.start <= now,
        "{} 年尚未开始 (the year has not begun)",
        args.year
    );
    folder::prepare(&args.out)?;
    let mut client = online::client(&args.gateway)?;
    let told = client.verify_audit(VerifyAuditRequest {}).await?;
    let mut retention = Vec::new();
    for verdict in told.into_inner().verdicts {
        ensure!(
            verdict.retention_days > 0,
            "{}: 未应答 did not answer",
            verdict.service
        );
        retention.push(Retention {
            service: verdict.service,
            days: verdict.retention_days,
            partner_days: verdict.partner_retention_days,
        });
    }
    for one in &retention {
        let file = args.out.join(format!("{}{LOG}", one.service));
        let times = (Some(period.start), Some(period.end));
        let (records, _) = online::export_to(&mut client, &one.service, times, &file).await?;
        screen::line(format_args!(
            "   {}: {}",
            one.service,
            screen::count(records)
        ));
    }
    let times = (Some(period.start), Some(period.end));
    let door = args.gateway.door()?;
    let approvals = access::collected(door, &args.organization, times).await?;
    access::write(&args.out.join(ACCESS), &approvals)?;
    let made = now.with_timezone(&shanghai()).to_rfc3339();
    let intact = complete(&args.out, (args.year, made), retention)?;
    screen::done(format_args!(
        "{} 年度审计 → {}",
        args.year,
        args.out.display()
    ));
    Ok(ended(intact))
}

/// Writes what follows from the logs of a folder, the report and the manifest; says whether every log is what was
/// written, as far as the keys that they name say.
fn complete(
    out: &Path,
    (year, made): (i32, String),
    retention: Vec<Retention>,
) -> anyhow::Result<bool> {
    let logs: Vec<String> = retention
        .iter()
        .map(|one| format!("{}{LOG}", one.service))
        .collect();
    let named = |checkpoints: &[Checkpoint]| Ok(named(checkpoints));
    let (chains, tally) = recomputed(out, year, &logs, named)?;
    let mut names = logs.clone();
    names.push(ACCESS.to_owned());
    for (name, text) in lines::files(&tally, &chains)? {
        folder::create(out, name, &text)?;
        names.push(name.to_owned());
    }
    let manifest = Manifest::new(out, (year, made), retention, names)?;
    let text = report::text(&manifest, &chains, &tally, &of_logs(&manifest));
    folder::create(out, REPORT, &text)?;
    let manifest = manifest.with(folder::listed(out, REPORT)?);
    folder::create(out, MANIFEST, &manifest.text()?)?;
    Ok(chains.iter().all(|chain| chain.fault.is_none()))
}

/// Verifies the folder of a year from its files and public keys alone.
pub(super) fn verify(args: &VerifyArgs, out: &Path) -> anyhow::Result<ExitCode> {
    ensure!(
        args.checkpoints.is_none(),
        "--checkpoints 只用于单个日志 (is for one log)"
    );
    let manifest = Manifest::open(out)?;
    let logs: Vec<String> = of_logs(&manifest).into_iter().map(|one| one.name).collect();
    ensure!(
        logs.len() == manifest.retention.len() && !logs.is_empty(),
        "{MANIFEST}: 日志不全 (a log is missing)"
    );
    let trusted = |checkpoints: &[Checkpoint]| keys(args, checkpoints);
    let (chains, tally) = recomputed(out, manifest.year, &logs, trusted)?;
    for (name, text) in lines::files(&tally, &chains)? {
        same(out, name, &text)?;
    }
    let text = report::text(&manifest, &chains, &tally, &of_logs(&manifest));
    same(out, REPORT, &text)?;
    let mut intact = true;
    for chain in &chains {
        match &chain.fault {
            Some((fault, sequence)) => {
                intact = false;
                screen::failed(format_args!(
                    "{}: 第 {sequence} 条 record {sequence}: {fault}",
                    chain.service
                ));
            }
            None => screen::line(format_args!(
                "   {}: {} records 条记录, {} checkpoints 个检查点",
                chain.service,
                screen::count(chain.records.unsigned_abs()),
                screen::count(chain.checkpoints.unsigned_abs()),
            )),
        }
    }
    if intact {
        screen::done(format_args!("验证通过 valid: {} 年度审计", manifest.year));
    }
    Ok(ended(intact))
}

fn ended(intact: bool) -> ExitCode {
    if intact {
        ExitCode::SUCCESS
    } else {
        screen::failed("日志与写入时不一致 (a log is not what was written)");
        ExitCode::FAILURE
    }
}

/// Recomputes the logs of a folder and adds up their records of the year.
fn recomputed(
    out: &Path,
    year: i32,
    logs: &[String],
    trusted: impl Fn(&[Checkpoint]) -> anyhow::Result<Vec<PublicKey>>,
) -> anyhow::Result<(Vec<Chain>, Tally)> {
    let (mut chains, mut tally) = (Vec::with_capacity(logs.len()), Tally::default());
    let period = Period::of(year);
    let mut logs = logs.to_vec();
    logs.sort();
    for log in logs {
        let file = out.join(&log);
        let source = Source {
            file: &file,
            elsewhere: None,
            may_be_empty: true,
        };
        let mut found = read(source, &trusted, |record| tally.add(record, period))?;
        let service = log.strip_suffix(LOG).unwrap_or(&log);
        if found.service.is_empty() {
            service.clone_into(&mut found.service);
        }
        ensure!(
            found.service == service,
            "{log}: 是 {0} 的日志 (is the log of {0})",
            found.service
        );
        if let Some(head) = &found.begins_after {
            ensure!(
                head.time <= period.start.timestamp_millis(),
                "{log}: 缺少年初的记录 (records of the beginning of the year are missing)"
            );
        }
        chains.push(Chain::of(&found));
    }
    Ok((chains, tally))
}

/// The keys that checkpoints name: good enough to make a report, which is verified with keys from somebody else.
fn named(checkpoints: &[Checkpoint]) -> Vec<PublicKey> {
    let keys = checkpoints.iter().filter_map(|one| {
        let bytes = <[u8; 32]>::try_from(one.public_key.as_slice()).ok()?;
        PublicKey::from_bytes(&bytes).ok()
    });
    let mut all: Vec<PublicKey> = Vec::new();
    for key in keys {
        if !all.contains(&key) {
            all.push(key);
        }
    }
    all
}

fn of_logs(manifest: &Manifest) -> Vec<Listed> {
    let logs = manifest.files.iter();
    let logs = logs.filter(|one| one.name.ends_with(LOG));
    logs.cloned().collect()
}

/// That a file is what follows from the logs.
fn same(out: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let there = std::fs::read_to_string(out.join(name))?;
    ensure!(
        there == text,
        "{name}: 与日志重算的结果不符 (is not what follows from the logs)"
    );
    Ok(())
}
