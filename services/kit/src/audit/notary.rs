//! Signs the head of the chain once a minute.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr};
use serde_json::json;

use super::chain::lock_head;
use super::checkpoint::{Checkpoint, CheckpointKind};
use super::log::Shelf;
use crate::db::{Tx, statement};
use crate::drain::Drain;
use crate::rows::Row;

/// How often the head is signed, when there is something new.
const OFTEN: Duration = Duration::from_secs(60);

/// A checkpoint cannot be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotaryError {
    #[error("the database failed")]
    Database(#[from] DbErr),
    #[error("audit.checkpoint_file: {0}")]
    File(#[from] io::Error),
}

/// Signs until the drain.
pub(super) async fn run(shelf: Shelf, drain: Drain) {
    loop {
        if let Err(err) = sign_head(&shelf).await {
            tracing::error!(%err, "the audit log cannot be signed, trying again");
        }
        if !drain.sleep(OFTEN).await {
            return;
        }
    }
}

/// Signs the head, if there is something new.
pub(super) async fn sign_head(shelf: &Shelf) -> Result<(), NotaryError> {
    let tx = shelf.db.begin().await?;
    let Some(head) = lock_head(&tx).await? else {
        return Ok(());
    };
    if head.sequence <= last_signed(&tx).await? {
        return Ok(());
    }
    let checkpoint = Checkpoint {
        sequence: head.sequence,
        kind: CheckpointKind::Head as i32,
        hash: head.hash.to_vec(),
        time: shelf.clock.now().timestamp_millis(),
        ..Checkpoint::default()
    };
    let checkpoint = checkpoint.sign(shelf.service, &shelf.key);
    Checkpoint::add(&tx, std::slice::from_ref(&checkpoint)).await?;
    keep_elsewhere(shelf, &checkpoint).await?;
    tx.commit().await?;
    Ok(())
}

/// Appends a checkpoint to the file that is kept in another place, if there is one.
pub(super) async fn keep_elsewhere(shelf: &Shelf, checkpoint: &Checkpoint) -> io::Result<()> {
    let Some(file) = shelf.elsewhere.clone() else {
        return Ok(());
    };
    let line = line(shelf.service, checkpoint);
    let written = tokio::task::spawn_blocking(move || append(&file, &line));
    written.await.map_err(io::Error::other)?
}

async fn last_signed(tx: &Tx) -> Result<i64, DbErr> {
    let sql = "SELECT COALESCE(max(sequence), 0) FROM audit_checkpoints";
    match tx.query_one_raw(statement(tx, sql, [])).await? {
        Some(row) => row.try_get_by_index(0),
        None => Ok(0),
    }
}

/// A checkpoint as a line of JSON, bytes in hexadecimal.
fn line(service: &str, checkpoint: &Checkpoint) -> String {
    let Checkpoint {
        sequence,
        kind,
        hash,
        time,
        kept_count,
        kept_digest,
        public_key,
        signature,
    } = checkpoint;
    let line = json!({
        "service": service,
        "sequence": sequence,
        "kind": kind,
        "hash": hex::encode(hash),
        "time": time,
        "kept_count": kept_count,
        "kept_digest": hex::encode(kept_digest),
        "public_key": hex::encode(public_key),
        "signature": hex::encode(signature),
    });
    format!("{line}\n")
}

fn append(file: &Path, line: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

/// Reads a file of checkpoints: the service and the checkpoint of each line.
///
/// # Errors
/// The number of the first line that is none, from 1.
pub fn read_lines(text: &str) -> Result<Vec<(String, Checkpoint)>, usize> {
    let lines = text.lines().enumerate();
    lines
        .map(|(place, line)| read_line(line).ok_or(place + 1))
        .collect()
}

fn read_line(line: &str) -> Option<(String, Checkpoint)> {
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    let number = |key: &str| value[key].as_i64();
    let bytes = |key: &str| hex::decode(value[key].as_str()?).ok();
    let checkpoint = Checkpoint {
        sequence: number("sequence")?,
        kind: i32::try_from(number("kind")?).ok()?,
        hash: bytes("hash")?,
        time: number("time")?,
        kept_count: number("kept_count")?,
        kept_digest: bytes("kept_digest")?,
        public_key: bytes("public_key")?,
        signature: bytes("signature")?,
    };
    Some((value["service"].as_str()?.to_owned(), checkpoint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_back_and_a_damaged_one_is_named() {
        let checkpoint = Checkpoint {
            sequence: 7,
            kind: CheckpointKind::Anchor as i32,
            hash: vec![1; 32],
            time: 1_649_289_600_000,
            kept_count: 2,
            kept_digest: vec![2; 32],
            public_key: vec![3; 32],
            signature: vec![4; 64],
        };
        let text = line("roster", &checkpoint);
        let read = vec![("roster".to_owned(), checkpoint)];
        assert_eq!(read_lines(&text), Ok(read));
        assert_eq!(read_lines(&format!("{text}{{")), Err(2));
    }

    #[test]
    fn lines_are_added_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("checkpoints");
        append(&file, "one\n").unwrap();
        append(&file, "two\n").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "one\ntwo\n");
    }
}
