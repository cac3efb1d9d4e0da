//! Reads an exported log from its file: record by record, while its chain is recomputed.

use std::path::Path;

use anyhow::{Context as _, bail};
use kit::audit::{
    Checkpoint, CheckpointKind, Fault, PublicKey, Verdict, Verification, from_pb, read_lines,
};
use proto::audit::AuditRecord;

use super::file::Pieces;

/// Which exported log to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    /// The file.
    pub(super) file: &'a Path,
    /// Checkpoints that were kept in another place.
    pub(super) elsewhere: Option<&'a Path>,
    /// It may be a part without any record.
    pub(super) may_be_empty: bool,
}

/// What was found in an exported log.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// Whose log it is; empty when the file is.
    pub(super) service: String,
    /// The checkpoint after which it begins; none for the beginning of the log.
    pub(super) begins_after: Option<Checkpoint>,
    /// Where the log was cut last because its time was over.
    pub(super) anchor: Option<Checkpoint>,
    /// The last checkpoint of the file.
    pub(super) newest: Option<Checkpoint>,
    /// The keys that the checkpoints of the file name, each once.
    pub(super) keys: Vec<Vec<u8>>,
    /// The first record; 0 without one.
    pub(super) first: i64,
    /// What was verified, up to what is wrong.
    pub(super) verdict: Verdict,
    /// The first thing that is wrong.
    pub(super) fault: Option<Fault>,
}

/// Reads all of it; `each` sees every record, also after what is wrong. `trusted` says which keys sign, from the
/// checkpoints that there are.
///
/// # Errors
/// When a file cannot be read, holds the logs of two services, or no key is trusted.
pub(super) fn read(
    source: Source<'_>,
    trusted: impl FnOnce(&[Checkpoint]) -> anyhow::Result<Vec<PublicKey>>,
    mut each: impl FnMut(&AuditRecord),
) -> anyhow::Result<Found> {
    let mut pieces = Pieces::open(source.file)?;
    let (mut service, mut checkpoints) = (String::new(), Vec::new());
    // Checkpoints come first.
    let mut piece = pieces.next()?;
    while let Some(part) = piece.take_if(|part| part.records.is_empty()) {
        for told in part.checkpoints {
            same(&mut service, &told.service)?;
            let checkpoint = Checkpoint::from_pb(told);
            checkpoints.push(checkpoint.context("检查点无法读取 (a checkpoint is malformed)")?);
        }
        piece = pieces.next()?;
    }
    let first = piece.as_ref().and_then(|piece| piece.records.first());
    let first = first.map_or(0, |first| first.sequence);
    let mut found = found(&checkpoints, first, source.may_be_empty);
    if let Some(path) = source.elsewhere {
        elsewhere(path, &mut service, &mut checkpoints)?;
    }
    if let Some(record) = piece.as_ref().and_then(|piece| piece.records.first()) {
        same(&mut service, &record.service)?;
    }
    let trusted = trusted(&checkpoints)?;
    let mut verification = match Verification::new(&service, checkpoints, &trusted) {
        Ok(mut verification) => {
            if let Some(checkpoint) = &found.begins_after {
                verification.begin_after(checkpoint);
            }
            Some(verification)
        }
        Err(fault) => {
            found.fault = Some(fault);
            None
        }
    };
    while let Some(part) = piece {
        for told in part.records {
            same(&mut service, &told.service)?;
            each(&told);
            let sequence = told.sequence;
            let malformed = || format!("第 {sequence} 条 record {sequence}: 无法读取 malformed");
            let record = from_pb(told).with_context(malformed)?;
            if let Some(going_on) = &mut verification
                && let Err(fault) = going_on.push(&record)
            {
                found.fault = Some(fault);
                found.verdict = going_on.so_far();
                verification = None;
            }
        }
        piece = pieces.next()?;
    }
    if let Some(verification) = verification {
        let so_far = verification.so_far();
        match verification.finish() {
            Ok(verdict) => found.verdict = verdict,
            Err(fault) => (found.verdict, found.fault) = (so_far, Some(fault)),
        }
    }
    found.service = service;
    Ok(found)
}

/// What the checkpoints of a file say of it. It is a part of a log when the first of them is a head, none is an
/// anchor, and the first record follows that head.
fn found(checkpoints: &[Checkpoint], first: i64, may_be_empty: bool) -> Found {
    let is_anchor = |one: &&Checkpoint| one.kind == CheckpointKind::Anchor as i32;
    let anchor = checkpoints.iter().rfind(is_anchor).cloned();
    let follows = |head: &&Checkpoint| {
        anchor.is_none() && (first == head.sequence + 1 || (first == 0 && may_be_empty))
    };
    let begins_after = checkpoints.first().filter(follows).cloned();
    let mut keys: Vec<Vec<u8>> = checkpoints
        .iter()
        .map(|checkpoint| checkpoint.public_key.clone())
        .collect();
    keys.sort();
    keys.dedup();
    Found {
        begins_after,
        newest: checkpoints.last().cloned(),
        anchor,
        keys,
        first,
        ..Found::default()
    }
}

/// Checkpoints that were kept in another place: what is before the oldest anchor in the log is history.
fn elsewhere(
    path: &Path,
    service: &mut String,
    checkpoints: &mut Vec<Checkpoint>,
) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let lines = read_lines(&text).map_err(|line| {
        anyhow::anyhow!(
            "{}: 第 {line} 行无法读取 line {line} is malformed",
            path.display()
        )
    })?;
    for (of, checkpoint) in lines {
        same(service, &of)?;
        checkpoints.push(checkpoint);
    }
    Ok(())
}

fn same(service: &mut String, other: &str) -> anyhow::Result<()> {
    if service.is_empty() {
        other.clone_into(service);
    }
    if service == other {
        return Ok(());
    }
    bail!("{service} 与 {other} 的日志混在一起 (logs of two services are mixed)")
}
