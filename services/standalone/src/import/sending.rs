//! Rows on their way to the service: in chunks, and again after a cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use prost::Message as _;
use proto::roster::{ImportJob, ImportRequest, ImportRow};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::client::{Client, Service, TRIES, passes};
use super::piece::Piece;
use super::roster::Roster;

const MOST_ROWS: usize = 1000;
const MOST_BYTES: usize = 240 << 10;

/// How far sending is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// This row is under way.
    Row(u64),
    /// The connection was cut; it is tried again, for the time with this number.
    Cut(u32),
}

/// Sends the rows of a job that are not durable yet, `rows` in all. A cut connection is taken up
/// behind the last durable row.
///
/// # Errors
/// When reading fails, or a call fails for good.
pub(super) async fn send<T: Service>(
    client: &Client<T>,
    mut job: ImportJob,
    roster: &Arc<Roster>,
    rows: i64,
    sent: impl Fn(Sending),
) -> anyhow::Result<ImportJob> {
    let mut tries = 0;
    loop {
        let before = job.durable_row;
        let cut = stream(client, &job, roster.clone(), &sent).await?;
        job = match client.get(&job.name).await {
            Ok(job) => job,
            Err(status) => return Err(interrupted(status, &job)),
        };
        let Some(status) = cut else {
            ensure!(
                job.durable_row == rows,
                "文件与任务 {} 不符：文件有 {rows} 行，服务收到 {} 行；请用原来的文件和选项接着送 \
                 (the files are not those of the job)",
                job.name,
                job.durable_row
            );
            return Ok(job);
        };
        tries = if job.durable_row > before {
            1
        } else {
            tries + 1
        };
        if tries > TRIES || !passes(&status) {
            return Err(interrupted(status, &job));
        }
        sent(Sending::Cut(tries));
        tokio::time::sleep(Duration::from_millis(100 << tries)).await;
    }
}

fn interrupted(status: Status, job: &ImportJob) -> anyhow::Error {
    anyhow::Error::new(status).context(format!(
        "导入中断；用同样的文件和选项加 --resume {} 接着送 (interrupted: go on with --resume)",
        job.name
    ))
}

/// Nobody takes rows any more.
#[derive(Debug, thiserror::Error)]
#[error("the call has ended")]
struct Gone;

/// Sends what is not durable yet. Gives why the stream ended early, if it did.
async fn stream<T: Service>(
    client: &Client<T>,
    job: &ImportJob,
    roster: Arc<Roster>,
    sent: &impl Fn(Sending),
) -> anyhow::Result<Option<Status>> {
    let (sender, receiver) = mpsc::channel(8);
    let progress = Arc::new(AtomicU64::new(job.durable_row.unsigned_abs()));
    let (name, durable, shown) = (job.name.clone(), job.durable_row, progress.clone());
    let reading = tokio::task::spawn_blocking(move || {
        let mut chunk = Chunk {
            name,
            rows: Vec::new(),
            bytes: 0,
            sender,
        };
        roster.read(&mut |piece| {
            let (Piece::Row(row, _) | Piece::Refused(row, ..)) = piece else {
                return Ok(());
            };
            if row.row > durable {
                shown.store(row.row.unsigned_abs(), Ordering::Relaxed);
                chunk.push(*row)?;
            }
            Ok(())
        })?;
        chunk.flush()
    });
    let mut client = client.imports.clone();
    // A call without a message names no job; when nothing is left, nothing is sent.
    let mut receiver = receiver;
    let Some(first) = receiver.recv().await else {
        reading.await.context("the reader stopped")??;
        return Ok(None);
    };
    let messages =
        tokio_stream::StreamExt::chain(tokio_stream::once(first), ReceiverStream::new(receiver));
    let call = client.import(messages);
    tokio::pin!(call);
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    let answer = loop {
        tokio::select! {
            answer = &mut call => break answer,
            _ = tick.tick() => sent(Sending::Row(progress.load(Ordering::Relaxed))),
        }
    };
    match (reading.await.context("the reader stopped")?, answer.err()) {
        // The answer says why nobody took more.
        (Err(err), Some(status)) if err.is::<Gone>() => Ok(Some(status)),
        (Err(err), None) if err.is::<Gone>() => bail!("the call ended before all rows were sent"),
        (Err(err), _) => Err(err),
        (Ok(()), cut) => Ok(cut),
    }
}

struct Chunk {
    name: String,
    rows: Vec<ImportRow>,
    bytes: usize,
    sender: mpsc::Sender<ImportRequest>,
}

impl Chunk {
    fn push(&mut self, row: ImportRow) -> anyhow::Result<()> {
        let bytes = row.encoded_len() + 8;
        if self.bytes + bytes > MOST_BYTES || self.rows.len() == MOST_ROWS {
            self.flush()?;
        }
        self.bytes += bytes;
        self.rows.push(row);
        Ok(())
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        self.bytes = 0;
        let rows = std::mem::take(&mut self.rows);
        if !rows.is_empty() {
            let request = ImportRequest {
                name: self.name.clone(),
                rows,
            };
            self.sender.blocking_send(request).map_err(|_| Gone)?;
        }
        Ok(())
    }
}
